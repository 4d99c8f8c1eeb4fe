//! Why `/proc` did not answer, in words for the one who asked.

use std::io;

use tracer_ledger::event::Pid;

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
