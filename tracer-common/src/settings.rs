//! What the collector sets before it loads the programs, and the values of their filter map.

/// How page faults are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum FaultMode {
    /// Not at all.
    Off = 0,
    /// Counted only.
    Count = 1,
    /// One record each.
    Each = 2,
}

/// Value of the filter map (key: process id): follow this process's children too.
pub const FOLLOW: u32 = 1;
/// Value of the filter map: this process is traced.
pub const TRACED: u32 = 2;
