//! `shmat` and `shmdt`.

use tracer_ledger::event::{Action, Event};

use crate::{machine::*, wire::*};

impl Machine {
    pub fn attach(&mut self, at: usize, over: bool, read_only: bool) -> Vec<Event> {
        let place = at + SEGMENT <= self.reach && (over || self.free(at, SEGMENT));
        if !place {
            return Vec::new();
        }
        for page in &mut self.pages[at..at + SEGMENT] {
            let owner = page.map_or((self.time, Kind::Attach), |page| page.owner);
            let mut new = Self::fresh(owner, if read_only { 1 } else { 3 });
            new.mapped.shared = true;
            new.mapped.noreserve = true;
            new.mapped.charged = false;
            new.mapped.segment = self.time;
            new.mapped.zero = at as i64;
            *page = Some(new);
        }
        let (address, length) = bytes(at, SEGMENT);
        let over = if over { 0x4000 } else { 0 };
        let read_only = if read_only { 0x1000 } else { 0 };
        self.called(Action::Attach {
            address,
            length: length - 9,
            flags: over | read_only,
        })
    }

    /// By mappings, from the segment's beginning on: the first that belongs to it, and the others of the
    /// same that end within its size.
    pub fn detach(&mut self, at: usize) -> Vec<Event> {
        let Some(first) = self.pages[at]
            .filter(|page| page.mapped.segment != 0)
            .and_then(|page| usize::try_from(page.mapped.zero).ok())
        else {
            return Vec::new();
        };
        let mut segment = 0;
        let mut at = first;
        while at < PAGES {
            let mapping = self.mapping(at);
            at = mapping.end;
            let Some(Page { mapped, .. }) = self.pages[mapping.start] else {
                continue;
            };
            if mapped.segment == 0 || mapped.zero != first as i64 {
                continue;
            }
            if segment == 0 || (mapped.segment == segment && at - first <= SEGMENT) {
                segment = mapped.segment;
                self.pages[mapping].fill(None);
            }
        }
        self.called(Action::Detach {
            address: address(first),
        })
    }
}
