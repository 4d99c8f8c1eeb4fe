//! Faults, and looks at what is in memory.
//!
//! A fault says that its page was touched, and no more. What faults do not tell, a look does, for
//! whatever is in memory was touched:
//! - a transparent huge page, which one fault brings, or the kernel later by itself (`khugepaged`,
//!   `MADV_COLLAPSE`);
//! - the neighbours in a file that the kernel maps along with the page asked for (`do_fault_around` in
//!   `mm/memory.c`);
//! - what the kernel itself brings in without a fault: `mlock`, `mlockall`, direct input and output,
//!   `process_vm_writev`, `ptrace`, `userfaultfd`.
//!
//! Of these what comes and goes between two looks is not known. A look never takes back what was
//! touched: pages leave memory for swap and by `MADV_DONTNEED`, `MADV_FREE`. So `touched` is never below
//! what is resident, reservation by reservation.
//!
//! The page of zeros, which a read of fresh anonymous memory gives: touched, by its fault, and not
//! resident, for it costs nothing (before 6.7 the page map does not tell it from others). Pages of
//! `hugetlbfs` are resident, although the kernel's `VmRSS` leaves them out.

use std::ops::Range;

use tracer_common::bits;

use super::address_space::AddressSpace;
use super::interval_map::IntervalMap;
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
        if piece.is_none() && self.grow_by_fault(fault.address.0, fault.stamp.time) {
            piece = found(self);
        }
        match piece {
            Some(Piece { owner, attributes }) => {
                // Where the ledger is not sure, so is the protection.
                let allowed = !self.is_sure_of(&(fault.address.0..fault.address.0 + 1))
                    || attributes.accessible()
                        && !attributes.guarded
                        && (!fault.write || attributes.protection & bits::PROT_WRITE != 0);
                if !allowed {
                    return;
                }
                if attributes.huge != 0 {
                    self.touch_huge(fault.address.0, attributes.unit(self.page.bytes()));
                } else if self.touched.insert(page) {
                    self.note_touched(owner, self.bytes_of(1));
                }
                if fault.write {
                    self.wrote(fault.address.0);
                }
            }
            None => {
                if let Some(journal) = &mut self.journal {
                    journal.touched.insert(page);
                }
            }
        }
    }

    /// A fault brings all of a huge page (`hugetlb_fault` in `mm/hugetlb.c`).
    fn touch_huge(&mut self, address: u64, unit: u64) {
        let start = address - address % unit;
        for (part, owner) in self.owners(start..start.saturating_add(unit)) {
            self.touch_part(&part, owner);
        }
    }

    /// All mapped pages of `range` that allow access are touched, written to if that is allowed
    /// (`populate_vma_page_range` in `mm/gup.c`). Of a file that ends within the range this is too much.
    pub(super) fn populate(&mut self, range: Range<u64>) {
        self.touch(range.clone());
        self.wrote_all(range);
    }

    /// Someone begins to look at what is in memory, which takes its time.
    pub(super) fn begin_look(&mut self) {
        self.changed = Some(IntervalMap::default());
    }

    /// What is in memory now; whatever is, was touched. Of what was unmapped, mapped or emptied since
    /// the look began, this says what may have been so before.
    pub(super) fn look(&mut self, resident: &Resident) {
        self.looked = Some(resident.time);
        let changed = self.changed.take().unwrap_or_default();
        self.resident.clear();
        for reservation in self.reservations.values_mut() {
            reservation.resident_bytes = 0;
        }
        for &(address, length) in &resident.ranges {
            let Some(range) = self.page.range(Address(address.0), length) else {
                continue;
            };
            let unchanged = changed.gaps(range).into_iter();
            for (part, owner) in unchanged
                .flat_map(|part| self.owners(part))
                .collect::<Vec<_>>()
            {
                let new = self.resident.insert_range(&self.page.pages(&part));
                self.more_resident(owner, new);
                self.touch_part(&part, owner);
                let piece = self.pieces.get(part.start).map(|(_, piece)| *piece);
                let anonymous = piece.is_some_and(|piece| piece.attributes.is_anonymous());
                if anonymous && self.rules.tells_zeros {
                    self.wrote(part.start);
                }
            }
        }
    }
}
