//! What could do harm to a process, as the model says it: its limits, and how it stands to each. A part of
//! [`crate::model::summary`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::rate::Rate;
use tracer_ledger::event::{self, Machine};

/// What could do harm here; `null`: no such limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// Soft `RLIMIT_AS`.
    pub address_space_bytes: Option<u64>,
    /// `vm.overcommit_memory`.
    pub overcommit_memory: Option<u32>,
    /// `vm.max_map_count`.
    pub max_map_count: Option<u64>,
    /// Mappings at the last look.
    pub maps: Option<u64>,
    /// The cgroup's `memory.max`.
    pub cgroup_memory_max_bytes: Option<u64>,
    /// Physical memory.
    pub memory_total_bytes: Option<u64>,
    /// `CommitLimit`: what all processes may have charged where `vm.overcommit_memory` is 2.
    #[serde(default)]
    pub commit_limit_bytes: Option<u64>,
    /// `Committed_AS`: what all processes have charged, at the last look.
    #[serde(default)]
    pub committed_bytes: Option<u64>,
    /// Swap space.
    #[serde(default)]
    pub swap_total_bytes: Option<u64>,
    /// Of it, free at the last look.
    #[serde(default)]
    pub swap_free_bytes: Option<u64>,
}

impl Limits {
    /// Those of a process, and of its machine; `maps`: how many mappings it has, if anybody looked.
    #[must_use]
    pub fn of(process: &event::Limits, machine: &Machine, maps: Option<u64>) -> Self {
        // Each by its name, so that a limit that is added to the events cannot be left out here.
        let &event::Limits {
            address_space_bytes,
            overcommit_memory,
            max_map_count,
            cgroup_memory_max_bytes,
            memory_total_bytes,
        } = process;
        let &Machine {
            time: _,
            cpus: _,
            available_bytes: _,
            commit_limit_bytes,
            committed_bytes,
            swap_total_bytes,
            swap_free_bytes,
        } = machine;
        Self {
            address_space_bytes,
            overcommit_memory,
            max_map_count,
            maps,
            cgroup_memory_max_bytes,
            memory_total_bytes,
            commit_limit_bytes,
            committed_bytes,
            swap_total_bytes,
            swap_free_bytes,
        }
    }
}

/// A limit, and how this process stands to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Harm {
    /// `address-space`, `data`, `stack`, `locked`, `commit`, `mappings`, `cgroup`, `memory`, `swap` or `cgroup-swap`.
    pub id: String,
    /// In words.
    pub name: String,
    /// What counts against it now; bytes, or mappings.
    pub used: u64,
    /// What counted against it at the most. Older reports do not say.
    #[serde(default)]
    pub peak: u64,
    /// Where it ends.
    pub limit: u64,
    /// At 80 % of it or more, at any time since the process was first seen.
    pub near: bool,
    /// All processes of the machine count against it, not only this one.
    pub shared: bool,
    /// Growth of what counts, in an hour; `null`: it does not grow, or nobody knows.
    pub growth_per_hour: Option<Rate>,
    /// When it is reached at that growth, ns from the end of the trace on.
    pub reached_in_ns: Option<u64>,
    /// Of a control group's limit: who uses it, and what it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupUse>,
}

/// How a control group stands to its memory limit, besides its usage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupUse {
    /// The group that limits, below its mount.
    pub path: String,
    /// What this process has resident, bytes; `null`: nobody looked.
    pub own_bytes: Option<u64>,
    /// What of the most that was used no traced process had mapped, bytes: files in memory that are kept by a
    /// descriptor, page cache, the kernel's own, other processes.
    pub unmapped_bytes: u64,
    /// What of the most that was used the kernel takes back first, bytes: files that were not used lately.
    pub reclaimable_bytes: u64,
    /// How often the limit was reached while this process lived.
    pub limit_hits: u64,
    /// How often a process was killed for want of memory meanwhile, in the process's own group.
    pub oom_kills: u64,
}
