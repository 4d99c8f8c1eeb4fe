//! Readings of `/proc/PID/maps`, and what makes them necessary.

use serde::{Deserialize, Serialize};

use super::ids::{Address, Nanoseconds, Pid, SpaceId};

/// One line of `/proc/PID/maps`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// First address.
    pub start: Address,
    /// One past the last address.
    pub end: Address,
    /// `PROT_*` bits.
    pub protection: u8,
    /// `MAP_SHARED` rather than private.
    pub shared: bool,
    /// Offset in the file, bytes.
    pub offset: u64,
    /// Inode of the file, 0 if none.
    pub inode: u64,
    /// The last column: a path, `[heap]`, `[stack]`, `[anon:…]` or empty.
    pub name: String,
}

/// [`super::Event::Maps`]: placed at [`Maps::time`], when the reading ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Maps {
    /// When the reading ended.
    pub time: Nanoseconds,
    /// When the reading began.
    pub began: Nanoseconds,
    /// The process whose maps were read.
    pub pid: Pid,
    /// Its address space.
    pub space: SpaceId,
    /// Every mapping, ascending.
    pub mappings: Vec<Mapping>,
    /// Why it was read.
    pub purpose: MapsPurpose,
    /// How many turns had been taken on this address space when the reading had ended (see
    /// [`crate::order`]): what the calls up to there did, the reading may show.
    pub after: u64,
}

/// [`super::Event::Reading`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// When.
    pub time: Nanoseconds,
    /// The address space.
    pub space: SpaceId,
}

/// [`super::Event::Missing`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// When whatever they did was done.
    pub time: Nanoseconds,
    /// The address space.
    pub space: SpaceId,
}

/// Why the maps were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MapsPurpose {
    /// To begin a ledger: at attach or after exec.
    #[default]
    Seed,
    /// To bring a ledger back to the truth after a loss, or after a difference was found.
    Resync,
    /// To compare; and where a call left unclear what it did, to settle that.
    Verify,
}
