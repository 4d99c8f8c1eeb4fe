//! What has changed by kind of reservation.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::figures::figures;
use super::model::KindChange;
use crate::model::summary::Site;

/// What has no known kind is called.
const NONE: &str = "no known kind";

/// Of the sites before and after: the largest change first.
#[must_use]
pub fn changes<'a>(
    old: impl Iterator<Item = &'a Site>,
    new: impl Iterator<Item = &'a Site>,
) -> Vec<KindChange> {
    let mut kinds: BTreeMap<Option<&str>, (&str, [Vec<&Site>; 2])> = BTreeMap::new();
    let mut sort = |site: &'a Site, side: usize| {
        let pattern = site.pattern.as_ref();
        let id = pattern.map(|pattern| pattern.id.as_str());
        let name = pattern.map_or(NONE, |pattern| pattern.name.as_str());
        let (_, sites) = kinds.entry(id).or_insert((name, Default::default()));
        sites[side].push(site);
    };
    old.for_each(|site| sort(site, 0));
    new.for_each(|site| sort(site, 1));
    let mut changes: Vec<KindChange> = kinds
        .into_iter()
        .map(|(id, (name, [old, new]))| KindChange {
            id: id.map(str::to_owned),
            name: name.to_owned(),
            figures: figures(&old, &new),
        })
        .collect();
    changes.sort_by_key(|kind| Reverse(kind.figures.reserved_bytes.size()));
    changes
}
