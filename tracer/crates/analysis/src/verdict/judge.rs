//! The verdict on a process: its level and its text.

use super::answer::{Judged, answer};
use super::confidence::confidence;
use super::facts::{Facts, WORTH_TELLING};
use super::harm;
use super::kinds;
use super::sentences::{as_it_stood, common, growth_sentence, kept, size_sentence, until};
use super::suspects::{SiteFacts, Sum, Suspect};
use super::victim;
use crate::model::summary::{Before, Harm, Level, Verdict};
use crate::words::units::{bytes, count, percent};

/// A whole process below this does no harm while it does not grow, bytes.
const SMALL: u64 = 32 << 20;
/// Nor, once it has exited, one that was no more than this part of the memory there is.
const SMALL_PART: u64 = 256;
/// Copied on write, this is worth watching, bytes.
const COPIED: u64 = 64 << 20;
/// The most sites that the sentence is about.
const NAMED_SITES: usize = 3;

/// The verdict on one process.
#[must_use]
pub fn verdict(facts: &Facts<'_>) -> Verdict {
    let grown: Vec<&SiteFacts<'_>> = facts.sites.iter().filter(|site| site.grown()).collect();
    let suspects = Suspect::all(&grown);
    let mut leaking: Vec<&SiteFacts<'_>> = Vec::new();
    let mut watched: Vec<&SiteFacts<'_>> = Vec::new();
    for suspect in &suspects {
        if suspect.leaks() {
            leaking.extend(&suspect.sites);
        } else if suspect.worth_watching() {
            watched.extend(&suspect.sites);
        }
    }
    let subject = subject(&grown);
    let near_limits = harm::near(facts.harms);
    // Where hardly anything has grown, the whole is what was there.
    let before = facts.before.filter(|_| is_quiet(facts, &suspects));
    let copies = facts.copied_bytes >= COPIED;
    let splits = more_and_more_mappings(facts.harms);
    let level = if !leaking.is_empty() {
        Level::Leak
    } else if !watched.is_empty() || !facts.unusual.is_empty() || copies || splits.is_some() {
        Level::Watch
    } else if is_clear(facts, &grown, &suspects) || is_given_back(facts, &suspects) {
        // Address space alone does harm where there is little of it.
        if near_limits.is_empty() {
            Level::Benign
        } else {
            Level::Watch
        }
    } else {
        // Whatever it is, a limit is near.
        match before.map_or(Level::Unknown, |before| before.level) {
            Level::Benign | Level::Unknown if !near_limits.is_empty() => Level::Watch,
            level => level,
        }
    };
    // It may have come to a limit of its own.
    let level = match level {
        Level::Benign if victim::aborted_at_its_largest(facts) => Level::Unknown,
        level => level,
    };
    // Who was refused something is not well, whatever else can be said.
    let level = [Some(level), victim::level(facts)]
        .into_iter()
        .flatten()
        .max_by_key(|level| level.badness())
        .unwrap_or(level);
    let kinds = kinds::kinds(grown.iter().map(|one| one.site), facts.virtual_bytes.end);
    let small_part = facts.grown_bytes() / 20;
    let going_on = suspects.iter().filter(|one| one.goes_on(small_part));
    let going_on: Vec<&SiteFacts<'_>> = going_on.flat_map(|one| one.sites.clone()).collect();
    let judged = Judged {
        level,
        leaking: &leaking,
        watched: &watched,
        subject: &subject,
        going_on: &going_on,
        kinds: &kinds,
        before: facts.before.filter(|one| is_most(one, facts)),
        is_small: level == Level::Benign
            && facts.from_start
            && facts.virtual_bytes.end < small(facts),
        copies,
        splits: splits.as_deref(),
    };
    // What to act on comes first.
    let headline = victim::headline(facts);
    let mut sentences = Vec::new();
    if facts.condensed {
        sentences.extend(headline);
        sentences.push(size_sentence(facts));
        let why = "Its call sites were not kept: too many bigger processes have ended.";
        sentences.push(why.into());
        let refused = victim::level(facts);
        let level = refused.unwrap_or_default();
        let verdict = Verdict {
            text: sentences.join(" "),
            level,
            confidence: refused.map_or(0.0, |_| victim::confidence(facts)),
            ..Verdict::default()
        };
        return answer(facts, &Judged { level, ..judged }, verdict);
    }

    if !leaking.is_empty() {
        let kept = kept(&leaking, facts.end);
        let what = Sum::of(leaking.iter().copied()).is_what();
        let until = until(facts, &leaking);
        sentences.push(format!(
            "A leak of {what}: {kept}, and growing steadily{until}."
        ));
    }
    if !watched.is_empty() {
        let kept = kept(&watched, facts.end);
        let until = until(facts, &watched);
        sentences.push(format!("To be watched: {kept}, and still growing{until}."));
    }
    if !facts.unusual.is_empty() {
        sentences.push(format!("Unusually many: {}.", facts.unusual.join("; ")));
    }
    if copies {
        let copied = bytes(facts.copied_bytes);
        sentences.push(format!("{copied} copied on write since a fork."));
    }
    sentences.extend(splits.clone());
    if !near_limits.is_empty() {
        sentences.push(format!("Near to {}.", near_limits.join(", ")));
    }
    sentences.extend(victim::because(facts));
    sentences.push(size_sentence(facts));
    sentences.push(growth_sentence(facts, &subject));
    if !subject.is_empty() && facts.grown_bytes() >= WORTH_TELLING {
        let sum = Sum::of(subject.iter().copied());
        if sum.is_address_space_only() {
            sentences.push("Address space, not memory.".into());
        }
    }
    let total = grown.iter().map(|one| one.site.reserved_bytes).sum();
    let explained: u64 = kinds.iter().map(|kind| kind.reserved_bytes).sum();
    if !subject.is_empty() && facts.grown_bytes() >= WORTH_TELLING {
        // If the sentence above names the one kind there is to name, it has said it.
        if common(&subject).is_none() {
            sentences.extend(kinds::sentence(&kinds, total));
        } else {
            let share = percent(explained, total);
            sentences.push(format!("Of the growth {share} is of known kinds."));
        }
        sentences.extend(kinds::knob(&kinds, total));
    }
    if let Some(before) = facts.before.filter(|one| is_most(one, facts)) {
        sentences.push(format!("As it was when tracing began: {}", before.text));
    }
    if facts.gave_all_back() && leaking.is_empty() && watched.is_empty() {
        let peak = bytes(facts.virtual_bytes.peak);
        sentences.push(format!("Peak {peak}, given back as it ended."));
    }
    let text = sentences.join(" ");
    let text = as_it_stood(facts).map_or(text.clone(), |before| before + &text);
    let verdict = Verdict {
        text: [headline, vec![text]].concat().join(" "),
        level,
        confidence: confidence(
            facts,
            level,
            &kinds,
            &[&leaking[..], &watched[..]].concat(),
            before,
        ),
        grown_bytes: total,
        unexplained_bytes: total - explained,
        kinds: kinds.clone(),
        ..Verdict::default()
    };
    answer(facts, &judged, verdict)
}

