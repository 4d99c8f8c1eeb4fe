//! The model: a small kernel on an array of pages.

use std::ops::Range;

use tracer::event::{Action, Event};

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
    /// Whether there are segments: of one that nobody saw attached, and that moved before anyone looked,
    /// the ledger cannot know what `shmdt` takes.
    pub segments: bool,
    pub time: u64,
}

impl Machine {
    pub fn new(reach: usize) -> Self {
        Self {
            pages: [None; PAGES],
            heap_end: HEAP,
            reach,
            segments: true,
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

    fn mapped(&self, at: usize, pages: usize) -> bool {
        at + pages <= PAGES && self.pages[at..at + pages].iter().all(Option::is_some)
    }

    fn called(&self, action: Action) -> Vec<Event> {
        vec![call(self.time, action)]
    }

    fn is(&self, at: usize, what: impl Fn(&Mapped) -> bool) -> bool {
        self.pages[at].is_some_and(|page| what(&page.mapped))
    }

    /// Whether two neighbours are of one mapping of the kernel's, whatever it has of pages.
    fn alike(&self, left: usize, right: usize) -> bool {
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
    fn mapping(&self, at: usize) -> Range<usize> {
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
    fn wrote(&mut self, at: usize) {
        let fresh = |page: Page| !page.mapped.shared && page.own == Own::None;
        if self.pages[at].is_some_and(fresh) {
            let range = self.mapping(at);
            for page in self.pages[range].iter_mut().flatten() {
                page.own = Own::Some;
            }
        }
    }

    /// After a call on `range`, mappings that are alike are one.
    fn join(&mut self, range: Range<usize>) {
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

    fn map(&mut self, at: usize, length: usize, protection: u8, flags: u32) -> Vec<Event> {
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

    fn unmap(&mut self, at: usize, length: usize) -> Vec<Event> {
        if at + length > self.reach {
            return Vec::new();
        }
        self.pages[at..at + length].fill(None);
        let (address, length) = bytes(at, length);
        self.called(Action::Unmap { address, length })
    }

    /// It goes as far as there is no hole, and fails there.
    fn protect(&mut self, at: usize, length: usize, protection: u8) -> Vec<Event> {
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

    fn brk(&mut self, end: usize) -> Vec<Event> {
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
            start: address(HEAP),
            end: address(end),
        })
    }

    /// All of a range that allows it is brought in; to be written to, if that is asked and allowed.
    fn populate(&mut self, range: Range<usize>, write: bool) {
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

    fn fault(&mut self, at: usize, write: bool) -> Vec<Event> {
        let needed = if write { 2 } else { 0xff };
        if !self.is(at, |page| page.protection & needed != 0) {
            return Vec::new();
        }
        self.populate(at..at + 1, write);
        vec![fault(self.time, at, write)]
    }

    fn advise(&mut self, at: usize, length: usize, advice: u32) -> Vec<Event> {
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

    fn attach(&mut self, at: usize, over: bool, read_only: bool) -> Vec<Event> {
        let place = at + SEGMENT <= self.reach && (over || self.free(at, SEGMENT));
        if !self.segments || !place {
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
    fn detach(&mut self, at: usize) -> Vec<Event> {
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

    fn look(&mut self, at: usize, length: usize) -> Vec<Event> {
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

/// `mremap`.
impl Machine {
    fn remap(
        &mut self,
        (old, old_length): (usize, usize),
        (new, new_length): (usize, usize),
        flags: u32,
    ) -> Vec<Event> {
        let dont_unmap = flags & DONT_UNMAP != 0;
        let fixed = flags & FIXED_PLACE != 0;
        if old_length == 0 {
            return self.duplicate(old, (new, new_length), flags);
        }
        // To a fixed place, with its length, several mappings move and keep the holes among them.
        let source = old + old_length <= self.reach
            && if fixed && old_length == new_length && self.segments {
                self.pages[old].is_some()
            } else {
                self.mapped(old, old_length)
            };
        if !source {
            return Vec::new();
        }
        let in_place = !fixed
            && !dont_unmap
            && old + new_length <= self.reach
            && (new_length <= old_length || self.free(old + old_length, new_length - old_length));
        let new = if in_place { old } else { new };
        if !in_place {
            let overlap = new < old + old_length && old < new + new_length;
            let place = new + new_length <= self.reach && (fixed || self.free(new, new_length));
            if overlap || !place || (dont_unmap && old_length != new_length) {
                return Vec::new();
            }
        }
        let kept = old_length.min(new_length);
        self.pages[old + kept..old + old_length].fill(None);
        let last = self.pages[old + kept - 1].map(|page| moved(page, old, new));
        if !in_place {
            self.relocate(old..old + kept, new, dont_unmap);
        }
        let grown = last.map(|last| Page {
            owner: (self.time, Kind::Remap),
            touched: false,
            in_memory: false,
            resident: false,
            mapped: copied(last.mapped),
            ..last
        });
        self.pages[new + kept..new + new_length].fill(grown);
        self.join(new..new + new_length);
        remapped(self.time, (old, old_length), (new, new_length), flags)
    }

    fn relocate(&mut self, old: Range<usize>, new: usize, dont_unmap: bool) {
        for (index, at) in old.clone().enumerate() {
            if self.pages[at].is_some() {
                self.pages[new + index] = None;
            }
        }
        let emptied: Vec<bool> = old
            .clone()
            .map(|at| {
                let mapping = self.mapping(at);
                dont_unmap && old.start <= mapping.start && mapping.end <= old.end
            })
            .collect();
        for (index, at) in old.clone().enumerate() {
            let Some(page) = self.pages[at] else {
                continue;
            };
            let mut there = moved(page, old.start, new);
            if dont_unmap {
                there.owner = (self.time, Kind::Remap);
                there.mapped = copied(there.mapped);
                let here = Page {
                    touched: false,
                    in_memory: false,
                    resident: false,
                    own: if emptied[index] { Own::None } else { page.own },
                    ..page
                };
                self.pages[at] = Some(here);
            } else {
                self.pages[at] = None;
            }
            self.pages[new + index] = Some(there);
        }
    }

    /// A second mapping of shared pages.
    fn duplicate(&mut self, old: usize, (new, length): (usize, usize), flags: u32) -> Vec<Event> {
        let Some(source) = self.pages[old].filter(|page| page.mapped.shared) else {
            return Vec::new();
        };
        let place = new + length <= self.reach
            && if flags & FIXED_PLACE != 0 {
                !(new..new + length).contains(&old)
            } else {
                self.free(new, length)
            };
        if !place || flags & DONT_UNMAP != 0 || old >= self.reach {
            return Vec::new();
        }
        let page = Page {
            owner: (self.time, Kind::Remap),
            touched: false,
            in_memory: false,
            resident: false,
            mapped: copied(source.mapped),
            ..source
        };
        self.pages[new..new + length].fill(Some(moved(page, old, new)));
        self.join(new..new + length);
        remapped(self.time, (old, 0), (new, length), flags)
    }
}

/// Memory that is shared was charged with the object, once.
fn copied(mapped: Mapped) -> Mapped {
    Mapped {
        charged: mapped.charged && !mapped.shared,
        ..mapped
    }
}

/// A page keeps its place in its file; private memory without a page of its own begins anew.
fn moved(page: Page, old: usize, new: usize) -> Page {
    let mut page = page;
    page.mapped.zero = if page.mapped.shared || page.own != Own::None {
        page.mapped.zero + new as i64 - old as i64
    } else {
        0
    };
    page
}
