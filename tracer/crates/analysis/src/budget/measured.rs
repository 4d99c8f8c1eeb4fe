//! A figure as far as it is known, and what losses make of it.

use crate::model::summary::{Process, Report};

/// A figure: at least this, at most that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// At least.
    pub least: u64,
    /// At most; `None`: no end is known.
    pub most: Option<u64>,
    /// Why it is not known exactly.
    pub why: Option<String>,
}

impl Measured {
    /// Known.
    pub fn exactly(value: u64) -> Self {
        Self {
            least: value,
            most: Some(value),
            why: None,
        }
    }

    /// It is not known, and this is why: `most` at most, if that is known.
    pub fn unknown(most: Option<u64>, why: String) -> Self {
        Self {
            least: 0,
            most,
            why: Some(why),
        }
    }

    /// All together.
    pub fn sum(of: impl Iterator<Item = Self>) -> Self {
        of.fold(Self::exactly(0), Self::add)
    }

    fn add(self, other: Self) -> Self {
        let most = self.most.zip(other.most);
        Self {
            least: self.least.saturating_add(other.least),
            most: most.map(|(one, other)| one.saturating_add(other)),
            why: self.why.or(other.why),
        }
    }

    /// More of it may have been: this is why, if so.
    pub fn or_more(self, why: Option<String>) -> Self {
        match why {
            None => self,
            Some(why) => Self {
                most: None,
                why: Some(why),
                ..self
            },
        }
    }

    /// It may have been anything.
    fn or_anything(self, why: Option<String>) -> Self {
        match why {
            None => self,
            Some(why) => Self::unknown(None, why),
        }
    }
}

/// What losses make of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// By a lost event there may have been more.
    Events,
    /// So there may by a lost page fault.
    EventsAndFaults,
    /// A lost release makes it too high, a lost call too low.
    EitherWay,
    /// So does a lost stack, which makes what is known unknown.
    EitherWayAndStacks,
}

impl Doubt {
    /// The figure after what the trace has lost.
    pub fn on(self, measured: Measured, report: &Report) -> Measured {
        let events = lost_events(report);
        match self {
            Self::Events => measured.or_more(events),
            Self::EventsAndFaults => {
                let faults = lost(report.losses.faults, "page fault", "page faults");
                measured.or_more(faults).or_more(events)
            }
            Self::EitherWay => measured.or_anything(events),
            Self::EitherWayAndStacks => measured.or_anything(events).or_anything(nameless(report)),
        }
    }
}

/// The first of these processes of which not everything was measured, and why.
#[must_use]
pub fn unmeasured<'a>(mut processes: impl Iterator<Item = &'a Process>) -> Option<String> {
    processes.find_map(|process| {
        let why = process.unmeasured()?;
        let (comm, pid) = (&process.comm, process.pid);
        Some(format!("not all of {comm} (pid {pid}) was measured: {why}"))
    })
}

/// Why nothing that depends on every event can be known, if it cannot.
#[must_use]
pub fn lost_events(report: &Report) -> Option<String> {
    let events = report.losses.events.saturating_add(report.losses.late);
    lost(events, "event", "events")
}

fn lost(number: u64, one: &str, many: &str) -> Option<String> {
    let what = if number == 1 { one } else { many };
    let were = if number == 1 { "was" } else { "were" };
    (number > 0).then(|| format!("{number} {what} {were} lost: a larger --ring-size may help"))
}

/// Why some sites may have another stack than they are shown with, if they may.
#[must_use]
pub fn nameless(report: &Report) -> Option<String> {
    lost(report.losses.stacks, "stack", "stacks")
}

/// Why not every site is there, if so: of some processes they were given up.
#[must_use]
pub fn forgotten(report: &Report) -> Option<String> {
    let has_none = |process: &&Process| process.sites.is_empty() && process.virtual_bytes.end > 0;
    let process = report.processes.iter().find(has_none)?;
    Some(format!(
        "the call sites of {} (pid {}) were not kept",
        process.comm, process.pid
    ))
}
