//! Calls that change an address space, and page faults.

use crate::header::Header;

/// One successful call ([`crate::header::Kind`] 1–9), or the begin or failure of one that releases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Call {
    /// What every record begins with.
    pub header: Header,
    /// First address concerned: mmap, shmat: the result; munmap, mprotect, madvise, shmdt: the
    /// argument; mremap: the old address; brk: the heap's first address (`mm->start_brk`).
    pub address: u64,
    /// Bytes, as asked (not rounded to pages); mremap: the old length; brk: break − `start_brk`;
    /// shmat: the segment's mapped length, 0 if it could not be read; shmdt: 0.
    pub length: u64,
    /// Stack id, or a ticket with [`crate::stack::TICKET`] set; 0: no stack.
    pub stack: u64,
    /// `mm->total_vm` after the call in the low 40 bits, `mm->stack_vm` in the high 24, both in pages.
    pub pages: u64,
}

/// A call with two more words: mremap (new address, new length) and file-backed mmap (offset, fd).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct LongCall {
    /// The first 64 bytes are those of any call.
    pub call: Call,
    /// mremap: the new address. mmap: the offset in the file, bytes.
    pub extra0: u64,
    /// mremap: the new length, bytes. mmap: the file descriptor.
    pub extra1: u64,
}

/// One page fault on a user address ([`crate::header::Kind::Fault`]); `header.flags` is the
/// architecture's error code with [`FAULT_IN_KERNEL`] added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Fault {
    /// What every record begins with.
    pub header: Header,
    /// The address that faulted, not rounded.
    pub address: u64,
}

/// The fault was raised in kernel mode (copying to or from user memory).
pub const FAULT_IN_KERNEL: u32 = 1 << 31;
/// The fault was a write (set on every architecture, whatever its own error code says).
pub const FAULT_WRITE: u32 = 1 << 30;

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
