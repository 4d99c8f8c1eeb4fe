//! What a verdict says of a process's size, of what grew and of what is kept, in sentences.

use super::facts::{Facts, WORTH_TELLING};
use super::kinds;
use super::suspects::{SiteFacts, Sum};
use crate::words::units::{bytes, bytes_of, counted, duration, moment, percent, rate};

/// Of a shorter life nothing can be said of its course, ns.
const TOO_SHORT: u64 = 1_000_000_000;

/// The one kind that all of these sites are of.
pub fn common<'a>(sites: &[&'a SiteFacts<'a>]) -> Option<&'a str> {
    kinds::common(sites.iter().map(|one| one.site))
}

/// `As it stood at 60.1 s, before it freed 236 MiB in its last 21 ms (exit): `, before all else; nothing where little
/// was freed.
pub fn as_it_stood(facts: &Facts<'_>) -> Option<String> {
    let freed = facts.freed.as_ref()?;
    if freed.bytes < WORTH_TELLING.max(facts.virtual_bytes.end / 100) {
        return None;
    }
    Some(format!(
        "As it stood at {}, before it freed {} in its last {} ({}): ",
        moment(freed.began),
        bytes(freed.bytes),
        duration(freed.took),
        freed.by
    ))
}

/// What became of some sites that grew, after what is said of their growth; nothing if they grow still.
pub fn until(facts: &Facts<'_>, sites: &[&SiteFacts<'_>]) -> String {
    let idle = Sum::of(sites.iter().copied()).idle_since;
    let idle = idle.map_or_else(String::new, |since| {
        format!(", idle since {}", moment(since))
    });
    if facts.gave_all_back() {
        format!("{idle} until it began to end; freed as it ended")
    } else {
        idle
    }
}

/// How large it is.
pub fn size_sentence(facts: &Facts<'_>) -> String {
    let size = bytes(facts.virtual_bytes.end);
    match facts.resident {
        Some(resident) => format!("{size} virtual, {} resident.", bytes(resident.end)),
        // It was gone before anybody could look.
        None if facts.lifetime() < TOO_SHORT => format!("{size} virtual."),
        None => format!("{size} virtual, resident unknown."),
    }
}

/// What of it has grown, where, and what became of that.
pub fn growth_sentence(facts: &Facts<'_>, subject: &[&SiteFacts<'_>]) -> String {
    let (since, at) = if facts.from_start {
        ("its first instruction", "at its first instruction")
    } else {
        ("tracing began", "when tracing began")
    };
    let span = facts.virtual_bytes;
    let grown = facts.grown_bytes();
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
    let kept = if facts.freed.is_some() {
        "kept as long as it worked"
    } else {
        "never released"
    };
    format!(
        "{what}: {kept}, {}, {}{course}.",
        touched(&sum),
        charged(&sum)
    )
}

/// When it grew last, after a comma; nothing for a life too short to tell.
fn course(facts: &Facts<'_>, sum: &Sum) -> String {
    if facts.lifetime() < TOO_SHORT {
        String::new()
    } else if sum.growing {
        ", still growing".into()
    } else if facts.end.saturating_sub(sum.last) < facts.lifetime() / 5 {
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

/// What some sites keep, and how fast that came.
pub fn kept(sites: &[&SiteFacts<'_>], end: u64) -> String {
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
