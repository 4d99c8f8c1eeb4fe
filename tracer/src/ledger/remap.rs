//! `mremap`: in two halves, because what leaves an address may be followed there by another thread's
//! mapping before the call returns (DESIGN.md, rule 1).

use std::ops::Range;

use super::address_space::{AddressSpace, Ids};
use super::bits;
use super::change::{Origin, ReservationId};
use super::edit::Lifted;
use super::journal::Determined;
use super::piece::{Attributes, Piece};
use super::reservation::{Birth, Maker};
use crate::event::{Address, Nanoseconds, StackId, Tid};

/// What a thread's `mremap` has lifted and will lay down.
#[derive(Clone, Debug)]
pub struct Transit {
    /// Whose call it is.
    pub tid: Tid,
    /// When it left.
    pub since: Nanoseconds,
    /// From where.
    pub from: u64,
    /// What.
    pub lifted: Lifted,
}

/// The late half of an `mremap`.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// The old address.
    pub old_address: Address,
    /// The old length, bytes.
    pub old_length: u64,
    /// The new address.
    pub new_address: Address,
    /// The new length, bytes.
    pub new_length: u64,
    /// `MREMAP_*` bits.
    pub flags: u32,
}

impl AddressSpace {
    /// The early half: a range leaves for good, or until [`Self::remap_arrive`].
    pub(super) fn remap_leave(&mut self, maker: Maker, address: Address, length: u64, moves: bool) {
        let Some(range) = self.page.range(address, length) else {
            return;
        };
        if moves {
            self.depart(maker, range);
        } else {
            self.release(range.clone());
            self.determine(range, Determined::Unmapped);
        }
    }

    /// The late half: what moved is laid down with its owners, what was added is a reservation of its
    /// own.
    pub(super) fn remap_arrive(&mut self, ids: &mut Ids, maker: Maker, arrival: Arrival) {
        let Some(new) = self.page.range(arrival.new_address, arrival.new_length) else {
            return;
        };
        let old = self
            .page
            .range(arrival.old_address, arrival.old_length)
            .unwrap_or(arrival.old_address.0..arrival.old_address.0);
        if old.is_empty() || arrival.flags & bits::MREMAP_DONTUNMAP != 0 {
            self.duplicate(ids, maker, &old, new);
        } else if old.start == new.start {
            self.grow(ids, maker, new.start + (old.end - old.start)..new.end);
        } else {
            self.relocate(ids, maker, &old, &new);
        }
    }

    /// Nobody will lay down any more what left before `time`: its calls' late halves were lost.
    pub(super) fn abandon_transit(&mut self, time: Nanoseconds) {
        let (lost, under_way): (Vec<_>, Vec<_>) = std::mem::take(&mut self.transit)
            .into_iter()
            .partition(|transit| transit.since < time);
        self.transit = under_way;
        for transit in lost {
            self.forget(&transit.lifted);
        }
    }

    fn depart(&mut self, maker: Maker, range: Range<u64>) {
        if let Some(stale) = self.arrived(maker.tid) {
            self.forget(&stale.lifted);
        }
        let lifted = self.lift(range.clone());
        self.transit.push(Transit {
            tid: maker.tid,
            since: maker.time,
            from: range.start,
            lifted,
        });
        self.determine(range, Determined::Unmapped);
    }

    fn arrived(&mut self, tid: Tid) -> Option<Transit> {
        let index = self.transit.iter().position(|transit| transit.tid == tid)?;
        Some(self.transit.swap_remove(index))
    }

    fn relocate(&mut self, ids: &mut Ids, maker: Maker, old: &Range<u64>, new: &Range<u64>) {
        let length = (old.end - old.start).min(new.end - new.start);
        if !self
            .transit
            .iter()
            .any(|transit| transit.tid == maker.tid && transit.from == old.start)
        {
            // The early half was lost.
            self.depart(maker, old.start..old.start + length);
        }
        let Some(Transit { mut lifted, .. }) = self.arrived(maker.tid) else {
            return;
        };
        let excess = lifted.split_off(old.start + length, self.page);
        self.forget(&excess);
        self.release(new.clone());
        let moved = new.start..new.start + length;
        let known = !lifted.pieces.is_empty();
        for (part, piece) in lifted.pieces {
            self.lay_again(shifted(&part, old.start, new.start), piece);
        }
        let (from, to) = (self.page.pages(old).start, self.page.pages(new).start);
        for run in lifted.touched {
            self.touched.insert_range(&shifted(&run, from, to));
        }
        for run in lifted.resident {
            self.resident.insert_range(&shifted(&run, from, to));
        }
        self.determine(moved.clone(), Determined::Mapped);
        let unsure = self.journal.is_some();
        if unsure || !known {
            // It moved something, so something was there. (Where the ledger is sure, holes among
            // pieces are holes: since 6.17 one call can move several mappings.)
            self.fill(ids, maker, &moved);
        }
        self.grow(ids, maker, moved.end..new.end);
    }

