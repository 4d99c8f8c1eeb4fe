//! `madvise`: what it does to what is in memory, and to what a child will find.
//!
//! Touched stays touched: a page that was given back was used all the same. What is resident goes at
//! once where the kernel drops it at once; `MADV_FREE`, `MADV_PAGEOUT`, `MADV_COLLAPSE` and the like
//! leave it to the kernel when, and the next look tells.

use std::ops::Range;

use tracer_common::bits;

use super::address_space::AddressSpace;
use super::piece::Attributes;

impl AddressSpace {
    /// Advice that was taken (`madvise_vma_behavior` in `mm/madvise.c`).
    pub(super) fn advise(&mut self, range: Range<u64>, advice: u32) {
        match advice {
            bits::MADV_DONTNEED | bits::MADV_DONTNEED_LOCKED | bits::MADV_REMOVE => {
                self.evict(range);
            }
            bits::MADV_POPULATE_READ => self.touch(range),
            bits::MADV_POPULATE_WRITE => self.populate(range),
            bits::MADV_GUARD_INSTALL => {
                self.evict(range.clone());
                self.guard(range, true);
            }
            bits::MADV_GUARD_REMOVE => self.guard(range, false),
            bits::MADV_DONTFORK | bits::MADV_DOFORK => {
                let dont_fork = advice == bits::MADV_DONTFORK;
                self.restyle(range.clone(), |attributes| Attributes {
                    dont_fork,
                    ..attributes
                });
                self.join(&range);
            }
            bits::MADV_WIPEONFORK | bits::MADV_KEEPONFORK => {
                let wipe_on_fork = advice == bits::MADV_WIPEONFORK;
                self.restyle(range.clone(), |attributes| Attributes {
                    wipe_on_fork,
                    ..attributes
                });
                self.join(&range);
            }
            _ => {}
        }
    }

    /// Advice that failed. `ENOMEM` is a hole among the mappings: the others were advised all the same
    /// (`madvise_walk_vmas`), but nothing was populated behind it, where the kernel goes page by page. By
    /// any other error it stopped somewhere; what that left undone no map shows, and the next look tells what is
    /// in memory.
    pub(super) fn advise_failed(&mut self, range: Range<u64>, advice: u32, error: u16) {
        let populates = matches!(advice, bits::MADV_POPULATE_READ | bits::MADV_POPULATE_WRITE);
        let hole = self.pieces.gaps(range.clone()).into_iter().next();
        match hole.filter(|_| error == bits::ENOMEM) {
            Some(hole) if populates && self.rules.populates_to_hole => {
                self.advise(range.start..hole.start, advice);
            }
            Some(_) => self.advise(range, advice),
            // How much of it was written to is not known; that some was, holds a charge.
            None if advice == bits::MADV_POPULATE_WRITE => self.wrote_all(range),
            None => {}
        }
    }

    fn guard(&mut self, range: Range<u64>, guarded: bool) {
        self.restyle(range, |attributes| Attributes {
            guarded,
            ..attributes
        });
    }
}
