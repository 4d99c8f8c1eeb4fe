//! Bits and numbers of the kernel's interface, in the one place where all take them from. They are the same
//! on x86-64 and arm64.

// include/uapi/asm-generic/mman-common.h; in a record a protection has eight bits.

/// `PROT_READ`.
pub const PROT_READ: u8 = 1;
/// `PROT_WRITE`.
pub const PROT_WRITE: u8 = 2;
/// `PROT_EXEC`.
pub const PROT_EXEC: u8 = 4;
/// `PROT_READ | PROT_WRITE`: what `brk` gives.
pub const PROT_READ_WRITE: u8 = PROT_READ | PROT_WRITE;
/// `PROT_READ | PROT_WRITE | PROT_EXEC`: what `/proc/PID/maps` shows.
pub const PROT_MASK: u8 = PROT_READ | PROT_WRITE | PROT_EXEC;
/// What stands for [`PROT_GROWSDOWN_ARGUMENT`] in the eight bits of a record and of an event: the change
/// reaches down to the mapping's beginning.
pub const PROT_GROWSDOWN: u8 = 0x80;
/// `PROT_GROWSDOWN`, in the argument of `mprotect`.
pub const PROT_GROWSDOWN_ARGUMENT: u64 = 1 << 24;

// include/uapi/linux/mman.h, include/uapi/asm-generic/mman-common.h and mman.h.

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
/// `MAP_32BIT`: of x86-64 alone; no flag elsewhere.
pub const MAP_32BIT: u32 = 0x40;
/// `MAP_GROWSDOWN`.
pub const MAP_GROWSDOWN: u32 = 0x100;
/// `MAP_DENYWRITE`: without effect.
pub const MAP_DENYWRITE: u32 = 0x800;
/// `MAP_LOCKED`.
pub const MAP_LOCKED: u32 = 0x2000;
/// `MAP_NORESERVE`.
pub const MAP_NORESERVE: u32 = 0x4000;
/// `MAP_POPULATE`.
pub const MAP_POPULATE: u32 = 0x8000;
/// `MAP_NONBLOCK`: takes the effect from [`MAP_POPULATE`] (`do_mmap` in `mm/mmap.c`).
pub const MAP_NONBLOCK: u32 = 0x1_0000;
/// `MAP_STACK`: keeps huge pages away since 6.7.
pub const MAP_STACK: u32 = 0x2_0000;
/// `MAP_HUGETLB`.
pub const MAP_HUGETLB: u32 = 0x4_0000;
/// `MAP_FIXED_NOREPLACE`.
pub const MAP_FIXED_NOREPLACE: u32 = 0x10_0000;
/// `MAP_HUGE_SHIFT`: where the binary logarithm of the huge page's size stands; 0 there: the default size.
pub const MAP_HUGE_SHIFT: u32 = 26;
/// `MAP_HUGE_MASK`: width of that field.
pub const MAP_HUGE_MASK: u32 = 0x3f;

// include/uapi/linux/mman.h.

/// `MREMAP_MAYMOVE`.
pub const MREMAP_MAYMOVE: u32 = 1;
/// `MREMAP_FIXED`.
pub const MREMAP_FIXED: u32 = 2;
/// `MREMAP_DONTUNMAP`.
pub const MREMAP_DONTUNMAP: u32 = 4;

// include/uapi/linux/sched.h.

/// `CLONE_THREAD`.
pub const CLONE_THREAD: u32 = 0x1_0000;

// include/uapi/linux/shm.h.

/// `SHM_RDONLY`.
pub const SHM_RDONLY: u32 = 0x1000;
/// `SHM_REMAP`: over what is there.
pub const SHM_REMAP: u32 = 0x4000;
/// `SHM_EXEC`.
pub const SHM_EXEC: u32 = 0x8000;

// include/uapi/asm-generic/mman-common.h.

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

// include/uapi/asm-generic/errno-base.h.

