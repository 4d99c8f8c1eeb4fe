//! The sentence on top, and its level.
//!
//! Honest before clever: `benign` only where it is clear, `leak` only for memory that is touched,
//! charged, kept, and grows steadily, and for what is reserved again and again and never given back; else
//! `unknown`.

pub mod rate;

pub mod harm;

pub mod trend;

mod pools;

mod suspects;

pub mod kinds;

mod unusual;

mod confidence;

use crate::model::summary::{Before, Harm, LedgerCheck, Level, Span, Verdict};
use crate::words::units::{bytes, bytes_of, counted, moment, percent, rate};
use confidence::confidence;
pub use pools::Pool;
pub use suspects::SiteFacts;
use suspects::{Sum, Suspect};
pub use unusual::{is_open, unusual};

/// Growth below this is not worth a sentence, bytes.
const WORTH_TELLING: u64 = 1 << 20;
/// A whole process below this does no harm while it does not grow, bytes.
const SMALL: u64 = 32 << 20;
/// The most sites that the sentence is about.
const NAMED_SITES: usize = 3;
/// Of a shorter life nothing can be said of its course, ns.
const TOO_SHORT: u64 = 1_000_000_000;

/// What a verdict is found from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Mapped bytes.
    pub virtual_bytes: Span,
    /// Resident bytes, if anybody looked.
    pub resident: Option<Span>,
    /// Traced from the first instruction.
    pub from_start: bool,
    /// Its sites were given up.
    pub condensed: bool,
    /// When it was first seen, ns since the trace began.
    pub began: u64,
    /// When it ended, or the trace, ns since it began.
    pub end: u64,
    /// The ledger against the kernel.
    pub check: &'a LedgerCheck,
    /// How it stands to its limits.
    pub harms: &'a [Harm],
    /// Kinds of which there are unusually many at a time, and why.
    pub unusual: &'a [String],
    /// What was there before tracing, if anybody looked.
    pub before: Option<&'a Before>,
    /// Every site, largest first.
    pub sites: &'a [SiteFacts<'a>],
}

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
    let level = if !leaking.is_empty() {
        Level::Leak
    } else if !watched.is_empty() || !facts.unusual.is_empty() {
        Level::Watch
    } else if is_clear(facts, &grown, &suspects) {
        // Address space alone does harm where there is little of it.
        if near_limits.is_empty() {
            Level::Benign
        } else {
            Level::Watch
        }
    } else {
        match before.map_or(Level::Unknown, |before| before.level) {
            Level::Benign if !near_limits.is_empty() => Level::Watch,
            level => level,
        }
    };
    if facts.condensed {
        let size = size_sentence(facts);
        return Verdict {
            text: format!(
                "{size} Its call sites were not kept: too many bigger processes have ended."
            ),
            ..Verdict::default()
        };
    }

    // What to act on comes first.
    let mut sentences = Vec::new();
    if !leaking.is_empty() {
        let kept = kept(&leaking, facts.end);
        let what = Sum::of(leaking.iter().copied()).is_what();
        sentences.push(format!("A leak of {what}: {kept}, and growing steadily."));
    }
    if !watched.is_empty() {
        let kept = kept(&watched, facts.end);
        sentences.push(format!("To be watched: {kept}, and still growing."));
    }
    if !facts.unusual.is_empty() {
        sentences.push(format!("Unusually many: {}.", facts.unusual.join("; ")));
    }
    if !near_limits.is_empty() {
        sentences.push(format!("Near to {}.", near_limits.join(", ")));
    }
    sentences.push(size_sentence(facts));
    sentences.push(growth_sentence(facts, &subject));
    if !subject.is_empty() && grown_bytes(facts) >= WORTH_TELLING {
        let sum = Sum::of(subject.iter().copied());
        if sum.is_address_space_only() {
            sentences.push("Address space, not memory.".into());
        }
    }
    let kinds = kinds::kinds(grown.iter().map(|one| one.site), facts.virtual_bytes.end);
    let total = grown.iter().map(|one| one.site.reserved_bytes).sum();
    let explained: u64 = kinds.iter().map(|kind| kind.reserved_bytes).sum();
    if !subject.is_empty() && grown_bytes(facts) >= WORTH_TELLING {
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
    Verdict {
        text: sentences.join(" "),
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
        kinds,
    }
}

fn common<'a>(sites: &[&'a SiteFacts<'a>]) -> Option<&'a str> {
    kinds::common(sites.iter().map(|one| one.site))
}

fn grown_bytes(facts: &Facts<'_>) -> u64 {
    let span = facts.virtual_bytes;
    span.end.saturating_sub(span.start)
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

/// Settled, and either small and known from its first instruction on, or grown by far more than it
/// touches or is charged for; and the figures can be trusted.
fn is_clear(facts: &Facts<'_>, grown: &[&SiteFacts<'_>], suspects: &[Suspect<'_>]) -> bool {
    let unexplained = facts.check.difference_bytes.unsigned_abs();
    if !facts.check.kernel_known || unexplained > facts.virtual_bytes.end / 100 {
        return false;
    }
    let total = grown_bytes(facts);
    let settled = suspects.iter().all(|one| !one.goes_on(total / 20));
    let sum = Sum::of(grown.iter().copied());
    let is_small = facts.from_start && facts.virtual_bytes.end < SMALL;
    let is_untouched =
        total >= WORTH_TELLING && sum.touched_at_most() <= total / 5 && sum.charged <= total / 5;
    settled && (is_small || is_untouched)
}

/// Next to nothing has grown, and nothing goes on growing.
fn is_quiet(facts: &Facts<'_>, suspects: &[Suspect<'_>]) -> bool {
    let difference = facts.check.difference_bytes.unsigned_abs();
    let whole = facts.virtual_bytes.end;
    facts.check.kernel_known
        && difference <= whole / 100
        && grown_bytes(facts) <= WORTH_TELLING.max(whole / 100)
        && !suspects.iter().any(|one| one.goes_on(WORTH_TELLING))
}