/// Settled, and either small (or using little of what it has) and known from its first instruction on, or grown by far
/// more than it touches or is charged for, or at rest for two fifths of its time, or a copy of its parent; and the figures can
/// be trusted.
fn is_clear(facts: &Facts<'_>, grown: &[&SiteFacts<'_>], suspects: &[Suspect<'_>]) -> bool {
    let unexplained = facts.check.difference_bytes.unsigned_abs();
    if !facts.check.is_compared() || unexplained > facts.virtual_bytes.end / 100 {
        return false;
    }
    let total = facts.grown_bytes();
    let settled = suspects.iter().all(|one| !one.goes_on(total / 20));
    let sum = Sum::of(grown.iter().copied());
    // What was read of a file is nobody's memory.
    let of_files = grown.iter().filter(|one| one.is_page_cache());
    let of_files = Sum::of(of_files.copied()).touched_at_most();
    let touched = sum.touched_at_most().saturating_sub(of_files);
    let is_untouched = total >= WORTH_TELLING && touched <= total / 5;
    let is_uncharged = sum.charged <= total / 5;
    // What is charged counts by itself only where the kernel counts strictly.
    let uses_little =
        is_untouched && !facts.strict && sum.touched.is_some_and(|bytes| bytes < SMALL);
    let is_small = facts.from_start && (facts.virtual_bytes.end < small(facts) || uses_little);
    // What was taken and is at rest is what the program works with.
    let is_at_rest = facts.rests() && !suspects.iter().any(|one| one.may_grow(WORTH_TELLING));
    // It has what its parent had, and has hardly written to it.
    let is_a_copy = facts.from_start && total < WORTH_TELLING && facts.copied_bytes < SMALL;
    settled && (is_small || is_a_copy || (is_untouched && is_uncharged) || is_at_rest)
}

