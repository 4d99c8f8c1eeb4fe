//! How a figure of many reservations is spread: their sizes, their lifetimes.

use hdrhistogram::Histogram;

use crate::model::summary::Quantiles;

/// Digits kept of each figure: an error below one percent.
const DIGITS: u8 = 2;

/// Figures of one site. As long as all are the same, which sizes mostly are, it takes no memory of its
/// own; a histogram takes some KiB.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    /// How many.
    count: u64,
    /// The smallest, exact.
    smallest: u64,
    /// The largest, exact.
    largest: u64,
    /// `None` while all are equal to `largest`.
    histogram: Option<Box<Histogram<u32>>>,
}

impl Distribution {
    /// One more.
    pub fn record(&mut self, value: u64) {
        self.record_many(value, 1);
    }

    fn record_many(&mut self, value: u64, times: u64) {
        if times == 0 {
            return;
        }
        if self.histogram.is_none() && self.count > 0 && value != self.largest {
            self.spread();
        }
        if let Some(histogram) = &mut self.histogram {
            // It fails only where a histogram may not grow; this one may.
            let _ = histogram.record_n(value, u32::try_from(times).unwrap_or(u32::MAX));
        }
        self.smallest = self.smallest_with(value);
        self.count += times;
        self.largest = self.largest.max(value);
    }

    fn smallest_with(&self, value: u64) -> u64 {
        if self.count == 0 {
            value
        } else {
            self.smallest.min(value)
        }
    }

    /// From now on they differ.
    fn spread(&mut self) {
        self.histogram = Histogram::new(DIGITS).ok().map(Box::new);
        if let Some(histogram) = &mut self.histogram {
            let count = u32::try_from(self.count).unwrap_or(u32::MAX);
            let _ = histogram.record_n(self.largest, count);
        }
    }

    /// Adds those of another site.
    pub fn merge(&mut self, other: &Self) {
        match &other.histogram {
            None => self.record_many(other.largest, other.count),
            Some(theirs) => {
                if self.histogram.is_none() {
                    self.spread();
                }
                if let Some(mine) = &mut self.histogram {
                    let _ = mine.add(&**theirs);
                }
                self.smallest = self.smallest_with(other.smallest);
                self.count += other.count;
                self.largest = self.largest.max(other.largest);
            }
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The smallest and the largest, exact; `None` if there is none.
    #[must_use]
    pub fn span(&self) -> Option<(u64, u64)> {
        (self.count > 0).then_some((self.smallest, self.largest))
    }

    /// `None` if there is none.
    #[must_use]
    pub fn quantiles(&self) -> Option<Quantiles> {
        if self.count == 0 {
            return None;
        }
        // The histogram answers with a bucket's upper end, which may lie beyond the largest.
        let at = |quantile| match &self.histogram {
            Some(histogram) => histogram.value_at_quantile(quantile).min(self.largest),
            None => self.largest,
        };
        Some(Quantiles {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            max: self.largest,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_percent_and_the_largest_is_exact() {
        let mut lifetimes = Distribution::default();
        assert_eq!(lifetimes.quantiles(), None);
        for ms in 1..=100u64 {
            lifetimes.record(ms * 1_000_000);
        }
        let quantiles = lifetimes.quantiles().unwrap();
        assert!(quantiles.p50.abs_diff(50_000_000) < 600_000);
        assert!(quantiles.p90.abs_diff(90_000_000) < 1_000_000);
        assert_eq!(quantiles.max, 100_000_000);
    }

    #[test]
    fn figures_that_are_all_the_same_are_exact_and_take_no_histogram() {
        let mut sizes = Distribution::default();
        for _ in 0..1_000 {
            sizes.record(10_737_479_680);
        }
        assert!(sizes.histogram.is_none());
        let all = 10_737_479_680;
        let expected = Quantiles {
            p50: all,
            p90: all,
            p99: all,
            max: all,
        };
        assert_eq!(sizes.quantiles(), Some(expected));
    }

    #[test]
    fn merging_counts_both() {
        let (mut one, mut other) = (Distribution::default(), Distribution::default());
        other.record(7);
        one.merge(&other);
        one.merge(&other);
        assert_eq!((one.count(), one.quantiles().unwrap().max), (2, 7));
        other.record(100);
        one.merge(&other);
        let quantiles = one.quantiles().unwrap();
        assert_eq!((one.count(), quantiles.p50, quantiles.max), (4, 7, 100));
        let mut empty = Distribution::default();
        empty.merge(&one);
        assert_eq!((empty.count(), empty.quantiles()), (4, Some(quantiles)));
        assert_eq!(empty.span(), Some((7, 100)));
        assert_eq!(Distribution::default().span(), None);
    }
}
