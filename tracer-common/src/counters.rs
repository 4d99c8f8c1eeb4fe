//! What is counted in the kernel, per CPU: every failed call and every loss, by kind.

/// An index into the per-CPU counters; the numbers are the wire's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Counter {
    /// Records written to the ring.
    Sent = 0,
    /// Memory calls lost: the ring was full.
    LostCalls = 1,
    /// Page faults lost: the ring was full.
    LostFaults = 2,
    /// Process events lost: the ring was full.
    LostProcesses = 3,
    /// Stacks lost: the ring was full; their events say that they have none. And what only says whose mappings there are
    /// more of than before.
    LostStacks = 4,
    /// Page faults counted (in every mode but `off`).
    Faults = 5,
    /// Children that could not be followed: the table of traced processes was full.
    UntrackedChildren = 6,
    /// Of the lost calls and process events, those that had a turn.
    LostTurns = 7,
    /// Memory calls that failed, by kind: see [`crate::kind::Kind::failures`].
    FailedCalls = 16,
}

/// Length of the counter array.
pub const COUNTERS: usize = 32;
