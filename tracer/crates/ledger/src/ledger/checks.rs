//! How a ledger stood against the kernel, and what is in motion while the maps are being read: what
//! [`super::compare`] keeps of its comparisons.

use std::collections::VecDeque;
use std::ops::Range;

use super::interval_map::IntervalMap;
use crate::event::{Address, Nanoseconds};

/// How many comparisons and differing ranges are kept one by one; all are counted.
const KEPT: usize = 4096;

/// A range on which the ledger and the kernel differ: in being mapped, or in protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RangeDifference {
    /// First address.
    pub start: Address,
    /// One past the last address.
    pub end: Address,
    /// The ledger's protection (1 read, 2 write, 4 execute); `None`: not mapped there.
    pub ledger: Option<u8>,
    /// The kernel's.
    pub kernel: Option<u8>,
}

/// A difference that was found: when, and what the kernel calls the mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundDifference {
    /// When the maps were read.
    pub time: Nanoseconds,
    /// What differs.
    pub range: RangeDifference,
    /// The kernel's name for what is there, the ledger's where the kernel has nothing.
    pub name: String,
}

/// One comparison, range by range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// When the reading had ended.
    pub time: Nanoseconds,
    /// Mappings compared.
    pub mappings: u64,
    /// Bytes that calls changed during the reading.
    pub in_motion_bytes: u64,
    /// Ranges that differ.
    pub differing: u64,
    /// Kernel − ledger, bytes.
    pub difference_bytes: i64,
}

/// How the ledger of one address space stood against the kernel.
#[derive(Clone, Debug, Default)]
pub struct Checks {
    /// How often the totals were compared.
    pub totals: u64,
    /// How often they differed.
    pub totals_differing: u64,
    /// How often the maps were compared range by range.
    pub readings: u64,
    /// How often a range differed.
    pub readings_differing: u64,
    /// The largest difference in bytes of any comparison.
    pub largest_bytes: u64,
    /// The last comparisons range by range.
    pub comparisons: VecDeque<Comparison>,
    /// The last ranges that differed.
    pub found: VecDeque<FoundDifference>,
    /// Kernel − ledger at the last comparison; unknown since a loss.
    pub(super) difference: Option<i64>,
    /// A difference of totals that a reading of the maps did not mend.
    pub(super) stubborn: Option<i64>,
}

impl Checks {
    /// Kernel − ledger when they were last compared, bytes; `None`: never, or not since a loss.
    #[must_use]
    pub fn difference(&self) -> Option<i64> {
        self.difference
    }

    pub(super) fn differ(&mut self, difference: i64) {
        self.difference = Some(difference);
        self.largest_bytes = self.largest_bytes.max(difference.unsigned_abs());
    }

    pub(super) fn find(&mut self, found: FoundDifference) {
        if self.found.len() == KEPT {
            self.found.pop_front();
        }
        self.found.push_back(found);
    }

    pub(super) fn compared(&mut self, comparison: Comparison) {
        self.readings += 1;
        self.readings_differing += u64::from(comparison.differing > 0);
        self.differ(comparison.difference_bytes);
        if self.comparisons.len() == KEPT {
            self.comparisons.pop_front();
        }
        self.comparisons.push_back(comparison);
    }
}

/// What calls change while the maps may be being read.
#[derive(Clone, Debug, Default)]
pub struct Motion {
    /// When the call that is being applied returned.
    returned: Nanoseconds,
    /// What calls changed that had not returned when the last call took effect.
    recent: Vec<(Nanoseconds, Range<u64>)>,
    /// The same during the reading that has begun.
    reading: Option<IntervalMap<()>>,
}

impl Motion {
    /// A call takes effect at `time`, and returns at `returned`.
    pub(super) fn call(&mut self, time: Nanoseconds, returned: Nanoseconds) {
        self.recent.retain(|(until, _)| *until > time);
        self.returned = returned;
    }

    /// It changes `range`.
    pub(super) fn change(&mut self, range: &Range<u64>) {
        if range.is_empty() {
            return;
        }
        self.recent.push((self.returned, range.clone()));
        if let Some(reading) = &mut self.reading {
            reading.insert(range.clone(), ());
        }
    }

    /// When every call that was applied has returned.
    pub(super) fn settled(&self) -> Nanoseconds {
        let until = self.recent.iter().map(|(until, _)| *until);
        until.max().unwrap_or_default()
    }

    /// A reading of the maps begins.
    pub(super) fn begin(&mut self, time: Nanoseconds) {
        let mut moving = IntervalMap::default();
        for (_, range) in self.recent.iter().filter(|(until, _)| *until > time) {
            moving.insert(range.clone(), ());
        }
        self.reading = Some(moving);
    }

    /// It has ended: what was in motion during it.
    pub(super) fn end(&mut self) -> IntervalMap<()> {
        self.reading.take().unwrap_or_default()
    }
}
