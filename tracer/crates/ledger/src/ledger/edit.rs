//! The few mutations of an address space that everything else is made of.
//!
//! A mutation notes what it changed of which reservation; [`AddressSpace::settle`] turns the notes of
//! one event into figures and [`Change`]s. Nothing else touches the figures.

use std::ops::Range;

use super::address_space::{AddressSpace, Fallen, Ids, Released};
use super::change::{Change, Difference, ReservationId};
use super::journal::{Determined, Journal};
use super::piece::{Attributes, Piece};
use super::reservation::{Birth, Maker, Reservation};
use crate::event::{Address, Nanoseconds, Pid, StackId, Tid, Totals};

/// What was taken from the map without being released.
#[derive(Clone, Debug, Default)]
pub struct Lifted {
    /// The pieces, ascending, by bytes.
    pub pieces: Vec<(Range<u64>, Piece)>,
    /// The touched pages among them.
    pub touched: Vec<Range<u64>>,
    /// The resident pages among them.
    pub resident: Vec<Range<u64>>,
}

impl AddressSpace {
    /// A new reservation, without a byte: it is announced by [`Self::settle`] if it has some by then.
    pub(super) fn begin(&mut self, ids: &mut Ids, birth: Birth) -> ReservationId {
        let id = ids.issue();
        self.newborn.push(id);
        self.reservations.insert(id, Reservation::new(id, birth));
        id
    }

    /// Who is named for what was there before tracing began.
    pub(super) fn maker_of_old(&self, pid: Pid) -> Maker {
        Maker {
            pid,
            tid: Tid(pid.0),
            stack: StackId::NONE,
            time: self.began,
        }
    }

    /// Notes that a reservation's figures change.
    pub(super) fn note(&mut self, id: ReservationId, difference: Difference) {
        self.pending.push((id, difference));
    }

    /// Unmaps: what is there is lost to its owners.
    pub(super) fn release(&mut self, range: Range<u64>) {
        let lifted = self.lift(range);
        for (part, piece) in &lifted.pieces {
            let mut figures = piece.attributes.figures(part.end - part.start);
            let pages = self.page.pages(part);
            figures.touched = self.bytes_of(common(&lifted.touched, &pages));
            self.note(piece.owner, figures.negated());
            let resident = common(&lifted.resident, &pages);
            self.less_resident(piece.owner, resident);
            self.released.push(Released {
                owner: piece.owner,
                start: Address(part.start),
                end: Address(part.end),
                protection: piece.attributes.protection,
                resident_bytes: resident.saturating_mul(self.page.bytes()),
            });
        }
    }

    /// Takes what is mapped in `range` out of the map; it still belongs to its owners.
    pub(super) fn lift(&mut self, range: Range<u64>) -> Lifted {
        let pages = self.page.pages(&range);
        self.changes(&range);
        let pieces = self.pieces.remove(range);
        if pieces.is_empty() {
            return Lifted::default();
        }
        for (part, piece) in &pieces {
            if piece.attributes.grows_down {
                self.grows_down_bytes -= part.end - part.start;
            }
        }
        Lifted {
            pieces,
            touched: self.touched.take_range(&pages),
            resident: self.resident.take_range(&pages),
        }
    }

    /// Maps a piece where nothing is mapped; it is new to its owner.
    pub(super) fn lay(&mut self, range: Range<u64>, piece: Piece) {
        self.note(
            piece.owner,
            piece.attributes.figures(range.end - range.start),
        );
        self.lay_again(range, piece);
    }

    /// Maps a piece where nothing is mapped; its owner had it all the time.
    pub(super) fn lay_again(&mut self, range: Range<u64>, piece: Piece) {
        if let Some(owner) = self.reservations.get_mut(&piece.owner) {
            owner.reach(&range);
        }
        if piece.attributes.grows_down {
            self.grows_down_bytes += range.end - range.start;
        }
        self.pieces.insert(range, piece);
    }

    /// Changes how the pages in `range` are mapped, not whose they are.
    pub(super) fn restyle(&mut self, range: Range<u64>, change: impl Fn(Attributes) -> Attributes) {
        let before = self.pieces.update(range, |piece| Piece {
            attributes: change(piece.attributes),
            ..*piece
        });
        for (part, piece) in before {
            let bytes = part.end - part.start;
            let (old, new) = (piece.attributes, change(piece.attributes));
            let mut difference = new.figures(bytes);
            difference.add(old.figures(bytes).negated());
            self.note(piece.owner, difference);
            if old.grows_down != new.grows_down {
                self.grows_down_bytes = if new.grows_down {
                    self.grows_down_bytes + bytes
                } else {
                    self.grows_down_bytes - bytes
                };
            }
        }
    }

