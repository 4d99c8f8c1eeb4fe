//! What a verdict says of a process that was refused something, or killed for want of memory.

use super::facts::Facts;
use crate::model::summary::{Ending, Level, OomKill, RefusalCause, Refused};
use crate::naming::folding::fold;
use crate::naming::wrappers::Wrappers;
use crate::refusals::told::{Told, is_abnormal, is_lock};
use crate::refusals::words;
use crate::words::signals;
use crate::words::units::{bytes, count, duration};

/// Who has made fewer has not used them up.
const MANY_MAPPINGS: u64 = 1_000;

/// The level that a process has at least for what it was refused; `None`: that says nothing of its level, it had
/// what it asked for in the end.
pub fn level(facts: &Facts<'_>) -> Option<Level> {
    let refusals = facts.refusals;
    if oom_kill(facts).is_some() {
        return Some(Level::Refused);
    }
    let ended_badly = refusals.ending.is_some_and(is_abnormal);
    let mut outstanding = refusals.told.iter().filter(|one| one.outstanding);
    // What may not be locked is used all the same, unless the process minds.
    let minds = |one: &Told| !is_lock(&one.row) || ended_badly;
    if outstanding.clone().any(minds) {
        return Some(Level::Refused);
    }
    outstanding.next().map(|_| Level::Watch)
}

/// How sure it is that this is why.
pub fn confidence(facts: &Facts<'_>) -> f64 {
    const CAUSE_NOT_FOUND: f64 = 0.8;
    let head = head(facts).map(|one| one.row.cause);
    if head == Some(RefusalCause::Unknown) && oom_kill(facts).is_none() {
        CAUSE_NOT_FOUND
    } else {
        1.0
    }
}

/// The first sentences: what was refused and never had, what followed, who asked, what the limit is set by.
pub fn headline(facts: &Facts<'_>) -> Vec<String> {
    let mut sentences = Vec::new();
    sentences.extend(oom_kill(facts).map(|whose| oom_sentence(facts, whose)));
    if let Some(Told { row, .. }) = head(facts) {
        sentences.push(format!("{}.", words::what(row)));
        sentences.push(after(facts, row));
        sentences.extend(row.by.as_ref().map(|by| format!("It was called by {by}.")));
        if row.cause == RefusalCause::MaxMapCount {
            sentences.extend(most_mappings(facts));
        }
        sentences.extend(words::knob(row.cause).map(|knob| format!("{knob} sets that limit.")));
    }
    sentences
}

/// What was refused, asked for otherwise, and had.
pub fn because(facts: &Facts<'_>) -> Option<String> {
    let told = facts.refusals.told.iter();
    let had = told.filter(|one| !one.outstanding).map(|one| &one.row);
    let row = had.max_by_key(|row| row.requested_bytes)?;
    let what = words::what(row);
    Some(match row.had_instead_bytes {
        None | Some(0) => format!("{what}; it tried again, and that worked."),
        Some(had) => format!("{what}; it asked again and had {}.", bytes(had)),
    })
}

/// Who has made the most mappings of those that there were.
fn most_mappings(facts: &Facts<'_>) -> Option<String> {
    let sites = facts.sites.iter().map(|one| one.site);
    let wrappers = Wrappers::of(sites.clone().map(|site| site.frames.as_slice()));
    let site = sites.max_by_key(|site| site.mappings)?;
    let made = site.mappings.filter(|made| *made >= MANY_MAPPINGS)?;
    let who = fold(&site.frames, &wrappers).who()?;
    Some(format!(
        "{} of the mappings were made by {who}.",
        count(made)
    ))
}

fn head<'a>(facts: &Facts<'a>) -> Option<&'a Told> {
    facts.refusals.told.iter().find(|one| one.outstanding)
}

fn oom_kill(facts: &Facts<'_>) -> Option<OomKill> {
    facts.refusals.ending.and_then(|ending| ending.oom_kill)
}

fn oom_sentence(facts: &Facts<'_>, whose: OomKill) -> String {
    let limits = facts.refusals.limits;
    let (what, bytes_of) = match whose {
        OomKill::Cgroup => ("its cgroup's limit", limits.cgroup_memory_max_bytes),
        OomKill::Machine => ("the end of the machine's memory", limits.memory_total_bytes),
    };
    let of = bytes_of.map_or_else(String::new, |limit| format!(" of {}", bytes(limit)));
    format!("Killed by the kernel's OOM killer: {what}{of} was reached.")
}

fn after(facts: &Facts<'_>, row: &Refused) -> String {
    let later = match facts.refusals.until_ns.saturating_sub(row.last_ns) {
        0 => "At once".to_owned(),
        later => format!("{} later", duration(later)),
    };
    match facts.refusals.ending {
        Some(Ending {
            signal: Some(signal),
            ..
        }) => format!("{later} {}.", signals::name(*signal)),
        Some(Ending {
            code: Some(code), ..
        }) if *code != 0 => format!("{later} it exited with {code}."),
        Some(_) => format!("It never had it. {later} it exited with 0."),
        None => "It has not had it since.".into(),
    }
}
