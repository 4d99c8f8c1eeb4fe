//! The one sentence that stands alone: what it is, who by name, how much.

use super::Judged;
use super::who::{is_of_runtime, subject};
use crate::model::summary::{Kind, Level, RefusalCause, Refused};
use crate::refusals::words;
use crate::verdict::facts::{Facts, WORTH_TELLING};
use crate::verdict::kinds;
use crate::verdict::suspects::{SiteFacts, Sum};
use crate::verdict::victim;
use crate::words::signals;
use crate::words::units::{bytes, bytes_of, count, counted, duration, percent, rate};

/// The most characters that a headline has.
const LONGEST: usize = 160;
/// The most kinds that it names.
const KINDS: usize = 2;

/// The headline.
pub fn headline(facts: &Facts<'_>, judged: &Judged<'_>) -> String {
    let mut sentences = victim::what_happened(facts);
    if let Some(text) = until_refused(facts, judged) {
        return fitting(&[text]);
    }
    if facts.condensed {
        sentences.push(format!(
            "{} at the most: its call sites were not kept.",
            size(facts)
        ));
        return fitting(&sentences);
    }
    if sentences.is_empty() {
        sentences.extend(crash(facts));
    }
    let said = match judged.level {
        Level::Refused => Vec::new(),
        Level::Leak => vec![leak(judged.leaking, facts.end)],
        Level::Watch => watch(facts, judged),
        Level::Benign => vec![benign(facts, judged)],
        // It has been said why.
        Level::Unknown if victim::aborted_at_its_largest(facts) => Vec::new(),
        Level::Unknown => vec![unknown(facts, judged)],
    };
    sentences.extend(said);
    fitting(&sentences)
}

/// It died, and nothing that it asked for was refused.
fn crash(facts: &Facts<'_>) -> Option<String> {
    let signal = facts.refusals.ending?.signal?;
    let name = signals::name(signal);
    if victim::aborted_at_its_largest(facts) {
        let size = bytes(facts.resident?.end);
        return Some(format!(
            "Ended by {name} at its largest, {size} resident, with nothing refused: a limit of its own heap?"
        ));
    }
    let text = format!("Ended by {name}; the kernel had refused it nothing.");
    signals::is_crash(signal).then_some(text)
}

/// As many of the sentences as there is room for, and at least the first.
fn fitting(sentences: &[String]) -> String {
    let mut text = String::new();
    for sentence in sentences {
        let room = LONGEST.saturating_sub(text.chars().count() + 1);
        if text.is_empty() {
            text.clone_from(sentence);
        } else if sentence.chars().count() <= room {
            text.push(' ');
            text.push_str(sentence);
        }
    }
    if text.chars().count() > LONGEST {
        text = text.chars().take(LONGEST - 1).collect();
        text.push('…');
    }
    text
}

