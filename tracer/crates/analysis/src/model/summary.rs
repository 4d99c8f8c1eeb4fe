//! The one serialisable model that every report is made of: the JSON report's contract
//! (`tracer.report/1`, ARCHITECTURE.md). Times are ns since the trace began, sizes are bytes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::model::before::Before;
pub use crate::model::checked::{LedgerCheck, RangeDifference, Verification};
pub use crate::model::ending::{Ending, OomKill, Working};
pub use crate::model::limits::{GroupUse, Harm, Limits};
pub use crate::model::meaning::{Kind, Level, Next, Pattern, Remedy, Verdict, Who};
pub use crate::model::rate::Rate;
pub use crate::model::refused::{RefusalCause, Refused};
pub use crate::model::residency::{MappingCount, Residency};
pub use crate::model::site::{Quantiles, Site, SitePoint, TouchSite, Trend};
pub use crate::model::window::{Sets, Window};
use tracer_ledger::event::{Cause, FaultMode, Module, Started};

/// The schema's name: only additions without a new number.
pub const SCHEMA: &str = "tracer.report/1";

/// A whole report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Version of the tracer that made the trace.
    pub tracer_version: String,
    /// The machine.
    pub host: Host,
    /// Start of the trace, RFC 3339 in UTC.
    pub started_at: String,
    /// `CLOCK_MONOTONIC` of the traced machine at the start, ns; `null`: an older report does not say.
    #[serde(default)]
    pub started_monotonic_ns: Option<u64>,
    /// Length of the trace, ns.
    pub duration_ns: u64,
    /// What was lost.
    pub losses: Losses,
    /// How page faults were followed: `each`, `count` or `off`.
    #[serde(with = "tracer_ledger::event::fault_mode")]
    #[schemars(with = "String")]
    pub faults: Option<FaultMode>,
    /// The part of the trace that is looked at; `null`: all of it.
    #[serde(default)]
    pub window: Option<Window>,
    /// Events that the report is made from.
    pub events: u64,
    /// Failed calls by name.
    pub failed_calls: Vec<FailedCalls>,
    /// What tracing cost.
    pub tracer: TracerCost,
    /// One page fault in so many had its stack taken; `null`: none had.
    #[serde(default)]
    pub fault_stacks: Option<u32>,
    /// How much is known of the stacks, of all processes. Older reports do not say.
    #[serde(default)]
    pub stacks: StackGrades,
    /// Files that frames lie in, by path: one is there as often as it had another build. Older reports do not say.
    #[serde(default)]
    pub modules: Vec<Module>,
    /// Every traced process, in the order of their appearance.
    pub processes: Vec<Process>,
}

/// The machine that was traced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// Kernel release.
    pub kernel: String,
    /// Architecture.
    pub arch: String,
    /// Host name.
    pub name: String,
    /// Bytes in a page.
    pub page_bytes: u64,
}

impl From<&Started> for Host {
    fn from(started: &Started) -> Self {
        Self {
            kernel: started.kernel.clone(),
            arch: started.arch.clone(),
            name: started.host.clone(),
            page_bytes: started.page_bytes,
        }
    }
}

/// What was lost, all in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Losses {
    /// Memory calls and process events.
    pub events: u64,
    /// Call stacks.
    pub stacks: u64,
    /// How often a ledger was resynchronised from the kernel's maps.
    pub resyncs: u64,
    /// Page faults.
    pub faults: u64,
    /// Events that came too late to be put in order.
    pub late: u64,
    /// When something was first lost, ns since the trace began.
    pub since_ns: Option<u64>,
}

impl Losses {
    /// Events of whatever kind.
    #[must_use]
    pub fn total(&self) -> u64 {
        [self.events, self.stacks, self.faults, self.late]
            .into_iter()
            .fold(0, u64::saturating_add)
    }
}

/// Failed calls of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailedCalls {
    /// The system call's name.
    pub call: String,
    /// How many failed.
    pub count: u64,
}

/// What tracing cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TracerCost {
    /// The tracer's own CPU time, ns.
    pub cpu_ns: u64,
    /// The most memory that the tracer had resident, bytes.
    pub peak_bytes: u64,
    /// How stacks came; `null`: not recorded.
    pub stacks: Option<StacksSent>,
}

/// How stacks came from the kernel: known ones as an id, others whole, to be unwound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StacksSent {
    /// Calls with the id of a known stack.
    pub known: u64,
    /// Calls with a whole stack.
    pub whole: u64,
    /// Of the known, those from 10 s after the start on.
    pub known_after_10s: u64,
    /// Of the whole, those from 10 s after the start on.
    pub whole_after_10s: u64,
    /// The most unwind rules that the kernel held at a time.
    pub rules: u64,
    /// The most known stacks that it held.
    pub hashes: u64,
    /// Kernel memory of both tables, bytes; `null`: the kernel does not tell.
    pub memory_bytes: Option<u64>,
}

/// Calls that took address space, by how much is known of their stacks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StackGrades {
    /// Down to the start of the thread or program.
    pub complete: Acquired,
    /// Right as far as they go.
    pub cut: Acquired,
    /// The outer frames may be missing or wrong.
    pub broken: Acquired,
    /// No stack.
    pub none: Acquired,
    /// Why those that are not complete are not, as far as it is known; the most frequent first.
    pub causes: Vec<StackCause>,
}

