//! What the kernel keeps of a process: the sizes of its address space, what it may take, what it uses.

use serde::{Deserialize, Serialize};

use super::{
    call::Totals,
    ids::{Nanoseconds, Pid, SpaceId},
};

/// The kernel's own account of an address space (`mm_struct`) and of what its process may take, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// All that is mapped, and the stacks of it.
    pub totals: Totals,
    /// `mm->data_vm`, pages: private and writable, what `RLIMIT_DATA` counts (`VmData`).
    pub data_pages: u64,
    /// `mm->locked_vm`, pages: what `RLIMIT_MEMLOCK` counts (`VmLck`).
    pub locked_pages: u64,
    /// `mm->map_count`: mappings, what `vm.max_map_count` counts.
    pub mappings: u64,
    /// Soft limits of the process.
    pub limits: ResourceLimits,
}

/// Soft resource limits (getrlimit(2)); `None`: there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceLimits {
    /// `RLIMIT_AS`, bytes.
    pub address_space_bytes: Option<u64>,
    /// `RLIMIT_DATA`, bytes.
    pub data_bytes: Option<u64>,
    /// `RLIMIT_STACK`, bytes.
    pub stack_bytes: Option<u64>,
    /// `RLIMIT_MEMLOCK`, bytes.
    pub locked_bytes: Option<u64>,
    /// `RLIMIT_NPROC`: processes and threads of one user.
    pub processes: Option<u64>,
}

/// [`super::Event::Accounted`]: at the beginning of a program, before its first instruction, and at the end of a
/// process, before anything is taken from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounted {
    /// When.
    pub time: Nanoseconds,
    /// The process.
    pub pid: Pid,
    /// Its address space.
    pub space: SpaceId,
    /// What the kernel had.
    pub account: Account,
}

/// [`super::Event::Usage`]: what a process uses, from `/proc/PID/status` and its CPU clock. Beside each
/// [`super::Sample`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// When.
    pub time: Nanoseconds,
    /// The process.
    pub pid: Pid,
    /// CPU time of all its threads, ns; `None`: not known.
    pub cpu_ns: Option<u64>,
    /// `RssAnon`, bytes: anonymous memory.
    pub anonymous_bytes: u64,
    /// `RssFile`, bytes: pages of files.
    pub file_bytes: u64,
    /// `RssShmem`, bytes: shared memory (tmpfs, memfd, SysV).
    pub shared_memory_bytes: u64,
    /// `VmSwap`, bytes.
    pub swapped_bytes: u64,
    /// `VmLck`, bytes.
    pub locked_bytes: u64,
    /// `HugetlbPages`, bytes: what `VmRSS` leaves out.
    pub hugetlb_bytes: u64,
    /// `VmPTE`, bytes: page tables.
    pub page_table_bytes: u64,
    /// `Threads`.
    pub threads: u64,
}

/// [`super::Event::Shares`]: whose the resident pages of a process are, from `/proc/PID/smaps_rollup`. Seldom: it
/// walks all page tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shares {
    /// When the reading ended.
    pub time: Nanoseconds,
    /// The process.
    pub pid: Pid,
    /// `Rss`, bytes.
    pub resident_bytes: u64,
    /// `Pss`, bytes: each page divided by the number of those who map it.
    pub proportional_bytes: u64,
    /// `Private_Clean` and `Private_Dirty`, bytes.
    pub private_bytes: u64,
    /// `Shared_Clean` and `Shared_Dirty`, bytes.
    pub shared_bytes: u64,
    /// `LazyFree`, bytes: given back by `MADV_FREE`, taken when the kernel needs them.
    pub lazily_freed_bytes: u64,
    /// `AnonHugePages`, `ShmemPmdMapped` and `FilePmdMapped`, bytes: in huge pages.
    pub huge_page_bytes: u64,
    /// `Shared_Hugetlb` and `Private_Hugetlb`, bytes: in no other figure here.
    pub hugetlb_bytes: u64,
    /// `Locked`, bytes.
    pub locked_bytes: u64,
}

/// [`super::Event::Mappings`]: how many mappings an address space has, by the kernel's count (`mm->map_count`).
/// Told when it has risen noticeably, so that the most is known to a sixteenth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mappings {
    /// When.
    pub time: Nanoseconds,
    /// The address space.
    pub space: SpaceId,
    /// How many.
    pub count: u64,
}
