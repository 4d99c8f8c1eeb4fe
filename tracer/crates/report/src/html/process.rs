//! One process as the page has it: its figures, its call sites in columns, their courses.

use serde::Serialize;

use super::answer::Answer;
use super::interned::Interned;
use super::reservations::{self, Reservations};
use crate::rows;
use crate::text::line::escape;
use crate::text::{harm, process as words};
use tracer_analysis::refusals::words as refusal;
use tracer_analysis::summary::Rate;
use tracer_analysis::summary::{
    Harm, LedgerCheck, Process as Model, Quantiles, Site, Span, StackGrades, TimelinePoint, Trend,
};
use tracer_ledger::event::StackQuality;

/// One process.
#[derive(Debug, Serialize)]
pub struct Process<'a> {
    pid: u32,
    name: String,
    /// What it is, how long it was traced, how it ended.
    about: Vec<String>,
    command: String,
    from: u64,
    to: u64,
    verdict: Answer,
    harm: HarmLine<'a>,
    /// What the kernel refused, the most telling first.
    refused: Vec<Refused>,
    /// Why not all that it did was measured.
    unmeasured: Option<&'a str>,
    /// The ledger against the kernel, in words.
    trust: String,
    ledger: &'a LedgerCheck,
    #[serde(rename = "virtual")]
    virtual_bytes: Span,
    /// `null`: nobody looked.
    resident: Option<Span>,
    virtual_growth: Option<Rate>,
    resident_growth: Option<Rate>,
    stacks: &'a StackGrades,
    timeline: Timeline,
    sites: Sites,
    reservations: Reservations,
}

/// Calls that the kernel refused at one place, in words.
#[derive(Debug, Serialize)]
struct Refused {
    what: String,
    /// Where, when, and what came of it.
    parts: Vec<String>,
    count: u64,
    /// The site's number; `null`: not known.
    site: Option<u32>,
    /// The first time, ns.
    first: u64,
}

#[derive(Debug, Serialize)]
struct HarmLine<'a> {
    text: String,
    near: bool,
    limits: &'a [Harm],
}

/// The course of the process; the n-th of each belong together.
#[derive(Debug, Default, Serialize)]
struct Timeline {
    t: Vec<u64>,
    #[serde(rename = "virtual")]
    virtual_bytes: Vec<u64>,
    /// 0 until somebody looked for the first time.
    resident: Vec<u64>,
    touched: Vec<u64>,
}

/// Call sites in columns, the largest first.
#[derive(Debug, Default, Serialize)]
struct Sites {
    id: Vec<u32>,
    /// Short, and the same in every run.
    key: Vec<u32>,
    /// Place of the kind plus 1; 0: of none.
    pattern: Vec<u32>,
    /// Node of the innermost frame; 0: no stack.
    stack: Vec<u32>,
    quality: Vec<u8>,
    title: Vec<u32>,
    location: Vec<u32>,
    module: Vec<u32>,
    callers: Vec<Vec<u32>>,
    name: Vec<u32>,
    threads: Vec<Vec<u32>>,
    pre_existing: Vec<u8>,
    calls: Vec<u64>,
    live: Vec<u64>,
    reserved: Vec<u64>,
    accessible: Vec<u64>,
    touched: Vec<Option<u64>>,
    resident: Vec<Option<u64>>,
    charged: Vec<u64>,
    released: Vec<u64>,
    peak: Vec<u64>,
    first: Vec<u64>,
    last: Vec<u64>,
    lifetime: Vec<Option<[u64; 4]>>,
    size: Vec<Option<[u64; 4]>>,
    trend: Vec<u8>,
    growth: Vec<Option<Rate>>,
    touchers: Vec<Vec<Toucher>>,
    /// Times of changes, and from then on reserved, accessible, touched; empty: no course is known.
    course: Vec<[Vec<u64>; 4]>,
}

#[derive(Debug, Serialize)]
struct Toucher {
    stack: u32,
    estimated: u64,
    faults: u64,
    one_in: u32,
}

/// The most callers that a row names.
const CALLERS: usize = 6;

