//! How long released reservations lived.

use hdrhistogram::Histogram;

use super::summary::Quantiles;

/// Digits kept of each lifetime: an error below one percent, a few KiB a site.
const DIGITS: u8 = 2;

/// Lifetimes of one site's released reservations, ns; takes no memory before the first.
#[derive(Clone, Debug, Default)]
pub struct Lifetimes {
    recorded: Option<Box<Recorded>>,
}

#[derive(Clone, Debug)]
struct Recorded {
    histogram: Histogram<u32>,
    longest: u64,
}

impl Lifetimes {
    /// One more reservation was released after `ns`.
    pub fn record(&mut self, ns: u64) {
        if self.recorded.is_none() {
            self.recorded = Histogram::new(DIGITS).ok().map(|histogram| {
                Box::new(Recorded {
                    histogram,
                    longest: 0,
                })
            });
        }
        if let Some(recorded) = &mut self.recorded {
            // The histogram grows with its largest value; it can fail only for lack of a 64-bit index.
            if recorded.histogram.record(ns).is_ok() {
                recorded.longest = recorded.longest.max(ns);
            }
        }
    }

    /// Adds those of another site.
    pub fn merge(&mut self, other: &Self) {
        match (&mut self.recorded, &other.recorded) {
            (Some(mine), Some(theirs)) => {
                // Fails only where a histogram may not grow; these may.
                if mine.histogram.add(&theirs.histogram).is_ok() {
                    mine.longest = mine.longest.max(theirs.longest);
                }
            }
            (None, Some(_)) => self.recorded.clone_from(&other.recorded),
            (_, None) => {}
        }
    }

    /// How many were released.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.recorded.as_ref().map_or(0, |r| r.histogram.len())
    }

    /// `None` if none was released.
    #[must_use]
    pub fn quantiles(&self) -> Option<Quantiles> {
        let Recorded { histogram, longest } = self.recorded.as_deref()?;
        // The histogram answers with a bucket's upper end, which may lie beyond the longest.
        let at = |quantile| histogram.value_at_quantile(quantile).min(*longest);
        Some(Quantiles {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            max: *longest,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Lifetimes;

    #[test]
    fn quantiles_are_within_a_percent_and_the_longest_is_exact() {
        let mut lifetimes = Lifetimes::default();
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
    fn merging_counts_both() {
        let (mut one, mut other) = (Lifetimes::default(), Lifetimes::default());
        other.record(7);
        one.merge(&other);
        one.merge(&other);
        assert_eq!((one.count(), one.quantiles().unwrap().max), (2, 7));
    }
}
