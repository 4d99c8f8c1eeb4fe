//! Faults, advice, and looks at what is in memory.

use std::ops::Range;

use tracer_ledger::event::{Action, Event};

use crate::{machine::*, step::*, wire::*};

impl Machine {
    /// All of a range that allows it is brought in; to be written to, if that is asked and allowed.
    pub fn populate(&mut self, range: Range<usize>, write: bool) {
        for at in range {
            let Some(page) = self.pages[at]
                .as_mut()
                .filter(|page| page.mapped.protection != 0)
            else {
                continue;
            };
            let writes = write && page.mapped.protection & 2 != 0;
            page.touched = true;
            page.in_memory |= page.mapped.shared || writes;
            if writes {
                self.wrote(at);
            }
        }
    }

    pub fn fault(&mut self, at: usize, write: bool) -> Vec<Event> {
        let needed = if write { 2 } else { 0xff };
        if !self.is(at, |page| page.protection & needed != 0) {
            return Vec::new();
        }
        self.populate(at..at + 1, write);
        vec![fault(self.time, at, write)]
    }

    pub fn advise(&mut self, at: usize, length: usize, advice: u32) -> Vec<Event> {
        if at + length > self.reach {
            return Vec::new();
        }
        let range = at..at + length;
        let whole = self.mapped(at, length);
        let denied = range.clone().any(|at| match advice {
            WIPE_ON_FORK => self.is(at, |page| page.shared),
            POPULATE_READ => self.is(at, |page| page.protection == 0),
            POPULATE_WRITE => self.is(at, |page| page.protection & 2 == 0),
            _ => false,
        });
        if denied {
            return Vec::new();
        }
        match advice {
            POPULATE_READ | POPULATE_WRITE => {
                let before_hole = range.take_while(|at| self.pages[*at].is_some()).count();
                self.populate(at..at + before_hole, advice == POPULATE_WRITE);
            }
            _ => {
                for page in self.pages[range.clone()].iter_mut().flatten() {
                    match advice {
                        DONT_NEED => (page.in_memory, page.resident) = (false, false),
                        DONT_FORK | DO_FORK => page.mapped.dont_fork = advice == DONT_FORK,
                        _ => page.mapped.wipe_on_fork = advice == WIPE_ON_FORK,
                    }
                }
                if advice != DONT_NEED {
                    self.join(range);
                }
            }
        }
        let (address, length) = bytes(at, length);
        self.called(if whole {
            Action::Advise {
                address,
                length,
                advice,
            }
        } else {
            Action::AdviseFailed {
                address,
                length,
                advice,
                error: 12,
            }
        })
    }

    pub fn look(&mut self, at: usize, length: usize) -> Vec<Event> {
        let end = (at + length).min(PAGES);
        for page in self.pages[at..end].iter_mut().flatten() {
            // As by a huge page, or a neighbour's fault.
            page.in_memory |= page.mapped.protection != 0;
        }
        for at in 0..PAGES {
            if let Some(page) = &mut self.pages[at] {
                page.resident = page.in_memory;
                page.touched |= page.in_memory;
                if page.in_memory {
                    self.wrote(at);
                }
            }
        }
        vec![look(self.time, &self.pages)]
    }
}
