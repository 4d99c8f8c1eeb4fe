//! The report as one page of HTML for a browser: everything that it needs is in it, and nothing is fetched.
//!
//! The model goes into the page as JSON (`island`), compact (`interned`); the modules under
//! `assets/page`, bundled, draw it with what they use of the charts under `assets/echarts`. They fill the
//! document by text only, and the page's policy (<https://www.w3.org/TR/CSP3/>) allows no script but these
//! two and no request at all, so that no name that a traced process chose can become markup.

mod diff;

mod answer;

mod interned;

mod island;

mod process;

mod reservations;

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::leading::leading;
use crate::text::line::escape;
use interned::Interned;
use tracer_analysis::diff::model::Diff;
use tracer_analysis::summary::{FailedCalls, Host, Losses, Report, TracerCost, Window};
use tracer_ledger::event::fault_mode;

/// About how many rows of reservations a page has, of all processes together.
const RESERVATIONS: usize = 20_000;
/// Of each process at least.
const OF_EACH: usize = 200;

const CHARTS: &str = include_str!("../../assets/echarts/echarts.min.js");
const BODY: &str = include_str!("../../assets/page/page.html");
const STYLE: &str = include_str!("../../assets/page/page.css");
/// Made by `scripts/build-page` from the modules beside it.
const SCRIPT: &str = include_str!("../../assets/page/page.bundle.js");

/// What the page is made from.
#[derive(Serialize)]
struct Data<'a> {
    #[serde(flatten)]
    trace: Option<Trace<'a>>,
    /// Instead of a trace.
    diff: Option<diff::Compared<'a>>,
    #[serde(flatten)]
    shared: Interned,
}

#[derive(Serialize)]
struct Trace<'a> {
    version: String,
    host: Host,
    started_at: String,
    duration: u64,
    faults: &'static str,
    window: Option<Window>,
    events: u64,
    losses: Losses,
    failed_calls: Vec<FailedCalls>,
    tracer: TracerCost,
    /// What the report is about first.
    processes: Vec<process::Process<'a>>,
}

/// Writes the report.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut shared = Interned::new();
    let all: usize = report
        .processes
        .iter()
        .map(|one| one.reservations.len())
        .sum();
    let processes = leading(report).into_iter().map(|one| {
        let share = RESERVATIONS * one.reservations.len() / all.max(1);
        process::Process::new(one, report.duration_ns, share.max(OF_EACH), &mut shared)
    });
    let trace = Trace {
        version: escape(&report.tracer_version),
        host: Host {
            kernel: escape(&report.host.kernel),
            arch: escape(&report.host.arch),
            name: escape(&report.host.name),
            page_bytes: report.host.page_bytes,
        },
        started_at: escape(&report.started_at),
        duration: report.duration_ns,
        faults: fault_mode::word(report.faults),
        window: report.window,
        events: report.events,
        losses: report.losses,
        failed_calls: report
            .failed_calls
            .iter()
            .map(|failed| FailedCalls {
                call: escape(&failed.call),
                count: failed.count,
            })
            .collect(),
        tracer: report.tracer,
        processes: processes.collect(),
    };
    let data = Data {
        trace: Some(trace),
        diff: None,
        shared,
    };
    page(&data, out)
}

/// Writes a comparison; `old` and `new` are what was compared, for their courses.
///
/// # Errors
/// Those of `out`.
pub fn write_diff(
    diff: &Diff,
    (old, new): (&Report, &Report),
    out: &mut impl Write,
) -> io::Result<()> {
    let mut shared = Interned::new();
    let data = Data {
        trace: None,
        diff: Some(diff::Compared::new(diff, old, new, &mut shared)),
        shared,
    };
    page(&data, out)
}

/// What is inlined is allowed by its hash, everything else is forbidden.
fn page(data: &Data<'_>, out: &mut impl Write) -> io::Result<()> {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src {} {}; \
         style-src {}; img-src data:; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>tracer</title>\n\
         <style>{STYLE}</style>\n</head>",
        hash(CHARTS),
        hash(SCRIPT),
        hash(STYLE),
    )?;
    out.write_all(BODY.as_bytes())?;
    write!(out, "<script type=\"application/json\" id=\"data\">")?;
    island::write(data, out)?;
    writeln!(
        out,
        "</script>\n<script>{CHARTS}</script>\n<script>{SCRIPT}</script>\n</body>\n</html>"
    )
}
