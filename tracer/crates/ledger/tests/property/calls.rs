//! `mmap`, `munmap`, `mprotect`, `brk`.

use tracer_ledger::event::{Action, Event};

use crate::{machine::*, step::*, wire::*};

impl Machine {
    pub fn map(&mut self, at: usize, length: usize, protection: u8, flags: u32) -> Vec<Event> {
        let fixed = flags & FIXED != 0;
        let end = if fixed {
            self.reach
        } else {
            HEAP.min(self.reach)
        };
        if at + length > end || (!fixed && !self.free(at, length)) {
            return Vec::new();
        }
        let shared = flags & SHARED != 0;
        for page in &mut self.pages[at..at + length] {
            let owner = page.map_or((self.time, Kind::Map), |page| page.owner);
            let mut new = Self::fresh(owner, protection);
            new.mapped.shared = shared;
            new.mapped.noreserve = flags & NORESERVE != 0;
            new.mapped.charged = (shared || protection & 2 != 0) && !new.mapped.noreserve;
            new.mapped.zero = if shared { at as i64 } else { 0 };
            *page = Some(new);
        }
        self.join(at..at + length);
        if flags & POPULATE != 0 {
            self.populate(at..at + length, true);
        }
        let (address, length) = bytes(at, length);
        self.called(Action::Map {
            address,
            // Not whole pages: rounding is the ledger's.
            length: length - 7,
            protection,
            flags: flags | 0x20,
            file_offset: None,
        })
    }

    pub fn unmap(&mut self, at: usize, length: usize) -> Vec<Event> {
        if at + length > self.reach {
            return Vec::new();
        }
        self.pages[at..at + length].fill(None);
        let (address, length) = bytes(at, length);
        self.called(Action::Unmap { address, length })
    }

    /// It goes as far as there is no hole, and fails there.
    pub fn protect(&mut self, at: usize, length: usize, protection: u8) -> Vec<Event> {
        if at + length > self.reach {
            return Vec::new();
        }
        let before_hole = (at..at + length)
            .take_while(|at| self.pages[*at].is_some())
            .count();
        for page in self.pages[at..at + before_hole].iter_mut().flatten() {
            let own = page.own;
            let page = &mut page.mapped;
            if page.protection == protection {
                continue;
            }
            page.protection = protection;
            if page.shared || page.noreserve {
                continue;
            }
            page.charged = protection & 2 != 0 || (page.charged && own != Own::None);
        }
        self.join(at..at + before_hole);
        let (address, bytes) = bytes(at, length);
        self.called(if before_hole == length {
            Action::Protect {
                address,
                length: bytes,
                protection,
            }
        } else {
            Action::ProtectFailed {
                address,
                length: bytes,
                protection,
                error: 12,
            }
        })
    }

    pub fn brk(&mut self, end: usize) -> Vec<Event> {
        let old = self.heap_end;
        if end > old && !self.free(old, end - old) {
            return Vec::new();
        }
        let new = (end > old).then(|| Self::fresh((self.time, Kind::Break), 3));
        let changed = old.min(end)..old.max(end);
        self.pages[changed.clone()].fill(new);
        self.heap_end = end;
        if end > old {
            self.join(changed);
        }
        self.called(Action::Break {
            old: address(old),
            new: address(end),
        })
    }
}
