//! The answer as the page has it: the fields that the text report prints, and what else the verdict has counted.

use serde::Serialize;

use crate::text::answer::sure;
use crate::text::line::escape;
use tracer_analysis::summary::{Kind, Process, Remedy, Who};
use tracer_analysis::units::rate;

/// ns.
const HOUR: u64 = 3_600_000_000_000;

#[derive(Debug, Serialize)]
pub struct Answer {
    level: &'static str,
    confidence: f64,
    /// The confidence in words; empty where nothing is judged.
    sure: String,
    headline: String,
    who: Vec<Caller>,
    because: Vec<String>,
    change: Vec<Change>,
    next: Vec<Command>,
    grown: u64,
    unexplained: u64,
    knobs: Vec<Knob>,
    before: Option<KnownBefore>,
}

/// A call site that the headline is about.
#[derive(Debug, Serialize)]
struct Caller {
    /// Its key.
    site: String,
    name: String,
    #[serde(rename = "where")]
    place: Option<String>,
    callers: Vec<String>,
    bytes: u64,
    /// Bytes in an hour.
    rate: Option<u64>,
    /// The same in words.
    speed: Option<String>,
}

/// Something to set, as one word.
#[derive(Debug, Serialize)]
struct Change {
    knob: String,
    effect: String,
    predicted_virtual_bytes: Option<u64>,
}

/// What answers what is still open.
#[derive(Debug, Serialize)]
struct Command {
    why: String,
    command: String,
}

/// What was there before tracing, by kinds.
#[derive(Debug, Serialize)]
struct KnownBefore {
    reserved: u64,
    unexplained: u64,
    knobs: Vec<Knob>,
}

/// A kind, and what changes it.
#[derive(Debug, Serialize)]
struct Knob {
    name: String,
    live: u64,
    reserved: u64,
    knob: Option<String>,
    effect: Option<String>,
    then_virtual: Option<u64>,
}

impl Answer {
    pub fn new(process: &Process) -> Self {
        let verdict = &process.verdict;
        let next = verdict.next.iter().map(|one| Command {
            why: escape(&one.why),
            command: escape(&one.command),
        });
        let before = process.before.as_ref().map(|before| KnownBefore {
            reserved: before.virtual_bytes,
            unexplained: before.unexplained_bytes,
            knobs: knobs(&before.kinds),
        });
        Self {
            level: verdict.level.word(),
            confidence: verdict.confidence,
            sure: sure(verdict),
            headline: escape(&verdict.headline),
            who: verdict.who.iter().map(caller).collect(),
            because: verdict.because.iter().map(|one| escape(one)).collect(),
            change: verdict.change.iter().map(change).collect(),
            next: next.collect(),
            grown: verdict.grown_bytes,
            unexplained: verdict.unexplained_bytes,
            knobs: knobs(&verdict.kinds),
            before,
        }
    }
}

fn caller(who: &Who) -> Caller {
    let place = who.place.as_deref().filter(|place| !place.is_empty());
    Caller {
        site: escape(&who.site),
        name: escape(&who.name),
        place: place.map(escape),
        callers: who.callers.iter().map(|one| escape(one)).collect(),
        bytes: who.bytes,
        rate: who.rate,
        speed: who.rate.map(|by_hour| format!("+{}", rate(by_hour, HOUR))),
    }
}

fn change(remedy: &Remedy) -> Change {
    Change {
        knob: escape(&remedy.knob),
        effect: escape(&remedy.effect),
        predicted_virtual_bytes: remedy.predicted_virtual_bytes,
    }
}

fn knobs(kinds: &[Kind]) -> Vec<Knob> {
    let knobs = kinds.iter().map(|kind| Knob {
        name: escape(&kind.name),
        live: kind.live,
        reserved: kind.reserved_bytes,
        knob: kind.knob.as_deref().map(escape),
        effect: kind.knob_effect.as_deref().map(escape),
        then_virtual: kind.predicted_virtual_bytes,
    });
    knobs.collect()
}
