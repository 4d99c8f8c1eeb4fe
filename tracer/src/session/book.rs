//! Ledger and analysis, kept together: one event goes into both, live or from a recording.

use crate::{
    analysis::{Analysis, Progress, summary::Report},
    event::{Event, Pid, SpaceId},
    ledger::{Ledger, change::Change},
};

/// Ledger and analysis of one trace.
#[derive(Debug)]
pub struct Book {
    ledger: Ledger,
    analysis: Analysis,
    /// Kept for its memory.
    changes: Vec<Change>,
}

impl Book {
    /// An empty book for a machine with pages of this size.
    #[must_use]
    pub fn new(page_bytes: u64) -> Self {
        Self {
            ledger: Ledger::new(page_bytes),
            analysis: Analysis::new(),
            changes: Vec::new(),
        }
    }

    /// Enters one event.
    pub fn apply(&mut self, event: &Event) {
        if let Some((pid, space)) = ends(event, &self.ledger) {
            self.analysis.ending(pid, space, &self.ledger);
        }
        self.changes.clear();
        self.ledger.apply(event, &mut self.changes);
        self.analysis.apply(event, &self.changes);
    }

    /// How things stand.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.analysis.progress()
    }

    /// The ledger, to look at.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The report on everything entered so far.
    #[must_use]
    pub fn report(&self) -> Report {
        self.analysis.report(&self.ledger)
    }
}

/// The process whose program ends with this event, and the address space that it leaves.
fn ends(event: &Event, ledger: &Ledger) -> Option<(Pid, SpaceId)> {
    let pid = match event {
        Event::Exit(exit) => exit.stamp.pid,
        Event::Exec(exec) => exec.stamp.pid,
        _ => return None,
    };
    ledger.space_of(pid).map(|space| (pid, space))
}
