//! One reservation: what one successful call added to an address space, or what is left of it.

use std::ops::Range;
use std::sync::Arc;

use super::change::{Difference, Origin, ReservationId};
use super::names::MappedFile;
use crate::event::{Address, Nanoseconds, Pid, StackId, Tid};

/// Who made a reservation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Maker {
    /// The process.
    pub pid: Pid,
    /// The thread.
    pub tid: Tid,
    /// The call's stack.
    pub stack: StackId,
    /// When.
    pub time: Nanoseconds,
}

/// How a reservation comes to be.
#[derive(Clone, Debug)]
pub struct Birth {
    /// By what.
    pub origin: Origin,
    /// By whom.
    pub maker: Maker,
    /// What the call asked for.
    pub asked: Range<u64>,
    /// `MAP_*` bits.
    pub flags: u32,
    /// `PROT_*` bits.
    pub protection: u8,
}

/// A living reservation, or its last state in an ended space.
#[derive(Clone, Debug)]
pub struct Reservation {
    /// Its id, the same for the whole trace.
    pub id: ReservationId,
    /// By what it came to be here.
    pub origin: Origin,
    /// The call's stack; for [`Origin::Inherited`] the one of the call in the ancestor.
    pub stack: StackId,
    /// The process that called; for [`Origin::Inherited`] the ancestor.
    pub pid: Pid,
    /// The thread that called.
    pub tid: Tid,
    /// When it was made, for [`Origin::Inherited`] in the ancestor; for [`Origin::PreExisting`] when
    /// its address space began to be traced.
    pub born: Nanoseconds,
    /// `MAP_*` bits of the call, or those that its line in the maps implies.
    pub flags: u32,
    /// File, or the kernel's name (`[heap]`), or the one that the process has given: as far as the call or a
    /// reading of the maps has told it; else empty.
    pub name: Arc<str>,
    /// The file that its first mapping is of, where the call has told it.
    pub file: Option<MappedFile>,
    /// Where it began when it was made.
    pub address: Address,
    /// The protection it was made with.
    pub protection: u8,
    /// Bytes that the call asked for (rounded up to pages): more than was reserved where it went over
    /// pages that others own.
    pub asked_bytes: u64,
    /// Bytes it holds.
    pub reserved_bytes: u64,
    /// Of these, with a protection other than NONE.
    pub accessible_bytes: u64,
    /// Of these, charged against the commit limit.
    pub charged_bytes: u64,
    /// Of these, ever touched.
    pub touched_bytes: u64,
    /// Of these, in memory at the last look (less what was released since).
    pub resident_bytes: u64,
    /// Everything it owns lies within; it may have shrunk since.
    pub(super) hull: Range<u64>,
    /// Offset in the file at its beginning, bytes, where the maps told it.
    pub(super) offset: u64,
}

impl Reservation {
    /// A reservation that holds nothing yet.
    #[must_use]
    pub(super) fn new(id: ReservationId, birth: Birth) -> Self {
        let Birth { maker, asked, .. } = birth;
        Self {
            id,
            origin: birth.origin,
            stack: maker.stack,
            pid: maker.pid,
            tid: maker.tid,
            born: maker.time,
            flags: birth.flags,
            name: Arc::default(),
            file: None,
            address: Address(asked.start),
            protection: birth.protection,
            asked_bytes: asked.end - asked.start,
            reserved_bytes: 0,
            accessible_bytes: 0,
            charged_bytes: 0,
            touched_bytes: 0,
            resident_bytes: 0,
            hull: asked.start..asked.start,
            offset: 0,
        }
    }

    /// Who made it.
    #[must_use]
    pub(super) fn maker(&self) -> Maker {
        Maker {
            pid: self.pid,
            tid: self.tid,
            stack: self.stack,
            time: self.born,
        }
    }

    /// The figures as a difference from nothing.
    #[must_use]
    pub(super) fn figures(&self) -> Difference {
        Difference {
            reserved: self.reserved_bytes.cast_signed(),
            accessible: self.accessible_bytes.cast_signed(),
            charged: self.charged_bytes.cast_signed(),
            touched: self.touched_bytes.cast_signed(),
        }
    }

    /// Changes the figures; none falls below zero.
    pub(super) fn add(&mut self, difference: Difference) {
        self.reserved_bytes = self
            .reserved_bytes
            .saturating_add_signed(difference.reserved);
        self.accessible_bytes = self
            .accessible_bytes
            .saturating_add_signed(difference.accessible);
        self.charged_bytes = self.charged_bytes.saturating_add_signed(difference.charged);
        self.touched_bytes = self.touched_bytes.saturating_add_signed(difference.touched);
    }

    /// Makes room in the hull.
    pub(super) fn reach(&mut self, range: &Range<u64>) {
        self.hull = if self.hull.is_empty() {
            range.clone()
        } else {
            self.hull.start.min(range.start)..self.hull.end.max(range.end)
        };
    }
}

impl Difference {
    /// Sum, component by component.
    pub(super) fn add(&mut self, other: Self) {
        self.reserved = self.reserved.saturating_add(other.reserved);
        self.accessible = self.accessible.saturating_add(other.accessible);
        self.charged = self.charged.saturating_add(other.charged);
        self.touched = self.touched.saturating_add(other.touched);
    }

    /// The opposite.
    #[must_use]
    pub(super) fn negated(self) -> Self {
        Self {
            reserved: self.reserved.saturating_neg(),
            accessible: self.accessible.saturating_neg(),
            charged: self.charged.saturating_neg(),
            touched: self.touched.saturating_neg(),
        }
    }
}
