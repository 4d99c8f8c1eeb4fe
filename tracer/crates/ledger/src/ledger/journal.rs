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

/// Which parts of a doubt a reading of the maps can say something of: those that began before it did.
#[derive(Clone, Copy, Debug)]
pub struct Settled {
    /// Also what is in doubt because everything is.
    everything: bool,
    /// Ranges that are in doubt since then or earlier.
    before: Nanoseconds,
}

impl Settled {
    /// Every part.
    pub const ALL: Self = Self {
        everything: true,
        before: Nanoseconds(u64::MAX),
    };

    /// The same, and what is in doubt because everything is, if so.
    #[must_use]
    pub fn and_everything_if(self, so: bool) -> Self {
        Self {
            everything: self.everything || so,
            ..self
        }
    }
}

/// The doubt about one address space, and what is certain in spite of it.
///
/// Every part of it has its own beginning: a reading that began earlier may show what was there before, and says
/// nothing of that part.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// Something was lost: the end of the doubt is a resynchronisation.
    pub lost: bool,
    /// The kernel had something that no traced call explains: the end of the doubt is one too.
    pub unexplained: bool,
    /// Which ranges that concerns was told when it was found.
    pub told: bool,
    /// Since when everything is in doubt; `None`: only the ranges are.
    everything: Option<Nanoseconds>,
    /// What is in doubt, bytes, and since when; where everything is, the later beginning counts.
    ranges: IntervalMap<Nanoseconds>,
    /// Where the ranges are in doubt for more than their protection, and no call has said since whether they are
    /// mapped: there the ledger's total may be wrong.
    sizes: IntervalMap<()>,
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
            everything: Some(since),
            ..Self::default()
        }
    }

    /// `range` is in doubt as well, from this moment on; what calls have said of it counts no more.
    pub fn extend(&mut self, range: Range<u64>, since: Nanoseconds) {
        if !range.is_empty() {
            self.ranges.insert(range.clone(), since);
            self.sizes.insert(range.clone(), ());
            self.determined.remove(range);
        }
    }

    /// The protections within `range` are in doubt as well, from this moment on; what calls have said of its being
    /// mapped stays.
    pub fn extend_to_protection(&mut self, range: &Range<u64>, since: Nanoseconds) {
        if !range.is_empty() {
            self.ranges.insert(range.clone(), since);
            self.doubt_protection(range);
        }
    }

    /// Whether the sum of what is mapped is beyond doubt: only protections are in it, or what calls have settled since.
    #[must_use]
    pub fn is_sure_of_the_total(&self) -> bool {
        self.everything.is_none() && self.sizes.len() == 0
    }

    /// Everything is in doubt from this moment on.
    pub fn extend_to_all(&mut self, since: Nanoseconds) {
        self.everything = self.everything.max(Some(since));
    }

    /// Something has happened, at this moment, somewhere in what is in doubt.
    pub fn begin_again(&mut self, since: Nanoseconds) {
        self.everything = self.everything.map(|begun| begun.max(since));
        let parts: Vec<_> = self
            .ranges
            .iter()
            .map(|(part, begun)| (part, *begun))
            .collect();
        for (part, begun) in parts {
            self.ranges.insert(part, begun.max(since));
        }
    }

    /// What a reading of the maps that began at this moment can say something of.
    #[must_use]
    pub fn settled_by(&self, began: Nanoseconds) -> Settled {
        Settled {
            everything: self.everything.is_none_or(|since| since <= began),
            before: began,
        }
    }

    /// The doubt that is left after what was settled.
    #[must_use]
    pub fn without(mut self, settled: Settled) -> Option<Self> {
        if self.everything.is_some() && !settled.everything {
            return Some(self);
        }
        self.everything = None;
        self.lost = false;
        self.unexplained = false;
        self.told = false;
        let ranges = std::mem::take(&mut self.ranges);
        let sizes = std::mem::take(&mut self.sizes);
        let determined = std::mem::take(&mut self.determined);
        for (range, since) in ranges.iter().filter(|(_, since)| **since > settled.before) {
            for (part, what) in determined.overlapping(range.clone()) {
                self.determined.insert(part, *what);
            }
            for (part, ()) in sizes.overlapping(range.clone()) {
                self.sizes.insert(part, ());
            }
            self.ranges.insert(range, *since);
        }
        (self.ranges.len() > 0).then_some(self)
    }

    /// What calls have said of `range` counts no more: where it is in doubt, also its being mapped.
    pub fn forget(&mut self, range: Range<u64>) {
        let doubted = self.ranges.overlapping(range.clone());
        let doubted: Vec<_> = doubted.map(|(part, _)| part).collect();
        for part in doubted {
            self.sizes.insert(part, ());
        }
        self.determined.remove(range);
    }

    /// The parts of `range` that were in doubt and are settled, whatever calls have said since.
    fn within(&self, range: &Range<u64>, settled: Settled) -> Vec<Range<u64>> {
        let begun_later = |since: Nanoseconds| since > settled.before;
        let ranges = self.ranges.overlapping(range.clone());
        match self.everything {
            None => ranges
                .filter(|(_, since)| !begun_later(**since))
                .map(|(part, _)| part)
                .collect(),
            Some(_) if settled.everything => {
                let mut later = IntervalMap::default();
                for (part, _) in ranges.filter(|(_, since)| begun_later(**since)) {
                    later.insert(part, ());
                }
                later.gaps(range.clone())
            }
            Some(_) => Vec::new(),
        }
    }

    /// The parts of `range` of which the ledger may be wrong.
    #[must_use]
    pub fn doubted(&self, range: &Range<u64>) -> Vec<Range<u64>> {
        let mut doubted = self.unknown(range);
        doubted.sort_by_key(|part| part.start);
        doubted
    }

    /// A reading of the maps has ended, during which only what is `moving` was changed: of all else that it settles
    /// it knows better than calls that had returned before it began.
    pub fn keep(&mut self, moving: &IntervalMap<()>, settled: Settled) {
        for part in self.within(&(0..u64::MAX), settled) {
            for known in moving.gaps(part) {
                self.determined.remove(known);
            }
        }
    }

    /// Notes what a call did to `range`.
    pub fn determine(&mut self, range: Range<u64>, what: Determined) {
        let Determined::Protection(_) = what else {
            self.sizes.remove(range.clone());
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
    fn doubt_protection(&mut self, range: &Range<u64>) {
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
    pub fn open(&self, range: &Range<u64>, settled: Settled) -> Vec<(Range<u64>, Option<u8>)> {
        let mut open = Vec::new();
        for within in self.within(range, settled) {
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
        let mut parts = self.guessed(range, Settled::ALL);
        for within in self.within(range, Settled::ALL) {
            parts.extend(self.determined.gaps(within));
        }
        parts
    }

    /// The parts of `range` that may not be mapped, or have another protection, for all that calls told.
    #[must_use]
    pub fn unknown(&self, range: &Range<u64>) -> Vec<Range<u64>> {
        let mut parts = self.guessed(range, Settled::ALL);
        parts.extend(
            self.open(range, Settled::ALL)
                .into_iter()
                .map(|(part, _)| part),
        );
        parts
    }

    /// The parts of `range` that are mapped with a protection that is a guess.
    #[must_use]
    pub fn guessed(&self, range: &Range<u64>, settled: Settled) -> Vec<Range<u64>> {
        self.within(range, settled)
            .into_iter()
            .flat_map(|part| self.determined.overlapping(part))
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
        let mut journal = Journal::new(Nanoseconds(0));
        journal.determine(10..20, Determined::Mapped);
        journal.determine(20..30, Determined::MappedSomehow);
        journal.determine(0..40, Determined::Protection(1));
        assert_eq!(
            journal.open(&(0..50), Settled::ALL),
            [(0..10, Some(1)), (30..40, Some(1)), (40..50, None)]
        );
        assert!(journal.guessed(&(0..50), Settled::ALL).is_empty());
    }

    #[test]
    fn a_doubt_about_protections_leaves_what_is_mapped() {
        let mut journal = Journal::new(Nanoseconds(0));
        journal.determine(10..20, Determined::Mapped);
        journal.determine(20..30, Determined::Unmapped);
        journal.determine(30..40, Determined::Protection(1));
        journal.doubt_protection(&(12..35));
        assert_eq!(
            journal.guessed(&(0..50), Settled::ALL).first(),
            Some(&(12..20))
        );
        assert_eq!(
            journal.open(&(10..40), Settled::ALL),
            [(30..35, None), (35..40, Some(1))]
        );
    }

    #[test]
    fn the_last_call_wins() {
        let mut journal = Journal::new(Nanoseconds(0));
        journal.determine(10..20, Determined::Mapped);
        journal.determine(12..15, Determined::Unmapped);
        journal.determine(14..15, Determined::Protection(3));
        assert_eq!(journal.open(&(10..20), Settled::ALL), [(14..15, Some(3))]);
    }
}
