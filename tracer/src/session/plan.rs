//! What is to be traced, how, and what comes of it.

use std::{
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::Arc,
    time::Duration,
};

use anyhow::{Result, bail};
use tokio::sync::Notify;
use tracer_common::settings::FaultMode;

use crate::{capture::command::Held, capture::procfs, capture::programs::Programs};
use tracer_analysis::window::Window;
use tracer_analysis::{patterns::Patterns, summary::Report};
use tracer_ledger::event::Pid;
use tracer_recording::Kept;

/// Fails if there is no such process, or none whose calls can be traced.
pub fn check_traceable(pid: Pid) -> Result<()> {
    check_not_kernel(pid)?;
    if procfs::is_32_bit(pid)? {
        bail!("process {pid} runs a 32-bit program: the calls of those are not traced");
    }
    Ok(())
}

/// Refuses a thread of the kernel's, by name.
///
/// # Errors
/// It is one, or is gone.
pub fn check_not_kernel(pid: Pid) -> Result<()> {
    if procfs::is_kernel_thread(pid)? {
        bail!("process {pid} is a kernel thread: it has no address space");
    }
    Ok(())
}

/// What to trace, and how.
#[derive(Debug)]
pub struct Plan {
    /// What to trace.
    pub target: Target,
    /// Trace the children too.
    pub follow: bool,
    /// How page faults are followed.
    pub faults: FaultMode,
    /// One fault in so many carries a stack; 0: none.
    pub fault_stacks: u32,
    /// Size of the ring, bytes.
    pub ring_bytes: u32,
    /// End after this time.
    pub duration: Option<Duration>,
    /// The part of the trace that the report is on.
    pub window: Window,
    /// Compare the ledger with the kernel's maps so often.
    pub verify: Option<Duration>,
    /// What kinds of reservation are recognised.
    pub patterns: Patterns,
    /// Write a recording here.
    pub recording: Option<PathBuf>,
    /// Keep a recording here as well.
    pub kept: Option<Kept>,
    /// Ends the trace when told: by whoever looks on.
    pub stop: Option<Arc<Notify>>,
}

/// What to trace.
#[derive(Debug)]
pub enum Target {
    /// Processes that run already.
    Processes(Selection),
    Command(Held),
}

impl Target {
    /// The program that is about to be started, if one is.
    #[must_use]
    pub fn program(&self) -> Option<&Path> {
        match self {
            Self::Command(held) => Some(held.path()),
            Self::Processes(_) => None,
        }
    }
}

/// Which processes that run already are traced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    pub pids: Vec<Pid>,
    /// Those in these control groups, now and later.
    pub cgroups: Vec<PathBuf>,
    pub all: bool,
}

impl Selection {
    /// The processes, as of now. Those of [`Self::pids`] come whether they are there or not.
    ///
    /// # Errors
    /// There is no such control group.
    pub fn now(&self) -> Result<Vec<Pid>> {
        let mut pids = self.pids.clone();
        if self.all {
            pids.extend(procfs::pids()?);
        }
        for group in &self.cgroups {
            pids.extend(procfs::pids_by_cgroup(group)?);
        }
        pids.sort_unstable();
        pids.dedup();
        Ok(pids)
    }
}

/// What came of a trace.
pub struct Outcome {
    /// The report's model.
    pub report: Report,
    /// How the command ended.
    pub command: Option<ExitStatus>,
    /// A signal asked for the end, not the target or the time.
    pub interrupted: bool,
    /// Why the recording is not whole, if it is not.
    pub recording: Result<()>,
    /// Still attached: to be dropped when everything is printed, for the kernel takes a second or two
    /// to detach them all (it waits for an RCU grace period at each tracepoint).
    pub programs: Programs,
}
