//! What the kernel has of a process: sizes, counts and soft limits, and what it told with a refused call.

use crate::header::Header;

/// Sizes of an address space (`mm_struct`), and the soft limits of its process (`signal_struct.rlim`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Account {
    /// `total_vm` and `stack_vm`, packed as in [`crate::memory::Call::pages`].
    pub pages: u64,
    /// `data_vm`, pages.
    pub data_pages: u64,
    /// `locked_vm`, pages.
    pub locked_pages: u64,
    /// `map_count`.
    pub mappings: u64,
    /// Soft limits in the order of [`LIMITS`]; all ones (`RLIM_INFINITY`): none.
    pub limits: [u64; LIMITS.len()],
}

/// The resource limits that are told, by their numbers (include/uapi/asm-generic/resource.h): `RLIMIT_AS`,
/// `RLIMIT_DATA`, `RLIMIT_STACK`, `RLIMIT_MEMLOCK`, `RLIMIT_NPROC`.
pub const LIMITS: [usize; 5] = [9, 2, 3, 8, 6];

/// A program that begins, or a process that ends ([`crate::kind::Kind::Accounted`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Accounted {
    /// What every record begins with; `flags` is 1 of a 32-bit program.
    pub header: Header,
    /// What the kernel has.
    pub account: Account,
}

/// A call that was refused ([`crate::kind::Kind::Refused`]): `header.protection` is the kind of the call,
/// `header.flags` its error number and above that `PROT_*` (see [`crate::memory::pack_failure`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Refused {
    /// What every record begins with.
    pub header: Header,
    /// First to third argument.
    pub arguments: [u64; 3],
    /// The argument with the flags, or the advice.
    pub flags: u64,
    /// Stack id or ticket, as [`crate::memory::Call::stack`].
    pub stack: u64,
    /// Stands for the call, its error, its program and where it was made.
    pub place: u64,
    /// The break.
    pub heap_end: u64,
    /// `mm->def_flags`: of every mapping to come.
    pub default_flags: u64,
    /// `mm->task_size`: where addresses end.
    pub address_space_end: u64,
    /// Effective capabilities, the lower 32.
    pub capabilities: u64,
    /// Processes and threads of the user (`cred->ucounts->rlimit[UCOUNT_RLIMIT_NPROC]`).
    pub user_processes: u64,
    /// What the kernel has.
    pub account: Account,
}

/// `VM_LOCKED` (include/linux/mm.h), in [`Refused::default_flags`]: after `mlockall(MCL_FUTURE)`.
pub const VM_LOCKED: u64 = 0x2000;
/// `CAP_IPC_LOCK` (include/uapi/linux/capability.h), in [`Refused::capabilities`].
pub const CAP_IPC_LOCK: u64 = 1 << 14;

/// What is kept in the kernel of a place where calls are refused: how many were, and when the last one was
/// (`CLOCK_MONOTONIC`, ns).
pub type RefusedCount = [u64; 2];

/// A place tells of so many refusals one by one; of more the kernel only keeps count.
pub const TOLD_REFUSALS: u64 = 8;

/// An address space with more mappings than it ever had ([`crate::kind::Kind::Split`],
/// [`crate::kind::Kind::Mappings`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Split {
    /// What every record begins with. `flags`: by how many more than ever before.
    pub header: Header,
    /// Stack id or ticket, as [`crate::memory::Call::stack`]; 0 of [`crate::kind::Kind::Mappings`].
    pub stack: u64,
    /// How many there are.
    pub mappings: u64,
}