impl<'a> Process<'a> {
    /// `duration_ns`: of the trace; `reservations`: about how many rows of them.
    pub fn new(
        process: &'a Model,
        duration_ns: u64,
        reservations: usize,
        interned: &mut Interned,
    ) -> Self {
        let (text, near) = harm::of(process);
        let about = words::about(process, duration_ns);
        let command: Vec<String> = process.cmdline.iter().map(|word| escape(word)).collect();
        Self {
            pid: process.pid,
            name: escape(&process.comm),
            about: about.iter().map(|part| escape(part)).collect(),
            command: command.join(" "),
            from: process.first_ns,
            to: process.last_ns,
            verdict: Answer::new(process),
            refused: refused(process),
            harm: HarmLine {
                text: escape(&text),
                near,
                limits: &process.harm,
            },
            unmeasured: process.unmeasured(),
            trust: words::trust(process).0,
            ledger: &process.ledger,
            virtual_bytes: process.virtual_at_work(),
            resident: process.resident_at_work(),
            virtual_growth: process.virtual_growth_per_hour,
            resident_growth: process.resident_growth_per_hour,
            stacks: &process.stacks,
            timeline: timeline(&process.timeline),
            sites: sites(process, interned),
            reservations: reservations::columns(&process.reservations, reservations, interned),
        }
    }
}

fn refused(process: &Model) -> Vec<Refused> {
    let rows = process.refused.iter().map(|row| Refused {
        what: escape(&refusal::what(row)),
        parts: refusal::parts(row)
            .iter()
            .map(|part| escape(part))
            .collect(),
        count: row.count,
        site: row.site,
        first: row.first_ns,
    });
    rows.collect()
}

fn timeline(points: &[TimelinePoint]) -> Timeline {
    let column = |figure: fn(&TimelinePoint) -> u64| points.iter().map(figure).collect();
    Timeline {
        t: column(|point| point.t_ns),
        virtual_bytes: column(|point| point.virtual_bytes),
        resident: column(|point| point.resident_bytes),
        touched: column(|point| point.touched_bytes),
    }
}

fn sites(process: &Model, interned: &mut Interned) -> Sites {
    let mut columns = Sites::default();
    let mut folded: std::collections::HashMap<u32, _> = rows::folded(process)
        .into_iter()
        .map(|(site, folded)| (site.id, folded))
        .collect();
    for site in &process.sites {
        columns.push(site, interned);
        let folded = folded.remove(&site.id).unwrap_or_default();
        let mut text = |text: Option<&str>| interned.string(text.unwrap_or_default());
        columns.title.push(text(folded.title.as_deref()));
        columns.location.push(text(folded.location.as_deref()));
        columns.module.push(text(folded.module.as_deref()));
        let callers = folded.callers.iter().take(CALLERS);
        columns
            .callers
            .push(callers.map(|caller| text(Some(caller))).collect());
    }
    columns
}

impl Sites {
    fn push(&mut self, site: &Site, interned: &mut Interned) {
        self.id.push(site.id);
        self.key.push(interned.string(&site.key));
        self.pattern.push(interned.pattern(site.pattern.as_ref()));
        self.stack.push(interned.stack(&site.frames));
        self.quality.push(match site.stack {
            StackQuality::Complete => 0,
            StackQuality::Cut => 1,
            StackQuality::Broken => 2,
            StackQuality::None => 3,
        });
        self.name.push(interned.string(&site.name));
        let threads = site.thread_names.iter();
        self.threads
            .push(threads.map(|name| interned.string(name)).collect());
        self.pre_existing.push(u8::from(site.pre_existing));
        self.calls.push(site.calls);
        self.live.push(site.live);
        self.reserved.push(site.reserved_bytes);
        self.accessible.push(site.accessible_bytes);
        self.touched.push(site.touched_bytes);
        self.resident.push(site.resident_bytes);
        self.charged.push(site.charged_bytes);
        self.released.push(site.released_bytes);
        self.peak.push(site.peak_bytes);
        self.first.push(site.first_ns);
        self.last.push(site.last_ns);
        let quantiles = |of: Quantiles| [of.p50, of.p90, of.p99, of.max];
        self.lifetime.push(site.lifetime_ns.map(quantiles));
        self.size.push(site.size_bytes.map(quantiles));
        self.trend.push(match site.trend {
            Trend::OneOff => 0,
            Trend::Settled => 1,
            Trend::Growing => 2,
            Trend::Churn => 3,
        });
        self.growth.push(site.growth_per_hour);
        let touchers = site.touch_sites.iter().map(|touch| Toucher {
            stack: interned.stack(&touch.frames),
            estimated: touch.estimated_bytes,
            faults: touch.sampled_faults,
            one_in: touch.one_in,
        });
        self.touchers.push(touchers.collect());
        let points = &site.timeline;
        self.course.push([
            points.iter().map(|point| point.t_ns).collect(),
            points.iter().map(|point| point.reserved_bytes).collect(),
            points.iter().map(|point| point.accessible_bytes).collect(),
            points.iter().map(|point| point.touched_bytes).collect(),
        ]);
    }
}
