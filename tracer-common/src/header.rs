//! What every record begins with.

/// The first 32 bytes of every record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Header {
    /// The number of a [`crate::kind::Kind`].
    pub kind: u8,
    /// For memory calls: `PROT_*` bits 0–7. For [`crate::kind::Kind::Failed`]: the kind of the call.
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
