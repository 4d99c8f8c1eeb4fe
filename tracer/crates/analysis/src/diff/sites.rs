//! Which call site of one process is which of another.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::figures::figures;
use super::model::{Matched, Matches, SiteChange};
use crate::model::summary::Site;
use crate::naming::fingerprint::{self, Fingerprint};

/// From this part of equal frames on, two sites of one kind and size are taken for one.
const SIMILAR: f64 = 0.6;
/// Of each kind so many sites are compared one by one, the largest first: the others are too small to
/// be worth the square of their number.
const COMPARED: usize = 400;

/// Sites that are one.
#[derive(Clone, Debug)]
struct Group<'a> {
    print: Fingerprint,
    sites: Vec<&'a Site>,
}

impl Group<'_> {
    fn pattern(&self) -> Option<String> {
        Some(self.sites[0].pattern.as_ref()?.id.clone())
    }

    /// Bytes that went through it.
    fn bytes(&self) -> u64 {
        let through = |site: &&Site| site.reserved_bytes.saturating_add(site.released_bytes);
        self.sites.iter().map(through).fold(0, u64::saturating_add)
    }

    /// Bytes of one call.
    fn usual_size(&self) -> u64 {
        let calls = self.sites.iter().map(|site| site.calls);
        self.bytes() / calls.fold(0, u64::saturating_add).max(1)
    }
}

/// Every site of both, each once, the largest change first; and how they were matched.
#[must_use]
pub fn changes(old: &[Site], new: &[Site]) -> (Vec<SiteChange>, Matches) {
    let mut rows = Vec::new();
    let mut row = |old: Option<&Group<'_>>, new: Option<&Group<'_>>, matched, similarity| {
        rows.push(change(old, new, matched, similarity));
    };
    let (old, _) = grouped(old.iter().collect(), |site| Some(fingerprint::of(site)));
    let (new, _) = grouped(new.iter().collect(), |site| Some(fingerprint::of(site)));
    let (same, old, new) = equal(old, new);
    for (old, new) in &same {
        row(Some(old), Some(new), Matched::Exact, None);
    }

    // Another build of a library: its offsets are others, the names around them are the same.
    let (old, old_nameless) = grouped(apart(old), fingerprint::by_names);
    let (new, new_nameless) = grouped(apart(new), fingerprint::by_names);
    let (equal_names, old, new) = equal(old, new);
    for (old, new) in &equal_names {
        let (one, other) = (fingerprint::of(old.sites[0]), fingerprint::of(new.sites[0]));
        let similarity = one.similarity(&other);
        row(Some(old), Some(new), Matched::Similar, Some(similarity));
    }

    let all = |groups, nameless: Vec<_>| {
        let sites = apart(groups).into_iter().chain(nameless).collect();
        grouped(sites, |site| Some(fingerprint::of(site))).0
    };
    let (old, new) = (all(old, old_nameless), all(new, new_nameless));
    let mut old: Vec<Option<Group<'_>>> = old.into_iter().map(Some).collect();
    let mut new: Vec<Option<Group<'_>>> = new.into_iter().map(Some).collect();
    for (similarity, one, other) in similar(&old, &new) {
        if old[one].is_some() && new[other].is_some() {
            let (old, new) = (old[one].take(), new[other].take());
            row(
                old.as_ref(),
                new.as_ref(),
                Matched::Similar,
                Some(similarity),
            );
        }
    }
    for group in old.iter().flatten() {
        row(Some(group), None, Matched::OnlyOld, None);
    }
    for group in new.iter().flatten() {
        row(None, Some(group), Matched::OnlyNew, None);
    }

    let mut matches = Matches::default();
    for row in &rows {
        *match row.matched {
            Matched::Exact => &mut matches.exact,
            Matched::Similar => &mut matches.similar,
            Matched::OnlyOld => &mut matches.only_old,
            Matched::OnlyNew => &mut matches.only_new,
        } += 1;
    }
    rows.sort_by_key(|row| Reverse(row.figures.reserved_bytes.size()));
    (rows, matches)
}

/// By fingerprint, in the order of their first appearance; and those that have none.
fn grouped<'a>(
    sites: Vec<&'a Site>,
    print: impl Fn(&Site) -> Option<Fingerprint>,
) -> (Vec<Group<'a>>, Vec<&'a Site>) {
    let mut index: HashMap<Fingerprint, usize> = HashMap::new();
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut without = Vec::new();
    for site in sites {
        let Some(print) = print(site) else {
            without.push(site);
            continue;
        };
        let at = *index.entry(print.clone()).or_insert_with(|| {
            groups.push(Group {
                print,
                sites: Vec::new(),
            });
            groups.len() - 1
        });
        groups[at].sites.push(site);
    }
    for group in &mut groups {
        // Stable: the largest of them stands for all.
        group
            .sites
            .sort_by_key(|site| (Reverse(site.reserved_bytes), site.id));
    }
    (groups, without)
}

