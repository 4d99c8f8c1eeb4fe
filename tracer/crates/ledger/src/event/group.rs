//! Control groups: the limit that is nearest to a process, and how it stands.

use serde::{Deserialize, Serialize};

use super::ids::{Nanoseconds, Pid};

/// [`super::Event::Group`]: the control group whose memory limit is the nearest to a process, by the limit's own
/// figures (not the process's). When a process is found or begins a program, from time to time, and at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// When.
    pub time: Nanoseconds,
    /// A process that is in it, or below it; 0: none is any more.
    pub pid: Pid,
    /// 1 or 2.
    pub version: u8,
    /// The group that limits, as the tracer sees it below its mount: of the process's own and its ancestors the one that
    /// leaves the least room; where none limits, its own.
    pub path: String,
    /// What it may use, bytes; `None`: as much as it likes.
    pub limit_bytes: Option<u64>,
    /// What it uses, bytes (`memory.current`, `memory.usage_in_bytes`).
    pub usage_bytes: u64,
    /// Of that, what the kernel takes back first, bytes: pages of files that were not used lately
    /// (`inactive_file`).
    pub reclaimable_bytes: u64,
    /// What it may have swapped out, bytes; `None`: no limit, or unknown.
    pub swap_limit_bytes: Option<u64>,
    /// What it has swapped out, bytes; `None`: not counted.
    pub swap_bytes: Option<u64>,
    /// How often a process was killed for want of memory in the process's own group (`oom_kill`).
    pub oom_kills: u64,
    /// How often the limit was reached (`memory.events`: `max`; `memory.failcnt`).
    pub limit_hits: u64,
}

/// [`super::Event::OomKill`]: the kernel killed a process for want of memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OomKill {
    /// When.
    pub time: Nanoseconds,
    /// The process.
    pub pid: Pid,
    /// A control group's limit was reached, not the end of the machine's memory; `None`: not known which.
    pub by_group: Option<bool>,
}
