//! A part of the trace, and what was allocated and freed inside and outside of it: the four sets of Windows
//! Performance Analyzer (allocated inside or outside, freed inside or outside;
//! <https://learn.microsoft.com/windows-hardware/test/wpt/memory-footprint-optimization-exercise-2>).
//!
//! What is allocated inside and not freed inside is what the window has brought: growth, if it goes on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// From–to, ns since the trace began, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// First moment.
    pub from_ns: u64,
    /// Last moment: the report is on how things stood then.
    pub to_ns: u64,
}

impl Default for Window {
    /// All of the trace.
    fn default() -> Self {
        Self {
            from_ns: 0,
            to_ns: u64::MAX,
        }
    }
}

impl Window {
    /// Whether it is all of any trace.
    #[must_use]
    pub fn is_all(self) -> bool {
        self == Self::default()
    }
}

/// Bytes by when they were allocated and freed. What a reservation grows by counts as allocated when it
/// grows, and as freed with the reservation's birth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sets {
    /// Allocated inside, alive at the window's end.
    pub inside_outside_bytes: u64,
    /// Allocated and freed inside.
    pub inside_inside_bytes: u64,
    /// Allocated before, freed inside.
    pub outside_inside_bytes: u64,
    /// Allocated before, alive at the window's end.
    pub outside_outside_bytes: u64,
}