fn apart<'a>(groups: Vec<Group<'a>>) -> Vec<&'a Site> {
    groups.into_iter().flat_map(|group| group.sites).collect()
}

type Pairs<'a> = Vec<(Group<'a>, Group<'a>)>;

/// Those of equal fingerprints, and what is left of either side.
fn equal<'a>(
    old: Vec<Group<'a>>,
    new: Vec<Group<'a>>,
) -> (Pairs<'a>, Vec<Group<'a>>, Vec<Group<'a>>) {
    let mut by_print: HashMap<Fingerprint, Group<'a>> = new
        .into_iter()
        .map(|group| (group.print.clone(), group))
        .collect();
    let mut pairs = Vec::new();
    let mut left = Vec::new();
    for group in old {
        match by_print.remove(&group.print) {
            Some(other) => pairs.push((group, other)),
            None => left.push(group),
        }
    }
    let mut rest: Vec<Group<'a>> = by_print.into_values().collect();
    // A hash map has no order of its own.
    rest.sort_by(|one, other| one.print.cmp(&other.print));
    (pairs, left, rest)
}

/// Pairs of one kind and about one size by their similarity, the most similar first; equally similar ones
/// the largest first. The order is the same if the sides are exchanged.
fn similar(old: &[Option<Group<'_>>], new: &[Option<Group<'_>>]) -> Vec<(f64, usize, usize)> {
    let old = by_kind(old);
    let new = by_kind(new);
    let mut pairs = Vec::new();
    for (kind, olds) in &old {
        let Some(news) = new.get(kind) else { continue };
        for (one, old) in olds {
            for (other, new) in news {
                let (size, other_size) = (old.usual_size(), new.usual_size());
                if size.max(other_size) / 2 > size.min(other_size) {
                    continue;
                }
                let similarity = old.print.similarity(&new.print);
                if similarity >= SIMILAR {
                    let bytes = old.bytes().saturating_add(new.bytes());
                    let prints = if old.print < new.print {
                        (&old.print, &new.print)
                    } else {
                        (&new.print, &old.print)
                    };
                    pairs.push((similarity, Reverse(bytes), prints, *one, *other));
                }
            }
        }
    }
    pairs.sort_by(|a, b| {
        b.0.total_cmp(&a.0)
            .then_with(|| (a.1, a.2).cmp(&(b.1, b.2)))
    });
    pairs
        .into_iter()
        .map(|(similarity, _, _, old, new)| (similarity, old, new))
        .collect()
}

type ByKind<'a> = BTreeMap<Option<String>, Vec<(usize, &'a Group<'a>)>>;

/// The largest of each kind.
fn by_kind<'a>(groups: &'a [Option<Group<'a>>]) -> ByKind<'a> {
    let mut by_kind = ByKind::new();
    for (index, group) in groups.iter().enumerate() {
        if let Some(group) = group
            && group.print.frame_count() > 0
        {
            let of_kind = by_kind.entry(group.pattern()).or_default();
            of_kind.push((index, group));
        }
    }
    for groups in by_kind.values_mut() {
        groups.sort_by(|(_, one), (_, other)| {
            let key = |group: &Group<'_>| Reverse(group.bytes());
            (key(one), &one.print).cmp(&(key(other), &other.print))
        });
        groups.truncate(COMPARED);
    }
    by_kind
}

fn change(
    old: Option<&Group<'_>>,
    new: Option<&Group<'_>>,
    matched: Matched,
    similarity: Option<f64>,
) -> SiteChange {
    let (old_sites, new_sites) = (sites_of(old), sites_of(new));
    let mut of_both = new_sites.iter().chain(&old_sites);
    let shown = of_both.clone().next();
    let pattern = of_both.find_map(|site| site.pattern.as_ref());
    let ids = |sites: &[&Site]| sites.iter().map(|site| site.id).collect();
    SiteChange {
        matched,
        similarity,
        old_sites: ids(&old_sites),
        new_sites: ids(&new_sites),
        pattern: pattern.map(|pattern| pattern.id.clone()),
        pattern_name: pattern.map(|pattern| pattern.name.clone()),
        pre_existing: shown.is_some_and(|site| site.pre_existing),
        name: shown.map_or_else(String::new, |site| site.name.clone()),
        frames: shown.map_or_else(Vec::new, |site| site.frames.clone()),
        stack: shown.map_or_else(Default::default, |site| site.stack),
        figures: figures(&old_sites, &new_sites),
    }
}

fn sites_of<'a>(group: Option<&Group<'a>>) -> Vec<&'a Site> {
    group.map_or_else(Vec::new, |group| group.sites.clone())
}
