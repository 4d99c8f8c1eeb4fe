//! `mremap` in all its forms (`do_mremap()`, mm/mremap.c).

use std::ops::Range;

use super::address_space::{AddressSpace, Ids};
use super::bits;
use super::change::{Origin, ReservationId};
use super::journal::Determined;
use super::piece::{Attributes, Piece};
use super::reservation::{Birth, Maker};
use crate::event::{Address, Nanoseconds, StackId};

/// What an `mremap` was asked, and its result.
#[derive(Clone, Copy, Debug)]
pub struct Remapped {
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
    /// A range is unmapped.
    pub(super) fn unmap(&mut self, address: Address, length: u64) {
        if let Some(range) = self.page.range(address, length) {
            self.vacate(range);
        }
    }

    /// What moved is laid down with its owners, what was added is a reservation of its own.
    pub(super) fn remap(&mut self, ids: &mut Ids, maker: Maker, call: Remapped) {
        // Of huge pages only whole ones move (`check_mremap_params`, before 6.17 `SYSCALL_DEFINE5(mremap)`).
        let huge = self
            .pieces
            .get(call.old_address.0)
            .map_or(0, |(_, piece)| piece.attributes.huge);
        let whole = |length: u64| match huge {
            0 => length,
            huge => length.checked_next_multiple_of(1 << huge).unwrap_or(length),
        };
        let call = Remapped {
            old_length: whole(call.old_length),
            new_length: whole(call.new_length),
            ..call
        };
        let Some(new) = self.page.range(call.new_address, call.new_length) else {
            return;
        };
        let old = self
            .page
            .range(call.old_address, call.old_length)
            .unwrap_or(call.old_address.0..call.old_address.0);
        if old.is_empty() || call.flags & bits::MREMAP_DONTUNMAP != 0 {
            self.duplicate(ids, maker, &old, new.clone());
        } else {
            let length = (old.end - old.start).min(new.end - new.start);
            self.vacate(old.start + length..old.end);
            if old.start == new.start {
                self.grow(ids, maker, new.start + length..new.end);
            } else {
                self.relocate(ids, maker, old.start..old.start + length, &new);
            }
        }
        self.join(&new);
    }

    /// A move to a fixed place that failed. The target is released before the source is looked at (since
    /// Linux 6.17 after it), and of several mappings some may have moved: only the maps can tell, unless
    /// there was nothing to be released and at most one mapping to be moved.
    pub(super) fn remap_failed(
        &mut self,
        returned: Nanoseconds,
        old: Option<Range<u64>>,
        new: Option<Range<u64>>,
    ) {
        let (Some(old), Some(new)) = (old, new) else {
            return;
        };
        let pieces = |range: Range<u64>| self.pieces.overlapping(range).take(2).count();
        let source = pieces(old.clone());
        let nothing_to_move = self.journal.is_none() && self.pieces.get(old.start).is_none();
        let harmless = source < 2 && pieces(new) == 0;
        if self.rules.looks_before_it_releases && nothing_to_move || harmless {
            return;
        }
        self.wonder(returned);
    }

    fn vacate(&mut self, range: Range<u64>) {
        if !range.is_empty() {
            self.release(range.clone());
            self.determine(range, Determined::Unmapped);
        }
    }

    /// All of `old` moves to the beginning of `new`, which may be longer.
    fn relocate(&mut self, ids: &mut Ids, maker: Maker, old: Range<u64>, new: &Range<u64>) {
        let uncertain = self.uncertain(&old);
        let lifted = self.lift(old.clone());
        self.determine(old.clone(), Determined::Unmapped);
        let moved = new.start..new.start + (old.end - old.start);
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
        let (from, to) = (self.page.pages(&old).start, self.page.pages(new).start);
        for run in lifted.touched {
            self.touched.insert_range(&shifted(&run, from, to));
        }
        for run in lifted.resident {
            self.resident.insert_range(&shifted(&run, from, to));
        }
        self.determine(moved.clone(), Determined::Mapped);
        for part in uncertain {
            self.guess(maker, shifted(&part, old.start, new.start));
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
