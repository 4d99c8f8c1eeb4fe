//! A comparison as the page has it: what has changed, and the courses of both traces.

use serde::Serialize;

use super::interned::Interned;
use crate::rows;
use crate::text::line::escape;
use tracer_analysis::diff::model::{
    Change, Diff, Figures, KindChange, LevelChange, Matched, Matches, Prediction, ProcessChange,
    Side, SiteChange,
};
use tracer_analysis::summary::{Process, Report};

/// The whole comparison.
#[derive(Debug, Serialize)]
pub struct Compared<'a> {
    text: String,
    old: &'a Side,
    new: &'a Side,
    #[serde(rename = "virtual")]
    virtual_bytes: Change,
    resident: Change,
    level: LevelChange,
    kinds: Vec<Kind>,
    predictions: Vec<Foretold>,
    processes: Vec<Pair>,
}

#[derive(Debug, Serialize)]
struct Pair {
    name: String,
    matched: Matched,
    old_pid: Option<u32>,
    new_pid: Option<u32>,
    #[serde(rename = "virtual")]
    virtual_bytes: Change,
    resident: Change,
    level: LevelChange,
    matches: Matches,
    kinds: Vec<Kind>,
    sites: Vec<ChangeRow>,
    /// `null`: there is none on this side.
    old: Option<Course>,
    new: Option<Course>,
}

#[derive(Debug, Serialize)]
struct Kind {
    name: String,
    figures: Figures,
}

#[derive(Debug, Serialize)]
struct ChangeRow {
    matched: Matched,
    similarity: Option<f64>,
    old_sites: Vec<u32>,
    new_sites: Vec<u32>,
    kind: u32,
    pre_existing: bool,
    name: u32,
    title: u32,
    location: u32,
    stack: u32,
    figures: Figures,
}

#[derive(Debug, Serialize)]
struct Foretold {
    name: String,
    kind: String,
    knob: String,
    old: u64,
    predicted: u64,
    new: u64,
    deviation: f64,
}

/// The course of one side's process, times from its first instruction or the attach on.
#[derive(Debug, Serialize)]
struct Course {
    /// Whether anybody looked at the resident bytes.
    sampled: bool,
    t: Vec<u64>,
    #[serde(rename = "virtual")]
    virtual_bytes: Vec<u64>,
    resident: Vec<u64>,
}

impl<'a> Compared<'a> {
    pub fn new(diff: &'a Diff, old: &'a Report, new: &'a Report, interned: &mut Interned) -> Self {
        let predictions = diff.predictions.iter().map(foretold);
        Self {
            text: escape(&diff.text),
            old: &diff.old,
            new: &diff.new,
            virtual_bytes: diff.virtual_bytes,
            resident: diff.resident_bytes,
            level: diff.level,
            kinds: diff.kinds.iter().map(kind).collect(),
            predictions: predictions.collect(),
            processes: diff
                .processes
                .iter()
                .map(|change| pair(change, old, new, interned))
                .collect(),
        }
    }
}

fn pair(change: &ProcessChange, old: &Report, new: &Report, interned: &mut Interned) -> Pair {
    let before = find(old, change.old_pid, change.virtual_bytes.old);
    let after = find(new, change.new_pid, change.virtual_bytes.new);
    // As in the reports themselves: how a stack is called depends on the process's other stacks.
    let titled = |process: Option<&Process>| {
        let folded = process.map(rows::folded).unwrap_or_default();
        let folded = folded.into_iter().map(|(site, folded)| (site.id, folded));
        folded.collect::<std::collections::HashMap<_, _>>()
    };
    let (titles_before, titles_after) = (titled(before), titled(after));
    let sites = change.sites.iter().map(|site| {
        let folded = site
            .new_sites
            .iter()
            .find_map(|id| titles_after.get(id))
            .or_else(|| site.old_sites.iter().find_map(|id| titles_before.get(id)))
            .cloned()
            .unwrap_or_default();
        let title = interned.string(&folded.title.unwrap_or_default());
        let location = interned.string(&folded.location.unwrap_or_default());
        row(site, (title, location), interned)
    });
    Pair {
        name: escape(&change.comm),
        matched: change.matched,
        old_pid: change.old_pid,
        new_pid: change.new_pid,
        virtual_bytes: change.virtual_bytes,
        resident: change.resident_bytes,
        level: change.level,
        matches: change.matches,
        kinds: change.patterns.iter().map(kind).collect(),
        sites: sites.collect(),
        old: before.map(course),
        new: after.map(course),
    }
}

/// The process that a change is about: one process id may have run several programs.
fn find(report: &Report, pid: Option<u32>, virtual_end: Option<u64>) -> Option<&Process> {
    let pid = pid?;
    let mut of_pid = report.processes.iter().filter(|one| one.pid == pid);
    of_pid.find(|one| Some(one.virtual_at_work().end) == virtual_end)
}

fn row(site: &SiteChange, (title, location): (u32, u32), interned: &mut Interned) -> ChangeRow {
    ChangeRow {
        matched: site.matched,
        similarity: site.similarity,
        old_sites: site.old_sites.clone(),
        new_sites: site.new_sites.clone(),
        kind: interned.string(site.pattern_name.as_deref().unwrap_or_default()),
        pre_existing: site.pre_existing,
        name: interned.string(&site.name),
        title,
        location,
        stack: interned.stack(&site.frames),
        figures: site.figures,
    }
}

fn kind(change: &KindChange) -> Kind {
    Kind {
        name: escape(&change.name),
        figures: change.figures,
    }
}

fn foretold(prediction: &Prediction) -> Foretold {
    Foretold {
        name: escape(&prediction.comm),
        kind: escape(&prediction.name),
        knob: escape(&prediction.knob),
        old: prediction.old_bytes,
        predicted: prediction.predicted_bytes,
        new: prediction.new_bytes,
        deviation: prediction.deviation_percent,
    }
}

fn course(process: &Process) -> Course {
    let points = &process.timeline;
    let since = |t_ns: u64| t_ns.saturating_sub(process.first_ns);
    Course {
        sampled: process.samples > 0,
        t: points.iter().map(|point| since(point.t_ns)).collect(),
        virtual_bytes: points.iter().map(|point| point.virtual_bytes).collect(),
        resident: points.iter().map(|point| point.resident_bytes).collect(),
    }
}
