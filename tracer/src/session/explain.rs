//! A process as it is now, without tracing.

use anyhow::Result;

use crate::{capture::host, capture::procfs};
use tracer_analysis::{
    explain::{About, Explanation, explain},
    patterns::Patterns,
};
use tracer_common::settings::FaultMode;
use tracer_ledger::event::Pid;

/// Reads what `/proc` says of a process, and explains it.
///
/// # Errors
/// The process is gone, has no address space, or must not be looked at.
pub fn now(pid: Pid, patterns: &Patterns) -> Result<Explanation> {
    let identity = procfs::identity(pid)?;
    let maps = procfs::smaps(pid)?;
    let mut stack_pointers = procfs::stack_pointers(pid)?;
    stack_pointers.sort_unstable();
    let about = About {
        pid: pid.0,
        identity: &identity,
        threads: procfs::threads(pid)?.len() as u64,
        machine: host::machine(),
        started: &host::started(FaultMode::Off),
    };
    Ok(explain(&about, &maps, &stack_pointers, patterns))
}
