//! The machine's memory: what all its processes share.

use serde::{Deserialize, Serialize};

use super::ids::Nanoseconds;

/// [`super::Event::Machine`]: at the start of a trace and at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// When.
    pub time: Nanoseconds,
    /// CPUs.
    pub cpus: u32,
    /// What could be had without swapping (`MemAvailable` of `/proc/meminfo`), bytes.
    pub available_bytes: Option<u64>,
    /// `SwapTotal`, bytes.
    pub swap_total_bytes: Option<u64>,
    /// `SwapFree`, bytes.
    pub swap_free_bytes: Option<u64>,
    /// `CommitLimit`: what may be charged in all where `vm.overcommit_memory` is 2, bytes.
    pub commit_limit_bytes: Option<u64>,
    /// `Committed_AS`: what is charged in all, bytes.
    pub committed_bytes: Option<u64>,
}
