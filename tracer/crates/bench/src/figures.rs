//! What a machine whose speed drifts can still say: every quotient is taken within one round, and of
//! the rounds' quotients the median is told, with the least and the greatest.

use std::fmt;

/// The median of some values, and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// The middle one, or the mean of the middle two.
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

impl Spread {
    /// `None` without values, or with one that is no number.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        if values.is_empty() || !values.iter().all(|value| value.is_finite()) {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let (low, high) = ((values.len() - 1) / 2, values.len() / 2);
        Some(Self {
            median: f64::midpoint(values[low], values[high]),
            least: values[0],
            greatest: values[values.len() - 1],
        })
    }
}

impl fmt::Display for Spread {
    /// Two decimals: `0.34 (0.31–0.40)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            median,
            least,
            greatest,
        } = self;
        let text = format!("{median:.2} ({least:.2}–{greatest:.2})");
        f.pad(&text)
    }
}

/// What one thing took without a tool, just before, and then with it. Nanoseconds each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pair {
    pub(crate) bare: f64,
    pub(crate) with: f64,
}

impl Pair {
    /// What the tool added, ns.
    pub(crate) fn added(self) -> f64 {
        self.with - self.bare
    }

    /// How many times as long it took.
    pub(crate) fn times(self) -> f64 {
        self.with / self.bare
    }
}

/// What one tool added, in what another added. Each is first put in terms of the bare time measured
/// beside it, so that a machine which changed its speed between the two does not count.
pub(crate) fn share_of_added(one: Pair, other: Pair) -> f64 {
    (one.times() - 1.0) / (other.times() - 1.0)
}

/// How a figure stands to its target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Target {
    /// The greatest value that is as it should be.
    pub(crate) most: f64,
}

impl Target {
    /// In the terms of the table.
    pub(crate) fn verdict(self, value: f64) -> &'static str {
        if value <= self.most { "met" } else { "missed" }
    }
}

/// Nanoseconds, in a unit that leaves three digits.
pub(crate) fn time(ns: f64) -> String {
    let sign = if ns < 0.0 { "−" } else { "" };
    let size = ns.abs();
    match size {
        ..999.5 => format!("{sign}{size:.0} ns"),
        ..99_950.0 => format!("{sign}{:.2} µs", size / 1e3),
        ..999_500.0 => format!("{sign}{:.0} µs", size / 1e3),
        ..999_500_000.0 => format!("{sign}{:.0} ms", size / 1e6),
        _ => format!("{sign}{:.2} s", size / 1e9),
    }
}

/// Bytes, in MiB.
pub(crate) fn mebibytes(bytes: f64) -> String {
    format!("{:.1} MiB", bytes / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        let spread = Spread::of([4.0, 1.0, 3.0, 2.0]).expect("there are values");
        assert_eq!(
            (spread.median, spread.least, spread.greatest),
            (2.5, 1.0, 4.0)
        );
        let spread = Spread::of([3.0, 1.0, 2.0]).expect("there are values");
        assert_eq!(spread.median, 2.0);
    }

    #[test]
    fn nothing_and_what_is_no_number_have_no_median() {
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([1.0, f64::NAN]), None);
        assert_eq!(Spread::of([1.0, f64::INFINITY]), None);
    }

    #[test]
    fn a_machine_at_half_speed_does_not_change_a_share() {
        let other = Pair {
            bare: 1000.0,
            with: 5000.0,
        };
        let quick = Pair {
            bare: 1000.0,
            with: 2000.0,
        };
        let slow = Pair {
            bare: 2000.0,
            with: 4000.0,
        };
        assert_eq!(share_of_added(quick, other), 0.25);
        assert_eq!(share_of_added(slow, other), 0.25);
    }

    #[test]
    fn a_value_at_its_target_meets_it() {
        let target = Target { most: 0.35 };
        assert_eq!(target.verdict(0.35), "met");
        assert_eq!(target.verdict(0.36), "missed");
    }

    #[test]
    fn times_are_told_in_a_unit_that_suits_them() {
        for (ns, text) in [
            (0.0, "0 ns"),
            (-31.0, "−31 ns"),
            (999.4, "999 ns"),
            (999.6, "1.00 µs"),
            (1234.0, "1.23 µs"),
            (123_400.0, "123 µs"),
            (12_340_000.0, "12 ms"),
            (1_234_000_000.0, "1.23 s"),
        ] {
            assert_eq!(time(ns), text);
        }
    }
}
