//! Pages: faults on them, and which of them are in memory.

use serde::{Deserialize, Serialize};

use super::{
    call::Stamp,
    ids::{Address, Nanoseconds, SpaceId, StackId},
};

/// [`super::Event::Fault`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Who and when.
    pub stamp: Stamp,
    /// The address.
    pub address: Address,
    /// It was a write.
    pub write: bool,
    /// It was raised in kernel mode.
    pub in_kernel: bool,
}

/// [`super::Event::SampledFault`]: one in `every` faults, chosen by chance; the others come as [`super::Event::Fault`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampledFault {
    /// The fault.
    pub fault: Fault,
    /// The user stack of the access, or of the system call that made it.
    pub stack: StackId,
    /// One in so many.
    pub every: u32,
}

/// [`super::Event::Resident`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resident {
    /// When the reading ended.
    pub time: Nanoseconds,
    /// The address space.
    pub space: SpaceId,
    /// Ranges in memory, ascending: first address and bytes.
    pub ranges: Vec<(Address, u64)>,
}

/// [`super::Event::Looking`]. What happens to a page between this and the [`Resident`] is newer than what that
/// says of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looking {
    /// When the reading began.
    pub time: Nanoseconds,
    /// The address space.
    pub space: SpaceId,
}
