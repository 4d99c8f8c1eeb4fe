//! What a verdict says of a process that was refused something, or killed for want of memory.

use super::facts::Facts;
use super::suspects::SiteFacts;
use crate::model::summary::{Ending, Level, OomKill, RefusalCause, Refused, Span};
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

/// It ended itself when it was about as large as ever, and no little process: a runtime does so at the limit that it sets
/// its own heap, of which the kernel knows nothing.
pub fn aborted_at_its_largest(facts: &Facts<'_>) -> bool {
    const LARGE: u64 = 64 << 20;
    let signal = facts.refusals.ending.and_then(|ending| ending.signal);
    let is_large = |span: Span| span.end >= LARGE.max(span.peak / 4 * 3);
    signal.is_some_and(signals::is_abort) && facts.resident.is_some_and(is_large)
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

/// What was refused and never had, and what followed.
pub fn what_happened(facts: &Facts<'_>) -> Vec<String> {
    let mut sentences = Vec::new();
    sentences.extend(oom_kill(facts).map(|whose| oom_sentence(facts, whose)));
    if let Some(Told { row, .. }) = head(facts) {
        sentences.push(format!("{}.", words::what(row)));
    }
    sentences.extend(what_followed(facts));
    sentences
}

/// What followed what was refused.
pub fn what_followed(facts: &Facts<'_>) -> Option<String> {
    head(facts).map(|one| after(facts, &one.row))
}

/// Who has used the mappings up that there may be, if that was refused.
pub fn most_used(facts: &Facts<'_>) -> Option<String> {
    let cause = head(facts)?.row.cause;
    made_by(facts).filter(|_| cause == RefusalCause::MaxMapCount)
}

/// Who has made the most mappings, in a sentence.
pub fn made_by(facts: &Facts<'_>) -> Option<String> {
    let (most, made) = most_mappings(facts)?;
    let who = most.called.who()?;
    Some(format!(
        "{} of the mappings were made by {who}.",
        count(made)
    ))
}

/// The first sentences: what was refused and never had, what followed, who asked, what the limit is set by.
pub fn headline(facts: &Facts<'_>) -> Vec<String> {
    let mut sentences = what_happened(facts);
    if let Some(Told { row, .. }) = head(facts) {
        sentences.extend(row.by.as_ref().map(|by| format!("It was called by {by}.")));
        sentences.extend(most_used(facts));
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

/// Who has made the most mappings of those that there were, and how many.
pub fn most_mappings<'a>(facts: &Facts<'a>) -> Option<(&'a SiteFacts<'a>, u64)> {
    let most = facts.sites.iter().max_by_key(|one| one.site.mappings)?;
    let made = most.site.mappings.filter(|made| *made >= MANY_MAPPINGS)?;
    Some((most, made))
}

/// What was refused and never had: the most telling.
pub fn head<'a>(facts: &Facts<'a>) -> Option<&'a Told> {
    facts.refusals.told.iter().find(|one| one.outstanding)
}

/// Whose memory was at its end, if it was killed for that.
pub fn oom_kill(facts: &Facts<'_>) -> Option<OomKill> {
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
