//! What `/proc` says of a process.
//!
//! A process may end, become another program, or change under the reader's hands at any time: each
//! function says what it read, or fails with a [`ProcError`] that tells a process that is gone from
//! one that must not be looked at. Names, arguments and paths are the target's to choose: they are
//! taken as bytes, bounded, and never followed. Files of the target are opened only by the kernel's
//! own links (`/proc/PID/exe`), which lead to the very file that runs, wherever its path leads.
//!
//! Formats are those of `Documentation/filesystems/proc.rst` in the kernel's source, and of proc(5).

mod around;
mod cgroup;
mod directory;
mod error;
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

pub(crate) use around::around;
pub(crate) use cgroup::{Hierarchies, OwnGroup};
pub use error::ProcError;
pub(crate) use identity::{identity, identity_of_gone};
pub(crate) use maps::MapsLine;
pub use maps::maps;
pub(crate) use processes::{
    descendants, is_32_bit, is_kernel_thread, parent, pids, pids_by_cgroup, pids_by_comm,
    pids_by_program, threads,
};
pub(crate) use resident::has_scan;
pub use resident::resident;
pub(crate) use sample::{account, sample, shares};
pub(crate) use smaps::{smaps, stack_pointers};
