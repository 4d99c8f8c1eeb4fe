//! Where the working life of a process ends, and when it stood at its last high tide: what an ending process gives
//! back, in exit handlers, finalizers, a last run of releases, is not what it gave back while it worked.
//!
//! - **weight**: accessible bytes, and a thousandth of the reserved ones.
//! - **high tide**: an acquisition with which the weight, each acquisition counted twice, is as high as ever: from the
//!   tide before on, half of what was given back has been taken again.
//! - **ended**: at the exit (or exec) what was given back since the tide was given back late, on average: within a
//!   second of the exit, or [`LATE`] of its life. Given back long ago, with life going on, it is no ending: the next
//!   acquisition is a new tide.
//! - What is less than a 64th of what there was is no ending.
//! - The ending **began** when an eighth to a quarter of that was gone.
//!
//! One pass, in bounded memory, each change in constant time.

use crate::accounts::time::TraceTime;
use tracer_ledger::ledger::change::Difference;

/// An accessible byte weighs so much, a reserved one 1.
const ACCESSIBLE_WEIGHT: i128 = 1024;
/// Given back within so much of the end, on average, is the ending, ns.
const SHORTLY: u64 = 1_000_000_000;
/// Or within this share of the life, percent.
const LATE: u64 = 15;
/// An ending gives back at least this part of what there was.
const SMALLEST: u128 = 64;
/// Powers of two that weights have.
const MOST_MARKS: usize = 64;

/// How a process stood at a moment, as far as it is known from elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stand {
    /// Resident bytes by the last sample; `None`: there was none.
    pub resident: Option<u64>,
    /// Mappings by the last count; `None`: nobody counted.
    pub mappings: Option<u64>,
}

/// The tide of one process.
#[derive(Clone, Debug)]
pub struct Tide {
    began: TraceTime,
    now: TraceTime,
    /// What it has, and what it has ever taken.
    weight: i128,
    /// What it has.
    standing: i128,
    /// That of the last high tide; `None`: whatever comes next is higher.
    best: Option<i128>,
    high: TraceTime,
    /// Which high tide it is, from 1 on.
    epoch: u64,
    /// Weight given back since.
    ebbed: u128,
    /// The sum of its parts, each times its moment, ns.
    ebbed_times: u128,
    /// When what was given back came to have so many binary digits. Invariant: one for each that it has, ascending,
    /// at most [`MOST_MARKS`].
    marks: Vec<Mark>,
    /// Bytes reserved since the tide, on balance.
    reserved_since: i64,
    /// Reserved bytes ever given back.
    freed: u64,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    time: TraceTime,
    stand: Stand,
    /// See [`Tide::freed`]: before this.
    freed: u64,
}

/// The end of a working life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkingLife {
    /// When its ending began; without one, when it ended.
    pub until: TraceTime,
    /// The high tide before its ending; `None`: it stood as it stands in the end.
    pub tide: Option<HighTide>,
    /// Reserved bytes given back from `until` on.
    pub freed_bytes: u64,
    /// How it stood at `until`.
    pub stand: Stand,
}

/// A high tide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HighTide {
    /// When.
    pub time: TraceTime,
    /// Which one.
    pub epoch: u64,
    /// Bytes reserved since, on balance: below 0 if there is less now.
    pub reserved_since: i64,
}

impl Tide {
    /// That of a process that is first seen at this time, and of which nothing is known yet.
    #[must_use]
    pub fn new(began: TraceTime) -> Self {
        Self {
            began,
            now: began,
            weight: 0,
            standing: 0,
            best: None,
            high: began,
            epoch: 0,
            ebbed: 0,
            ebbed_times: 0,
            marks: Vec::new(),
            reserved_since: 0,
            freed: 0,
        }
    }

