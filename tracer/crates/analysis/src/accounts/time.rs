//! The time that accounts are kept in.

use tracer_ledger::event::Nanoseconds;

/// ns since the trace began, not to be taken for [`Nanoseconds`] of the machine's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TraceTime(pub u64);

impl TraceTime {
    /// A moment of the machine's clock, on which the trace began at `start`: what was before counts as the
    /// beginning.
    #[must_use]
    pub fn on(start: Nanoseconds, moment: Nanoseconds) -> Self {
        Self(moment.0.saturating_sub(start.0))
    }

    /// ns from an earlier time to this one, 0 if that one is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
