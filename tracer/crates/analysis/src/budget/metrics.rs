//! The metrics of a whole trace, each a row: to add one, add its row here and its sum to the test beside it.

use std::collections::HashSet;

use super::figures::{self, Figure};
use super::measured::{Doubt, Measured};
use super::model::Unit;
use crate::model::summary::{Pattern, Process, Report, Site};

/// A figure of the whole trace.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// As it is written.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    /// How it is measured.
    pub measure: Measure,
    /// The sites that make it up.
    pub sites: fn(&Site) -> bool,
    /// What each of these has of it.
    pub figure: &'static Figure,
    /// What losses make of it.
    pub doubt: Doubt,
    /// What `tracer check --help` says of it.
    pub help: Help,
}

/// How a metric is measured.
#[derive(Clone, Copy, Debug)]
pub enum Measure {
    /// What its sites have of it, together.
    OfSites,
    /// What each process has of it, together.
    OfProcesses(fn(&Process) -> Measured),
    /// Over all.
    OfTrace(fn(&Report) -> Measured),
}

/// Metrics that are near to each other share a line of the help.
#[derive(Clone, Copy, Debug)]
pub enum Help {
    /// Its line begins with it.
    Line(&'static str),
    /// It stands on the line that the metric of this name begins, and this is appended to what is said there.
    Beside(&'static str, &'static str),
}

/// A metric is known by its name.
impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Metric {}

/// All of them, in the order in which they are told.
pub static METRICS: [Metric; 13] = [
    // Mapped, as the kernel counts it.
    Metric {
        name: "virtual",
        unit: Unit::Bytes,
        measure: Measure::OfProcesses(|one| Measured::exactly(one.virtual_at_work().end)),
        sites: all,
        figure: &figures::RESERVED,
        doubt: Doubt::Events,
        help: Help::Line("bytes mapped"),
    },
    Metric {
        name: "resident",
        unit: Unit::Bytes,
        measure: Measure::OfProcesses(figures::resident_of_process),
        sites: all,
        figure: &figures::RESIDENT,
        doubt: Doubt::Events,
        help: Help::Beside("virtual", ", in memory"),
    },
    // This and what else is of all sites is also of what was there before the trace.
    Metric {
        name: "touched",
        unit: Unit::Bytes,
        measure: Measure::OfSites,
        sites: all,
        figure: &figures::TOUCHED,
        doubt: Doubt::EventsAndFaults,
        help: Help::Beside("virtual", ", ever touched"),
    },
    Metric {
        name: "charged",
        unit: Unit::Bytes,
        measure: Measure::OfSites,
        sites: all,
        figure: &figures::CHARGED,
        doubt: Doubt::Events,
        help: Help::Beside("virtual", ", charged"),
    },
    // Mapped at the end above what was at the start, of each process that grew.
    Metric {
        name: "grown",
        unit: Unit::Bytes,
        measure: Measure::OfProcesses(|one| {
            let span = one.virtual_at_work();
            Measured::exactly(span.end.saturating_sub(span.start))
        }),
        sites: is_own,
        figure: &figures::RESERVED,
        doubt: Doubt::Events,
        help: Help::Beside("never-released", "; mapped since the start"),
    },
    Metric {
        name: "reserved",
        unit: Unit::Bytes,
        measure: Measure::OfSites,
        sites: all,
        figure: &figures::RESERVED,
        doubt: Doubt::Events,
        help: Help::Beside("virtual", ", of all sites"),
    },
    Metric {
        name: "never-released",
        unit: Unit::Bytes,
        measure: Measure::OfSites,
        sites: is_own,
        figure: &figures::RESERVED,
        doubt: Doubt::Events,
        help: Help::Line("reserved in the trace and still alive"),
    },
    // The part of `never-released` that is of no known kind for sure, as in the verdict.
    Metric {
        name: "unexplained",
        unit: Unit::Bytes,
        measure: Measure::OfSites,
        sites: |site| is_own(site) && !site.pattern.as_ref().is_some_and(Pattern::is_sure),
        figure: &figures::RESERVED,
        doubt: Doubt::EitherWayAndStacks,
        help: Help::Line("never released and of no known kind"),
    },
    // Between ledger and kernel, without its sign.
    Metric {
        name: "difference",
        unit: Unit::Bytes,
        measure: Measure::OfProcesses(difference),
        sites: none,
        figure: &figures::RESERVED,
        doubt: Doubt::Events,
        help: Help::Beside("unexplained", "; ledger against kernel"),
    },
    // Mappings at the last look.
    Metric {
        name: "maps",
        unit: Unit::Count,
        measure: Measure::OfProcesses(maps),
        sites: all,
        figure: &figures::LIVE,
        doubt: Doubt::Events,
        help: Help::Line("numbers"),
    },
    // Process ids seen.
    Metric {
        name: "processes",
        unit: Unit::Count,
        measure: Measure::OfTrace(|report| {
            let pids: HashSet<u32> = report.processes.iter().map(|one| one.pid).collect();
            Measured::exactly(pids.len() as u64)
        }),
        sites: none,
        figure: &figures::RESERVED,
        doubt: Doubt::Events,
        help: Help::Beside("maps", ""),
    },
    Metric {
        name: "calls",
        unit: Unit::Count,
        measure: Measure::OfSites,
        sites: all,
        figure: &figures::CALLS,
        doubt: Doubt::Events,
        help: Help::Beside("maps", ""),
    },
    Metric {
        name: "refused",
        unit: Unit::Count,
        measure: Measure::OfProcesses(figures::refused_of_process),
        sites: all,
        figure: &figures::REFUSED,
        doubt: Doubt::Events,
        help: Help::Line("calls that a limit refused, retried or not"),
    },
];

fn all(_: &Site) -> bool {
    true
}

fn none(_: &Site) -> bool {
    false
}

/// Made in the trace.
pub fn is_own(site: &Site) -> bool {
    !site.pre_existing
}

fn difference(process: &Process) -> Measured {
    if process.ledger.is_compared() {
        return Measured::exactly(process.ledger.difference_bytes.unsigned_abs());
    }
    let why = format!(
        "{} (pid {}) was not compared with the kernel",
        process.comm, process.pid
    );
    Measured::unknown(None, why)
}

fn maps(process: &Process) -> Measured {
    process.limits.maps.map_or_else(
        || {
            let why = format!(
                "the mappings of {} (pid {}) were not counted",
                process.comm, process.pid
            );
            Measured::unknown(None, why)
        },
        Measured::exactly,
    )
}
