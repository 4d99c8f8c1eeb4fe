//! Processes and threads: found, forked, begun anew, ended, renamed.

use serde::{Deserialize, Serialize};

use super::{
    call::{Stamp, Totals},
    ids::{Nanoseconds, Pid, SpaceId, Tid},
};

/// What is known of a process from `/proc`, at the time it was first seen or began a program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Name of the main thread.
    pub comm: String,
    /// Path of the executable, in the process's own root; empty if unreadable.
    pub exe: String,
    /// Arguments, the command's name first; empty if unreadable.
    pub cmdline: Vec<String>,
    /// Version or other identity of a known runtime (as `node v22.22.0`), if found.
    pub runtime: Option<String>,
    /// What limits this process's memory.
    pub limits: Limits,
}

/// Limits that address space or memory can run into. `None`: no limit, or unknown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Soft `RLIMIT_AS`, bytes.
    pub address_space_bytes: Option<u64>,
    /// `/proc/sys/vm/overcommit_memory` (0 heuristic, 1 always, 2 never).
    pub overcommit_memory: Option<u32>,
    /// `/proc/sys/vm/max_map_count`.
    pub max_map_count: Option<u64>,
    /// The tightest `memory.max` of the process's cgroup and its ancestors, bytes.
    pub cgroup_memory_max_bytes: Option<u64>,
    /// Physical memory, bytes.
    pub memory_total_bytes: Option<u64>,
}

/// [`super::Event::Found`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// When.
    pub time: Nanoseconds,
    /// The process.
    pub pid: Pid,
    /// Its parent.
    pub parent: Pid,
    /// Its address space.
    pub space: SpaceId,
    /// What `/proc` says of it.
    pub identity: Identity,
    /// Its threads and their names.
    pub threads: Vec<(Tid, String)>,
}

/// [`super::Event::Fork`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// The parent's doing.
    pub stamp: Stamp,
    /// The new process.
    pub child: Pid,
    /// Its address space: the parent's own for vfork and `CLONE_VM`, else a copy of it.
    pub child_space: SpaceId,
    /// The kernel's totals of the child.
    pub totals: Totals,
    /// The child's name.
    pub comm: String,
    /// Whether the child is traced.
    pub followed: bool,
}

/// [`super::Event::Thread`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// Who made it.
    pub stamp: Stamp,
    /// The new thread.
    pub child: Tid,
    /// Its name, inherited.
    pub comm: String,
}

/// [`super::Event::Exec`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exec {
    /// Who; [`Stamp::space`] is the new address space.
    pub stamp: Stamp,
    /// The kernel's totals of the new space: what the kernel itself mapped.
    pub totals: Totals,
    /// What `/proc` said just after.
    pub identity: Identity,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExitStatus {
    /// By `exit`, with this code.
    Code(u8),
    /// By this signal.
    Signal(u8),
}

/// [`super::Event::Exit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Who and when.
    pub stamp: Stamp,
    /// How.
    pub status: ExitStatus,
    /// The kernel's totals at the end, if the kernel still had them.
    pub totals: Option<Totals>,
}

/// [`super::Event::Rename`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rename {
    /// Who and when.
    pub stamp: Stamp,
    /// The new name.
    pub comm: String,
}

/// [`super::Event::Sample`], from `/proc/PID/status`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// When.
    pub time: Nanoseconds,
    /// The process.
    pub pid: Pid,
    /// `VmSize`, bytes.
    pub virtual_bytes: u64,
    /// `VmRSS`, bytes.
    pub resident_bytes: u64,
    /// `VmHWM`, bytes: the most that was ever resident.
    pub resident_peak_bytes: u64,
    /// Lines in `/proc/PID/maps`, if counted.
    pub maps: Option<u32>,
}
