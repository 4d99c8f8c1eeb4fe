//! The course of a site's live bytes: one-off, settled, growing, churn.
//!
//! What rises is the level, not the last value: a heap under a collector goes up and down, and is no
//! larger for that. The time from the site's first call to the end is cut into quarters, and of each
//! the highest and the lowest value are looked at.
//!
//! The rule, simple on purpose:
//! - **growing**: at least a quarter of what it grew came in the later half, above all earlier peaks,
//!   and the last quarter still brought a third of the average quarter or more; where it also falls,
//!   what is left between the falls has risen as well. Or, after a start that took the most, it goes on
//!   at one speed. And there was enough to judge by:
//!   [`ENOUGH_STEPS`] calls, over [`ENOUGH_TIME`] and a tenth of the process's life. Time is that of the clock, or
//!   that in which the process works ([`super::work`]): by either it may grow.
//! - **churn**: else, two calls or more, and at least half of the reservations were given back.
//! - **one-off**: else, all its calls fell within [`ONE_TIME`], or a fiftieth of the process's life.
//! - **settled**: else.

use crate::accounts::curve::value_at;
use crate::model::summary::Trend;
use crate::verdict::rate;
use crate::verdict::work::Work;

/// Calls below which nothing is called growing.
const ENOUGH_STEPS: u64 = 4;
/// Time (ns) below which nothing is called growing.
const ENOUGH_TIME: u64 = 1_000_000_000;
/// Calls within this time (ns) were made at one time.
const ONE_TIME: u64 = 100_000_000;

/// What the rule looks at. Times in ns since the trace began.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    /// Live bytes over time.
    pub points: &'a [(u64, u64)],
    /// Calls that reserved.
    pub calls: u64,
    /// Reservations given back entirely.
    pub released: u64,
    /// First call.
    pub first: u64,
    /// Last call.
    pub last: u64,
    /// When the process was first seen.
    pub began: u64,
    /// When it ended, or the trace.
    pub end: u64,
    /// How its process worked; `None`: that is not known.
    pub work: Option<&'a Work>,
}

/// The same by the time in which the process worked, for one question: what is enough was asked by the clock.
fn by_work<T>(course: Course<'_>, question: impl FnOnce(Course<'_>) -> T) -> Option<T> {
    if !is_long_enough(course) {
        return None;
    }
    let clock = course.work?.clock(course.points, course.first);
    let points = course.points.iter();
    let points: Vec<(u64, u64)> = points.map(|&(time, live)| (clock.at(time), live)).collect();
    Some(question(Course {
        points: &points,
        first: clock.at(course.first),
        last: clock.at(course.last),
        began: 0,
        end: clock.at(course.end),
        work: None,
        ..course
    }))
}

/// When its process worked last, in the way in which it worked while this grew; `None`: that is not known.
#[must_use]
pub fn idle_since(course: Course<'_>) -> Option<u64> {
    Some(course.work?.clock(course.points, course.first).idle_since)
}

/// Whether it grew until nothing was heard of its process any more, at `silent` (ns): it may have been idle since, or
/// done without more. Only where nobody knows how the process worked, and for the last quarter of its life.
#[must_use]
pub fn may_grow(course: Course<'_>, silent: u64) -> bool {
    let life = course.end.saturating_sub(course.began);
    course.work.is_none()
        && course.end.saturating_sub(silent) > life / 4
        && trend(Course {
            end: silent,
            ..course
        }) == Trend::Growing
}

/// Long enough observed to be judged.
fn is_long_enough(course: Course<'_>) -> bool {
    let observed = course.end.saturating_sub(course.first);
    let life = course.end.saturating_sub(course.began);
    observed >= ENOUGH_TIME.max(life / 10)
}

/// The trend of one site.
#[must_use]
pub fn trend(course: Course<'_>) -> Trend {
    if course.calls >= ENOUGH_STEPS && grows_by_either(course) {
        return Trend::Growing;
    }
    if course.calls >= 2 && course.released * 2 >= course.calls {
        return Trend::Churn;
    }
    let life = course.end.saturating_sub(course.began);
    if course.last.saturating_sub(course.first) <= ONE_TIME.max(life / 50) {
        Trend::OneOff
    } else {
        Trend::Settled
    }
}

fn grows_by_either(course: Course<'_>) -> bool {
    (is_long_enough(course) && grows_still(course)) || by_work(course, grows_still).unwrap_or(false)
}

/// Whether the level rises until the end, whatever number of calls made it rise.
fn grows_still(course: Course<'_>) -> bool {
    let all_along = Levels::of(course).is_some_and(|levels| {
        let grown = levels.grown();
        let [.., last] = levels.brought();
        levels.later() >= grown / 4 && last >= (grown / 12).max(1) && levels.keeps()
    });
    all_along || grows_after_a_start(course)
}

/// Whether every quarter brings an eighth of the growth or more: nothing like a start-up that calms
/// down.
#[must_use]
pub fn grows_steadily(course: Course<'_>) -> bool {
    (is_long_enough(course) && rises_steadily(course))
        || by_work(course, rises_steadily).unwrap_or(false)
}

