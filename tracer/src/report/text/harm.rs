//! What could do harm here: address space under a limit, memory under a limit, too many mappings.

use crate::analysis::limits::is_near;
use crate::analysis::summary::{Level, Process, Span};
use crate::analysis::units::{bytes, bytes_of, count};

/// The line, and whether something on it is near its limit.
#[must_use]
pub fn harm(process: &Process) -> (String, bool) {
    let limits = &process.limits;
    let unread = limits.overcommit_memory.is_none()
        && limits.max_map_count.is_none()
        && limits.memory_total_bytes.is_none()
        && limits.address_space_bytes.is_none();
    if unread {
        return ("unknown: the limits could not be read".into(), false);
    }
    let mut near_limit = Vec::new();
    let mut calm = Vec::new();
    let Span { peak, end, .. } = process.virtual_bytes;
    match limits.address_space_bytes {
        Some(limit) => {
            let text = format!("RLIMIT_AS {}", bytes_of(end, limit));
            place(is_near(peak, limit), text, &mut near_limit, &mut calm);
        }
        None => calm.push("no RLIMIT_AS".to_owned()),
    }
    match limits.overcommit_memory {
        Some(2) => {
            let charged: u64 = process.sites.iter().map(|site| site.charged_bytes).sum();
            near_limit.push(format!(
                "overcommit strict, {} count against the commit limit",
                bytes(charged)
            ));
        }
        Some(1) => calm.push("overcommit always".into()),
        Some(0) => calm.push("overcommit heuristic".into()),
        Some(other) => calm.push(format!("overcommit {other}")),
        None => calm.push("overcommit unknown".into()),
    }
    match (limits.maps, limits.max_map_count) {
        (Some(maps), Some(most)) => {
            let text = format!("{} of {} maps", count(maps), count(most));
            place(is_near(maps, most), text, &mut near_limit, &mut calm);
        }
        (Some(maps), None) => calm.push(format!("{} maps", count(maps))),
        (None, Some(most)) => calm.push(format!("at most {} maps", count(most))),
        (None, None) => {}
    }
    let known = process.samples > 0;
    let resident = process.resident_bytes;
    let mut memory = |name: &str, limit: u64| {
        let text = if known {
            format!("{name} {}", bytes_of(resident.end, limit))
        } else {
            format!("{name} {} in all", bytes(limit))
        };
        let near = known && is_near(resident.peak, limit);
        place(near, text, &mut near_limit, &mut calm);
    };
    match (limits.cgroup_memory_max_bytes, limits.memory_total_bytes) {
        (Some(limit), _) => memory("cgroup", limit),
        (None, Some(total)) => memory("memory", total),
        (None, None) => {}
    }
    if near_limit.is_empty() {
        // What grows does harm in the end.
        let none = match process.verdict.level {
            Level::Leak | Level::Watch => "none yet",
            Level::Benign | Level::Unknown => "none here",
        };
        (format!("{none}: {}", calm.join(", ")), false)
    } else if calm.is_empty() {
        (near_limit.join(", "), true)
    } else {
        let text = format!("{}; else {}", near_limit.join(", "), calm.join(", "));
        (text, true)
    }
}

fn place(near: bool, text: String, near_limit: &mut Vec<String>, calm: &mut Vec<String>) {
    if near { near_limit } else { calm }.push(text);
}
