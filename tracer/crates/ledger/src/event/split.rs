//! Calls that made more mappings of those that there were.

use serde::{Deserialize, Serialize};

use super::{call::Stamp, ids::StackId};

/// [`super::Event::Split`]: after a call that acquires nothing (`mprotect`, `madvise`, `munmap`, `mlock`) the address
/// space has more mappings than it ever had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Who and when: the call's return.
    pub stamp: Stamp,
    /// The user stack of the call.
    pub stack: StackId,
    /// By how many it has more than ever before.
    pub more: u32,
    /// How many it has now (`mm->map_count`).
    pub mappings: u64,
}

/// Why what a process does is not all seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Blind {
    /// It makes 32-bit system calls (a 32-bit program, or `int 0x80`), which are not traced.
    #[default]
    ThirtyTwoBits,
}

/// [`super::Event::Unseen`]: from here on not all that this address space's processes do is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unseen {
    /// Who and when.
    pub stamp: Stamp,
    /// Why.
    pub why: Blind,
}
