//! The verdict on what the mappings are.

use super::Explanation;
use crate::analysis::kinds;
use crate::analysis::limits;
use crate::analysis::summary::{Kind, Level, Span, Verdict};
use crate::analysis::units::{bytes, counted, percent};

/// A whole process below this does no harm, bytes.
const SMALL: u64 = 32 << 20;
/// A kind is named as what it is from this confidence on.
const SURE: f64 = 0.8;
/// Largest kinds that a sentence counts.
const COUNTED: usize = 2;

/// Level and sentence. Never a leak: one look does not show growth.
pub fn verdict(seen: &Explanation) -> Verdict {
    let span = |value| Span {
        start: value,
        peak: value,
        end: value,
    };
    let near = limits::near(
        &seen.limits,
        span(seen.virtual_bytes),
        Some(span(seen.resident_bytes)),
    );
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
    sentences.extend(largest(seen));
    sentences.extend(kinds::sentence(&named, seen.virtual_bytes));
    sentences.extend(kinds::knob(&named, seen.virtual_bytes));
    Verdict {
        text: sentences.join(" "),
        level,
        kinds: named,
    }
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
                "{} of it are {}, {} of that resident, {}",
                bytes(kind.reserved_bytes),
                counted(
                    kind.count,
                    &format!("reservation of the kind {}", kind.pattern.name),
                    &format!("reservations of the kind {}", kind.pattern.name)
                ),
                percent(kind.resident_bytes, kind.reserved_bytes),
                match kind.charged_bytes {
                    0 => "nothing charged".to_owned(),
                    charged => format!("{} charged", bytes(charged)),
                }
            )
        })
        .collect();
    Some(format!("{}.", of.join("; ")))
}
