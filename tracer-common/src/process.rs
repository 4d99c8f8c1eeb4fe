//! Processes and threads: fork, exec, exit, new names.

use crate::{header::Header, memory::Turn};

/// Bytes of a task's name in the kernel, its final NUL included (`TASK_COMM_LEN`).
pub const COMM_LENGTH: usize = 16;

/// [`crate::kind::Kind`] 48–52. `header` is of the task that the event is about: for a fork the
/// parent, else the task itself. For an exit `header.flags` is the wait status, and
/// `header.protection` is 1 where the kernel has killed it for want of memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Process {
    /// What every record begins with.
    pub header: Header,
    /// Fork: the child's process id. Thread: the new thread's id. Else 0.
    pub child: u32,
    /// Unused, 0.
    pub reserved: u32,
    /// Fork: the child's address space (equal to the parent's for vfork and `CLONE_VM`).
    pub child_space: u64,
    /// `total_vm` and `stack_vm`, packed as in [`crate::memory::Call::pages`]: fork: the child's.
    pub pages: u64,
    /// The task's name, NUL-padded: fork: the child's; rename, exec: the new one.
    pub comm: [u8; COMM_LENGTH],
    /// Fork: when the parent's address space was copied, among the calls on it. Else nothing.
    pub turn: Turn,
}

/// One mapping of a new program's address space, as the kernel made it before the first instruction
/// ([`crate::kind::Kind::Mapping`]). `header.protection` holds the `PROT_*` bits, `header.flags` is
/// made of [`MAPPING_SHARED`], [`MAPPING_STACK`] and [`MAPPING_VDSO`]. Or a mapping of a file's code that a call
/// has made, told after the call itself: then it is [`MAPPING_BY_CALL`] alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Mapping {
    /// What every record begins with.
    pub header: Header,
    /// First address.
    pub address: u64,
    /// Bytes.
    pub length: u64,
    /// Offset in the file, bytes.
    pub offset: u64,
    /// Inode of the file, 0 if none.
    pub inode: u64,
    /// Device of the file, as the kernel has it (`super_block.s_dev`): 20 bits of minor number.
    pub device: u64,
}

/// The mapping is shared.
pub const MAPPING_SHARED: u32 = 1;
/// The mapping grows down: the main stack.
pub const MAPPING_STACK: u32 = 2;
/// The mapping is the vDSO.
pub const MAPPING_VDSO: u32 = 4;
/// The mapping was made by a call.
pub const MAPPING_BY_CALL: u32 = 8;
