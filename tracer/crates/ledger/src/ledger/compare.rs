//! The ledger held against the kernel, all along (ARCHITECTURE.md, rule 4).
//!
//! Two ways. Each call carries the kernel's own total, read when the call was given the lock of its
//! address space: it must be the ledger's, to the byte, however many threads there are. And readings of
//! the maps are compared range by range. A reading takes time, and what calls change meanwhile is *in
//! motion*: the reading may show it as it was before or after. All else must agree.

use std::ops::Range;

use tracer_common::bits;

use super::address_space::AddressSpace;
use super::checks::{Checks, Comparison, FoundDifference, RangeDifference};
use super::interval_map::IntervalMap;
use super::journal::{Journal, Settled};
use super::names::Names;
use super::page_size::PageSize;
use crate::event::{Address, Mapping, Maps, Nanoseconds};

/// The mappings of a snapshot, by range. `[vsyscall]` is a page of the kernel's half that every
/// process shows and none has: `total_vm` does not count it (it does count `[vdso]` and `[vvar]`).
pub(super) fn snapshot(page: PageSize, mappings: &[Mapping]) -> IntervalMap<usize> {
    let mut snapshot = IntervalMap::default();
    for (index, mapping) in mappings.iter().enumerate() {
        if mapping.name != "[vsyscall]"
            && let Some(range) = page.between(mapping.start, mapping.end)
        {
            snapshot.insert(range, index);
        }
    }
    snapshot
}

impl AddressSpace {
    /// How the ledger stood against the kernel so far.
    #[must_use]
    pub fn checks(&self) -> &Checks {
        &self.checks
    }

    /// Where the ledger and `mappings` differ, ascending.
    #[must_use]
    pub fn compare(&self, mappings: &[Mapping]) -> Vec<RangeDifference> {
        self.differences(mappings, &snapshot(self.page, mappings))
    }

    fn differences(
        &self,
        mappings: &[Mapping],
        kernel: &IntervalMap<usize>,
    ) -> Vec<RangeDifference> {
        let shown = |index: usize| Some(mappings[index].protection & bits::PROT_MASK);
        let mut differences = IntervalMap::default();
        for (range, &index) in kernel.iter() {
            for (part, piece) in self.pieces.overlapping(range.clone()) {
                let ledger = Some(piece.attributes.protection);
                if ledger != shown(index) {
                    differences.insert(part, (ledger, shown(index)));
                }
            }
            for gap in self.pieces.gaps(range) {
                differences.insert(gap, (None, shown(index)));
            }
        }
        for (range, piece) in self.pieces.iter() {
            for gap in kernel.gaps(range) {
                differences.insert(gap, (Some(piece.attributes.protection), None));
            }
        }
        differences
            .iter()
            .map(|(range, &(ledger, kernel))| RangeDifference {
                start: Address(range.start),
                end: Address(range.end),
                ledger,
                kernel,
            })
            .collect()
    }

    /// Kernel − ledger, what the event at hand has changed so far included.
    pub(super) fn difference(&self, kernel_bytes: u64) -> i64 {
        let pending: i64 = self.pending.iter().map(|(_, note)| note.reserved).sum();
        let ledger = self.mapped_bytes.saturating_add_signed(pending);
        kernel_bytes
            .cast_signed()
            .saturating_sub(ledger.cast_signed())
    }

    /// Whether the ledger's total must be the kernel's: nothing is in doubt, or nothing that sizes depend on.
    fn is_sure_of_the_total(&self) -> bool {
        let doubt = self.journal.as_ref();
        self.seeded && doubt.is_none_or(Journal::is_sure_of_the_total)
    }

    /// The kernel's total at a moment when the ledger should have the same. A difference that nothing
    /// explains makes the ledger doubt itself, once: if a reading of the maps does not mend it, it stays
    /// and is shown.
    pub(super) fn check_total(&mut self, time: Nanoseconds, kernel_bytes: u64) {
        if !self.is_sure_of_the_total() {
            return;
        }
        let difference = self.difference(kernel_bytes);
        self.checks.totals += 1;
        self.checks.differ(difference);
        if difference == 0 {
            self.checks.stubborn = None;
            return;
        }
        self.checks.totals_differing += 1;
        if self.checks.stubborn != Some(difference) {
            self.checks.stubborn = Some(difference);
            self.doubt(time);
        }
    }

    /// The kernel's total as the last process leaves. It is compared in doubt, too: no reading of the maps will
    /// follow. What differs now is the difference that the space ends with.
    pub(super) fn check_last_total(&mut self, kernel_bytes: u64) {
        let difference = self.difference(kernel_bytes);
        self.checks.totals += 1;
        self.checks.totals_differing += u64::from(difference != 0);
        self.checks.differ(difference);
    }

    /// A reading of the maps begins.
    pub(super) fn reading_begins(&mut self, time: Nanoseconds) {
        self.motion.begin(time);
    }

    /// A reading of the maps has ended: what was in motion during it.
    pub(super) fn reading_ends(&mut self) -> IntervalMap<()> {
        self.motion.end()
    }

    /// Compares range by range, as the ledger is sure of itself. Where it differs, doubt begins, and
    /// the next reading decides.
    pub(super) fn verify(
        &mut self,
        names: &mut Names,
        maps: &Maps,
        kernel: &IntervalMap<usize>,
        moving: &IntervalMap<()>,
    ) {
        let mut comparison = Comparison {
            time: maps.time,
            mappings: kernel.len() as u64,
            in_motion_bytes: moving
                .iter()
                .map(|(range, ())| range.end - range.start)
                .sum(),
            differing: 0,
            difference_bytes: 0,
        };
        for range in self.differences(&maps.mappings, kernel) {
            for part in moving.gaps(range.start.0..range.end.0) {
                let bytes = (part.end - part.start).cast_signed();
                comparison.differing += 1;
                comparison.difference_bytes += match (range.ledger, range.kernel) {
                    (None, Some(_)) => bytes,
                    (Some(_), None) => -bytes,
                    _ => 0,
                };
                self.found(maps, kernel, part, range);
            }
        }
        self.checks.compared(comparison);
        if comparison.differing > 0 {
            self.doubt(maps.time).told = true;
        }
        self.learn_names(names, &maps.mappings);
    }

    /// What a reading shows that no traced call explains, before the ledger takes it over.
    pub(super) fn note_unexplained(
        &mut self,
        maps: &Maps,
        kernel: &IntervalMap<usize>,
        journal: &Journal,
        shown: Settled,
    ) {
        for range in self.differences(&maps.mappings, kernel) {
            for (part, _) in journal.open(&(range.start.0..range.end.0), shown) {
                self.found(maps, kernel, part, range);
            }
        }
    }

    fn found(
        &mut self,
        maps: &Maps,
        kernel: &IntervalMap<usize>,
        part: Range<u64>,
        range: RangeDifference,
    ) {
        let name = match kernel.get(part.start) {
            Some((_, &index)) => maps.mappings[index].name.clone(),
            None => self
                .owner(Address(part.start))
                .and_then(|owner| self.reservations.get(&owner))
                .map(|owner| owner.name.to_string())
                .unwrap_or_default(),
        };
        self.checks.find(FoundDifference {
            time: maps.time,
            range: RangeDifference {
                start: Address(part.start),
                end: Address(part.end),
                ..range
            },
            name,
        });
    }
}
