//! Calls that change an address space, their order, and page faults.

use crate::{
    bits::{PROT_GROWSDOWN, PROT_GROWSDOWN_ARGUMENT},
    header::Header,
};

/// A call's place in the order of all calls on its address space: the order in which they were given
/// the lock under which the kernel changes the map (`mmap_lock`, held for writing), taken by the program
/// on `mmap_lock:mmap_lock_acquire_returned`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Turn {
    /// Counts the calls of traced tasks on this address space from 1, without gaps; 0: this call had
    /// no turn (it changes no map, or it had the lock before its task was traced).
    pub number: u64,
    /// `CLOCK_MONOTONIC` in ns when the call was given the lock.
    pub time_ns: u64,
}

/// One successful call (of a kind that has a row in [`crate::kind::CALLS`]), or one that had its turn and failed
/// ([`crate::kind::Kind::Failed`]: `header.protection` is the kind of the call, `header.flags` the
/// error number with the low half of an argument above it, see [`pack_failure`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Call {
    /// What every record begins with.
    pub header: Header,
    /// First address concerned: mmap, shmat: the result; munmap, mprotect, madvise, shmdt: the
    /// argument; mremap: the old address; brk: the break when the call was given the lock.
    pub address: u64,
    /// Bytes, as asked (not rounded to pages); mremap: the old length; brk: the break that it returned;
    /// shmat: the segment's mapped length, 0 if it could not be read; shmdt: 0.
    pub length: u64,
    /// Stack id, or a ticket with [`crate::stack::TICKET`] set; 0: no stack.
    pub stack: u64,
    /// `mm->total_vm` in the low 40 bits, `mm->stack_vm` in the high 24, both in pages: as they were
    /// when the call was given the lock, before it changed anything. Without a turn: 0.
    pub pages: u64,
    /// Its place among the calls on this address space.
    pub turn: Turn,
}

/// `mprotect`'s third argument as a record has it.
#[must_use]
pub const fn pack_protection(argument: u64) -> u8 {
    let grows_down = if argument & PROT_GROWSDOWN_ARGUMENT == 0 {
        0
    } else {
        PROT_GROWSDOWN
    };
    argument as u8 & !PROT_GROWSDOWN | grows_down
}

/// A call with two more words: mremap (new address, new length; also one that failed) and file-backed
/// mmap (offset, fd).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct LongCall {
    /// The first 80 bytes are those of any call.
    pub call: Call,
    /// mremap: the new address. mmap: the offset in the file, bytes.
    pub extra0: u64,
    /// mremap: the new length, bytes. mmap: the file descriptor.
    pub extra1: u64,
}

/// One page fault on a user address ([`crate::kind::Kind::Fault`]); `header.flags` is the
/// architecture's error code with [`FAULT_IN_KERNEL`] added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Fault {
    /// What every record begins with.
    pub header: Header,
    /// The address that faulted, not rounded.
    pub address: u64,
}

/// A page fault whose stack was taken ([`crate::kind::Kind::SampledFault`]), in place of a [`Fault`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct SampledFault {
    /// The fault.
    pub fault: Fault,
    /// Stack id or ticket, as [`Call::stack`].
    pub stack: u64,
}

/// The fault was raised in kernel mode (copying to or from user memory).
pub const FAULT_IN_KERNEL: u32 = 1 << 31;
/// The fault was a write (set on every architecture, whatever its own error code says).
pub const FAULT_WRITE: u32 = 1 << 30;

/// [`crate::header::Header::flags`] of a failed call: the error number and the low half of its fourth
/// argument (mmap, mremap: the flags), else of its third (mprotect: the protection).
#[must_use]
pub const fn pack_failure(error: u16, argument: u16) -> u32 {
    error as u32 | ((argument as u32) << 16)
}

/// `(error number, argument)` of a failed call.
#[must_use]
pub const fn unpack_failure(flags: u32) -> (u16, u16) {
    (flags as u16, (flags >> 16) as u16)
}

/// Bits of [`Call::pages`] that hold `total_vm`.
pub const TOTAL_PAGES_BITS: u32 = 40;

/// Packs `total_vm` and `stack_vm` (pages) into [`Call::pages`].
#[must_use]
pub const fn pack_pages(total: u64, stack: u64) -> u64 {
    (total & ((1 << TOTAL_PAGES_BITS) - 1)) | (stack << TOTAL_PAGES_BITS)
}

/// `(total_vm, stack_vm)` of a packed word, both in pages.
#[must_use]
pub const fn unpack_pages(packed: u64) -> (u64, u64) {
    (
        packed & ((1 << TOTAL_PAGES_BITS) - 1),
        packed >> TOTAL_PAGES_BITS,
    )
}
