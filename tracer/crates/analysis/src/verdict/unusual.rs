//! Kinds of which there are more at a time than there should be.

use std::collections::HashMap;

use crate::model::summary::{Level, Reservation, Site};
use crate::patterns::Patterns;

/// The kinds of which there are unusually many at a time on a machine of so many CPUs, each with why; their sites
/// are to be watched.
pub fn unusual<'a>(
    patterns: &Patterns,
    cpus: u32,
    sites: impl Iterator<Item = &'a mut Site>,
    reservations: &[Reservation],
) -> Vec<String> {
    let mut sites: Vec<&mut Site> = sites.collect();
    let kind_of: HashMap<u32, &str> = sites
        .iter()
        .filter_map(|site| {
            let pattern = site.pattern.as_ref().filter(|one| one.is_sure())?;
            Some((site.id, pattern.id.as_str()))
        })
        .collect();
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for reservation in reservations {
        if let Some(kind) = kind_of.get(&reservation.site)
            && is_open(reservation.accessible_bytes, reservation.reserved_bytes)
        {
            *counts.entry(kind).or_default() += 1;
        }
    }
    let mut found: Vec<(String, String)> = counts
        .into_iter()
        .filter_map(|(id, count)| {
            Some((
                id.to_owned(),
                patterns.too_many(id, count, u64::from(cpus))?,
            ))
        })
        .collect();
    found.sort();
    let mut unusual = Vec::new();
    for (id, why) in found {
        let mut name = String::new();
        let patterns = sites.iter_mut().filter_map(|site| site.pattern.as_mut());
        for pattern in patterns.filter(|pattern| pattern.id == id) {
            pattern.level = Level::Watch;
            pattern.evidence.push(why.clone());
            name.clone_from(&pattern.name);
        }
        unusual.push(format!("{name}, {why}"));
    }
    unusual
}

/// Not wholly accessible. What is has a successor, as a full heap of an arena's: it is not one more.
#[must_use]
pub const fn is_open(accessible: u64, reserved: u64) -> bool {
    accessible < reserved
}