    /// A mapping over what may be mapped already: mapped pages stay their owners', fresh and with the
    /// new attributes (a commit), the others go to `owner`.
    pub(super) fn overlay(
        &mut self,
        range: Range<u64>,
        attributes: Attributes,
        owner: ReservationId,
    ) {
        let gaps = self.pieces.gaps(range.clone());
        if gaps == [range.clone()] {
            // Nothing is there: what most calls find.
            self.changes(&range);
        } else {
            self.untouch(range.clone());
            self.restyle(range, |_| attributes);
        }
        for gap in gaps {
            self.lay(gap, Piece { owner, attributes });
        }
    }

    /// All mapped pages of `range` that allow access are touched.
    pub(super) fn touch(&mut self, range: Range<u64>) {
        let parts: Vec<_> = self
            .pieces
            .overlapping(range)
            .filter(|(_, piece)| piece.attributes.accessible() && !piece.attributes.guarded)
            .map(|(part, piece)| (part, piece.owner))
            .collect();
        for (part, owner) in parts {
            self.touch_part(&part, owner);
        }
    }

    /// Pages of one owner, mapped, are touched.
    pub(super) fn touch_part(&mut self, part: &Range<u64>, owner: ReservationId) {
        let new = self.touched.insert_range(&self.page.pages(part));
        self.note_touched(owner, self.bytes_of(new));
    }

    /// Notes touched bytes, new or (negative) gone.
    pub(super) fn note_touched(&mut self, owner: ReservationId, touched: i64) {
        if touched != 0 {
            self.note(
                owner,
                Difference {
                    touched,
                    ..Difference::default()
                },
            );
        }
    }

    /// The pages of `range` are as new.
    pub(super) fn untouch(&mut self, range: Range<u64>) {
        self.evict(range.clone());
        if self.touched.runs(&self.page.pages(&range)).is_empty() {
            return;
        }
        for (part, owner) in self.owners(range) {
            let gone = self.touched.remove_range(&self.page.pages(&part));
            self.note_touched(owner, -self.bytes_of(gone));
        }
    }

    /// The pages of `range` leave memory.
    pub(super) fn evict(&mut self, range: Range<u64>) {
        self.changes(&range);
        if self.looked.is_none() {
            return;
        }
        for (part, owner) in self.owners(range) {
            let gone = self.resident.remove_range(&self.page.pages(&part));
            self.less_resident(owner, gone);
        }
    }

    /// A look that is under way may have seen what is no longer there.
    fn changes(&mut self, range: &Range<u64>) {
        if let Some(changed) = &mut self.changed {
            changed.insert(range.clone(), ());
        }
    }

    /// The pieces of `range` and their owners.
    pub(super) fn owners(&self, range: Range<u64>) -> Vec<(Range<u64>, ReservationId)> {
        self.pieces
            .overlapping(range)
            .map(|(part, piece)| (part, piece.owner))
            .collect()
    }

    /// Notes what a call did: for a reading of the maps that may be under way, and in the journal, if
    /// there is one.
    pub(super) fn determine(&mut self, range: Range<u64>, what: Determined) {
        self.motion.change(&range);
        let pages = self.page.pages(&range);
        if let Some(journal) = &mut self.journal {
            if !matches!(what, Determined::Protection(_)) {
                journal.touched.remove_range(&pages);
            }
            journal.determine(range, what);
        }
    }

    /// Something was lost: the ledger of this space is no longer sure. What calls determined up to now
    /// counts no more: others, later, may be among what was lost.
    pub(super) fn lose(&mut self, since: Nanoseconds) {
        self.checks.difference = None;
        self.kernel_bytes = None;
        let mut journal = Journal::new(since.max(self.motion.settled()));
        journal.lost = true;
        self.journal = Some(journal);
    }

    /// The kernel has something else than the ledger: the maps must tell what.
    pub(super) fn doubt(&mut self, since: Nanoseconds) -> &mut Journal {
        let since = since.max(self.motion.settled());
        let journal = self.wonder(since);
        journal.unexplained = true;
        journal
    }

    /// Something happened of which only the maps can tell the extent: of nothing that was known before
    /// is the ledger sure now.
    pub(super) fn wonder(&mut self, since: Nanoseconds) -> &mut Journal {
        let journal = self.journal.get_or_insert_default();
        journal.extend_to_all(since);
        journal.forget(0..u64::MAX);
        journal
    }

    /// Something happened, within these ranges, of which only the maps can tell what.
    pub(super) fn wonder_about(
        &mut self,
        ranges: impl IntoIterator<Item = Range<u64>>,
        since: Nanoseconds,
    ) -> &mut Journal {
        let journal = self.journal.get_or_insert_default();
        for range in ranges {
            journal.extend(range, since);
        }
        journal
    }

    /// The protections within a range may have changed; what calls said of its being mapped stays.
    pub(super) fn wonder_about_protection(&mut self, range: Range<u64>, since: Nanoseconds) {
        let journal = self.journal.get_or_insert_default();
        journal.extend_to_protection(&range, since);
    }

    /// Whether the ledger is sure of `range`.
    pub(super) fn is_sure_of(&self, range: &Range<u64>) -> bool {
        self.journal
            .as_ref()
            .is_none_or(|journal| journal.doubted(range).is_empty())
    }