/// `EPERM`.
pub const EPERM: u16 = 1;
/// `EAGAIN`.
pub const EAGAIN: u16 = 11;
/// `ENOMEM`.
pub const ENOMEM: u16 = 12;
/// `EACCES`.
pub const EACCES: u16 = 13;
/// `EBUSY`.
pub const EBUSY: u16 = 16;
/// `EINVAL`.
pub const EINVAL: u16 = 22;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_those_of_the_c_library() {
        for (ours, libcs) in [
            (PROT_READ.into(), libc::PROT_READ),
            (PROT_WRITE.into(), libc::PROT_WRITE),
            (PROT_EXEC.into(), libc::PROT_EXEC),
            (PROT_GROWSDOWN_ARGUMENT.cast_signed(), libc::PROT_GROWSDOWN),
            (MAP_TYPE.into(), libc::MAP_TYPE),
            (MAP_SHARED.into(), libc::MAP_SHARED),
            (MAP_PRIVATE.into(), libc::MAP_PRIVATE),
            (MAP_SHARED_VALIDATE.into(), libc::MAP_SHARED_VALIDATE),
            (MAP_FIXED.into(), libc::MAP_FIXED),
            (MAP_ANONYMOUS.into(), libc::MAP_ANONYMOUS),
            (MAP_GROWSDOWN.into(), libc::MAP_GROWSDOWN),
            (MAP_DENYWRITE.into(), libc::MAP_DENYWRITE),
            (MAP_LOCKED.into(), libc::MAP_LOCKED),
            (MAP_NORESERVE.into(), libc::MAP_NORESERVE),
            (MAP_POPULATE.into(), libc::MAP_POPULATE),
            (MAP_NONBLOCK.into(), libc::MAP_NONBLOCK),
            (MAP_STACK.into(), libc::MAP_STACK),
            (MAP_HUGETLB.into(), libc::MAP_HUGETLB),
            (MAP_FIXED_NOREPLACE.into(), libc::MAP_FIXED_NOREPLACE),
            (MAP_HUGE_SHIFT.into(), libc::MAP_HUGE_SHIFT),
            (MAP_HUGE_MASK.into(), libc::MAP_HUGE_MASK),
            (MREMAP_MAYMOVE.into(), libc::MREMAP_MAYMOVE),
            (MREMAP_FIXED.into(), libc::MREMAP_FIXED),
            (MREMAP_DONTUNMAP.into(), libc::MREMAP_DONTUNMAP),
            (CLONE_THREAD.into(), libc::CLONE_THREAD),
            (SHM_RDONLY.into(), libc::SHM_RDONLY),
            (SHM_REMAP.into(), libc::SHM_REMAP),
            (SHM_EXEC.into(), libc::SHM_EXEC),
            (MADV_DONTNEED.into(), libc::MADV_DONTNEED),
            (MADV_REMOVE.into(), libc::MADV_REMOVE),
            (MADV_DONTFORK.into(), libc::MADV_DONTFORK),
            (MADV_DOFORK.into(), libc::MADV_DOFORK),
            (MADV_WIPEONFORK.into(), libc::MADV_WIPEONFORK),
            (MADV_KEEPONFORK.into(), libc::MADV_KEEPONFORK),
            (MADV_POPULATE_READ.into(), libc::MADV_POPULATE_READ),
            (MADV_POPULATE_WRITE.into(), libc::MADV_POPULATE_WRITE),
            (MADV_DONTNEED_LOCKED.into(), libc::MADV_DONTNEED_LOCKED),
            (EPERM.into(), libc::EPERM),
            (EAGAIN.into(), libc::EAGAIN),
            (ENOMEM.into(), libc::ENOMEM),
            (EACCES.into(), libc::EACCES),
            (EBUSY.into(), libc::EBUSY),
            (EINVAL.into(), libc::EINVAL),
        ] {
            assert_eq!(i64::from(libcs), ours, "{libcs:#x}");
        }
        #[cfg(target_arch = "x86_64")]
        assert_eq!(i64::from(libc::MAP_32BIT), MAP_32BIT.into());
    }
}