    /// Which high tide was the last one; 0: there was none.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Something came or went, while it stood like this. Whether this is a high tide: the change is a part of it then.
    pub fn change(&mut self, time: TraceTime, difference: Difference, stand: Stand) -> bool {
        self.now = self.now.max(time);
        if difference.reserved < 0 {
            self.freed = self
                .freed
                .saturating_add(difference.reserved.unsigned_abs());
        }
        let accessible = i128::from(difference.accessible) * ACCESSIBLE_WEIGHT;
        let weight = accessible + i128::from(difference.reserved);
        let rises = weight > 0;
        self.standing += weight;
        if rises && self.ebbed > 0 && !self.is_ebbing(self.now) {
            self.best = None;
        }
        self.weight += if rises { 2 * weight } else { weight };
        let is_high = match self.best {
            None => weight != 0,
            Some(best) => rises && self.weight >= best,
        };
        if is_high {
            self.best = Some(self.weight);
            self.high = self.now;
            self.epoch += 1;
            (self.ebbed, self.ebbed_times) = (0, 0);
            self.marks.clear();
            self.reserved_since = 0;
            return true;
        }
        self.reserved_since = self.reserved_since.saturating_add(difference.reserved);
        if weight < 0 {
            let before = self
                .freed
                .saturating_sub(difference.reserved.min(0).unsigned_abs());
            self.ebb(
                weight.unsigned_abs(),
                Mark {
                    time: self.now,
                    stand,
                    freed: before,
                },
            );
        }
        false
    }

    fn ebb(&mut self, weight: u128, mark: Mark) {
        self.ebbed += weight;
        self.ebbed_times += weight * u128::from(mark.time.0);
        let digits = (u128::BITS - self.ebbed.leading_zeros()) as usize;
        self.marks
            .resize(digits.min(MOST_MARKS).max(self.marks.len()), mark);
    }

    /// Whether what was given back was given back shortly before this time, on average.
    fn is_ebbing(&self, time: TraceTime) -> bool {
        let Some(mean) = self.ebbed_times.checked_div(self.ebbed) else {
            return false;
        };
        let ago = u128::from(time.0).saturating_sub(mean);
        let share = u128::from(time.since(self.began)) * u128::from(LATE) / 100;
        ago <= share.max(u128::from(SHORTLY))
    }

    /// Whether so much was given back that it is no coming and going of a process that ends just then.
    fn is_much(&self) -> bool {
        let had = self.standing.max(0).unsigned_abs() + self.ebbed;
        self.ebbed >= had / SMALLEST
    }

