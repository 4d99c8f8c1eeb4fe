//! What grew, by known kinds. Only what is recognised for sure counts: a wrong certainty is worse than none.

use crate::model::summary::{Kind, Pattern, Site};
use crate::words::units::{bytes, count};

/// A knob is worth a sentence from here on, bytes.
const WORTH_TURNING: u64 = 64 << 20;
/// The most kinds that a sentence names.
const NAMED: usize = 3;

/// The kind of a site, if it is recognised for sure.
pub fn sure(site: &Site) -> Option<&Pattern> {
    site.pattern.as_ref().filter(|pattern| pattern.is_sure())
}

/// The kinds of some sites of a process of so many mapped bytes, the largest first.
#[must_use]
pub fn kinds<'a>(sites: impl Iterator<Item = &'a Site>, virtual_bytes: u64) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    for site in sites {
        let Some(pattern) = sure(site) else { continue };
        let known = kinds.iter_mut().position(|kind| kind.id == pattern.id);
        let index = known.unwrap_or_else(|| {
            kinds.push(Kind {
                id: pattern.id.clone(),
                name: pattern.name.clone(),
                knob: pattern.knob.clone(),
                knob_effect: pattern.knob_effect.clone(),
                ..Kind::default()
            });
            kinds.len() - 1
        });
        let kind = &mut kinds[index];
        kind.sites.push(site.id);
        kind.live += site.live;
        kind.reserved_bytes += site.reserved_bytes;
        kind.predicted_virtual_bytes = pattern.knob_becomes_bytes.map(|each| {
            let now = kind.predicted_virtual_bytes.unwrap_or(virtual_bytes);
            let then = each.saturating_mul(site.live);
            now.saturating_sub(site.reserved_bytes.saturating_sub(then))
        });
    }
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.reserved_bytes));
    kinds
}

/// `2 reservations of V8 WebAssembly memory`; of one its kind alone.
#[must_use]
pub fn reservations(live: u64, kind: &str) -> String {
    match live {
        1 => kind.to_owned(),
        live => format!("{} reservations of {kind}", count(live)),
    }
}

/// The one kind that all of these sites are of.
#[must_use]
pub fn common<'a>(mut sites: impl Iterator<Item = &'a Site>) -> Option<&'a str> {
    let first = sure(sites.next()?)?;
    let same = |site: &Site| sure(site).is_some_and(|pattern| pattern.id == first.id);
    sites.all(same).then_some(first.name.as_str())
}

/// `By kind, of 20.7 GiB: V8 WebAssembly memory 20.0 GiB, glibc malloc arena 704 MiB; 50 MiB of no known kind.` Nothing
/// if less than half of the `total` is of a known kind.
#[must_use]
pub fn sentence(kinds: &[Kind], total: u64) -> Option<String> {
    let known: u64 = kinds.iter().map(|kind| kind.reserved_bytes).sum();
    if known == 0 || known < total / 2 {
        return None;
    }
    let named = kinds.iter().take(NAMED);
    let named: Vec<String> = named
        .map(|kind| format!("{} {}", kind.name, bytes(kind.reserved_bytes)))
        .collect();
    let mut text = format!("By kind, of {}: {}", bytes(total), named.join(", "));
    if kinds.len() > NAMED {
        let more = kinds[NAMED..].iter().map(|kind| kind.reserved_bytes);
        text.push_str(&format!(", others {}", bytes(more.sum())));
    }
    match total.saturating_sub(known) {
        0 => text.push('.'),
        unknown => text.push_str(&format!("; {} of no known kind.", bytes(unknown))),
    }
    Some(text)
}

/// What changes the largest kind, if that is most of the `total` and worth it.
#[must_use]
pub fn knob(kinds: &[Kind], total: u64) -> Option<String> {
    let largest = kinds.first()?;
    if largest.reserved_bytes < WORTH_TURNING.max(total / 2) {
        return None;
    }
    let knob = largest.knob.as_ref()?;
    // Named, since the sentence before may be about something else.
    let name = &largest.name;
    let effect = largest.knob_effect.as_ref();
    let effect = effect.map_or_else(String::new, |effect| format!(" ({effect})"));
    let then = largest
        .predicted_virtual_bytes
        .map_or_else(String::new, |size| {
            format!(", then about {} virtual", bytes(size))
        });
    Some(format!("What changes {name}: {knob}{effect}{then}."))
}

#[cfg(test)]
mod tests {
    use super::{kinds, knob, sentence};
    use crate::model::summary::{Kind, Pattern, Site};

    fn kind(name: &str, mib: u64) -> Kind {
        Kind {
            name: name.into(),
            reserved_bytes: mib << 20,
            knob: Some("A=1".into()),
            knob_effect: Some("half".into()),
            ..Kind::default()
        }
    }

    #[test]
    fn kinds_are_named_only_if_they_explain_the_half() {
        let kinds = [kind("cage", 600), kind("arena", 100)];
        assert_eq!(
            sentence(&kinds, 1_000 << 20).as_deref(),
            Some("By kind, of 1000 MiB: cage 600 MiB, arena 100 MiB; 300 MiB of no known kind.")
        );
        assert_eq!(
            sentence(&kinds, 700 << 20).as_deref(),
            Some("By kind, of 700 MiB: cage 600 MiB, arena 100 MiB.")
        );
        assert_eq!(sentence(&kinds, 1_500 << 20), None);
        assert_eq!(sentence(&[], 0), None);
    }

    #[test]
    fn the_size_after_the_knob_is_what_is_left_of_each_reservation() {
        let site = |live: u64, gib: u64| Site {
            live,
            reserved_bytes: gib << 30,
            pattern: Some(Pattern {
                confidence: 1.0,
                knob_becomes_bytes: Some(4 << 30),
                ..Pattern::default()
            }),
            ..Site::default()
        };
        let sites = [site(2, 20), site(1, 10), site(1, 2)];
        let kinds = kinds(sites.iter(), 40 << 30);
        // 20 become 8, 10 become 4, and what is smaller stays.
        assert_eq!(kinds[0].predicted_virtual_bytes, Some(22 << 30));
    }

    #[test]
    fn a_knob_is_named_only_for_what_is_most_and_much() {
        let kinds = [kind("cage", 600), kind("arena", 100)];
        assert_eq!(
            knob(&kinds, 1_000 << 20).as_deref(),
            Some("What changes cage: A=1 (half).")
        );
        assert_eq!(knob(&kinds, 1_300 << 20), None);
        assert_eq!(knob(&[kind("small", 60)], 60 << 20), None);
    }
}