/// What some calls took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Acquired {
    /// Successful calls that reserved.
    pub calls: u64,
    /// What they reserved, bytes, whatever became of it.
    pub reserved_bytes: u64,
}

/// Why some stacks are not complete.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StackCause {
    /// Why.
    pub cause: Cause,
    /// The file whose code could not be left.
    pub module: Option<String>,
    /// Of how many.
    #[serde(flatten)]
    pub acquired: Acquired,
}

/// One process: one program run in it, from fork or exec to exec or exit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Parent's process id.
    pub ppid: u32,
    /// Name.
    pub comm: String,
    /// Path of the executable.
    pub exe: String,
    /// Arguments.
    pub cmdline: Vec<String>,
    /// Known runtime and version.
    pub runtime: Option<String>,
    /// When this process was first seen, ns.
    pub first_ns: u64,
    /// When it ended, or the trace, ns.
    pub last_ns: u64,
    /// Whether it was traced from its first instruction (else attached to).
    pub from_start: bool,
    /// How it ended: `null` if it lived on, or began another program.
    pub exit: Option<Exit>,
    /// Which program it is of those that this process id began one after the other, from 0 on.
    #[serde(default)]
    pub stage: u32,
    /// Its ending; `null`: it lived on, or began another program.
    #[serde(default)]
    pub ending: Option<Ending>,
    /// How it stood before its ending began; `null`: an older report does not say.
    #[serde(default)]
    pub working: Option<Working>,
    /// Calls that the kernel refused, the most telling first.
    #[serde(default)]
    pub refused: Vec<Refused>,
    /// Whether all that it did was measured: what was not never passes a gate.
    #[serde(default = "is_measured")]
    pub measured: bool,
    /// Why it was not.
    #[serde(default)]
    pub why: Option<String>,
    /// What its resident memory is.
    #[serde(default)]
    pub residency: Residency,
    /// How many mappings it has.
    #[serde(default)]
    pub mappings: MappingCount,
    /// Mapped bytes.
    pub virtual_bytes: Span,
    /// Resident bytes; not known if [`Process::samples`] is 0.
    pub resident_bytes: Span,
    /// How often the kernel was asked for the resident bytes.
    pub samples: u64,
    /// The ledger against the kernel.
    pub ledger: LedgerCheck,
    /// What it all means.
    pub verdict: Verdict,
    /// How much is known of the stacks of its calls. Older reports do not say.
    #[serde(default)]
    pub stacks: StackGrades,
    /// What could do harm here.
    pub limits: Limits,
    /// How far it is from each limit, and when it gets there.
    #[serde(default)]
    pub harm: Vec<Harm>,
    /// At what rate its mapped bytes grow at present, in an hour; `null`: they do not, or that is not sure.
    #[serde(default)]
    pub virtual_growth_per_hour: Option<Rate>,
    /// The same of its resident bytes.
    #[serde(default)]
    pub resident_growth_per_hour: Option<Rate>,
    /// What was there when it was found running; `null`: traced from its first instruction, or not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Before>,
    /// Call sites by size, largest first.
    pub sites: Vec<Site>,
    /// What lives at the end, largest first.
    pub reservations: Vec<Reservation>,
    /// The course of things.
    pub timeline: Vec<TimelinePoint>,
}

impl Process {
    /// Why not all that it did was measured; `None`: it was.
    #[must_use]
    pub fn unmeasured(&self) -> Option<&str> {
        let why = self.why.as_deref().unwrap_or("nobody knows why");
        (!self.measured).then_some(why)
    }

    /// Calls that it was refused, at whatever site.
    #[must_use]
    pub fn refused_calls(&self) -> u64 {
        let counts = self.refused.iter().map(|row| row.count);
        counts.fold(0, u64::saturating_add)
    }
}

/// Older reports do not say.
const fn is_measured() -> bool {
    true
}

/// How a process ended: one of the two is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Exit {
    /// By `exit`, with this code.
    Code(u8),
    /// By this signal.
    Signal(u8),
}

/// A figure at the start, at its most, at the end (of the process's life, or of the trace).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// At the start.
    pub start: u64,
    /// At its most.
    pub peak: u64,
    /// At the end.
    pub end: u64,
}

/// What is left of one reservation at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reservation {
    /// First address still held.
    pub start: u64,
    /// From there to one past the last address still held.
    pub length: u64,
    /// Protections, as `---` or `rw-`; the one of the most bytes.
    pub protection: String,
    /// `MAP_*` flags, in words.
    pub flags: Vec<String>,
    /// Site id.
    pub site: u32,
    /// When it was made, ns; `null`: before tracing.
    pub born_ns: Option<u64>,
    /// Its age at the end, ns.
    pub age_ns: u64,
    /// Bytes still held.
    pub reserved_bytes: u64,
    /// Of these, accessible.
    pub accessible_bytes: u64,
    /// Of these, ever touched.
    pub touched_bytes: Option<u64>,
    /// Of these, in memory at the last look.
    pub resident_bytes: Option<u64>,
    /// There before tracing, or made by the kernel.
    pub pre_existing: bool,
    /// File or kernel's name.
    pub name: String,
}

/// The figures at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimelinePoint {
    /// ns since the trace began.
    pub t_ns: u64,
    /// Mapped.
    pub virtual_bytes: u64,
    /// Resident, by the last sample.
    pub resident_bytes: u64,
    /// Ever touched and still mapped.
    pub touched_bytes: u64,
}
