//! Bits of the kernel's interface that change what a call means to the ledger
//! (`include/uapi/asm-generic/mman-common.h`, `mman.h`, `include/uapi/linux/mman.h`; the same on
//! x86-64 and aarch64).

/// `PROT_WRITE`.
pub const PROT_WRITE: u8 = 2;
/// `PROT_READ | PROT_WRITE | PROT_EXEC`: what `/proc/PID/maps` shows.
pub const PROT_MASK: u8 = 7;
/// `PROT_GROWSDOWN`, which is bit 24 of `mprotect`'s argument, as an event's eight bits have it: the
/// change reaches down to the mapping's beginning.
pub const PROT_GROWSDOWN: u8 = 0x80;
/// What `brk` gives.
pub const PROT_READ_WRITE: u8 = 3;

/// `MAP_TYPE`: one of the four below.
pub const MAP_TYPE: u32 = 0xf;
/// `MAP_SHARED`.
pub const MAP_SHARED: u32 = 1;
/// `MAP_PRIVATE`.
pub const MAP_PRIVATE: u32 = 2;
/// `MAP_SHARED_VALIDATE`.
pub const MAP_SHARED_VALIDATE: u32 = 3;
/// `MAP_DROPPABLE` (since 6.11): no reserve, and a forked child finds it empty.
pub const MAP_DROPPABLE: u32 = 8;
/// `MAP_FIXED`.
pub const MAP_FIXED: u32 = 0x10;
/// `MAP_ANONYMOUS`.
pub const MAP_ANONYMOUS: u32 = 0x20;
/// `MAP_GROWSDOWN`.
pub const MAP_GROWSDOWN: u32 = 0x100;
/// `MAP_LOCKED`.
pub const MAP_LOCKED: u32 = 0x2000;
/// `MAP_NORESERVE`.
pub const MAP_NORESERVE: u32 = 0x4000;
/// `MAP_POPULATE`.
pub const MAP_POPULATE: u32 = 0x8000;
/// `MAP_NONBLOCK`: takes the effect from [`MAP_POPULATE`] (`do_mmap` in `mm/mmap.c`).
pub const MAP_NONBLOCK: u32 = 0x1_0000;
/// `MAP_HUGETLB`.
pub const MAP_HUGETLB: u32 = 0x4_0000;
/// `MAP_FIXED_NOREPLACE`.
pub const MAP_FIXED_NOREPLACE: u32 = 0x10_0000;
/// Where the binary logarithm of the huge page's size stands; 0 there: the default size.
pub const MAP_HUGE_SHIFT: u32 = 26;
/// Width of that field.
pub const MAP_HUGE_MASK: u32 = 0x3f;

/// `MREMAP_FIXED`.
pub const MREMAP_FIXED: u32 = 2;
/// `MREMAP_DONTUNMAP`.
pub const MREMAP_DONTUNMAP: u32 = 4;

/// `SHM_RDONLY`.
pub const SHM_RDONLY: u32 = 0x1000;
/// `SHM_REMAP`: over what is there.
pub const SHM_REMAP: u32 = 0x4000;
/// `SHM_EXEC`.
pub const SHM_EXEC: u32 = 0x8000;

/// `MADV_DONTNEED`.
pub const MADV_DONTNEED: u32 = 4;
/// `MADV_REMOVE`.
pub const MADV_REMOVE: u32 = 9;
/// `MADV_DONTFORK`.
pub const MADV_DONTFORK: u32 = 10;
/// `MADV_DOFORK`.
pub const MADV_DOFORK: u32 = 11;
/// `MADV_WIPEONFORK`.
pub const MADV_WIPEONFORK: u32 = 18;
/// `MADV_KEEPONFORK`.
pub const MADV_KEEPONFORK: u32 = 19;
/// `MADV_POPULATE_READ`.
pub const MADV_POPULATE_READ: u32 = 22;
/// `MADV_POPULATE_WRITE`.
pub const MADV_POPULATE_WRITE: u32 = 23;
/// `MADV_DONTNEED_LOCKED`.
pub const MADV_DONTNEED_LOCKED: u32 = 24;
/// `MADV_GUARD_INSTALL` (since 6.13): the pages go, and an access faults for good.
pub const MADV_GUARD_INSTALL: u32 = 102;
/// `MADV_GUARD_REMOVE` (since 6.13).
pub const MADV_GUARD_REMOVE: u32 = 103;

/// `ENOMEM` (`include/uapi/asm-generic/errno-base.h`).
pub const EINVAL: u16 = 22;
/// The same.
pub const ENOMEM: u16 = 12;
/// `EACCES`.
pub const EACCES: u16 = 13;