/// Below what a whole process does no harm, bytes. Of one that has exited all is known, and nothing is left.
fn small(facts: &Facts<'_>) -> u64 {
    let exited = facts
        .refusals
        .ending
        .is_some_and(|ending| ending.code.is_some());
    let limits = facts.refusals.limits;
    let memory = [limits.memory_total_bytes, limits.cgroup_memory_max_bytes];
    match memory.into_iter().flatten().min() {
        Some(memory) if exited => SMALL.max(memory / SMALL_PART),
        _ => SMALL,
    }
}

/// `More and more mappings: 7,925 of 65,530 (vm.max_map_count).` Whoever splits them acquires nothing, and is seen by no
/// other figure.
fn more_and_more_mappings(harms: &[Harm]) -> Option<String> {
    const PART: u64 = 16;
    let harm = harms.iter().find(|harm| harm.id == "mappings")?;
    let rises = harm.growth_per_hour.is_some() && harm.used >= harm.limit / PART;
    rises.then(|| {
        let (used, limit) = (count(harm.used), count(harm.limit));
        format!("More and more mappings: {used} of {limit} ({}).", harm.name)
    })
}

/// Nothing goes on growing, and whatever there was, hardly anything was left of it when the process ended.
fn is_given_back(facts: &Facts<'_>, suspects: &[Suspect<'_>]) -> bool {
    let difference = facts.check.difference_bytes.unsigned_abs();
    let whole = facts.virtual_bytes.end;
    facts.check.kernel_known
        && difference <= whole / 100
        && facts.gave_all_back()
        && !suspects.iter().any(|one| one.may_grow(whole / 20))
}

/// Next to nothing has grown, and nothing goes on growing.
fn is_quiet(facts: &Facts<'_>, suspects: &[Suspect<'_>]) -> bool {
    let difference = facts.check.difference_bytes.unsigned_abs();
    let whole = facts.virtual_bytes.end;
    facts.check.is_compared()
        && difference <= whole / 100
        && facts.grown_bytes() <= WORTH_TELLING.max(whole / 100)
        && !suspects.iter().any(|one| one.goes_on(WORTH_TELLING))
}

/// Most of what there is now was there then.
fn is_most(before: &Before, facts: &Facts<'_>) -> bool {
    !before.text.is_empty() && before.virtual_bytes >= facts.virtual_bytes.end / 2
}

/// The few largest sites that make up most of what grew.
fn subject<'a>(grown: &[&'a SiteFacts<'a>]) -> Vec<&'a SiteFacts<'a>> {
    let total: u64 = grown.iter().map(|one| one.site.reserved_bytes).sum();
    let mut subject = Vec::new();
    let mut covered = 0;
    for one in grown.iter().take(NAMED_SITES) {
        if covered >= total - total / 5 {
            break;
        }
        covered += one.site.reserved_bytes;
        subject.push(*one);
    }
    subject
}
