//! The answer of one look, as [`crate::verdict::answer`] gives that of a trace.

use super::model::Explanation;
use super::sentence::SURE;
use crate::model::summary::{Kind, Next, Remedy, Verdict};
use crate::verdict::answer::{change, next};
use crate::verdict::{harm, kinds};
use crate::words::units::{bytes, bytes_of, percent};

/// Pages of the pool of huge pages.
const HUGE_PAGES: &str = "huge-page-pool";

/// Fills in a verdict all that is no paragraph; the kinds are those that are sure.
pub fn answer(seen: &Explanation, kinds: &[Kind], unusual: &[&str], verdict: Verdict) -> Verdict {
    Verdict {
        headline: headline(seen, unusual),
        because: because(seen, kinds),
        hurts: harm::told(&seen.harm),
        change: remedies(seen, kinds),
        next: next(seen),
        ..verdict
    }
}

fn headline(seen: &Explanation, unusual: &[&str]) -> String {
    let whole = seen.virtual_bytes;
    let near = harm::near(&seen.harm);
    if !near.is_empty() {
        return format!("Near to its limit: {}.", near.join(", "));
    }
    if !unusual.is_empty() {
        return format!("Unusually many: {}.", unusual.join(", "));
    }
    if is_unknown(seen) {
        let unknown = bytes_of(seen.unexplained_bytes, whole);
        return format!("{unknown} is of no known kind.");
    }
    match seen
        .kinds
        .first()
        .filter(|kind| kind.pattern.confidence >= SURE)
    {
        Some(kind) if kind.reserved_bytes >= whole / 4 => {
            let size = bytes_of(kind.reserved_bytes, whole);
            let those = kinds::reservations(kind.count, &kind.pattern.name);
            let resident = match kind.resident_bytes {
                // What is in use of the pool is in no figure of its process.
                _ if kind.pattern.id == HUGE_PAGES => "which no resident size counts".into(),
                0 => "none of it resident".into(),
                resident => {
                    let share = percent(resident, kind.reserved_bytes);
                    format!("{share} of it resident")
                }
            };
            format!("{size} is {those}, {resident}.")
        }
        _ => format!(
            "{} virtual, {} resident.",
            bytes(whole),
            bytes(seen.resident_bytes)
        ),
    }
}

fn because(seen: &Explanation, kinds: &[Kind]) -> Vec<String> {
    let mut all: Vec<String> = kinds::sentence(kinds, seen.virtual_bytes)
        .into_iter()
        .collect();
    if seen.swapped_bytes > 0 {
        all.push(format!("{} are swapped out.", bytes(seen.swapped_bytes)));
    }
    all
}

fn remedies(seen: &Explanation, kinds: &[Kind]) -> Vec<Remedy> {
    change::knobs(
        kinds,
        seen.virtual_bytes,
        !harm::near(&seen.harm).is_empty(),
    )
}

fn next(seen: &Explanation) -> Vec<Next> {
    let why = || {
        format!(
            "whose the {} of no known kind are",
            bytes(seen.unexplained_bytes)
        )
    };
    let open = is_unknown(seen).then(why);
    open.and_then(|why| next::run_again(&seen.cmdline, "", &why))
        .into_iter()
        .collect()
}

/// Too much to be passed over.
fn is_unknown(seen: &Explanation) -> bool {
    seen.unexplained_bytes > seen.virtual_bytes / 10
}
