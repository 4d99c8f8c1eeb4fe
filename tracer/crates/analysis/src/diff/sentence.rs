//! A comparison in a few sentences.

use super::model::{Change, Diff};
use crate::model::summary::Level;
use crate::words::units::{bytes, count, signed_bytes};

/// A kind's change below this is not worth a word, bytes.
const WORTH_TELLING: u64 = 1 << 20;
/// The most kinds that the sentence names.
const NAMED: usize = 3;

/// Virtual, resident, level.
#[must_use]
pub fn sentence(diff: &Diff) -> String {
    let mut text = format!("Virtual {}", change(diff.virtual_bytes));
    let worth = |size: u64| size >= WORTH_TELLING.max(diff.virtual_bytes.size() / 20);
    let made_up: Vec<String> = diff
        .kinds
        .iter()
        .filter(|kind| worth(kind.figures.reserved_bytes.size()))
        .take(NAMED)
        .map(|kind| {
            let by = kind.figures.reserved_bytes.change.unwrap_or(0);
            format!("{} {}", signed_bytes(by), kind.name)
        })
        .collect();
    if !made_up.is_empty() {
        text.push_str(&format!(": {}", made_up.join(", ")));
    }
    text.push_str(&format!(". {}.", resident(diff)));
    if let Some(what) = &diff.newly_refused {
        text = format!("Refused now: {what}. {text}");
    }
    let refused = |of: Option<u64>| of.map_or_else(|| "?".into(), count);
    if diff.refused.old.max(diff.refused.new) > Some(0) {
        let (old, new) = (refused(diff.refused.old), refused(diff.refused.new));
        text.push_str(&format!(" Refused calls {old} → {new}."));
    }
    let level = |level: Option<Level>| level.map_or("?", Level::word);
    let (old, new) = (level(diff.level.old), level(diff.level.new));
    text.push_str(&if old == new {
        format!(" Level {old} as before.")
    } else {
        format!(" Level {old} → {new}.")
    });
    text
}

/// Of all processes, or of those that were looked at on both sides.
fn resident(diff: &Diff) -> String {
    if diff.resident_bytes.change.is_some() {
        return format!("Resident {}", change(diff.resident_bytes));
    }
    let mut sum = None;
    for process in &diff.processes {
        let Change { old, new, .. } = process.resident_bytes;
        if let Some((old, new)) = old.zip(new) {
            let (olds, news) = sum.unwrap_or((0u64, 0u64));
            sum = Some((olds.saturating_add(old), news.saturating_add(new)));
        }
    }
    sum.map_or_else(
        || "Resident unknown".into(),
        |(old, new)| {
            let of = change(Change::of(Some(old), Some(new)));
            format!("Resident {of}, of the processes that were looked at")
        },
    )
}

/// `21.5 GiB → 1.5 GiB (−20.0 GiB)`.
fn change(of: Change) -> String {
    let size = |size: Option<u64>| size.map_or_else(|| "?".into(), bytes);
    let (old, new) = (size(of.old), size(of.new));
    match of.change {
        Some(0) => format!("{new} as before"),
        Some(by) => format!("{old} → {new} ({})", signed_bytes(by)),
        None => format!("{old} → {new}"),
    }
}
