//! What could do harm here: address space under a limit, memory under a limit, too many mappings.

use crate::analysis::limits::is_near;
use crate::analysis::summary::{Level, Limits, Process, Span};
use crate::analysis::units::{bytes, bytes_of, count};

/// What is held against the limits.
#[derive(Clone, Copy, Debug)]
pub struct Position<'a> {
    pub limits: &'a Limits,
    pub virtual_bytes: Span,
    /// `None`: nobody looked.
    pub resident_bytes: Option<Span>,
    pub charged_bytes: u64,
    pub level: Level,
}

impl<'a> Position<'a> {
    pub fn of(process: &'a Process) -> Self {
        Self {
            limits: &process.limits,
            virtual_bytes: process.virtual_bytes,
            resident_bytes: (process.samples > 0).then_some(process.resident_bytes),
            charged_bytes: process.sites.iter().map(|site| site.charged_bytes).sum(),
            level: process.verdict.level,
        }
    }
}

/// The line, and whether something on it is near its limit.
#[must_use]
pub fn harm(position: &Position<'_>) -> (String, bool) {
    let limits = position.limits;
    let unread = limits.overcommit_memory.is_none()
        && limits.max_map_count.is_none()
        && limits.memory_total_bytes.is_none()
        && limits.address_space_bytes.is_none();
    if unread {
        return ("unknown: the limits could not be read".into(), false);
    }
    let mut near_limit = Vec::new();
    let mut calm = Vec::new();
    let Span { peak, end, .. } = position.virtual_bytes;
    match limits.address_space_bytes {
        Some(limit) => {
            let text = format!("RLIMIT_AS {}", bytes_of(end, limit));
            place(is_near(peak, limit), text, &mut near_limit, &mut calm);
        }
        None => calm.push("no RLIMIT_AS".to_owned()),
    }
    match limits.overcommit_memory {
        Some(2) => {
            near_limit.push(format!(
                "overcommit strict, {} count against the commit limit",
                bytes(position.charged_bytes)
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
    let mut memory = |name: &str, limit: u64| {
        let text = match position.resident_bytes {
            Some(resident) => format!("{name} {}", bytes_of(resident.end, limit)),
            None => format!("{name} {} in all", bytes(limit)),
        };
        let resident = position.resident_bytes;
        let near = resident.is_some_and(|resident| is_near(resident.peak, limit));
        place(near, text, &mut near_limit, &mut calm);
    };
    match (limits.cgroup_memory_max_bytes, limits.memory_total_bytes) {
        (Some(limit), _) => memory("cgroup", limit),
        (None, Some(total)) => memory("memory", total),
        (None, None) => {}
    }
    if near_limit.is_empty() {
        // What grows does harm in the end.
        let none = match position.level {
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
