//! Files and shared memory that a process maps several times: their pages are the same, and count once.

use std::collections::HashMap;

use crate::accounts::view::LivingReservation;
use tracer_ledger::event::FileId;

/// What is in memory, and what was touched, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pages {
    /// In memory at the last look.
    pub resident: u64,
    /// Touched.
    pub touched: u64,
}

/// The parts of files that are mapped, by file and where in it the mapping begins.
#[derive(Clone, Debug, Default)]
pub struct Objects(HashMap<(FileId, u64), Pages>);

impl Objects {
    /// One more mapping: what of it was counted already. (Of two mappings that begin at one place of one file the smaller
    /// part lies in the larger one; of such that begin elsewhere nothing is assumed.)
    pub fn again(&mut self, left: &LivingReservation) -> Pages {
        let Some(file) = left.file else {
            return Pages::default();
        };
        let new = Pages {
            resident: left.resident.unwrap_or(0),
            touched: left.touched,
        };
        let known = self.0.entry((file.id, file.offset)).or_default();
        let again = Pages {
            resident: known.resident.min(new.resident),
            touched: known.touched.min(new.touched),
        };
        known.resident = known.resident.max(new.resident);
        known.touched = known.touched.max(new.touched);
        again
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracer_ledger::event::FileKind;
    use tracer_ledger::ledger::MappedFile;

    #[test]
    fn pages_of_one_object_count_once_and_private_ones_always() {
        let of = |inode, offset, resident| LivingReservation {
            file: Some(MappedFile {
                id: FileId { device: 1, inode },
                kind: FileKind::Memory,
                offset,
            }),
            resident: Some(resident),
            touched: resident,
            ..LivingReservation::default()
        };
        let mut objects = Objects::default();
        let mut again = |left: &LivingReservation| objects.again(left).resident;
        assert_eq!(again(&of(7, 0, 200)), 0);
        assert_eq!(again(&of(7, 0, 150)), 150);
        assert_eq!(again(&of(7, 0, 300)), 200, "the rest is new");
        assert_eq!(again(&of(7, 4096, 300)), 0);
        assert_eq!(again(&of(8, 0, 300)), 0);
        let private = LivingReservation {
            resident: Some(9),
            ..LivingReservation::default()
        };
        assert_eq!((again(&private), again(&private)), (0, 0));
    }
}