    /// Makes the event's notes figures, and says what changed: first of those that were there, then
    /// of those that the event made.
    pub(super) fn settle(&mut self, time: Nanoseconds, changes: &mut Vec<Change>) {
        // Ids are issued in ascending order.
        let newborn = std::mem::take(&mut self.newborn);
        let mut pending = std::mem::take(&mut self.pending);
        pending.sort_by_key(|(id, _)| *id);
        let mut released = std::mem::take(&mut self.released);
        released.sort_by_key(|one| (one.owner, one.start));
        self.fallen.clear();
        for notes in pending.chunk_by(|one, other| one.0 == other.0) {
            let id = notes[0].0;
            let mut difference = Difference::default();
            for (_, note) in notes {
                difference.add(*note);
            }
            let Some(reservation) = self.reservations.get_mut(&id) else {
                continue;
            };
            let before = reservation.figures();
            reservation.add(difference);
            self.mapped_bytes = self.mapped_bytes.saturating_add_signed(difference.reserved);
            if newborn.binary_search(&id).is_ok() {
                continue;
            }
            let born = reservation.born;
            if reservation.reserved_bytes == 0 {
                if let Some(mut reservation) = self.reservations.remove(&id) {
                    reservation.add(before);
                    self.fallen.push(fallen(reservation, &released));
                }
                changes.push(Change::Died {
                    id,
                    space: self.id,
                    time,
                    born,
                    difference,
                    released: true,
                });
            } else if difference != Difference::default() {
                changes.push(Change::Changed {
                    id,
                    space: self.id,
                    time,
                    difference,
                });
            }
        }
        released.clear();
        released.shrink_to(64);
        self.released = released;
        self.fallen.shrink_to(64);
        pending.clear();
        // One huge event must not cost its memory for the rest of the trace.
        pending.shrink_to(64);
        self.pending = pending;
        for id in newborn {
            let Some(reservation) = self.reservations.get(&id) else {
                continue;
            };
            if reservation.reserved_bytes == 0 {
                self.reservations.remove(&id);
                continue;
            }
            changes.push(Change::Born {
                id,
                space: self.id,
                pid: reservation.pid,
                tid: reservation.tid,
                stack: reservation.stack,
                origin: reservation.origin,
                time: reservation.born,
                figures: reservation.figures(),
            });
        }
    }

    /// The kernel's account, at a moment when the ledger should have the same.
    pub(super) fn account(&mut self, time: Nanoseconds, totals: Totals) {
        let bytes = self.hear(totals);
        self.check_total(time, bytes);
    }

    /// The same of the last totals that there will be.
    pub(super) fn account_last(&mut self, totals: Totals) {
        let bytes = self.hear(totals);
        self.check_last_total(bytes);
    }

    /// The kernel's word on how much is mapped, bytes; stacks have grown to what it says.
    fn hear(&mut self, totals: Totals) -> u64 {
        self.stack_pages = totals.stack_pages;
        self.grow_stack(totals.stack_pages);
        let bytes = totals.total_pages.saturating_mul(self.page.bytes());
        self.kernel_bytes = Some(bytes);
        bytes
    }

    /// Bytes in so many pages, as a difference.
    pub(super) fn bytes_of(&self, pages: u64) -> i64 {
        pages.saturating_mul(self.page.bytes()).cast_signed()
    }

    /// Some pages of a reservation are resident.
    pub(super) fn more_resident(&mut self, owner: ReservationId, pages: u64) {
        let bytes = pages * self.page.bytes();
        if let Some(owner) = self.reservations.get_mut(&owner) {
            owner.resident_bytes = owner.resident_bytes.saturating_add(bytes);
        }
    }

    /// Some pages of a reservation are no longer resident.
    fn less_resident(&mut self, owner: ReservationId, pages: u64) {
        let bytes = pages * self.page.bytes();
        if let Some(owner) = self.reservations.get_mut(&owner) {
            owner.resident_bytes = owner.resident_bytes.saturating_sub(bytes);
        }
    }
}

/// A reservation, and what of all that was released (ascending by owner and address) was its own.
fn fallen(reservation: Reservation, released: &[Released]) -> Fallen {
    let first = released.partition_point(|one| one.owner < reservation.id);
    let its = released[first..]
        .iter()
        .take_while(|one| one.owner == reservation.id);
    Fallen {
        pieces: its
            .clone()
            .map(|one| (one.start, one.end, one.protection))
            .collect(),
        resident_bytes: its.map(|one| one.resident_bytes).sum(),
        reservation,
    }
}

/// How many of `pages` are in `runs`.
fn common(runs: &[Range<u64>], pages: &Range<u64>) -> u64 {
    let first = runs.partition_point(|run| run.end <= pages.start);
    runs[first..]
        .iter()
        .take_while(|run| run.start < pages.end)
        .map(|run| run.end.min(pages.end) - run.start.max(pages.start))
        .sum()
}
