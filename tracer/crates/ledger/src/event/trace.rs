//! The trace itself: how it begins and ends, and what it has lost.

use serde::{Deserialize, Serialize};
use tracer_common::settings::FaultMode;

use super::ids::Nanoseconds;

/// [`super::Event::Started`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// `CLOCK_MONOTONIC` at the start: the zero of all times in reports.
    pub time: Nanoseconds,
    /// `CLOCK_REALTIME` at the start, ns since the epoch.
    pub realtime_ns: u64,
    /// Host name.
    pub host: String,
    /// Kernel release, as `uname -r`.
    pub kernel: String,
    /// Machine architecture, as `uname -m`.
    pub arch: String,
    /// Identity of the boot (`/proc/sys/kernel/random/boot_id`): the clock's scope.
    pub boot_id: String,
    /// Bytes in a page.
    pub page_bytes: u64,
    /// Version of the tracer that made the trace.
    pub tracer_version: String,
    /// How page faults are followed: `each`, `count` or `off`; `None`: in a way that this version does not
    /// know.
    #[serde(with = "super::fault_mode")]
    pub faults: Option<FaultMode>,
}

/// [`super::Event::Loss`]: counts since the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// When it was noticed.
    pub time: Nanoseconds,
    /// Memory calls and process events lost.
    pub events: u64,
    /// Page faults lost.
    pub faults: u64,
    /// Stacks lost.
    pub stacks: u64,
    /// Events that came too late to be put in their place.
    pub late: u64,
}

/// [`super::Event::Failures`]: failed calls so far by name (`mmap`, …).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// Name of the call and count.
    pub calls: Vec<(String, u64)>,
    /// Page faults counted in the kernel (also in mode `count`).
    pub faults: u64,
}

/// [`super::Event::Ended`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub time: Nanoseconds,
    /// CPU time that the tracer itself used in user space and in the kernel on its own behalf, ns.
    pub tracer_cpu_ns: u64,
    /// The most memory that the tracer had resident, bytes.
    pub tracer_peak_bytes: u64,
    /// Records handled.
    pub events: u64,
}
