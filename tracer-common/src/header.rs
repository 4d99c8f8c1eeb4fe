//! What every record begins with.

/// What a record tells. The numbers are the wire's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// `mmap` returned an address.
    Mmap = 1,
    /// `munmap` returned 0.
    Munmap = 2,
    /// `mremap` returned an address.
    Mremap = 3,
    /// `brk` returned (the new, or the unchanged, break).
    Brk = 4,
    /// `mprotect` or `pkey_mprotect` returned 0.
    Mprotect = 5,
    /// `madvise` returned 0.
    Madvise = 6,
    /// `shmat` returned an address.
    Shmat = 7,
    /// `shmdt` returned 0.
    Shmdt = 8,
    /// `remap_file_pages` returned 0.
    RemapFilePages = 9,
    /// A page fault on a user address.
    Fault = 16,
    /// The same with a stack.
    SampledFault = 17,
    /// A call that had its turn (see [`crate::memory::Turn`]) has failed.
    Failed = 32,
    /// A new process (own thread group).
    Fork = 48,
    /// A new thread of a traced process.
    Thread = 49,
    /// A process began a new program.
    Exec = 50,
    /// The last thread of a process is ending.
    Exit = 51,
    /// A thread changed its name.
    Rename = 52,
    /// A mapping that the kernel made for a new program; comes before its [`Kind::Exec`].
    Mapping = 53,
    /// A user call stack, sent once for each id (see [`crate::stack`]).
    Stack = 64,
}

impl Kind {
    /// The kind for a wire number, `None` for a number that this version does not know.
    #[must_use]
    pub const fn from_wire(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Mmap,
            2 => Self::Munmap,
            3 => Self::Mremap,
            4 => Self::Brk,
            5 => Self::Mprotect,
            6 => Self::Madvise,
            7 => Self::Shmat,
            8 => Self::Shmdt,
            9 => Self::RemapFilePages,
            16 => Self::Fault,
            17 => Self::SampledFault,
            32 => Self::Failed,
            48 => Self::Fork,
            49 => Self::Thread,
            50 => Self::Exec,
            51 => Self::Exit,
            52 => Self::Rename,
            53 => Self::Mapping,
            64 => Self::Stack,
            _ => return None,
        })
    }
}

/// The first 32 bytes of every record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Header {
    /// A [`Kind`].
    pub kind: u8,
    /// For memory calls: `PROT_*` bits 0–7. For [`Kind::Failed`]: the kind of the call.
    pub protection: u8,
    /// The CPU that wrote the record.
    pub cpu: u16,
    /// Meaning by kind: `MAP_*` flags, `MREMAP_*` flags, advice, page-fault error code, exit code; of a
    /// failed call see [`crate::memory::pack_failure`].
    pub flags: u32,
    /// `CLOCK_MONOTONIC` in ns (`bpf_ktime_get_ns`), taken after the ring slot was reserved.
    pub time_ns: u64,
    /// The kernel's `mm_struct` pointer of the address space: an identity, never dereferenced. 0: none.
    pub space: u64,
    /// Process (thread group) id in the initial PID namespace.
    pub pid: u32,
    /// Thread id in the initial PID namespace.
    pub tid: u32,
}
