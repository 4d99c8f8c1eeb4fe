//! What could do harm here: address space under a limit, memory under a limit, too many mappings; how far
//! each is, and when it is reached.

use tracer_analysis::summary::{Harm, Level, Limits, Process};
use tracer_analysis::units::{bytes, bytes_of, count, duration, percent};

/// ns.
const MINUTE: u64 = 60_000_000_000;
/// Later than this nobody acts on it, ns.
const SOON: u64 = 30 * 24 * 60 * MINUTE;

/// The line, and whether something on it is near its limit. `level`: of the verdict.
#[must_use]
pub fn harm(limits: &Limits, harms: &[Harm], charged_bytes: u64, level: Level) -> (String, bool) {
    let unread = limits.overcommit_memory.is_none()
        && limits.max_map_count.is_none()
        && limits.memory_total_bytes.is_none()
        && limits.address_space_bytes.is_none();
    if unread {
        return ("unknown: the limits could not be read".into(), false);
    }
    let (mut near, mut calm) = (Vec::new(), Vec::new());
    if limits.address_space_bytes.is_none() {
        calm.push("no RLIMIT_AS".to_owned());
    }
    match limits.overcommit_memory {
        // Then the commit limit is among the harms.
        Some(2) => calm.push(format!(
            "overcommit strict, {} charged here",
            bytes(charged_bytes)
        )),
        Some(1) => calm.push("overcommit always".into()),
        Some(0) => calm.push("overcommit heuristic".into()),
        Some(other) => calm.push(format!("overcommit {other}")),
        None => calm.push("overcommit unknown".into()),
    }
    for harm in harms {
        if harm.near { &mut near } else { &mut calm }.push(words(harm));
    }
    // What was not looked at is said with its limit alone.
    if !harms
        .iter()
        .any(|harm| matches!(harm.id.as_str(), "cgroup" | "memory"))
    {
        let limit = limits.cgroup_memory_max_bytes.or(limits.memory_total_bytes);
        calm.extend(limit.map(|limit| format!("memory {} in all", bytes(limit))));
    }
    if level == Level::Refused {
        near.insert(0, "done".into());
    }
    if near.is_empty() {
        // What grows does harm in the end.
        let none = match level {
            Level::Leak | Level::Watch | Level::Refused => "none yet",
            Level::Benign | Level::Unknown => "none here",
        };
        (format!("{none}: {}", calm.join(", ")), false)
    } else if calm.is_empty() {
        (near.join(", "), true)
    } else {
        (
            format!("{}; else {}", near.join(", "), calm.join(", ")),
            true,
        )
    }
}

/// As [`harm`], of a process.
#[must_use]
pub fn of(process: &Process) -> (String, bool) {
    let charged = process.sites.iter().map(|site| site.charged_bytes).sum();
    harm(
        &process.limits,
        &process.harm,
        charged,
        process.verdict.level,
    )
}

/// `memory 379 MiB of 23.5 GiB, full in 3 h 12 min at 120 MiB/h`.
fn words(harm: &Harm) -> String {
    let mut text = match harm.id.as_str() {
        "mappings" => format!("{} of {} maps", count(harm.used), count(harm.limit)),
        "address-space" => format!("RLIMIT_AS {}", bytes_of(harm.used, harm.limit)),
        "commit" => format!("commit limit {}", bytes_of(harm.used, harm.limit)),
        id => format!("{id} {}", bytes_of(harm.used, harm.limit)),
    };
    if harm.shared {
        text.push_str(" by all processes");
    }
    if harm.near {
        text.push_str(&format!(" ({})", percent(harm.used, harm.limit)));
    }
    if let Some((time, rate)) = harm.reached_in_ns.zip(harm.growth_per_hour)
        && time < SOON
    {
        let when = if time < MINUTE {
            "at once".into()
        } else {
            format!("in {}", duration(time))
        };
        text.push_str(&format!(", full {when} at {}/h", bytes(rate.median)));
    }
    text
}
