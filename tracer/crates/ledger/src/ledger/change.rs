//! What an event changed in the ledger: totals are kept from these, never by a rescan.

use crate::event::{Nanoseconds, Pid, SpaceId, StackId, Tid};

/// One reservation, for the whole trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReservationId(pub u64);

/// Where a reservation came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// `mmap`.
    Map,
    /// `mremap` growth.
    Remap,
    /// `brk` growth.
    Break,
    /// `shmat`.
    Attach,
    /// There before tracing, or made by the kernel at exec.
    PreExisting,
    /// Copied by fork: alive in the child as it was in the parent.
    Inherited,
    /// Growth without a call (the main stack), or found by a resynchronisation.
    Unseen,
}

/// Signed differences of one reservation's figures, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Bytes mapped.
    pub reserved: i64,
    /// Bytes with a protection other than NONE.
    pub accessible: i64,
    /// Bytes charged against the commit limit.
    pub charged: i64,
    /// Bytes touched and still mapped.
    pub touched: i64,
}

/// What one event changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A reservation came to be.
    Born {
        /// Its id.
        id: ReservationId,
        /// Where.
        space: SpaceId,
        /// Who called.
        pid: Pid,
        /// Which thread.
        tid: Tid,
        /// With which stack.
        stack: StackId,
        /// By what.
        origin: Origin,
        /// When it was made. For [`Origin::PreExisting`] that is when its address space began to be
        /// traced, for [`Origin::Inherited`] when its original was made in the ancestor: both may lie
        /// before the event that told of it.
        time: Nanoseconds,
        /// Its first figures.
        figures: Difference,
    },
    /// A living reservation's figures changed.
    Changed {
        /// Its id.
        id: ReservationId,
        /// Where.
        space: SpaceId,
        /// When.
        time: Nanoseconds,
        /// By how much.
        difference: Difference,
    },
    /// The last byte of a reservation is gone.
    Died {
        /// Its id.
        id: ReservationId,
        /// Where.
        space: SpaceId,
        /// When.
        time: Nanoseconds,
        /// When it was born.
        born: Nanoseconds,
        /// Its last figures, negated.
        difference: Difference,
        /// Whether its process gave it back (else exit or exec did).
        released: bool,
    },
}