fn rises_steadily(course: Course<'_>) -> bool {
    let all_along = Levels::of(course).is_some_and(|levels| {
        let enough = (levels.grown() / 8).max(1);
        levels.brought().iter().all(|&brought| brought >= enough) && levels.keeps()
    });
    all_along || grows_after_a_start(course)
}

/// Whether, apart from the first quarter, it grew at one speed, and by a twentieth of what there is: else what a start
/// took would hide it.
fn grows_after_a_start(course: Course<'_>) -> bool {
    let observed = course.end.saturating_sub(course.first);
    let rest = Course {
        first: course.first + observed / 4,
        ..course
    };
    Levels::of(rest).is_some_and(|levels| {
        let grown = levels.grown();
        grown >= (levels.highs[3] / 20).max(1) && levels.keeps() && is_of_one_speed(rest)
    })
}

/// Whether in each quarter it rises nearly as fast as in all. A start-up that calms down as slowly as a logarithm ends
/// at three quarters of that. Points are few: what lies between them is not known, so that each quarter is measured
/// from point to point.
fn is_of_one_speed(course: Course<'_>) -> bool {
    let quarter = course.end.saturating_sub(course.first) / 4;
    let mut marks = Vec::with_capacity(5);
    for number in 0..4 {
        let after = course
            .points
            .partition_point(|point| point.0 <= course.first + quarter * number);
        let Some(at) = after.checked_sub(1) else {
            return false;
        };
        marks.push(course.points[at]);
    }
    marks.push((course.end, course.points.last().map_or(0, |point| point.1)));
    let rise = |from: (u64, u64), to: (u64, u64)| {
        let (time, grown) = (to.0.saturating_sub(from.0), to.1.saturating_sub(from.1));
        (u128::from(time), u128::from(grown))
    };
    let (time, grown) = rise(marks[0], marks[4]);
    marks.windows(2).all(|pair| {
        let (its_time, its_growth) = rise(pair[0], pair[1]);
        its_time > 0 && 5 * its_growth * time >= 4 * grown * its_time
    })
}

/// By how much the later half went above the earlier one; nothing if it is too soon to judge.
#[must_use]
pub fn later_growth(course: Course<'_>) -> u64 {
    if !is_long_enough(course) {
        return 0;
    }
    let later = |course: Course<'_>| Levels::of(course).map_or(0, |levels| levels.later());
    later(course).max(by_work(course, later).unwrap_or(0))
}

/// Whether it has a present rate, by the clock or by the time in which the process works.
#[must_use]
pub fn has_rate(course: Course<'_>) -> bool {
    let has = |course: Course<'_>| rate::present(course.points, course.first, course.end).is_some();
    has(course) || by_work(course, has).unwrap_or(false)
}

/// Between what values it moved.
#[derive(Clone, Copy, Debug)]
struct Levels {
    /// At the first call.
    first: u64,
    /// The most in each quarter.
    highs: [u64; 4],
    /// The least in each quarter.
    lows: [u64; 4],
    /// The deepest fall from a peak.
    fall: u64,
}

impl Levels {
    /// `None` if it is too soon to judge.
    fn of(course: Course<'_>) -> Option<Self> {
        let observed = course.end.saturating_sub(course.first);
        if observed == 0 || observed < course.end.saturating_sub(course.began) / 10 {
            return None;
        }
        let moment =
            |quarter: u64| course.first + observed / 4 * quarter + observed % 4 * quarter / 4;
        let at = |time: u64| value_at(course.points, time).unwrap_or(0);
        let mut levels = Self {
            first: at(course.first),
            highs: [0; 4],
            lows: [u64::MAX; 4],
            fall: 0,
        };
        let mut peak = levels.first;
        for ((quarter, high), low) in (0..).zip(&mut levels.highs).zip(&mut levels.lows) {
            let (from, to) = (moment(quarter), moment(quarter + 1));
            let within = course.points.iter();
            let within = within.filter(|point| from < point.0 && point.0 <= to);
            for value in std::iter::once(at(from)).chain(within.map(|point| point.1)) {
                *high = value.max(*high);
                *low = value.min(*low);
                peak = peak.max(value);
                levels.fall = levels.fall.max(peak - value);
            }
        }
        Some(levels)
    }

    /// From the first call to the peak of the last quarter.
    fn grown(&self) -> u64 {
        self.highs[3].saturating_sub(self.first)
    }

    /// By how much each quarter went above all that was before.
    fn brought(&self) -> [u64; 4] {
        let mut peak = self.first;
        self.highs.map(|high| {
            let brought = high.saturating_sub(peak);
            peak = peak.max(high);
            brought
        })
    }

    fn later(&self) -> u64 {
        self.highs[3].saturating_sub(self.first.max(self.highs[0]).max(self.highs[1]))
    }

    /// What falls again has risen only if more is left of it each time.
    fn keeps(&self) -> bool {
        let enough = self.grown() / 8;
        self.fall < enough.max(1) || self.lows[3].saturating_sub(self.lows[1]) >= enough.max(1)
    }
}

#[cfg(test)]
mod tests;
