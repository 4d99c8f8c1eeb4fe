//! What was seen of a process without tracing (`tracer.explain/1`). Sizes are bytes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::summary::{Harm, Host, Limits, Pattern, Verdict};

/// The schema's name: only additions without a new number.
pub const SCHEMA: &str = "tracer.explain/1";
/// What a process's address space is made of, at one moment. Sizes are bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// [`SCHEMA`].
    pub schema: String,
    /// Version of the tracer.
    pub tracer_version: String,
    /// The machine.
    pub host: Host,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// Process id.
    pub pid: u32,
    /// Name.
    pub comm: String,
    /// Path of the executable.
    pub exe: String,
    /// Arguments.
    pub cmdline: Vec<String>,
    /// Known runtime and version.
    pub runtime: Option<String>,
    /// Threads.
    pub threads: u64,
    /// Mapped (as `VmSize`: without the kernel's `[vsyscall]`).
    pub virtual_bytes: u64,
    /// With a protection other than NONE.
    pub accessible_bytes: u64,
    /// In memory; pages that several processes share count in each.
    pub resident_bytes: u64,
    /// Swapped out.
    pub swapped_bytes: u64,
    /// Charged against the commit limit.
    pub charged_bytes: u64,
    /// What could do harm here.
    pub limits: Limits,
    /// How far it is from each limit.
    pub harm: Vec<Harm>,
    /// What it all means.
    pub verdict: Verdict,
    /// Of a known kind.
    pub explained_bytes: u64,
    /// Of no known kind.
    pub unexplained_bytes: u64,
    /// The known kinds, largest first.
    pub kinds: Vec<Recognised>,
    /// The largest ranges of no known kind.
    pub unexplained: Vec<Range>,
}

/// All ranges of one known kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recognised {
    /// Which kind, how sure, and by what.
    pub pattern: Pattern,
    /// Ranges.
    pub count: u64,
    /// Mapped.
    pub reserved_bytes: u64,
    /// With a protection other than NONE.
    pub accessible_bytes: u64,
    /// In memory.
    pub resident_bytes: u64,
    /// Swapped out.
    pub swapped_bytes: u64,
    /// Charged against the commit limit.
    pub charged_bytes: u64,
    /// Where, ascending.
    pub ranges: Vec<Range>,
}

/// A range of addresses. Its resident and swapped bytes are those of the whole mapping where it is only a
/// part of one that is accessible.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Range {
    /// First address.
    pub start: u64,
    /// Bytes.
    pub length: u64,
    /// Of these, with a protection other than NONE.
    pub accessible_bytes: u64,
    /// In memory.
    pub resident_bytes: u64,
    /// Swapped out.
    pub swapped_bytes: u64,
    /// Charged against the commit limit.
    pub charged_bytes: u64,
    /// Protection of the most bytes.
    pub protection: String,
    /// File or kernel's name.
    pub name: String,
    /// The kernel shows it as one with what lies beside it: where it begins or ends is told by its shape.
    pub taken_apart: bool,
}