/// `leak_request_buffer growth.rs:135 keeps all it maps: +1.5 MiB/s, 60 MiB so far, all in use.`
fn leak(sites: &[&SiteFacts<'_>], end: u64) -> String {
    let sum = Sum::of(sites.iter().copied());
    let (who, one) = subject(sites);
    let given_back = sites
        .iter()
        .any(|one| one.site.calls.saturating_sub(one.site.live) > one.site.calls / 20);
    let all = if given_back { "most of what" } else { "all" };
    let of_kind = kinds::common(sites.iter().map(|one| one.site))
        .map_or_else(String::new, |kind| format!(" ({kind})"));
    let of_runtime = sites.first().is_some_and(|one| is_of_runtime(one));
    let what = match (sum.is_what(), one) {
        _ if of_runtime && one => format!("{who} grows and keeps {all} of it"),
        _ if of_runtime => format!("{who} grow and keep {all} of it"),
        ("address space", true) => {
            format!("{who} reserves more and more{of_kind} and keeps {all} of it")
        }
        ("address space", false) => {
            format!("{who} reserve more and more{of_kind} and keep {all} of it")
        }
        (_, true) => format!("{who} keeps {all} it maps"),
        (_, false) => format!("{who} keep {all} they map"),
    };
    let mappings = match sum.is_what() {
        "mappings" => format!(" in {}", counted(sum.live, "mapping", "mappings")),
        _ => String::new(),
    };
    format!("{what}: {}{mappings}, {}.", growth(&sum, end), in_use(&sum))
}

/// `fill_blocks refusals.c:41 kept all it mapped, 290 MiB, until mmap of 3 MiB failed (ENOMEM): RLIMIT_AS is 300 MiB.`
fn until_refused(facts: &Facts<'_>, judged: &Judged<'_>) -> Option<String> {
    let sites = judged.leaking;
    let row = victim::head(facts).map(|one| Refused {
        used: None,
        ..one.row.clone()
    })?;
    // Of mappings only who made the most of them has used them up.
    let most = victim::most_mappings(facts).map(|(one, _)| one.site.id);
    let used_it_up = |one: &&SiteFacts<'_>| Some(one.site.id) == most;
    let is_of_mappings = row.cause == RefusalCause::MaxMapCount;
    if sites.is_empty() || (is_of_mappings && !sites.iter().any(used_it_up)) {
        return None;
    }
    let (who, one) = subject(sites);
    let they = if one { "it" } else { "they" };
    let kept = bytes(Sum::of(sites.iter().copied()).reserved);
    let refused = words::what(&row);
    Some(format!(
        "{who} kept all {they} mapped, {kept}, until {refused}."
    ))
}

/// `+1.5 MiB/s, 60 MiB so far`; of what has rested since, the speed that it had: `+26 MiB/s until 30 s ago, 155 MiB`.
fn growth(sum: &Sum, end: u64) -> String {
    let size = bytes(sum.reserved);
    if rested(sum, end) && sum.rose > sum.first {
        let speed = rate(sum.reserved, sum.rose.saturating_sub(sum.first));
        let ago = duration(end.saturating_sub(sum.rose));
        return format!("+{speed} until {ago} ago, {size}");
    }
    let speed = rate(sum.reserved, end.saturating_sub(sum.first));
    format!("+{speed}, {size} so far")
}

/// For a quarter of its time it has not grown: its process had nothing to do, else it would not be called growing.
fn rested(sum: &Sum, end: u64) -> bool {
    let time = end.saturating_sub(sum.first);
    end.saturating_sub(sum.rose) > time / 4
}

fn in_use(sum: &Sum) -> String {
    match sum.touched {
        None if sum.accessible == 0 => "none of it accessible".into(),
        None => "how much of it is used is not known".into(),
        Some(0) => "none of it touched".into(),
        Some(touched) if touched >= sum.reserved - sum.reserved / 20 => "all in use".into(),
        Some(touched) => format!("{} touched", percent(touched, sum.reserved)),
    }
}

fn watch(facts: &Facts<'_>, judged: &Judged<'_>) -> Vec<String> {
    let mut sentences = Vec::new();
    if !judged.watched.is_empty() {
        let sum = Sum::of(judged.watched.iter().copied());
        let (who, one) = subject(judged.watched);
        if !judged.watched.iter().any(|one| one.grows()) {
            // It asked for all of it long ago.
            let touched = bytes_of(sum.touched.unwrap_or(0), sum.reserved);
            let comes = if one { "comes" } else { "come" };
            sentences.push(format!(
                "{who} {comes} to use more and more of what is reserved: {touched} so far."
            ));
            return sentences;
        }
        let grows = match (rested(&sum, facts.end), one) {
            (true, _) => "grew while it worked",
            (false, true) => "grows still",
            (false, false) => "grow still",
        };
        sentences.push(format!(
            "{who} {grows}: {}, {}.",
            growth(&sum, facts.end),
            in_use(&sum)
        ));
    }
    if let Some(unusual) = facts.unusual.first() {
        sentences.push(format!("Unusually many: {unusual}."));
    }
    if judged.copies {
        sentences.push(format!(
            "{} that it shared with its parent or child were copied on write.",
            bytes(facts.copied_bytes)
        ));
    }
    sentences.extend(judged.splits.map(str::to_owned));
    let near: Vec<String> = facts
        .harms
        .iter()
        .filter(|harm| harm.near)
        .map(|harm| {
            let used = harm.used.max(harm.peak);
            let of = if harm.id == "mappings" {
                format!("{} of {}", count(used), count(harm.limit))
            } else {
                bytes_of(used, harm.limit)
            };
            format!("{} {of}", harm.name)
        })
        .collect();
    if !near.is_empty() {
        sentences.push(format!("Near to its limit: {}.", near.join(", ")));
    }
    if sentences.is_empty() {
        // What could not be locked is used all the same.
        sentences.push(size(facts) + ".");
    }
    if judged.watched.is_empty() {
        sentences.extend(what_it_is(facts, judged));
    }
    sentences
}

fn benign(facts: &Facts<'_>, judged: &Judged<'_>) -> String {
    if facts.gave_all_back() {
        let peak = bytes(facts.virtual_bytes.peak);
        return format!("{peak} at the most, given back as it ended.");
    }
    what_it_is(facts, judged).unwrap_or_else(|| {
        let since = since(facts);
        match facts.grown_bytes() {
            0 => format!("{}; nothing has grown since {since}.", size(facts)),
            grown => format!("{}; {} grown since {since}.", size(facts), bytes(grown)),
        }
    })
}

/// `20.0 of 21.5 GiB is address space kept by 2 reservations of V8 WebAssembly memory. It uses no memory.` `None`:
/// hardly anything has grown.
fn what_it_is(facts: &Facts<'_>, judged: &Judged<'_>) -> Option<String> {
    if let Some(before) = judged.before {
        return Some(of_before(facts, &before.kinds));
    }
    let sites = judged.subject;
    if facts.grown_bytes() < WORTH_TELLING || sites.is_empty() {
        return None;
    }
    let sum = Sum::of(sites.iter().copied());
    if judged.is_small && !sum.is_address_space_only() {
        return Some(format!("{}: small, and at rest.", size(facts)));
    }
    let whole = facts.virtual_bytes.end.max(sum.reserved);
    let size_of = bytes_of(sum.reserved, whole);
    if let Some(kind) = kinds::common(sites.iter().map(|one| one.site)) {
        let those = kinds::reservations(sum.live, kind);
        if sum.is_address_space_only() {
            return Some(format!(
                "{size_of} is address space kept by {those}. It uses no memory."
            ));
        }
        return Some(format!("{size_of} is {those}: {}.", course(facts, &sum)));
    }
    let known: u64 = judged.kinds.iter().map(|kind| kind.reserved_bytes).sum();
    let grown: u64 = facts
        .sites
        .iter()
        .filter(|one| one.grown())
        .map(|one| one.site.reserved_bytes)
        .sum();
    if known >= grown / 2 && !judged.kinds.is_empty() {
        let named = list(judged.kinds, whole);
        return Some(format!("{named}: {}.", course(facts, &sum)));
    }
    let (who, _) = subject(sites);
    Some(format!(
        "{size_of} was reserved by {who}: {}.",
        course(facts, &sum)
    ))
}

/// `1.9 of 3.8 GiB is JVM heap, 1.0 GiB JVM class space`.
fn list(kinds: &[Kind], whole: u64) -> String {
    let named = kinds.iter().take(KINDS).enumerate().map(|(at, kind)| {
        if at == 0 {
            let size = bytes_of(kind.reserved_bytes, whole);
            format!("{size} is {}", kind.name)
        } else {
            format!("{} {}", bytes(kind.reserved_bytes), kind.name)
        }
    });
    named.collect::<Vec<String>>().join(", ")
}

/// What there was before anybody traced.
fn of_before(facts: &Facts<'_>, kinds: &[Kind]) -> String {
    let grown = match facts.grown_bytes() {
        0 => "nothing has grown since".to_owned(),
        grown => format!("{} grown since", bytes(grown)),
    };
    match kinds.first() {
        Some(first) if first.reserved_bytes >= facts.virtual_bytes.end / 10 => {
            let size = bytes_of(first.reserved_bytes, facts.virtual_bytes.end);
            let those = kinds::reservations(first.live, &first.name);
            format!("{size} is {those}, there before tracing began; {grown}.")
        }
        _ => format!(
            "{}, nearly all of it there before tracing began; {grown}.",
            size(facts)
        ),
    }
}

/// `12 % touched, at rest for the last 4.0 s of 8.0 s`.
fn course(facts: &Facts<'_>, sum: &Sum) -> String {
    let used = in_use(sum);
    let life = facts.lifetime();
    let quiet = facts.end.saturating_sub(sum.rose).min(life);
    if life < 1_000_000_000 {
        used
    } else if sum.growing {
        format!("{used}, still growing")
    } else {
        let (quiet_for, life_of) = (duration(quiet), duration(life));
        if quiet >= life - life / 20 {
            format!("{used}, not grown since its start")
        } else {
            format!("{used}, at rest for the last {quiet_for} of {life_of}")
        }
    }
}

/// What cannot be said, and why.
fn unknown(facts: &Facts<'_>, judged: &Judged<'_>) -> String {
    const ENOUGH: u64 = 4_000_000_000;
    let check = facts.check;
    if !check.is_compared() {
        return format!(
            "{}; not judged: the kernel's own figures are not known.",
            size(facts)
        );
    }
    if check.difference_bytes.unsigned_abs() > facts.virtual_bytes.end / 100 {
        let by = bytes(check.difference_bytes.unsigned_abs());
        return format!(
            "{}; not judged: the figures differ from the kernel's by {by}.",
            size(facts)
        );
    }
    if let Some(before) = judged.before {
        let what = of_before(facts, &before.kinds);
        return format!("{what} Whether it is in use, and whose it is, one look does not tell.");
    }
    let sites = judged.subject;
    if sites.is_empty() || facts.grown_bytes() < WORTH_TELLING {
        return format!(
            "{}; what there was before tracing is not known.",
            size(facts)
        );
    }
    let life = duration(facts.lifetime());
    let is_short = facts.lifetime() < ENOUGH;
    if !judged.going_on.is_empty() && !is_short {
        let (who, one) = subject(judged.going_on);
        let grows = if one { "grows" } else { "grow" };
        let growth = growth(&Sum::of(judged.going_on.iter().copied()), facts.end);
        return format!("{who} {grows} still: {growth}; too little as yet to call it a leak.");
    }
    let sum = Sum::of(sites.iter().copied());
    let (who, _) = subject(sites);
    let what = format!("{} by {who}, {}", bytes(sum.reserved), in_use(&sum));
    if is_short {
        return format!("{what}, in {life}: too short to tell whether it goes on.");
    }
    let quiet = duration(facts.end.saturating_sub(facts.rose));
    format!("{what}, at rest for no more than {quiet} of {life}: whether it goes on is not known.")
}

fn size(facts: &Facts<'_>) -> String {
    let size = bytes(facts.virtual_bytes.end);
    match facts.resident {
        Some(resident) => format!("{size} virtual, {} resident", bytes(resident.end)),
        None => format!("{size} virtual"),
    }
}

fn since(facts: &Facts<'_>) -> &'static str {
    if facts.from_start {
        "its first instruction"
    } else {
        "tracing began"
    }
}
