//! What could do harm here: address space under a limit, memory under a limit, too many mappings; how far
//! each is, and when it is reached.

use tracer_analysis::summary::{GroupUse, Harm, Level, Limits, Process};
use tracer_analysis::units::{bytes, bytes_of, count, counted, duration, percent};

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
    if !harms.iter().any(|harm| harm.id == "address-space") {
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
        // Every process has these, and hardly any comes near them.
        let is_usual = matches!(harm.id.as_str(), "stack" | "locked");
        if is_usual && !harm.near {
            continue;
        }
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
        near.insert(0, "yes, it was refused".into());
    }
    if near.is_empty() {
        // What grows does harm in the end.
        let none = match level {
            Level::Leak | Level::Watch | Level::Refused => "not yet",
            Level::Benign | Level::Unknown => "no",
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
    let what = |used: u64| match harm.id.as_str() {
        "mappings" => format!("{} of {} maps", count(used), count(harm.limit)),
        "address-space" | "data" | "stack" | "locked" | "commit" => {
            format!("{} {}", harm.name, bytes_of(used, harm.limit))
        }
        "cgroup-swap" => format!("cgroup swap {}", bytes_of(used, harm.limit)),
        id => format!("{id} {}", bytes_of(used, harm.limit)),
    };
    // What was near at the most and is not any more is told by that.
    let most = harm.near && harm.peak > harm.used + harm.limit / 100;
    let mut text = what(if most { harm.peak } else { harm.used });
    if harm.shared {
        text.push_str(" by all processes");
    }
    if most {
        text.push_str(" at the most");
    }
    let mut aside = Vec::new();
    if harm.near {
        aside.push(percent(harm.peak.max(harm.used), harm.limit));
    }
    if let Some(group) = &harm.group {
        aside.extend(of_group(group, harm));
    }
    if !aside.is_empty() {
        text.push_str(&format!(" ({})", aside.join("; ")));
    }
    if let Some((time, rate)) = harm.reached_in_ns.zip(harm.growth_per_hour)
        && time < SOON
    {
        let when = if time < MINUTE {
            "at once".into()
        } else {
            format!("in {}", duration(time))
        };
        let speed = if harm.id == "mappings" {
            count(rate.median)
        } else {
            bytes(rate.median)
        };
        text.push_str(&format!(", full {when} at {speed}/h"));
    }
    text
}

/// Who uses a control group's memory, and what its limit did.
fn of_group(group: &GroupUse, harm: &Harm) -> Vec<String> {
    let mut aside = Vec::new();
    if let Some(own) = group.own_bytes {
        aside.push(format!("this process {}", bytes(own)));
    }
    let much = |part: u64| part >= harm.peak / 4;
    if much(group.reclaimable_bytes) {
        let cache = bytes(group.reclaimable_bytes);
        aside.push(format!("{cache} of it page cache, taken back first"));
    }
    if harm.near && much(group.unmapped_bytes) {
        aside.push(format!(
            "{} of it is not mapped by any traced process: files in memory kept by descriptor, page cache, other \
             processes",
            bytes(group.unmapped_bytes)
        ));
    }
    if group.oom_kills > 0 {
        let killed = counted(group.oom_kills, "process", "processes");
        aside.push(format!("{killed} killed for want of memory"));
    } else if harm.near && group.limit_hits > 0 {
        let hits = counted(group.limit_hits, "time", "times");
        aside.push(format!("limit reached {hits}"));
    }
    aside
}