/// Most of what there is now was there then.
fn is_most(before: &Before, facts: &Facts<'_>) -> bool {
    !before.text.is_empty() && before.virtual_bytes >= facts.virtual_bytes.end / 2
}

fn size_sentence(facts: &Facts<'_>) -> String {
    let size = bytes(facts.virtual_bytes.end);
    match facts.resident {
        // It shrank and ended before anybody could look again.
        Some(resident) if resident.end > facts.virtual_bytes.end => {
            format!(
                "{size} virtual, {} resident when last seen.",
                bytes(resident.end)
            )
        }
        Some(resident) => format!("{size} virtual, {} resident.", bytes(resident.end)),
        // It was gone before anybody could look.
        None if lifetime(facts) < TOO_SHORT => format!("{size} virtual."),
        None => format!("{size} virtual, resident unknown."),
    }
}

fn lifetime(facts: &Facts<'_>) -> u64 {
    facts.end.saturating_sub(facts.began)
}

fn growth_sentence(facts: &Facts<'_>, subject: &[&SiteFacts<'_>]) -> String {
    let (since, at) = if facts.from_start {
        ("its first instruction", "at its first instruction")
    } else {
        ("tracing began", "when tracing began")
    };
    let span = facts.virtual_bytes;
    let grown = grown_bytes(facts);
    if grown < WORTH_TELLING || subject.is_empty() {
        return if span.end < span.start {
            format!("{} less than {at}.", bytes(span.start - span.end))
        } else if grown == 0 {
            format!("Not grown since {since}.")
        } else {
            format!("{} grown since {since}.", bytes(grown))
        };
    }
    let sum = Sum::of(subject.iter().copied());
    let are = if sum.live == 1 { "is" } else { "are" };
    let places = places(&sum, subject);
    let what = if sum.reserved <= grown {
        format!("{} grown {are} {places}", bytes_of(sum.reserved, grown))
    } else {
        // Something else has shrunk meanwhile.
        let (grown, reserved) = (bytes(grown), bytes(sum.reserved));
        format!("{grown} grown on balance; {reserved} {are} {places}")
    };
    let course = course(facts, &sum);
    format!(
        "{what}: never released, {}, {}{course}.",
        touched(&sum),
        charged(&sum)
    )
}

/// When it grew last, after a comma; nothing for a life too short to tell.
fn course(facts: &Facts<'_>, sum: &Sum) -> String {
    if lifetime(facts) < TOO_SHORT {
        String::new()
    } else if sum.growing {
        ", still growing".into()
    } else if facts.end.saturating_sub(sum.last) < lifetime(facts) / 5 {
        // Too short a time to say that nothing more will come.
        format!(", last grown at {}", moment(sum.last))
    } else {
        format!(", settled since {}", moment(sum.last))
    }
}

/// `2 reservations from sites 1, 2`.
fn places(sum: &Sum, sites: &[&SiteFacts<'_>]) -> String {
    const NAMED: usize = 4;
    let mut ids: Vec<String> = sites
        .iter()
        .take(NAMED)
        .map(|one| one.site.id.to_string())
        .collect();
    if sites.len() > NAMED {
        ids.push("…".into());
    }
    let of_kind = common(sites).map_or_else(String::new, |kind| format!(" of {kind}"));
    format!(
        "{}{of_kind} from {} {}",
        counted(sum.live, "reservation", "reservations"),
        if sites.len() == 1 { "site" } else { "sites" },
        ids.join(", ")
    )
}

fn touched(sum: &Sum) -> String {
    match sum.touched {
        Some(0) => "never touched".into(),
        Some(touched) => format!("{} touched", percent(touched, sum.reserved)),
        None if sum.accessible == 0 => "never accessible".into(),
        None if sum.accessible < sum.reserved / 10 => {
            format!("at most {} touched", percent(sum.accessible, sum.reserved))
        }
        None => "touched unknown".into(),
    }
}

fn charged(sum: &Sum) -> String {
    match sum.charged {
        0 => "nothing charged".into(),
        charged if charged >= sum.reserved => "all of it charged".into(),
        charged => format!("{} charged", bytes(charged)),
    }
}

fn kept(sites: &[&SiteFacts<'_>], end: u64) -> String {
    let sum = Sum::of(sites.iter().copied());
    let speed = rate(sum.reserved, end.saturating_sub(sum.first));
    format!(
        "{} in {}, {speed}, {}, {}",
        bytes(sum.reserved),
        places(&sum, sites),
        touched(&sum),
        charged(&sum)
    )
}
