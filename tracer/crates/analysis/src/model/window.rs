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

/// What is counted of a site while the trace goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    allocated: u64,
    freed_of_inside: u64,
    freed_of_before: u64,
}

impl Counted {
    /// `reserved` bytes came (or, below 0, went) inside the window; `born_inside`: the reservation did.
    pub fn add(&mut self, reserved: i64, born_inside: bool) {
        let bytes = reserved.unsigned_abs();
        match (reserved < 0, born_inside) {
            (false, _) => self.allocated += bytes,
            (true, true) => self.freed_of_inside += bytes,
            (true, false) => self.freed_of_before += bytes,
        }
    }

    /// Adds another site's.
    pub fn merge(&mut self, other: Self) {
        self.allocated += other.allocated;
        self.freed_of_inside += other.freed_of_inside;
        self.freed_of_before += other.freed_of_before;
    }

    /// The sets, of a site of which so much lives at the window's end.
    #[must_use]
    pub fn sets(self, living: u64) -> Sets {
        let kept = self
            .allocated
            .saturating_sub(self.freed_of_inside)
            .min(living);
        Sets {
            inside_outside_bytes: kept,
            inside_inside_bytes: self.freed_of_inside,
            outside_inside_bytes: self.freed_of_before,
            outside_outside_bytes: living - kept,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Counted, Sets};

    #[test]
    fn every_byte_is_in_one_of_the_four_sets() {
        // 100 were there; 30 come, 10 of these go; 40 of the old go.
        let mut counted = Counted::default();
        counted.add(30, true);
        counted.add(-10, true);
        counted.add(-40, false);
        let sets = Sets {
            inside_outside_bytes: 20,
            inside_inside_bytes: 10,
            outside_inside_bytes: 40,
            outside_outside_bytes: 60,
        };
        assert_eq!(counted.sets(80), sets);
    }
}