    /// The working life of a process that ends at this time, and stands like this.
    #[must_use]
    pub fn ended(&self, time: TraceTime, stand: Stand) -> WorkingLife {
        let time = self.now.max(time);
        let first = self.marks.len().saturating_sub(2).max(1) - 1;
        match self.marks.get(first) {
            Some(mark) if self.is_ebbing(time) && self.is_much() => WorkingLife {
                until: mark.time,
                tide: Some(HighTide {
                    time: self.high,
                    epoch: self.epoch,
                    reserved_since: self.reserved_since,
                }),
                freed_bytes: self.freed - mark.freed,
                stand: mark.stand,
            },
            _ => WorkingLife {
                until: time,
                tide: None,
                freed_bytes: 0,
                stand,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HighTide, MOST_MARKS, Stand, Tide};
    use crate::accounts::time::TraceTime;
    use proptest::prelude::*;
    use tracer_ledger::ledger::change::Difference;

    const MIB: i64 = 1 << 20;
    const MS: u64 = 1_000_000;

    fn memory(mib: i64) -> Difference {
        Difference {
            reserved: mib * MIB,
            accessible: mib * MIB,
            ..Difference::default()
        }
    }

    fn at(ms: u64) -> TraceTime {
        TraceTime(ms * MS)
    }

    /// What comes (MiB) at what time (ms).
    fn tide(changes: impl IntoIterator<Item = (u64, i64)>) -> Tide {
        let mut tide = Tide::new(at(0));
        for (ms, mib) in changes {
            tide.change(at(ms), memory(mib), Stand::default());
        }
        tide
    }

    /// 60 MiB in 60 s.
    fn leak() -> impl Iterator<Item = (u64, i64)> {
        (0..60).map(|s| (s * 1_000, 1))
    }

    #[test]
    fn a_buffer_that_comes_and_goes_until_the_end_is_no_ending() {
        let churn = (0..60).flat_map(|s| [(s * 1_000 + 500, 1), (s * 1_000 + 900, -1)]);
        let life = |kept| {
            let all = [(0, kept)].into_iter().chain(churn.clone());
            tide(all).ended(at(60_000), Stand::default()).tide
        };
        assert_eq!(life(100), None);
        assert!(life(10).is_some());
    }

    #[test]
    fn what_an_exit_frees_ends_the_working_life_at_an_eighth_to_a_quarter_of_it() {
        let frees = (0..60).map(|n| (60_000 + n, -1));
        let life = tide(leak().chain(frees)).ended(at(60_100), Stand::default());
        let expected = HighTide {
            time: at(59_000),
            epoch: 60,
            reserved_since: -60 * MIB,
        };
        assert_eq!(life.tide, Some(expected));
        assert!(
            at(60_007) <= life.until && life.until <= at(60_015),
            "{life:?}"
        );
        let freed = life.freed_bytes / MIB as u64;
        assert!((45..=53).contains(&freed), "{freed}");
    }

    #[test]
    fn nothing_given_back_is_no_ending() {
        let life = tide(leak()).ended(at(60_000), Stand::default());
        assert_eq!((life.until, life.tide), (at(60_000), None));
    }

    #[test]
    fn given_back_long_before_the_exit_is_no_ending() {
        let life = tide([(0, 100), (10_000, -90)]).ended(at(60_000), Stand::default());
        assert_eq!((life.until, life.tide), (at(60_000), None));
    }

    #[test]
    fn after_what_was_given_back_long_ago_life_goes_on_with_the_next_call() {
        let changes = [(0, 100), (10_000, -90), (50_000, 1), (59_999, -11)];
        let life = tide(changes).ended(at(60_000), Stand::default());
        assert_eq!(life.tide.map(|tide| tide.time), Some(at(50_000)));
    }

    #[test]
    fn coming_and_going_brings_a_tide_each_time() {
        let pairs = (1..1_000).flat_map(|n| [(n * 10, 5), (n * 10 + 5, -5)]);
        let life = tide(std::iter::once((0, 100)).chain(pairs)).ended(at(10_000), Stand::default());
        let tide = life.tide.unwrap();
        assert_eq!((tide.time, tide.reserved_since), (at(9_990), -5 * MIB));
    }

    #[test]
    fn a_few_calls_of_the_ending_itself_are_no_tide() {
        let frees = (0..60).flat_map(|n| [(60_000 + n, -1), (60_000 + n, 0)]);
        let more = [(60_030, 4), (60_061, -4)];
        let mut changes: Vec<_> = leak().chain(frees).chain(more).collect();
        changes.sort_by_key(|change| change.0);
        let life = tide(changes).ended(at(60_100), Stand::default());
        assert_eq!(life.tide.map(|tide| tide.time), Some(at(59_000)));
    }

    #[test]
    fn how_it_stood_is_as_of_the_moment_at_which_the_ending_began() {
        let mut tide = tide(leak());
        for n in 0..60 {
            let stand = Stand {
                resident: Some(100 - n),
                mappings: Some(n),
            };
            tide.change(at(60_000 + n), memory(-1), stand);
        }
        let life = tide.ended(at(60_100), Stand::default());
        let n = (life.until.0 - at(60_000).0) / MS;
        assert_eq!(life.stand.resident, Some(100 - n));
        assert_eq!(life.stand.mappings, Some(n));
    }

    proptest! {
        /// Whatever comes and goes: little is kept, the ending began within the life, at the tide or after it, and
        /// what it freed was given back.
        #[test]
        fn marks_are_few_and_a_life_ends_within_it(
            changes in proptest::collection::vec((0u64..5_000, any::<i64>(), any::<i64>()), 0..300),
            after in 0u64..100_000,
        ) {
            let mut tide = Tide::new(at(7));
            let (mut ms, mut freed) = (7, 0u128);
            for (pause, reserved, accessible) in changes {
                ms += pause;
                let (reserved, accessible) = (reserved >> 16, accessible >> 16);
                freed += u128::from(reserved.min(0).unsigned_abs());
                let difference = Difference { reserved, accessible, ..Difference::default() };
                tide.change(at(ms), difference, Stand::default());
                prop_assert!(tide.marks.len() <= MOST_MARKS);
                prop_assert!(tide.marks.is_sorted_by_key(|mark| mark.time));
            }
            let end = at(ms + after);
            let life = tide.ended(end, Stand::default());
            prop_assert!(at(7) <= life.until && life.until <= end);
            prop_assert!(life.tide.is_none_or(|tide| tide.time <= life.until));
            prop_assert!(u128::from(life.freed_bytes) <= freed);
        }
    }
}
