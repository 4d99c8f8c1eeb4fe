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
/// What grows for less may be starting up, ns.
const START_UP: u64 = 10_000_000_000;
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

/// Whether a course has grown for most of its time, so that it can be foretold to go on: after a first quarter, which a
/// start-up may have taken, each third of the rest brings a fifth of what the rest brings, or more. What grows for less
/// than [`START_UP`] may be starting up.
#[must_use]
pub fn lasts(points: &[(u64, u64)], from: u64, to: u64) -> bool {
    let length = to.saturating_sub(from);
    if length < START_UP {
        return false;
    }
    let quarters = 1..=4;
    let at = quarters.map(|number| value_at(points, from + length / 4 * number).unwrap_or(0));
    let at: Vec<u64> = at.collect();
    let grown = at[3].saturating_sub(at[0]);
    let brings = |pair: &[u64]| pair[1].saturating_sub(pair[0]) >= grown.div_ceil(5);
    grown > 0 && at.windows(2).all(brings)
}

#[cfg(test)]
mod tests {
    use super::{lasts, present};

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
    fn what_grows_in_every_part_after_a_start_lasts_and_a_start_does_not() {
        let lasting = |value: fn(u64) -> u64| lasts(&course(value), 0, 60 * SECOND);
        assert!(lasting(|tenth| 1_000 * tenth));
        assert!(lasting(|tenth| 100_000 * tenth.min(150) + 1_000 * tenth));
        assert!(!lasting(|tenth| 1_000 * tenth.min(500)));
        assert!(!lasting(|tenth| 1_000 * tenth.saturating_sub(450)));
        assert!(!lasting(|_| 7));
        assert!(!lasts(&course(|tenth| tenth), 51 * SECOND, 60 * SECOND));
    }

    #[test]
    fn of_too_short_a_course_nothing_is_said() {
        assert_eq!(
            present(&course(|tenth| tenth), 57 * SECOND, 60 * SECOND),
            None
        );
    }
}
