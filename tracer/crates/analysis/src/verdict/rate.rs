//! At what rate a figure grows at present, and how sure that is.
//!
//! The median of the slopes between all pairs of values in the later half of the time (Theil 1950, Sen
//! 1968): a start-up lies in the earlier half, and a few jumps or a collector's sawtooth do not move a
//! median. A rate is told only where three quarters of the slopes are positive; the quartiles say how sure
//! it is.

use crate::accounts::curve::value_at;
use crate::model::summary::Rate;

/// Values that are taken of the later half.
const VALUES: u64 = 32;
/// Shorter courses have no rate, ns.
const ENOUGH: u64 = 4_000_000_000;

/// The present rate of a course from `from` to `to` (ns); `None`: it does not grow, or that is not sure.
#[must_use]
pub fn present(points: &[(u64, u64)], from: u64, to: u64) -> Option<Rate> {
    let length = to.saturating_sub(from);
    if length < ENOUGH {
        return None;
    }
    let step = length / 2 / VALUES;
    let values: Vec<i128> = (0..=VALUES)
        .filter_map(|n| value_at(points, to - (VALUES - n) * step))
        .map(i128::from)
        .collect();
    const HOUR: i128 = 3_600_000_000_000;
    let mut slopes: Vec<i128> = Vec::with_capacity(values.len() * values.len() / 2);
    for (index, first) in values.iter().enumerate() {
        for (further, second) in values.iter().enumerate().skip(index + 1) {
            let time = (further - index) as i128 * i128::from(step);
            slopes.push((second - first) * HOUR / time);
        }
    }
    slopes.sort_unstable();
    let quantile = |quarter: usize| {
        let slope = slopes.get(slopes.len() * quarter / 4)?;
        u64::try_from(*slope).ok().filter(|slope| *slope > 0)
    };
    Some(Rate {
        low: quantile(1)?,
        median: quantile(2)?,
        high: quantile(3)?,
    })
}

/// Parts of a course in which a growth that lasts is looked for.
const PARTS: u64 = 8;
/// Parts in which it must be.
const MOST_PARTS: usize = 6;

/// The present rate of what has grown over most of its course, and does not come to rest: what a forecast can rest
/// on. A start-up, however steep, is none; nor is what has begun to grow a moment ago.
#[must_use]
pub fn lasting(points: &[(u64, u64)], from: u64, to: u64) -> Option<Rate> {
    let rate = present(points, from, to)?;
    let first = points.first()?.1;
    let step = (to - from) / PARTS;
    let level = |part: u64| value_at(points, from + part * step).unwrap_or(first);
    let rises: Vec<u64> = (0..PARTS)
        .map(|part| level(part + 1).saturating_sub(level(part)))
        .collect();
    let mut sorted = rises.clone();
    sorted.sort_unstable();
    let middle = sorted[sorted.len() / 2];
    let grew = rises
        .iter()
        .filter(|rise| **rise > 0 && **rise >= middle / 4);
    let late: u64 = rises.iter().rev().take(2).sum();
    (grew.count() >= MOST_PARTS && late >= middle).then_some(rate)
}

#[cfg(test)]
mod tests {
    use super::{lasting, present};

    const SECOND: u64 = 1_000_000_000;

    fn course(value: impl Fn(u64) -> u64) -> Vec<(u64, u64)> {
        (0..=600)
            .map(|tenth| (tenth * SECOND / 10, value(tenth)))
            .collect()
    }

    fn rate(value: impl Fn(u64) -> u64) -> Option<u64> {
        present(&course(value), 0, 60 * SECOND).map(|rate| rate.median)
    }

    #[test]
    fn a_steady_growth_has_its_rate() {
        let rate = rate(|tenth| 1_000 * tenth).unwrap();
        assert!((35_900_000..36_100_000).contains(&rate), "{rate}");
    }

    #[test]
    fn what_does_not_grow_any_more_has_none() {
        assert_eq!(rate(|tenth| 1_000 * tenth.min(200)), None);
        assert_eq!(rate(|_| 7), None);
        assert_eq!(rate(|tenth| 1_000_000 - tenth), None);
        // A sawtooth.
        assert_eq!(rate(|tenth| tenth % 50 * 1_000), None);
        // One step.
        assert_eq!(rate(|tenth| if tenth < 550 { 1 } else { 1 << 30 }), None);
    }

    #[test]
    fn a_sawtooth_whose_level_rises_has_the_levels_rate() {
        let rate = rate(|tenth| 1_000 * tenth + tenth % 50 * 100).unwrap();
        assert!((33_000_000..40_000_000).contains(&rate), "{rate}");
    }

    #[test]
    fn of_too_short_a_course_nothing_is_said() {
        assert_eq!(
            present(&course(|tenth| tenth), 57 * SECOND, 60 * SECOND),
            None
        );
    }

    #[test]
    fn only_what_grew_most_of_the_time_and_goes_on_lasts() {
        let lasts = |value: fn(u64) -> u64| lasting(&course(value), 0, 60 * SECOND).is_some();
        assert!(lasts(|tenth| 1_000 * tenth));
        // After a jump at the start.
        assert!(lasts(|tenth| 1_000_000 + 1_000 * tenth));
        // A start-up that comes to rest; what began in the second half; what has stopped.
        assert!(!lasts(|tenth| 1_000_000 - 1_000_000 / (tenth / 20 + 1)));
        assert!(!lasts(|tenth| 1_000 * tenth.saturating_sub(280)));
        assert!(!lasts(|tenth| 1_000 * tenth.min(500)));
    }
}
