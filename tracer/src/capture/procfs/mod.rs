//! What `/proc` says of a process.
//!
//! A process may end, become another program, or change under the reader's hands at any time: each
//! function says what it read, or fails with a [`ProcError`] that tells a process that is gone from
//! one that must not be looked at. Names, arguments and paths are the target's to choose: they are
//! taken as bytes, bounded, and never followed. Files of the target are opened only by the kernel's
//! own links (`/proc/PID/exe`), which lead to the very file that runs, wherever its path leads.
//!
//! Formats are those of `Documentation/filesystems/proc.rst` in the kernel's source, and of proc(5).

mod cgroup;
mod directory;
mod elf;
mod identity;
mod limits;
mod maps;
mod processes;
mod resident;
mod runtime;
mod sample;
mod smaps;
#[cfg(test)]
mod tests;

use std::io;

use tracer_ledger::event::Pid;

pub use identity::identity;
pub use limits::limits;
pub use maps::maps;
pub use processes::{
    descendants, is_32_bit, is_kernel_thread, parent, pids, pids_by_cgroup, pids_by_comm, threads,
};
pub use resident::{has_scan, resident};
pub use sample::sample;
pub use smaps::{smaps, stack_pointers};

/// Why `/proc` did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ProcError {
    /// There is no such process, or it is there no longer.
    #[error("no process {pid}: it has ended, or the id is wrong")]
    Gone {
        /// The process.
        pid: Pid,
    },
    /// It has no memory of its own to look at.
    #[error("process {pid} has no address space: it has just ended, or is a kernel thread")]
    NoAddressSpace {
        /// The process.
        pid: Pid,
    },
    /// It must not be looked at.
    #[error("cannot read {path}: permission denied; run as root or with CAP_SYS_PTRACE")]
    Denied {
        /// What was to be read.
        path: String,
    },
    /// Reading failed.
    #[error("cannot read {path}: {source}")]
    Read {
        /// What was to be read.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The kernel wrote something that this version does not understand.
    #[error("cannot make sense of {path}: {text}")]
    Malformed {
        /// What was read.
        path: String,
        /// The part in question.
        text: String,
    },
}

impl ProcError {
    /// Whether the process has ended (so that there is nothing to complain about, if it was there
    /// before).
    #[must_use]
    pub const fn is_gone(&self) -> bool {
        matches!(self, Self::Gone { .. } | Self::NoAddressSpace { .. })
    }
}
