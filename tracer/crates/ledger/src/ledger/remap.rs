//! `mremap` in all its forms (`do_mremap()`, mm/mremap.c).

use std::iter;
use std::ops::Range;

use tracer_common::bits;

use super::address_space::{AddressSpace, Ids};
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
        // Of huge pages only whole ones move (`check_prep_vma`, before 6.17 `SYSCALL_DEFINE5(mremap)`).
        let unit = self
            .pieces
            .get(call.old_address.0)
            .map_or(0, |(_, piece)| piece.attributes.unit(self.page.bytes()));
        let range = |address, length| self.page.range_in(address, length, unit);
        let Some(new) = range(call.new_address, call.new_length) else {
            return;
        };
        let old = range(call.old_address, call.old_length)
            .unwrap_or(call.old_address.0..call.old_address.0);
        let several = self.rules.moves_several
            && call.flags & bits::MREMAP_FIXED != 0
            && old.end - old.start == new.end - new.start;
        if old.is_empty() {
            self.duplicate(ids, maker, old.start, new.clone());
        } else if call.flags & bits::MREMAP_DONTUNMAP != 0 {
            self.move_pages(ids, maker, old, new.clone(), several);
        } else {
            let length = (old.end - old.start).min(new.end - new.start);
            self.vacate(old.start + length..old.end);
            if old.start == new.start {
                self.grow(ids, maker, new.start + length..new.end);
            } else {
                self.relocate(ids, maker, old.start..old.start + length, &new, several);
            }
        }
        self.join(&new);
    }

    /// A move to a fixed place that failed, by whatever error: `EINVAL` too may come late. The target is
    /// released before the source is looked at (since Linux 6.17 after it), and of several mappings some
    /// may have moved: only the maps can tell, unless there was nothing to be released and at most one
    /// mapping to be moved.
    pub(super) fn remap_failed(
        &mut self,
        returned: Nanoseconds,
        old: Option<Range<u64>>,
        new: Option<Range<u64>>,
    ) {
        let (Some(old), Some(new)) = (old, new) else {
            return;
        };
        if self.is_sure_of(&old) && self.is_sure_of(&new) {
            let pieces =
                |range: &Range<u64>| self.pieces.overlapping(range.clone()).take(2).count();
            let nothing_to_move =
                self.rules.looks_before_it_releases && self.pieces.get(old.start).is_none();
            if nothing_to_move || pieces(&old) < 2 && pieces(&new) == 0 {
                return;
            }
        }
        self.wonder_about([old, new], returned);
    }

    fn vacate(&mut self, range: Range<u64>) {
        if !range.is_empty() {
            self.release(range.clone());
            self.determine(range, Determined::Unmapped);
        }
    }

    /// All of `old` moves to the beginning of `new`, which may be longer.
    fn relocate(
        &mut self,
        ids: &mut Ids,
        maker: Maker,
        old: Range<u64>,
        new: &Range<u64>,
        several: bool,
    ) {
        let sure = self.is_sure_of(&old);
        let uncertain = self.uncertain(&old, several);
        let lifted = self.lift(old.clone());
        self.determine(old.clone(), Determined::Unmapped);
        let moved = new.start..new.start + (old.end - old.start);
        let parts: Vec<_> = lifted
            .pieces
            .iter()
            .map(|(part, _)| shifted(part, old.start, new.start))
            .collect();
        let several = several && (!sure || !parts.is_empty());
        // One mapping moves as a whole, and something was there to be moved.
        let whole = !several && (!sure || parts.is_empty());
        if whole {
            self.release(new.clone());
        }
        for (to, (_, piece)) in parts.iter().zip(lifted.pieces) {
            // Under a hole among several mappings the target is left as it is (`remap_move` in
            // `mm/mremap.c`).
            self.release(to.clone());
            self.lay_again(to.clone(), piece.moved(old.start, new.start));
        }
        let (from, to) = (self.page.pages(&old).start, self.page.pages(new).start);
        for run in lifted.touched {
            self.touched.insert_range(&shifted(&run, from, to));
        }
        for run in lifted.resident {
            self.resident.insert_range(&shifted(&run, from, to));
        }
        let uncertain = uncertain
            .iter()
            .map(|part| shifted(part, old.start, new.start));
        if several {
            self.arrived(maker, parts, uncertain);
            return;
        }
        self.determine(moved.clone(), Determined::Mapped);
        for part in uncertain {
            self.guess(maker, part);
        }
        if whole {
            self.fill(ids, maker, &moved);
        }
        self.grow(ids, maker, moved.end..new.end);
    }

    /// `parts` of what may be several mappings with holes among them are known to have come here, and
    /// so may have what is `uncertain`: if it was not mapped, it has left alone what was here.
    fn arrived(
        &mut self,
        maker: Maker,
        parts: Vec<Range<u64>>,
        uncertain: impl Iterator<Item = Range<u64>>,
    ) {
        for part in parts {
            self.determine(part, Determined::Mapped);
        }
        for part in uncertain {
            self.wonder_about(iter::once(part), maker.time);
        }
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
        if before.is_some() && self.uncertain(&(last..last + 1), false).is_empty() {
            self.determine(growth, Determined::Mapped);
        } else {
            self.guess(maker, growth);
        }
    }

    /// A second mapping of the same pages: an old length of 0.
    fn duplicate(&mut self, ids: &mut Ids, maker: Maker, old: u64, new: Range<u64>) {
        self.release(new.clone());
        let first = self.pieces.get(old);
        let first = first.map(|(_, piece)| piece.moved(old, new.start));
        let owner = self.remapped(ids, maker, &new, first);
        self.determine(new.clone(), Determined::Mapped);
        let attributes = first.map_or(Attributes::HEAP, |piece| piece.attributes.copied());
        self.lay(new.clone(), Piece { owner, attributes });
        if first.is_none()
            || !self
                .uncertain(&(old..old + self.page.bytes()), false)
                .is_empty()
        {
            self.guess(maker, new);
        }
    }

    /// A mapping that takes the pages of `old` and leaves it empty (`MREMAP_DONTUNMAP`).
    fn move_pages(
        &mut self,
        ids: &mut Ids,
        maker: Maker,
        old: Range<u64>,
        new: Range<u64>,
        several: bool,
    ) {
        let old = old.start..old.start + (old.end - old.start).min(new.end - new.start);
        let parts: Vec<_> = self
            .pieces
            .overlapping(old.clone())
            .map(|(part, piece)| {
                let piece = piece.moved(old.start, new.start);
                (shifted(&part, old.start, new.start), piece)
            })
            .collect();
        let first = parts.first().map(|(_, piece)| *piece);
        let owner = self.remapped(ids, maker, &new, first);
        let several = several && (self.journal.is_some() || !parts.is_empty());
        if !several {
            self.release(new.clone());
        }
        for (part, piece) in &parts {
            let attributes = piece.attributes.copied();
            self.release(part.clone());
            self.lay(part.clone(), Piece { owner, attributes });
        }
        let uncertain = self.uncertain(&old, several);
        let uncertain = uncertain
            .iter()
            .map(|part| shifted(part, old.start, new.start));
        if several {
            let parts = parts.into_iter().map(|(part, _)| part).collect();
            self.arrived(maker, parts, uncertain);
        } else {
            self.determine(new.clone(), Determined::Mapped);
            for gap in self.pieces.gaps(new.clone()) {
                let attributes = Attributes::HEAP;
                self.lay(gap.clone(), Piece { owner, attributes });
                self.guess(maker, gap);
            }
            for part in uncertain {
                self.guess(maker, part);
            }
        }
        self.take_over(&old, &new, owner);
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

    /// The parts of `range` that the ledger may have wrong; holes only if there may be some.
    fn uncertain(&self, range: &Range<u64>, holes: bool) -> Vec<Range<u64>> {
        let Some(journal) = &self.journal else {
            return Vec::new();
        };
        if holes {
            journal.unknown(range)
        } else {
            journal.uncertain(range)
        }
    }

    /// Notes that a range is mapped in an unknown way. A snapshot whose reading has begun already may
    /// show what was there before: it cannot settle this.
    fn guess(&mut self, maker: Maker, range: Range<u64>) {
        if self.journal.is_some() {
            self.wonder_about(iter::once(range.clone()), maker.time);
        }
        self.restyle(range.clone(), Attributes::guessed);
        self.determine(range, Determined::MappedSomehow);
    }
}

/// A range that keeps its distance from `from` at `to`.
fn shifted(range: &Range<u64>, from: u64, to: u64) -> Range<u64> {
    range.start - from + to..range.end - from + to
}
