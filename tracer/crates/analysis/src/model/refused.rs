//! Calls that the kernel refused: a part of [`crate::model::summary`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Calls of one kind that were refused at one call site for one cause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
    /// The system call; `stack growth`: what the kernel does without one.
    pub call: String,
    /// What the largest of them asked for, bytes; 0 where the call asks for none.
    pub requested_bytes: u64,
    /// `ENOMEM` and the like.
    pub errno: String,
    /// What refused it.
    pub cause: RefusalCause,
    /// The limit then: bytes, mappings, processes; `null`: not known.
    pub limit: Option<u64>,
    /// What counted against it then, without what was asked for; `null`: not known.
    pub used: Option<u64>,
    /// Site id: where it was called.
    pub site: Option<u32>,
    /// What that is called, and where it is: `main refused.c:4`; `null`: not known.
    #[serde(default)]
    pub by: Option<String>,
    /// How often.
    pub count: u64,
    /// The first, ns since the trace began.
    pub first_ns: u64,
    /// The last.
    pub last_ns: u64,
    /// After the last, it asked again, for less or otherwise, and had it: how much that was, bytes (0 of a `clone`).
    #[serde(default)]
    pub had_instead_bytes: Option<u64>,
    /// The process ended within a second of the last, by a signal or with a code other than 0.
    #[serde(default)]
    pub ended_after: bool,
}

/// What refused a call, found from what the kernel had at that moment.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalCause {
    /// `RLIMIT_AS`.
    RlimitAs,
    /// `RLIMIT_DATA`.
    RlimitData,
    /// `RLIMIT_STACK`.
    RlimitStack,
    /// `RLIMIT_MEMLOCK`.
    RlimitMemlock,
    /// `RLIMIT_NPROC`.
    RlimitNproc,
    /// `vm.max_map_count`.
    MaxMapCount,
    /// The commit limit, or the heuristic's: more than all memory and swap at once.
    Overcommit,
    /// The pool of huge pages.
    HugetlbPool,
    /// The pids controller of a control group.
    Pids,
    /// There is no such room in the address space.
    AddressSpace,
    /// None of these.
    #[default]
    Unknown,
}
