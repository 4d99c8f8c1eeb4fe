//! What came and went of a call site inside the window that is looked at.

use crate::model::window::Sets;

/// Where a change lies against the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Outside.
    Outside,
    /// Inside, of a reservation that was made before the window.
    InsideOfOlder,
    /// Inside, of a reservation that was made inside, too.
    InsideOfNew,
}

/// What is counted of a site while the trace goes on, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Windowed {
    allocated: u64,
    freed_of_new: u64,
    freed_of_older: u64,
}

impl Windowed {
    /// `reserved` bytes came or (below 0) went there.
    pub fn add(&mut self, reserved: i64, place: Place) {
        let bytes = reserved.unsigned_abs();
        match (place, reserved < 0) {
            (Place::Outside, _) => {}
            (_, false) => self.allocated += bytes,
            (Place::InsideOfNew, true) => self.freed_of_new += bytes,
            (Place::InsideOfOlder, true) => self.freed_of_older += bytes,
        }
    }

    /// Adds another site's.
    pub fn merge(&mut self, other: Self) {
        self.allocated += other.allocated;
        self.freed_of_new += other.freed_of_new;
        self.freed_of_older += other.freed_of_older;
    }

    /// The sets, of a site of which so much lives at the window's end.
    #[must_use]
    pub fn sets(self, living: u64) -> Sets {
        let kept = self.allocated.saturating_sub(self.freed_of_new).min(living);
        Sets {
            inside_outside_bytes: kept,
            inside_inside_bytes: self.freed_of_new,
            outside_inside_bytes: self.freed_of_older,
            outside_outside_bytes: living - kept,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Windowed};
    use crate::model::window::Sets;

    #[test]
    fn every_byte_is_in_one_of_the_four_sets() {
        // 100 were there; 30 come, 10 of these go; 40 of the old go. What comes and goes outside does not count.
        let mut windowed = Windowed::default();
        windowed.add(30, Place::InsideOfNew);
        windowed.add(-10, Place::InsideOfNew);
        windowed.add(-40, Place::InsideOfOlder);
        windowed.add(1_000, Place::Outside);
        windowed.add(-1_000, Place::Outside);
        let sets = Sets {
            inside_outside_bytes: 20,
            inside_inside_bytes: 10,
            outside_inside_bytes: 40,
            outside_outside_bytes: 60,
        };
        assert_eq!(windowed.sets(80), sets);
    }
}
