//! The verdict on what the mappings are.

use super::answer::answer;
use super::model::Explanation;
use crate::model::summary::{Kind, Level, Verdict};
use crate::verdict::harm;
use crate::verdict::kinds;
use crate::words::units::{bytes, counted, percent};

/// A whole process below this does no harm, bytes.
const SMALL: u64 = 32 << 20;
/// A kind is named as what it is from this confidence on.
pub(super) const SURE: f64 = 0.8;
/// Largest kinds that a sentence counts.
const COUNTED: usize = 2;

/// Level and sentence. Never a leak: one look does not show growth.
pub fn verdict(seen: &Explanation) -> Verdict {
    let near = harm::near(&seen.harm);
    let sure = seen
        .kinds
        .iter()
        .filter(|kind| kind.pattern.confidence >= SURE);
    let named: Vec<Kind> = sure
        .map(|kind| Kind {
            id: kind.pattern.id.clone(),
            name: kind.pattern.name.clone(),
            live: kind.count,
            reserved_bytes: kind.reserved_bytes,
            knob: kind.pattern.knob.clone(),
            knob_effect: kind.pattern.knob_effect.clone(),
            predicted_virtual_bytes: kind.pattern.knob_becomes_bytes.map(|each| {
                let then = each.saturating_mul(kind.count);
                seen.virtual_bytes
                    .saturating_sub(kind.reserved_bytes.saturating_sub(then))
            }),
            ..Kind::default()
        })
        .collect();
    let many: Vec<&str> = seen
        .kinds
        .iter()
        .filter(|kind| kind.pattern.level == Level::Watch)
        .map(|kind| kind.pattern.name.as_str())
        .collect();
    let benign: u64 = seen
        .kinds
        .iter()
        .filter(|kind| kind.pattern.level == Level::Benign && kind.pattern.confidence >= SURE)
        .map(|kind| kind.reserved_bytes)
        .sum();
    let rest = seen.virtual_bytes.saturating_sub(benign);
    let level = if !near.is_empty() || !many.is_empty() {
        Level::Watch
    } else if seen.virtual_bytes < SMALL || rest <= seen.virtual_bytes / 10 {
        Level::Benign
    } else {
        Level::Unknown
    };

    let mut sentences = Vec::new();
    if !near.is_empty() {
        sentences.push(format!("Near to {}.", near.join(", ")));
    }
    if !many.is_empty() {
        sentences.push(format!("Unusually many: {}.", many.join(", ")));
    }
    let mut size = format!(
        "{} virtual, {} resident",
        bytes(seen.virtual_bytes),
        bytes(seen.resident_bytes)
    );
    if seen.swapped_bytes > 0 {
        size.push_str(&format!(", {} swapped out", bytes(seen.swapped_bytes)));
    }
    sentences.push(format!("{size}."));
    sentences.extend(what(seen, &named));
    let verdict = Verdict {
        text: sentences.join(" "),
        level,
        confidence: confidence(seen, level),
        grown_bytes: 0,
        unexplained_bytes: seen.unexplained_bytes,
        kinds: named.clone(),
        ..Verdict::default()
    };
    answer(seen, &named, &many, verdict)
}

/// What it is made of, in sentences; the kinds are those that are sure.
pub fn what(seen: &Explanation, kinds: &[Kind]) -> Vec<String> {
    let mut sentences: Vec<String> = largest(seen).into_iter().collect();
    if seen.unexplained_bytes > seen.virtual_bytes / 10 {
        let unknown = bytes(seen.unexplained_bytes);
        sentences.push(format!(
            "{unknown} of it is of no known kind: only a trace tells whose."
        ));
    }
    sentences.extend(kinds::sentence(kinds, seen.virtual_bytes));
    sentences.extend(kinds::knob(kinds, seen.virtual_bytes));
    sentences
}

/// `2 V8 WebAssembly memories`: the kinds that make up most of it, and how much of them is memory.
fn largest(seen: &Explanation) -> Option<String> {
    let first = seen.kinds.first()?;
    if first.reserved_bytes < seen.virtual_bytes / 2 || first.pattern.confidence < SURE {
        return None;
    }
    let of = seen.kinds.iter().take(COUNTED);
    let of: Vec<String> = of
        .take_while(|kind| kind.reserved_bytes >= seen.virtual_bytes / 2)
        .map(|kind| {
            format!(
                "{} of it {} {}, {} of that resident, {}",
                bytes(kind.reserved_bytes),
                if kind.count == 1 { "is" } else { "are" },
                counted(
                    kind.count,
                    &format!("reservation of the kind {}", kind.pattern.name),
                    &format!("reservations of the kind {}", kind.pattern.name)
                ),
                percent(kind.resident_bytes, kind.reserved_bytes),
                match kind.charged_bytes {
                    0 => "none of it counts against the commit limit".to_owned(),
                    charged => format!("{} counts against the commit limit", bytes(charged)),
                }
            )
        })
        .collect();
    Some(format!("{}.", of.join("; ")))
}

/// Of what is benign: how sure the kinds are, weighed by their bytes; what is of no known kind counts as
/// nothing.
fn confidence(seen: &Explanation, level: Level) -> f64 {
    match level {
        Level::Unknown | Level::Leak | Level::Refused => 0.0,
        Level::Watch => 1.0,
        Level::Benign => {
            let kinds = seen.kinds.iter();
            let sum: f64 = kinds
                .map(|kind| kind.reserved_bytes as f64 * kind.pattern.confidence)
                .sum();
            (sum * 100.0 / (seen.virtual_bytes.max(1) as f64)).round() / 100.0
        }
    }
}
