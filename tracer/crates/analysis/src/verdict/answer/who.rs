//! The call sites that an answer names, and what they are called.

use super::{Judged, NAMED};
use crate::model::summary::{Level, RefusalCause, Who};
use crate::naming::noise::{Rank, rank};
use crate::verdict::facts::Facts;
use crate::verdict::kinds;
use crate::verdict::suspects::SiteFacts;
use crate::verdict::victim;
use crate::words::names::last_part;
use crate::words::units::count;

/// A longer name is cut, characters.
const LONGEST_NAME: usize = 60;
/// Callers that are told.
const CALLERS: usize = 2;

/// The sites, the most telling first.
pub fn who(facts: &Facts<'_>, judged: &Judged<'_>) -> Vec<Who> {
    let mut all = Vec::new();
    if judged.level != Level::Leak {
        all.extend(refused(facts));
    }
    // Of what was refused the largest do not tell who used the limit up, but for what was killed.
    if judged.splits.is_some() && judged.watched.is_empty() {
        all.extend(victim::most_mappings(facts).map(|(one, _)| of(one)));
    }
    let is_told = judged.before.is_none() && !judged.is_small;
    if all.is_empty() && is_told {
        all.extend(distinct(judged.about().iter().map(|one| of(one))));
    }
    all
}

/// Sites of one id (they differ by addresses alone) together.
fn distinct(those: impl Iterator<Item = Who>) -> Vec<Who> {
    let mut all: Vec<Who> = Vec::new();
    for one in those {
        match all.iter_mut().find(|other| other.site == one.site) {
            Some(other) => {
                other.bytes += one.bytes;
                other.rate = other.rate.zip(one.rate).map(|(a, b)| a + b);
            }
            None => all.push(one),
        }
    }
    all.truncate(NAMED);
    all
}

/// Who asked for what was refused, and who has made the most mappings of those that there may be.
fn refused(facts: &Facts<'_>) -> Vec<Who> {
    let Some(row) = victim::head(facts).map(|one| &one.row) else {
        return Vec::new();
    };
    let site = facts.sites.iter().find(|one| Some(one.site.id) == row.site);
    let asked = site.map(|one| Who {
        bytes: row.requested_bytes,
        rate: None,
        ..of(one)
    });
    let most = victim::most_mappings(facts).filter(|_| row.cause == RefusalCause::MaxMapCount);
    let most = most.map(|(one, _)| of(one));
    let mut all: Vec<Who> = asked.into_iter().chain(most).collect();
    all.dedup_by(|one, other| one.site == other.site);
    all
}

fn of(one: &SiteFacts<'_>) -> Who {
    let site = one.site;
    Who {
        site: site.key.clone(),
        name: name(one),
        place: place(one).map(str::to_owned),
        callers: one
            .called
            .callers
            .iter()
            .take(CALLERS)
            .map(|name| cut(name))
            .collect(),
        bytes: site.reserved_bytes,
        rate: site
            .growth_per_hour
            .filter(|_| one.grows())
            .map(|rate| rate.median),
    }
}

/// The function whose doing it is; where only the way into the kernel is known, what kind it is, or where it ends.
pub fn name(one: &SiteFacts<'_>) -> String {
    let called = one.called;
    let kind = || kinds::sure(one.site).map(|kind| kind.name.clone());
    let name = match &called.title {
        Some(_) if !called.edge => called.short.clone(),
        _ => kind().unwrap_or_else(|| match module(one) {
            Some(module) => format!("somebody through {module}"),
            None if one.site.name.is_empty() => "an unknown caller".into(),
            None => one.site.name.clone(),
        }),
    };
    cut(&name)
}

fn cut(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.into();
    }
    let kept: String = name.chars().take(LONGEST_NAME - 1).collect();
    format!("{kept}…")
}

/// The outermost module that is not where every program begins.
fn module(one: &SiteFacts<'_>) -> Option<String> {
    let frames = one.site.frames.iter().rev();
    let mut told =
        frames.filter(|frame| matches!(rank(frame), Rank::User | Rank::Runtime | Rank::Edge));
    told.find_map(|frame| Some(last_part(frame.module.as_deref()?).to_owned()))
}

fn place<'a>(one: &SiteFacts<'a>) -> Option<&'a str> {
    one.called.location.as_deref().filter(|_| !one.called.edge)
}

/// Nobody's own code is in the stack, and the kind says more than the runtime's function: of what any program may ask
/// for in any place it says less.
pub fn is_of_runtime(one: &SiteFacts<'_>) -> bool {
    const OF_ANY_PROGRAM: [&str; 6] = [
        "glibc-mmap",
        "loader",
        "file-mapping",
        "shared-memory",
        "device-mapping",
        "thread-stack",
    ];
    let called = one.called;
    let has_function = called.title.is_some() && !called.edge;
    let says_more = kinds::sure(one.site).is_some_and(|kind| !OF_ANY_PROGRAM.contains(&&*kind.id));
    !has_function || (called.runtime && says_more)
}

/// `leak_request_buffer growth.rs:135 and 2 more`, or the kind if it is the runtime's doing; and whether that is one.
pub fn subject(sites: &[&SiteFacts<'_>]) -> (String, bool) {
    let Some(first) = sites.first() else {
        return ("an unknown caller".into(), true);
    };
    let of_kind: Vec<_> = sites.iter().map(|one| one.site).collect();
    if let Some(kind) = kinds::sure(first.site).filter(|_| is_of_runtime(first)) {
        return match kinds::common(of_kind.into_iter()) {
            Some(kind) => (kind.to_owned(), true),
            None => (format!("{} and others", kind.name), false),
        };
    }
    let place = place(first).map_or_else(String::new, |place| format!(" {}", short(place)));
    let name = name(first);
    match sites.len() {
        1 => (format!("{name}{place}"), true),
        more => (
            format!("{name}{place} and {} more", count(more as u64 - 1)),
            false,
        ),
    }
}

/// A place of which the path would push out what else is to be said.
fn short(place: &str) -> &str {
    const LONGEST: usize = 40;
    if place.len() <= LONGEST {
        return place;
    }
    last_part(place)
}
