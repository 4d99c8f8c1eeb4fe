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
    /// Parts of the old range of which the ledger was not sure how they are mapped.
    pub uncertain: Vec<Range<u64>>,
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
            self.duplicate(ids, maker, &old, new.clone());
        } else if old.start == new.start {
            self.grow(ids, maker, new.start + (old.end - old.start)..new.end);
        } else {
            self.relocate(ids, maker, &old, &new);
        }
        self.join(&new);
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
        let uncertain = self.uncertain(&range);
        let lifted = self.lift(range.clone());
        self.transit.push(Transit {
            tid: maker.tid,
            since: maker.time,
            from: range.start,
            lifted,
            uncertain,
        });
        self.determine(range, Determined::Unmapped);
    }

    fn arrived(&mut self, tid: Tid) -> Option<Transit> {
        let index = self.transit.iter().position(|transit| transit.tid == tid)?;
        Some(self.transit.swap_remove(index))
    }

    fn relocate(&mut self, ids: &mut Ids, maker: Maker, old: &Range<u64>, new: &Range<u64>) {
        let length = (old.end - old.start).min(new.end - new.start);
        let announced = self
            .transit
            .iter()
            .any(|transit| transit.tid == maker.tid && transit.from == old.start);
        if !announced {
            // The early half was lost.
            self.depart(maker, old.start..old.start + length);
        }
        let Some(Transit {
            mut lifted,
            uncertain,
            ..
        }) = self.arrived(maker.tid)
        else {
            return;
        };
        let excess = lifted.split_off(old.start + length, self.page);
        self.forget(&excess);
        let moved = new.start..new.start + length;
        let known = !lifted.pieces.is_empty();
        if self.journal.is_some() || !known {
            self.release(new.clone());
        }
        // Under a hole among several mappings the target is left as it is (`remap_move` in
        // `mm/mremap.c`).
        for (part, _) in &lifted.pieces {
            self.release(shifted(part, old.start, new.start));
        }
        for (part, piece) in lifted.pieces {
            let piece = piece.moved(old.start, new.start);
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
        for part in uncertain {
            let part = shifted(&part, old.start, new.start);
            self.guess(maker, part.start..part.end.min(moved.end));
        }
        if self.journal.is_some() || !known {
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
        let (origin, birth) = if self.seeded {
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
                maker: birth,
                asked: moved.clone(),
                flags: bits::MAP_PRIVATE,
                protection: attributes.protection,
            },
        );
        for gap in gaps {
            self.lay(gap.clone(), Piece { owner, attributes });
            self.guess(maker, gap);
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
        let attributes = before.map_or(Attributes::HEAP, |piece| Attributes {
            guarded: false,
            ..piece.attributes.copied()
        });
        let owner = self.remapped(ids, maker, &growth, before);
        self.lay(growth.clone(), Piece { owner, attributes });
        if before.is_some() && self.uncertain(&(last..last + 1)).is_empty() {
            self.determine(growth, Determined::Mapped);
        } else {
            self.guess(maker, growth);
        }
    }

    /// A second mapping of the same pages (old length 0), or one that takes the pages and leaves the
    /// old mapping empty (`MREMAP_DONTUNMAP`).
    fn duplicate(&mut self, ids: &mut Ids, maker: Maker, old: &Range<u64>, new: Range<u64>) {
        let again = old.is_empty();
        let source = if again {
            old.start..old.start + self.page.bytes()
        } else {
            old.start..old.start + (old.end - old.start).min(new.end - new.start)
        };
        let sure = !again && self.journal.is_none() && self.pieces.get(source.start).is_some();
        if !sure {
            self.release(new.clone());
        }
        let first = self
            .pieces
            .get(source.start)
            .map(|(_, piece)| piece.moved(source.start, new.start));
        let owner = self.remapped(ids, maker, &new, first);
        self.determine(new.clone(), Determined::Mapped);
        if again {
            let attributes = first.map_or(Attributes::HEAP, |piece| piece.attributes.copied());
            self.lay(new.clone(), Piece { owner, attributes });
            if first.is_none() || !self.uncertain(&source).is_empty() {
                self.guess(maker, new);
            }
            return;
        }
        let parts: Vec<_> = self
            .pieces
            .overlapping(source.clone())
            .map(|(part, piece)| {
                let piece = piece.moved(source.start, new.start);
                (shifted(&part, source.start, new.start), piece.attributes)
            })
            .collect();
        for (part, attributes) in parts {
            let attributes = attributes.copied();
            self.release(part.clone());
            self.lay(part, Piece { owner, attributes });
        }
        if sure {
            self.take_over(&source, &new, owner);
            return;
        }
        for gap in self.pieces.gaps(new.clone()) {
            let attributes = Attributes::HEAP;
            self.lay(gap.clone(), Piece { owner, attributes });
            self.guess(maker, gap);
        }
        for part in self.uncertain(&source) {
            self.guess(maker, shifted(&part, source.start, new.start));
        }
        self.take_over(&source, &new, owner);
    }

    /// The contents of `source` are those of `new` now.
    fn take_over(&mut self, source: &Range<u64>, new: &Range<u64>, owner: ReservationId) {
        let (from, to) = (self.page.pages(source), self.page.pages(new).start);
        let (touched, resident) = (self.touched.runs(&from), self.resident.runs(&from));
        self.untouch(source.clone());
        self.left_empty(source);
        let mut gained = (0, 0);
        for run in touched {
            gained.0 += self.touched.insert_range(&shifted(&run, from.start, to));
        }
        for run in resident {
            gained.1 += self.resident.insert_range(&shifted(&run, from.start, to));
        }
        self.note_touched(owner, self.bytes_of(gained.0));
        self.more_resident(owner, gained.1);
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

    /// The parts of `range` that the ledger may have wrong, except for holes.
    fn uncertain(&self, range: &Range<u64>) -> Vec<Range<u64>> {
        self.journal
            .as_ref()
            .map(|journal| journal.uncertain(range))
            .unwrap_or_default()
    }

    /// Notes that a range is mapped in an unknown way. A snapshot whose reading has begun already may
    /// show what was there before: it cannot settle this.
    fn guess(&mut self, maker: Maker, range: Range<u64>) {
        self.determine(range, Determined::MappedSomehow);
        if let Some(journal) = &mut self.journal {
            journal.since = journal.since.max(maker.time);
        }
    }
}

/// A range that keeps its distance from `from` at `to`.
fn shifted(range: &Range<u64>, from: u64, to: u64) -> Range<u64> {
    range.start - from + to..range.end - from + to
}
