//! How sure a verdict is.

use super::facts::Facts;
use super::suspects::SiteFacts;
use super::victim;
use crate::model::summary::{Before, Kind, Level};

/// How sure a level is: for what grows, whether its rate is; for what is benign, how sure the kinds are,
/// weighed by their bytes. What is of no known kind and hardly touched counts as likely. Figures that a
/// loss or a difference has made doubtful make the level so. `before`: the level is that of what was there.
pub fn confidence(
    facts: &Facts<'_>,
    level: Level,
    kinds: &[Kind],
    suspects: &[&SiteFacts<'_>],
    before: Option<&Before>,
) -> f64 {
    const RATE_IS_SURE: f64 = 0.95;
    const LIKELY: f64 = 0.8;
    const DOUBTFUL: f64 = 0.5;
    let confidence = match level {
        Level::Unknown => return 0.0,
        // Whatever the ledger is worth: the kernel has said it.
        Level::Refused => return victim::confidence(facts),
        // That a limit is near is no guess.
        Level::Watch if suspects.is_empty() => 1.0,
        Level::Leak | Level::Watch => {
            let has_rate = |one: &&SiteFacts<'_>| one.site.growth_per_hour.is_some();
            let works = suspects.iter().all(|one| one.idle_since.is_none());
            // What its end frees, or what an idle process keeps, may have been meant to be kept as long.
            if suspects.iter().any(has_rate) && works && !facts.gave_all_back() {
                RATE_IS_SURE
            } else {
                LIKELY
            }
        }
        Level::Benign if before.is_some_and(|before| before.level == Level::Benign) => {
            before.map_or(0.0, |before| before.confidence)
        }
        Level::Benign => {
            let grown = facts.sites.iter().filter(|one| one.grown());
            let (sum, all) = grown.fold((0.0, 0.0), |(sum, all), one| {
                let bytes = one.site.reserved_bytes as f64;
                let pattern = one.site.pattern.as_ref();
                let of_known_kind =
                    pattern.filter(|one| kinds.iter().any(|kind| kind.id == one.id));
                (
                    sum + bytes * of_known_kind.map_or(LIKELY, |pattern| pattern.confidence),
                    all + bytes,
                )
            });
            if all > 0.0 { sum / all } else { 1.0 }
        }
    };
    let is_doubtful = !facts.check.is_compared() || facts.check.difference_bytes != 0;
    // Two digits: more would be a claim.
    let confidence = (confidence * 100.0).round() / 100.0;
    if is_doubtful {
        confidence.min(DOUBTFUL)
    } else {
        confidence
    }
}
