//! Faults, and looks at what is in memory.

use super::address_space::AddressSpace;
use super::bits;
use super::piece::Piece;
use crate::event::{Address, Fault, Resident};

impl AddressSpace {
    /// A page fault. It touches the page unless the mapping forbids the access: then it is a signal
    /// (guard pages, V8's bounds checks of Wasm), and nothing was touched.
    pub(super) fn fault(&mut self, fault: &Fault) {
        let page = fault.address.0 / self.page.bytes();
        self.motion.call(fault.stamp.time, fault.stamp.time);
        let found = |space: &Self| space.pieces.get(fault.address.0).map(|(_, piece)| *piece);
        let mut piece = found(self);
        if piece.is_none() && self.grow_by_fault(fault.address.0) {
            piece = found(self);
        }
        match piece {
            Some(Piece { owner, attributes }) => {
                // Where the ledger is not sure, so is the protection.
                let allowed = self.journal.is_some()
                    || attributes.accessible()
                        && (!fault.write || attributes.protection & bits::PROT_WRITE != 0);
                if allowed && self.touched.insert(page) {
                    self.note_touched(owner, self.bytes_of(1));
                }
            }
            None => {
                if let Some(journal) = &mut self.journal {
                    journal.touched.insert(page);
                }
            }
        }
    }

    /// What is in memory now; whatever is, was touched.
    pub(super) fn look(&mut self, resident: &Resident) {
        self.looked = Some(resident.time);
        self.resident.clear();
        for reservation in self.reservations.values_mut() {
            reservation.resident_bytes = 0;
        }
        for &(address, length) in &resident.ranges {
            let Some(range) = self.page.range(Address(address.0), length) else {
                continue;
            };
            for (part, owner) in self.owners(range) {
                let new = self.resident.insert_range(&self.page.pages(&part));
                self.more_resident(owner, new);
                self.touch_part(&part, owner);
            }
        }
    }
}
