//! The programs' counters: what was lost since the last look, and which calls failed.

use anyhow::Result;
use tracer_common::{
    counters::{COUNTERS, Counter},
    header::Kind,
};

use crate::{
    capture::{programs::Programs, ring::now},
    event::{Failures, Loss},
};

/// The counters as they were at the last look.
#[derive(Debug, Default)]
pub struct Losses {
    counts: [u64; COUNTERS],
}

impl Losses {
    /// What was lost since the last look, if anything; `late` events are a loss as well.
    pub fn look(&mut self, programs: &Programs, late: u64) -> Result<Option<Loss>> {
        let counts = programs.counts()?;
        let since = |which: Counter| counts[which as usize] - self.counts[which as usize];
        let loss = Loss {
            time: now(),
            events: since(Counter::LostCalls)
                + since(Counter::LostProcesses)
                + since(Counter::UntrackedChildren),
            faults: since(Counter::LostFaults),
            stacks: since(Counter::LostStacks),
            late,
        };
        self.counts = counts;
        let nothing = (loss.events, loss.faults, loss.stacks, loss.late) == (0, 0, 0, 0);
        Ok((!nothing).then_some(loss))
    }

    /// The failed calls at the last look.
    #[must_use]
    pub fn failures(&self) -> Failures {
        let calls = [
            (Kind::Mmap, "mmap"),
            (Kind::Munmap, "munmap"),
            (Kind::Mremap, "mremap"),
            (Kind::Brk, "brk"),
            (Kind::Mprotect, "mprotect"),
            (Kind::Madvise, "madvise"),
            (Kind::Shmat, "shmat"),
            (Kind::Shmdt, "shmdt"),
            (Kind::RemapFilePages, "remap_file_pages"),
        ]
        .into_iter()
        .map(|(kind, name)| {
            let count = self.counts[Counter::FailedCalls as usize + kind as usize];
            (name.to_owned(), count)
        })
        .filter(|(_, count)| *count > 0)
        .collect();
        Failures {
            calls,
            faults: self.counts[Counter::Faults as usize],
        }
    }
}
