//! Calls that may change an address space.

use serde::{Deserialize, Serialize};

use super::ids::{Address, Nanoseconds, Pid, SpaceId, StackId, Tid};

/// Who did something, when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// When it took effect (ARCHITECTURE.md, rule 1): a call when it was given the lock of its address
    /// space, all else when it happened.
    pub time: Nanoseconds,
    /// The address space.
    pub space: SpaceId,
    /// The process.
    pub pid: Pid,
    /// The thread.
    pub tid: Tid,
    /// The CPU.
    pub cpu: u16,
}

/// [`super::Event::Call`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Who and when.
    pub stamp: Stamp,
    /// The user stack of the call.
    pub stack: StackId,
    /// What it did.
    pub action: Action,
    /// The kernel's totals when the call was given the lock: before it changed anything, and after
    /// all calls on this address space that come earlier in the stream. `None`: not known.
    pub totals: Option<Totals>,
    /// From when it took effect at the earliest to its return, ns.
    pub took_ns: u64,
}

/// The kernel's own account of an address space, pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// `mm->total_vm`: all that is mapped (`VmSize`).
    pub total_pages: u64,
    /// `mm->stack_vm`: of these, in mappings that grow down by themselves.
    pub stack_pages: u64,
}

/// What a successful call did. Lengths are as asked: rounding up to pages is the ledger's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// `mmap`. With `MAP_FIXED` it replaces what was there.
    Map {
        /// The address returned.
        address: Address,
        /// Bytes asked.
        length: u64,
        /// `PROT_*` bits.
        protection: u8,
        /// `MAP_*` bits.
        flags: u32,
        /// Offset in the file, bytes; `None` for an anonymous mapping.
        file_offset: Option<u64>,
    },
    /// `munmap`.
    Unmap {
        /// First address.
        address: Address,
        /// Bytes asked.
        length: u64,
    },
    /// `mremap`.
    Remap {
        /// The old address.
        old_address: Address,
        /// The old length, bytes.
        old_length: u64,
        /// The new address (equal to the old one when grown or shrunk in place).
        new_address: Address,
        /// The new length, bytes.
        new_length: u64,
        /// `MREMAP_*` bits.
        flags: u32,
    },
    /// `brk` moved the end of the heap (not rounded), or asked where it is.
    Break {
        /// Where it was.
        old: Address,
        /// Where it is.
        new: Address,
    },
    /// `mprotect`, `pkey_mprotect`.
    Protect {
        /// First address.
        address: Address,
        /// Bytes asked.
        length: u64,
        /// `PROT_*` bits; bit 7 stands for `PROT_GROWSDOWN`.
        protection: u8,
    },
    /// `madvise`.
    Advise {
        /// First address.
        address: Address,
        /// Bytes asked.
        length: u64,
        /// `MADV_*`.
        advice: u32,
    },
    /// `shmat`: length 0 if it is not known.
    Attach {
        /// The address returned.
        address: Address,
        /// Bytes mapped, 0 if unknown.
        length: u64,
        /// `SHM_*` flags.
        flags: u32,
    },
    /// `shmdt`.
    Detach {
        /// The address.
        address: Address,
    },
    /// `remap_file_pages`: replaces the pages of a mapping in place.
    RemapFilePages {
        /// First address.
        address: Address,
        /// Bytes asked.
        length: u64,
    },
    /// A call of which nobody knows what it changed: it had the lock already when its process came to
    /// be traced, or it failed halfway. A reading of the maps that begins after its return shows it.
    Unclear,
    /// `mremap` to a fixed place that failed: it may have released what was there, and moved a part.
    RemapFailed {
        /// The old address.
        old_address: Address,
        /// The old length, bytes.
        old_length: u64,
        /// The new address.
        new_address: Address,
        /// The new length, bytes.
        new_length: u64,
    },
    /// `mprotect` or `pkey_mprotect` that failed after it had begun to change things: it goes from
    /// mapping to mapping, and leaves those before the one at which it fails as it has made them.
    ProtectFailed {
        /// First address.
        address: Address,
        /// Bytes asked.
        length: u64,
        /// `PROT_*` bits.
        protection: u8,
        /// `errno`.
        error: u16,
    },
    /// `madvise` that failed after it had begun to do what it was told.
    AdviseFailed {
        /// First address.
        address: Address,
        /// Bytes asked.
        length: u64,
        /// `MADV_*`.
        advice: u32,
        /// `errno`.
        error: u16,
    },
    /// `mmap` to a fixed place that failed: it may have released what was there.
    MapFailed {
        /// The address.
        address: Address,
        /// Bytes asked.
        length: u64,
        /// The low half of the `MAP_*` flags.
        flags: u16,
        /// `errno`.
        error: u16,
    },
}
