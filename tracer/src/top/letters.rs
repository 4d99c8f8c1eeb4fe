//! The letters by which kinds are known on the bar: each keeps the one that it was given.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use tracer_analysis::summary::{Process, Reservation, Site};

/// All but `o`, which is for what has none.
const ALL: &[u8] = b"abcdefghijklmnpqrstuvwxyz";
/// Less than this part of what is mapped is not seen on the bar.
const SEEN: u64 = 400;

/// What the bar is divided by, and how much there is of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts<'a> {
    /// By site: the name of its kind, else its own.
    names: HashMap<u32, &'a str>,
    /// Bytes by name, the most first; what was there before is not in it.
    pub sizes: Vec<(&'a str, u64)>,
    /// Bytes that were there before.
    pub before: u64,
    /// Bytes in all.
    pub all: u128,
}

impl<'a> Parts<'a> {
    /// Of all reservations, whatever the table shows.
    #[must_use]
    pub fn of(process: &'a Process) -> Self {
        let mut parts = Self {
            names: process
                .sites
                .iter()
                .map(|one| (one.id, name(one)))
                .collect(),
            ..Self::default()
        };
        let mut sizes: HashMap<&str, u64> = HashMap::new();
        for reservation in &process.reservations {
            let size = reservation.reserved_bytes;
            parts.all += u128::from(size);
            let sum = match parts.name(reservation) {
                Some(name) => sizes.entry(name).or_default(),
                None => &mut parts.before,
            };
            *sum = sum.saturating_add(size);
        }
        parts.sizes = sizes.into_iter().collect();
        parts
            .sizes
            .sort_by_key(|(name, size)| (Reverse(*size), *name));
        parts
    }

    /// What a reservation belongs to; `None`: it was there before.
    #[must_use]
    pub fn name(&self, reservation: &Reservation) -> Option<&'a str> {
        if reservation.pre_existing {
            return None;
        }
        Some(self.names.get(&reservation.site).copied().unwrap_or(""))
    }
}

/// The kind's name, else the site's.
fn name(site: &Site) -> &str {
    site.pattern
        .as_ref()
        .map_or(&site.name, |pattern| &pattern.name)
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letters {
    /// By program: pid, and when it began.
    given: HashMap<(u32, u64), Vec<String>>,
}

impl Letters {
    /// Gives letters to what has none yet and is large enough to be seen, the largest first.
    pub fn give(&mut self, process: &Process) {
        let parts = Parts::of(process);
        let given = self.given.entry(program(process)).or_default();
        let known: HashSet<String> = given.iter().cloned().collect();
        let seen = |size: u64| u128::from(size) * u128::from(SEEN) >= parts.all;
        let fresh = parts.sizes.iter().filter(|(name, size)| {
            !name.is_empty() && *size > 0 && seen(*size) && !known.contains(*name)
        });
        given.extend(fresh.map(|(name, _)| (*name).to_owned()));
        given.truncate(ALL.len());
    }

    /// The letter of a kind, and its rank among those given.
    #[must_use]
    pub fn of(&self, process: &Process, name: &str) -> Option<(char, usize)> {
        let given = self.given.get(&program(process))?;
        let rank = given.iter().position(|one| one == name)?;
        Some((char::from(*ALL.get(rank)?), rank))
    }

    /// The same of a site.
    #[must_use]
    pub fn of_site(&self, process: &Process, site: &Site) -> Option<(char, usize)> {
        if site.pre_existing {
            return None;
        }
        self.of(process, name(site))
    }
}

fn program(process: &Process) -> (u32, u64) {
    (process.pid, process.first_ns)
}

#[cfg(test)]
mod tests {
    use super::{Letters, Parts};
    use tracer_analysis::summary::{Process, Reservation, Site};

    fn process(sizes: &[(u32, u64)]) -> Process {
        Process {
            sites: (1..=3)
                .map(|id| Site {
                    id,
                    name: format!("site {id}"),
                    ..Site::default()
                })
                .collect(),
            reservations: sizes
                .iter()
                .map(|&(site, reserved_bytes)| Reservation {
                    site,
                    reserved_bytes,
                    pre_existing: site == 0,
                    ..Reservation::default()
                })
                .collect(),
            ..Process::default()
        }
    }

    #[test]
    fn a_letter_stays_when_another_kind_becomes_the_largest() {
        let mut letters = Letters::default();
        letters.give(&process(&[(1, 900), (2, 100)]));
        let later = process(&[(1, 10), (2, 100), (3, 9000)]);
        letters.give(&later);
        let of = |name| letters.of(&later, name).map(|(letter, _)| letter);
        assert_eq!(of("site 1"), Some('a'));
        assert_eq!(of("site 2"), Some('b'));
        assert_eq!(of("site 3"), Some('c'));
        assert_eq!(of("site 4"), None);
    }

    #[test]
    fn what_was_there_before_has_no_name_and_what_cannot_be_seen_no_letter() {
        let process = process(&[(0, 100_000), (1, 1), (2, 5_000)]);
        let parts = Parts::of(&process);
        assert_eq!((parts.before, parts.all), (100_000, 105_001));
        assert_eq!(parts.sizes, [("site 2", 5_000), ("site 1", 1)]);
        let mut letters = Letters::default();
        letters.give(&process);
        assert_eq!(letters.of(&process, "site 1"), None);
    }
}
