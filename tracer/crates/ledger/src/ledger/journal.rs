//! What calls have said about an address space whose ledger is not sure (rules 3 and 5).
//!
//! A snapshot of the maps takes time to read and to arrive: what a call determined meanwhile is newer
//! than the snapshot, what no call determined is the snapshot's. So between the begin of doubt and the
//! snapshot every call is noted here, page by page, the last one winning.

use std::ops::Range;

use super::interval_map::IntervalMap;
use super::page_set::PageSet;
use super::reservation::Maker;
use crate::event::Nanoseconds;

/// What the calls said last of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Determined {
    /// It is not mapped.
    Unmapped,
    /// It is mapped as the ledger says.
    Mapped,
    /// It is mapped as the ledger says, but its protection is a guess (moved from an unknown place).
    MappedSomehow,
    /// It has this protection, if it is mapped.
    Protection(u8),
}

/// The doubt about one address space, and what is certain in spite of it.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// Since when: a snapshot whose reading began earlier does not end it.
    pub since: Nanoseconds,
    /// Something was lost: the end of the doubt is a resynchronisation.
    pub lost: bool,
    /// The kernel had something that no traced call explains: the end of the doubt is one too.
    pub unexplained: bool,
    /// Which ranges that concerns was told when it was found.
    pub told: bool,
    /// What is in doubt, bytes; `None`: everything.
    limits: Option<IntervalMap<()>>,
    /// By range, bytes.
    determined: IntervalMap<Determined>,
    /// Faults on pages that the ledger does not know: touched, if the snapshot shows them mapped.
    pub touched: PageSet,
    /// `shmat` calls of unknown length: where, and who called.
    pub attached: Vec<(u64, Maker)>,
}

impl Journal {
    /// Nothing is certain from now on.
    #[must_use]
    pub fn new(since: Nanoseconds) -> Self {
        Self {
            since,
            ..Self::default()
        }
    }

    /// Only what will be [added](Self::extend) is in doubt.
    #[must_use]
    pub fn limited() -> Self {
        Self {
            limits: Some(IntervalMap::default()),
            ..Self::default()
        }
    }

    /// `range` is in doubt as well.
    pub fn extend(&mut self, range: Range<u64>) {
        if let Some(limits) = &mut self.limits
            && !range.is_empty()
        {
            limits.insert(range, ());
        }
    }

    /// Everything is in doubt.
    pub fn extend_to_all(&mut self) {
        self.limits = None;
    }

    /// What calls have said of `range` counts no more.
    pub fn forget(&mut self, range: Range<u64>) {
        self.determined.remove(range);
    }

    /// The parts of `range` that are in doubt, whatever calls have said since.
    fn within(&self, range: &Range<u64>) -> Vec<Range<u64>> {
        match &self.limits {
            None => vec![range.clone()],
            Some(limits) => limits
                .overlapping(range.clone())
                .map(|(part, ())| part)
                .collect(),
        }
    }

    /// The parts of `range` of which the ledger may be wrong.
    #[must_use]
    pub fn doubted(&self, range: &Range<u64>) -> Vec<Range<u64>> {
        let mut doubted = self.unknown(range);
        doubted.sort_by_key(|part| part.start);
        doubted
    }

    /// A reading of the maps has ended, during which only what is `moving` was changed: of all else it
    /// knows better than calls that had returned before it began.
    pub fn keep(&mut self, moving: &IntervalMap<()>) {
        let mut kept = IntervalMap::default();
        for (range, ()) in moving.iter() {
            for (part, what) in self.determined.overlapping(range) {
                kept.insert(part, *what);
            }
        }
        self.determined = kept;
    }

    /// Notes what a call did to `range`.
    pub fn determine(&mut self, range: Range<u64>, what: Determined) {
        let Determined::Protection(_) = what else {
            self.determined.insert(range, what);
            return;
        };
        // Whoever can be protected is mapped: what the ledger maps stays as it is there.
        self.determined.update(range.clone(), |old| match old {
            Determined::Mapped | Determined::MappedSomehow => Determined::Mapped,
            Determined::Unmapped | Determined::Protection(_) => what,
        });
        for gap in self.determined.gaps(range) {
            self.determined.insert(gap, what);
        }
    }

    /// A call may have changed the protection of some of `range`: what calls have said of it counts no
    /// more.
    pub fn doubt_protection(&mut self, range: &Range<u64>) {
        for (part, what) in self.determined.remove(range.clone()) {
            match what {
                Determined::Mapped | Determined::MappedSomehow => {
                    self.determined.insert(part, Determined::MappedSomehow);
                }
                Determined::Unmapped => {
                    self.determined.insert(part, what);
                }
                Determined::Protection(_) => {}
            }
        }
    }

    /// The parts of `range` whose being mapped no call has determined; with each, the protection that
    /// one has.
    #[must_use]
    pub fn open(&self, range: &Range<u64>) -> Vec<(Range<u64>, Option<u8>)> {
        let mut open = Vec::new();
        for within in self.within(range) {
            open.extend(
                self.determined
                    .gaps(within.clone())
                    .into_iter()
                    .map(|gap| (gap, None)),
            );
            for (part, what) in self.determined.overlapping(within) {
                if let Determined::Protection(protection) = *what {
                    open.push((part, Some(protection)));
                }
            }
        }
        open.sort_by_key(|(part, _)| part.start);
        open
    }

    /// The parts of `range` of whose protection no call has told.
    #[must_use]
    pub fn uncertain(&self, range: &Range<u64>) -> Vec<Range<u64>> {
        let mut parts = self.guessed(range);
        for within in self.within(range) {
            parts.extend(self.determined.gaps(within));
        }
        parts
    }

    /// The parts of `range` that may not be mapped, or have another protection, for all that calls told.
    #[must_use]
    pub fn unknown(&self, range: &Range<u64>) -> Vec<Range<u64>> {
        let mut parts = self.guessed(range);
        parts.extend(self.open(range).into_iter().map(|(part, _)| part));
        parts
    }

    /// The parts of `range` that are mapped with a protection that is a guess.
    #[must_use]
    pub fn guessed(&self, range: &Range<u64>) -> Vec<Range<u64>> {
        self.determined
            .overlapping(range.clone())
            .filter(|(_, what)| **what == Determined::MappedSomehow)
            .map(|(part, _)| part)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protection_does_not_undo_what_is_known_to_be_mapped() {
        let mut journal = Journal::default();
        journal.determine(10..20, Determined::Mapped);
        journal.determine(20..30, Determined::MappedSomehow);
        journal.determine(0..40, Determined::Protection(1));
        assert_eq!(
            journal.open(&(0..50)),
            [(0..10, Some(1)), (30..40, Some(1)), (40..50, None)]
        );
        assert!(journal.guessed(&(0..50)).is_empty());
    }

    #[test]
    fn a_doubt_about_protections_leaves_what_is_mapped() {
        let mut journal = Journal::default();
        journal.determine(10..20, Determined::Mapped);
        journal.determine(20..30, Determined::Unmapped);
        journal.determine(30..40, Determined::Protection(1));
        journal.doubt_protection(&(12..35));
        assert_eq!(journal.guessed(&(0..50)).first(), Some(&(12..20)));
        assert_eq!(journal.open(&(10..40)), [(30..35, None), (35..40, Some(1))]);
    }

    #[test]
    fn the_last_call_wins() {
        let mut journal = Journal::default();
        journal.determine(10..20, Determined::Mapped);
        journal.determine(12..15, Determined::Unmapped);
        journal.determine(14..15, Determined::Protection(3));
        assert_eq!(journal.open(&(10..20)), [(14..15, Some(3))]);
    }
}