    /// What moved here without the ledger having known it.
    fn fill(&mut self, ids: &mut Ids, maker: Maker, moved: &Range<u64>) {
        let gaps = self.pieces.gaps(moved.clone());
        if gaps.is_empty() {
            return;
        }
        let (origin, maker) = if self.seeded {
            let stack = StackId::NONE;
            (Origin::Unseen, Maker { stack, ..maker })
        } else {
            (Origin::PreExisting, self.maker_of_old(maker.pid))
        };
        let attributes = Attributes::HEAP;
        let owner = self.begin(
            ids,
            Birth {
                origin,
                maker,
                asked: moved.clone(),
                flags: bits::MAP_PRIVATE,
                protection: attributes.protection,
            },
        );
        for gap in gaps {
            self.lay(gap.clone(), Piece { owner, attributes });
            self.determine(gap, Determined::MappedSomehow);
        }
    }

    /// Growth is a reservation of its own, mapped as the page before it.
    fn grow(&mut self, ids: &mut Ids, maker: Maker, growth: Range<u64>) {
        if growth.is_empty() {
            return;
        }
        self.release(growth.clone());
        let last = growth.start - 1;
        let before = self.pieces.get(last).map(|(_, piece)| *piece);
        let guessed = self
            .journal
            .as_ref()
            .is_some_and(|journal| !journal.guessed(&(last..last + 1)).is_empty());
        let attributes = before.map_or(Attributes::HEAP, |piece| piece.attributes.copied());
        let owner = self.remapped(ids, maker, &growth, before);
        self.lay(growth.clone(), Piece { owner, attributes });
        let known = before.is_some() && !guessed;
        self.determine(growth, mapped(known));
    }

    /// A reservation by `mremap`, known by the flags and the name of what it was made from.
    fn remapped(
        &mut self,
        ids: &mut Ids,
        maker: Maker,
        asked: &Range<u64>,
        source: Option<Piece>,
    ) -> ReservationId {
        let from = source.and_then(|piece| self.reservations.get(&piece.owner));
        let name = from.map(|from| from.name.clone()).unwrap_or_default();
        let id = self.begin(
            ids,
            Birth {
                origin: Origin::Remap,
                maker,
                asked: asked.clone(),
                flags: from.map_or(bits::MAP_PRIVATE, |from| from.flags),
                protection: source.map_or(0, |piece| piece.attributes.protection),
            },
        );
        if let Some(reservation) = self.reservations.get_mut(&id) {
            reservation.name = name;
        }
        id
    }

    /// A second mapping of the same pages (old length 0), or one that takes the pages and leaves the
    /// old mapping empty (`MREMAP_DONTUNMAP`).
    fn duplicate(&mut self, ids: &mut Ids, maker: Maker, old: &Range<u64>, new: Range<u64>) {
        self.release(new.clone());
        let length = (old.end - old.start).min(new.end - new.start);
        let old = old.start..old.start + length;
        let source = self.pieces.get(old.start).map(|(_, piece)| *piece);
        let mut parts: Vec<(Range<u64>, Attributes)> = self
            .pieces
            .overlapping(old.clone())
            .map(|(part, piece)| {
                (
                    shifted(&part, old.start, new.start),
                    piece.attributes.copied(),
                )
            })
            .collect();
        if let (true, Some(piece)) = (old.is_empty(), source) {
            parts.push((new.clone(), piece.attributes.copied()));
        }
        let known = !parts.is_empty();
        if !known {
            parts.push((new.clone(), Attributes::HEAP));
        }
        let pages = self.page.pages(&old);
        let (touched, resident) = (self.touched.runs(&pages), self.resident.runs(&pages));
        self.untouch(old.clone());
        let owner = self.remapped(ids, maker, &new, source);
        for (part, attributes) in parts {
            self.lay(part, Piece { owner, attributes });
        }
        let to = self.page.pages(&new).start;
        let mut gained = (0, 0);
        for run in touched {
            gained.0 += self.touched.insert_range(&shifted(&run, pages.start, to));
        }
        for run in resident {
            gained.1 += self.resident.insert_range(&shifted(&run, pages.start, to));
        }
        self.note_touched(owner, self.bytes_of(gained.0));
        self.more_resident(owner, gained.1);
        self.determine(new, mapped(known));
    }
}

/// A range that keeps its distance from `from` at `to`.
fn shifted(range: &Range<u64>, from: u64, to: u64) -> Range<u64> {
    range.start - from + to..range.end - from + to
}

/// Mapped; with attributes that are a guess unless they are `known`.
fn mapped(known: bool) -> Determined {
    if known {
        Determined::Mapped
    } else {
        Determined::MappedSomehow
    }
}
