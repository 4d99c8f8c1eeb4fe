//! The programs' counters: what was lost since the last look, and which calls failed.

use anyhow::Result;
use tracer_common::{
    counters::{COUNTERS, Counter},
    kind::{CALLS, TracedCall},
};

use crate::{capture::programs::Programs, capture::ring::now};
use tracer_ledger::event::{Failures, Loss};

/// The counters as they were at the last look.
#[derive(Debug, Default)]
pub struct Losses {
    counts: [u64; COUNTERS],
    left_out: u64,
    unseen: u64,
}

/// What a look at the counters brought.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// What was lost since the last one, if anything.
    pub loss: Option<Loss>,
    /// The kernel has left out programs since: turns may be missing that nobody has counted.
    pub left_out: bool,
}

impl Losses {
    /// What was lost since the last look. `late` events are a loss as well, and so are turns that are
    /// `missing` (all in all) without having been counted where they were lost: the kernel left the
    /// program out that would have told of them.
    pub fn look(&mut self, programs: &Programs, late: u64, missing: u64) -> Result<Look> {
        let counts = programs.counts()?;
        let left_out = programs.left_out();
        let since = |which: Counter| counts[which as usize] - self.counts[which as usize];
        let unseen = missing.saturating_sub(counts[Counter::LostTurns as usize]);
        let loss = Loss {
            time: now(),
            events: unseen.saturating_sub(self.unseen)
                + since(Counter::LostCalls)
                + since(Counter::LostProcesses)
                + since(Counter::UntrackedChildren),
            faults: since(Counter::LostFaults),
            stacks: since(Counter::LostStacks),
            late,
        };
        let look = Look {
            loss: ((loss.events, loss.faults, loss.stacks, loss.late) != (0, 0, 0, 0))
                .then_some(loss),
            left_out: left_out > self.left_out,
        };
        self.counts = counts;
        self.left_out = left_out;
        self.unseen = self.unseen.max(unseen);
        Ok(look)
    }

    /// The failed calls at the last look.
    #[must_use]
    pub fn failures(&self) -> Failures {
        let calls = CALLS
            .iter()
            // A kind is counted once, however many calls it has.
            .filter(|call| TracedCall::of(call.kind) == Some(*call))
            .filter_map(|call| Some((call.name.to_owned(), self.counts[call.failures()?])))
            .filter(|(_, count)| *count > 0)
            .collect();
        Failures {
            calls,
            faults: self.counts[Counter::Faults as usize],
        }
    }
}
