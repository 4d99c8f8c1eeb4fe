//! The model: a small kernel on an array of pages.

use std::ops::Range;

use tracer_ledger::event::{Action, Event};

use crate::{step::*, wire::*};

/// Pages of the model.
pub const PAGES: usize = 96;
/// Where the heap begins.
pub const HEAP: usize = 72;
/// Pages of a System V segment.
pub const SEGMENT: usize = 5;

/// One page of memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Page {
    /// When the owner was made, and by what; time 0 is before tracing.
    pub owner: (u64, Kind),
    pub touched: bool,
    /// Truly; and by the last look.
    pub in_memory: bool,
    pub resident: bool,
    /// Its mapping has pages of its own, by what the kernel remembers.
    pub own: Own,
    pub mapped: Mapped,
}

/// All that makes a mapping of the kernel's out of pages side by side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mapped {
    pub protection: u8,
    pub shared: bool,
    pub noreserve: bool,
    pub charged: bool,
    pub dont_fork: bool,
    pub wipe_on_fork: bool,
    /// When its segment was attached; 0: it is of none.
    pub segment: u64,
    /// The page of the array where its file begins; 0 for private memory that did not move.
    pub zero: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Map,
    Remap,
    Break,
    Attach,
    Old,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Own {
    None,
    Some,
    Inherited,
}

#[derive(Clone, Debug)]
pub struct Machine {
    pub pages: [Option<Page>; PAGES],
    pub heap_end: usize,
    /// What `mmap`, `munmap` and `mremap` reach: the maps do not show where the heap ends if its end
    /// was unmapped, so a snapshot is only the truth where nobody does that.
    pub reach: usize,
    /// Whether moves fail: the maps tell what is left, but not whose it was.
    pub failures: bool,
    pub time: u64,
}

impl Machine {
    pub fn new(reach: usize) -> Self {
        Self {
            pages: [None; PAGES],
            heap_end: HEAP,
            reach,
            failures: false,
            time: 0,
        }
    }

    pub fn fresh(owner: (u64, Kind), protection: u8) -> Page {
        Page {
            owner,
            touched: false,
            in_memory: false,
            resident: false,
            own: Own::None,
            mapped: Mapped {
                protection,
                shared: false,
                noreserve: false,
                charged: protection & 2 != 0,
                dont_fork: false,
                wipe_on_fork: false,
                segment: 0,
                zero: 0,
            },
        }
    }

    /// Does the step if a kernel would, and says what the tracer sees of it.
    pub fn step(&mut self, step: &Step) -> Vec<Event> {
        self.time += 10;
        match *step {
            Step::Map(at, length, protection, flags) => self.map(at, length, protection, flags),
            Step::Unmap(at, length) => self.unmap(at, length),
            Step::Protect(at, length, protection) => self.protect(at, length, protection),
            Step::Remap(old, old_length, new, new_length, flags) => {
                self.remap((old, old_length), (new, new_length), flags)
            }
            Step::RemapFails(old, length, new) => self.remap_fails(old, length, new),
            Step::Break(end) => self.brk(end),
            Step::Fault(at, write) => self.fault(at, write),
            Step::Advise(at, length, advice) => self.advise(at, length, advice),
            Step::Attach(at, over, read_only) => self.attach(at, over, read_only),
            Step::Detach(at) => self.detach(at),
            Step::Look(at, length) => self.look(at, length),
        }
    }

    pub fn free(&self, at: usize, pages: usize) -> bool {
        at + pages <= PAGES && self.pages[at..at + pages].iter().all(Option::is_none)
    }

    pub fn mapped(&self, at: usize, pages: usize) -> bool {
        at + pages <= PAGES && self.pages[at..at + pages].iter().all(Option::is_some)
    }

    pub fn called(&self, action: Action) -> Vec<Event> {
        vec![call(self.time, action)]
    }

    pub fn is(&self, at: usize, what: impl Fn(&Mapped) -> bool) -> bool {
        self.pages[at].is_some_and(|page| what(&page.mapped))
    }

    /// Whether two neighbours are of one mapping of the kernel's, whatever it has of pages.
    pub fn alike(&self, left: usize, right: usize) -> bool {
        let mapped = |at: usize| {
            self.pages
                .get(at)
                .copied()
                .flatten()
                .map(|page| page.mapped)
        };
        mapped(left).is_some() && mapped(left) == mapped(right)
    }

    /// The mapping of the kernel's that a page is in.
    pub fn mapping(&self, at: usize) -> Range<usize> {
        let own = |at: usize| self.pages[at].map(|page| page.own);
        let same = |left: usize, right: usize| self.alike(left, right) && own(left) == own(right);
        let (mut start, mut end) = (at, at + 1);
        while start > 0 && same(start - 1, start) {
            start -= 1;
        }
        while end < PAGES && same(end - 1, end) {
            end += 1;
        }
        start..end
    }

    /// The mapping of a page has pages of its own from now on.
    pub fn wrote(&mut self, at: usize) {
        let fresh = |page: Page| !page.mapped.shared && page.own == Own::None;
        if self.pages[at].is_some_and(fresh) {
            let range = self.mapping(at);
            for page in self.pages[range].iter_mut().flatten() {
                page.own = Own::Some;
            }
        }
    }

    /// After a call on `range`, mappings that are alike are one.
    pub fn join(&mut self, range: Range<usize>) {
        let end = range.end.min(PAGES - 1);
        for right in range.start.max(1)..=end {
            let left = right - 1;
            if !self.alike(left, right) {
                continue;
            }
            match (self.pages[left], self.pages[right]) {
                (Some(one), Some(other)) if one.own == Own::None && other.own == Own::Some => {
                    self.wrote(left);
                }
                (Some(one), Some(other)) if one.own == Own::Some && other.own == Own::None => {
                    self.wrote(right);
                }
                _ => {}
            }
        }
    }

    /// What a forked child has.
    pub fn forked(&self) -> Self {
        let mut child = self.clone();
        for page in &mut child.pages {
            *page = page.filter(|page| !page.mapped.dont_fork).map(|mut page| {
                page.resident = false;
                if page.mapped.wipe_on_fork {
                    page.own = Own::None;
                }
                if page.own == Own::None {
                    (page.touched, page.in_memory) = (false, false);
                } else {
                    page.own = Own::Inherited;
                }
                page.mapped.charged &= !page.mapped.shared;
                page
            });
        }
        child
    }
}
