//! The course of a site's live bytes: one-off, settled, growing, churn.
//!
//! The rule, simple on purpose:
//! - **growing**: over the time from the site's first call to the end, cut into quarters, at least a
//!   quarter of what it grew came in the later half, and the last quarter still brought a third of
//!   the average quarter or more; and there was enough to judge by: [`ENOUGH_STEPS`] calls, over
//!   [`ENOUGH_TIME`] and a tenth of the process's life.
//! - **churn**: else, two calls or more, and at least half of the reservations were given back.
//! - **one-off**: else, all its calls fell within [`ONE_TIME`], or a fiftieth of the process's life.
//! - **settled**: else.

use super::curve::value_at;
use super::summary::Trend;

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
}

/// The trend of one site.
#[must_use]
pub fn trend(course: Course<'_>) -> Trend {
    if course.calls >= ENOUGH_STEPS && grows_still(course) {
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

/// Whether the values rise until the end, whatever number of calls made them rise.
fn grows_still(course: Course<'_>) -> bool {
    let Some(values) = quarters(course) else {
        return false;
    };
    let [first, _, half, last_but_one, end] = values;
    let grown = end.saturating_sub(first);
    grown > 0
        && end.saturating_sub(half) >= grown / 4
        && end.saturating_sub(last_but_one) >= (grown / 12).max(1)
}

/// Whether every quarter brings an eighth of the growth or more: nothing like a start-up that calms
/// down.
#[must_use]
pub fn grows_steadily(course: Course<'_>) -> bool {
    let Some(values) = quarters(course) else {
        return false;
    };
    let grown = values[4].saturating_sub(values[0]);
    grown > 0
        && values
            .windows(2)
            .all(|pair| pair[1].saturating_sub(pair[0]) >= (grown / 8).max(1))
}

/// The values at the first call, after each quarter, and at the end; `None` if that is too soon to
/// judge.
fn quarters(course: Course<'_>) -> Option<[u64; 5]> {
    let observed = course.end.saturating_sub(course.first);
    let life = course.end.saturating_sub(course.began);
    if observed < ENOUGH_TIME.max(life / 10) {
        return None;
    }
    let at = |quarter: u64| {
        let time = course.first + observed / 4 * quarter + observed % 4 * quarter / 4;
        value_at(course.points, time).unwrap_or(0)
    };
    Some([at(0), at(1), at(2), at(3), at(4)])
}

#[cfg(test)]
mod tests {
    use super::{Course, grows_steadily, trend};
    use crate::analysis::summary::Trend;

    const SECOND: u64 = 1_000_000_000;

    fn of(points: &[(u64, u64)], released: u64) -> Trend {
        trend(Course {
            points,
            calls: points.len() as u64,
            released,
            first: points[0].0,
            last: points[points.len() - 1].0,
            began: 0,
            end: 60 * SECOND,
        })
    }

    #[test]
    fn steps_until_the_end_are_growing() {
        let points: Vec<_> = (1..60).map(|s| (s * SECOND, s * 10)).collect();
        assert_eq!(of(&points, 0), Trend::Growing);
    }

    #[test]
    fn growth_that_stopped_at_half_time_is_settled() {
        let points: Vec<_> = (1..30).map(|s| (s * SECOND, s * 10)).collect();
        assert_eq!(of(&points, 0), Trend::Settled);
    }

    #[test]
    fn a_burst_is_one_off_however_many_calls() {
        let points: Vec<_> = (1..20).map(|n| (27 * SECOND + n, n)).collect();
        assert_eq!(of(&points, 0), Trend::OneOff);
        assert_eq!(of(&points[..1], 0), Trend::OneOff);
    }

    #[test]
    fn a_burst_just_before_the_end_is_not_yet_growing() {
        let points: Vec<_> = (1..20).map(|n| (59 * SECOND + n * 50_000_000, n)).collect();
        assert_ne!(of(&points, 0), Trend::Growing);
    }

    #[test]
    fn coming_and_going_is_churn_even_until_the_end() {
        let points: Vec<_> = (1..60).map(|s| (s * SECOND, s % 2)).collect();
        assert_eq!(of(&points, 30), Trend::Churn);
    }

    #[test]
    fn a_start_up_that_calms_down_does_not_grow_steadily_and_a_leak_does() {
        let course = |points| Course {
            points,
            calls: 1,
            released: 0,
            first: 0,
            last: 0,
            began: 0,
            end: 60 * SECOND,
        };
        let calming: Vec<_> = (0..60)
            .map(|s| (s * SECOND, 1_000 - 1_000 / (s + 1)))
            .collect();
        let leaking: Vec<_> = (0..60).map(|s| (s * SECOND, s)).collect();
        assert!(!grows_steadily(course(&calming)));
        assert!(grows_steadily(course(&leaking)));
    }

    #[test]
    fn a_leak_under_churn_is_growing() {
        let points: Vec<_> = (1..60).map(|s| (s * SECOND, s * 3 + s % 2)).collect();
        assert_eq!(of(&points, 40), Trend::Growing);
    }
}
