//! Which code touched a row's memory first, in one line.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::folding::fold;
use super::wrappers::Wrappers;
use tracer_analysis::summary::Site;

/// The most names that are shown.
const SHOWN: usize = 3;

/// The line; `None` if no page fault was sampled there.
#[must_use]
pub fn touched_by(sites: &[&Site]) -> Option<String> {
    let touches = || sites.iter().flat_map(|site| &site.touch_sites);
    let one_in = touches().map(|touch| touch.one_in).max()?;
    let wrappers = Wrappers::of(touches().map(|touch| touch.frames.as_slice()));
    let mut bytes: HashMap<String, u64> = HashMap::new();
    for touch in touches() {
        let title = fold(&touch.frames, &wrappers).title;
        let title = title.unwrap_or_else(|| "unknown code".to_owned());
        *bytes.entry(title).or_default() += touch.estimated_bytes;
    }
    let all: u64 = bytes.values().sum();
    let mut parts: Vec<(String, u64)> = bytes.into_iter().collect();
    parts.sort_by_key(|(title, bytes)| (Reverse(*bytes), title.clone()));
    let more = if parts.len() > SHOWN { ", …" } else { "" };
    let names: Vec<String> = parts
        .iter()
        .take(SHOWN)
        .map(|(title, bytes)| match parts.len() {
            1 => title.clone(),
            _ => format!("{title} {} %", (bytes * 100 + all / 2) / all.max(1)),
        })
        .collect();
    Some(format!(
        "touched by {}{more}, by a sample of 1 in {one_in}",
        names.join(", ")
    ))
}
