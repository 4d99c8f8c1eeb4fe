//! The model: a small kernel on an array of pages.

use tracer::event::{
    Action, Address, Call, Event, Fault, Mapping, Maps, MapsPurpose, Nanoseconds, Pid, SpaceId,
    StackId, Stamp, Tid,
};

pub const PAGE: u64 = 4096;
/// Pages of the model.
pub const PAGES: usize = 96;
/// Where the heap begins.
pub const HEAP: usize = 72;
/// Where the model lies in the address space.
pub const BASE: u64 = 0x5000_0000;
pub const FIXED: u32 = 0x10;
pub const NORESERVE: u32 = 0x4000;
pub const POPULATE: u32 = 0x8000;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Page {
    /// When the owner was made, and by what; time 0 is before tracing.
    pub owner: (u64, Kind),
    pub protection: u8,
    pub noreserve: bool,
    pub charged: bool,
    pub touched: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Map,
    Remap,
    Break,
    Old,
}

#[derive(Clone, Debug)]
pub enum Step {
    Map(usize, usize, u8, u32),
    Unmap(usize, usize),
    Protect(usize, usize, u8),
    /// Old page and pages, new page and pages, `MREMAP_*` bits.
    Remap(usize, usize, usize, usize, u32),
    Break(usize),
    Fault(usize, bool),
    Populate(usize, usize),
}

#[derive(Clone, Debug)]
pub struct Machine {
    pub pages: [Option<Page>; PAGES],
    pub heap_end: usize,
    /// What `mmap`, `munmap` and `mremap` reach: the maps do not show where the heap ends if its end
    /// was unmapped, so a snapshot is only the truth where nobody does that.
    pub reach: usize,
    pub time: u64,
}

impl Machine {
    pub fn fresh(owner: (u64, Kind), protection: u8, noreserve: bool) -> Page {
        Page {
            owner,
            protection,
            noreserve,
            charged: protection & 2 != 0 && !noreserve,
            touched: false,
        }
    }

    pub fn mapped(&self, at: usize, pages: usize) -> bool {
        pages > 0 && at + pages <= PAGES && self.pages[at..at + pages].iter().all(Option::is_some)
    }

    pub fn free(&self, at: usize, pages: usize) -> bool {
        at + pages <= PAGES && self.pages[at..at + pages].iter().all(Option::is_none)
    }

    /// Does the step if a kernel would, and says what the tracer sees of it.
    pub fn step(&mut self, step: &Step) -> Vec<Event> {
        self.time += 10;
        match *step {
            Step::Map(at, length, protection, flags) => self.map(at, length, protection, flags),
            Step::Unmap(at, length) => {
                if at + length > self.reach {
                    return Vec::new();
                }
                self.pages[at..at + length].fill(None);
                let (address, length) = bytes(at, length);
                self.called(Action::Unmap { address, length })
            }
            Step::Protect(at, length, protection) => {
                if !self.mapped(at, length) {
                    return Vec::new();
                }
                for page in self.pages[at..at + length].iter_mut().flatten() {
                    page.protection = protection;
                    page.charged |= protection & 2 != 0 && !page.noreserve;
                }
                let (address, length) = bytes(at, length);
                self.called(Action::Protect {
                    address,
                    length,
                    protection,
                })
            }
            Step::Remap(old, old_length, new, new_length, flags) => {
                self.remap((old, old_length), (new, new_length), flags)
            }
            Step::Break(end) => self.brk(end),
            Step::Fault(at, write) => {
                let time = self.time;
                let page = self.pages[at]
                    .as_mut()
                    .filter(|page| page.protection != 0 && (!write || page.protection & 2 != 0));
                let Some(page) = page else {
                    return Vec::new();
                };
                page.touched = true;
                vec![Event::Fault(Fault {
                    stamp: stamp(time),
                    address: Address(address(at).0 + 100),
                    write,
                    in_kernel: false,
                })]
            }
            Step::Populate(at, length) => {
                if !self.mapped(at, length) {
                    return Vec::new();
                }
                let range = &mut self.pages[at..at + length];
                if range.iter().flatten().any(|page| page.protection == 0) {
                    return Vec::new();
                }
                for page in range.iter_mut().flatten() {
                    page.touched = true;
                }
                let (address, length) = bytes(at, length);
                self.called(Action::Advise {
                    address,
                    length,
                    advice: 22,
                })
            }
        }
    }

    pub fn called(&self, action: Action) -> Vec<Event> {
        vec![call(self.time, action)]
    }

    pub fn map(&mut self, at: usize, length: usize, protection: u8, flags: u32) -> Vec<Event> {
        let fixed = flags & FIXED != 0;
        let end = if fixed { self.reach } else { HEAP };
        if at + length > end || (!fixed && !self.free(at, length)) {
            return Vec::new();
        }
        for page in &mut self.pages[at..at + length] {
            let owner = page.map_or((self.time, Kind::Map), |page| page.owner);
            let mut new = Self::fresh(owner, protection, flags & NORESERVE != 0);
            new.touched = flags & POPULATE != 0 && protection != 0;
            *page = Some(new);
        }
        let (address, length) = bytes(at, length);
        self.called(Action::Map {
            address,
            // Not whole pages: rounding is the ledger's.
            length: length - 7,
            protection,
            flags: flags | 0x22,
            file_offset: None,
        })
    }

    pub fn brk(&mut self, end: usize) -> Vec<Event> {
        let old = self.heap_end;
        if end > old && !self.free(old, end - old) {
            return Vec::new();
        }
        let new = (end > old).then(|| Self::fresh((self.time, Kind::Break), 3, false));
        self.pages[old.min(end)..old.max(end)].fill(new);
        self.heap_end = end;
        self.called(Action::Break {
            start: address(HEAP),
            end: address(end),
        })
    }

    pub fn remap(
        &mut self,
        (old, old_length): (usize, usize),
        (new, new_length): (usize, usize),
        flags: u32,
    ) -> Vec<Event> {
        let time = self.time;
        let dont_unmap = flags & 4 != 0;
        let fixed = flags & 2 != 0;
        if old + old_length > self.reach || !self.mapped(old, old_length) {
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
        if new_length < old_length {
            self.pages[old + new_length..old + old_length].fill(None);
        }
        let last = self.pages[old + kept - 1];
        if !in_place {
            let mut moved = self.pages[old..old + kept].to_vec();
            if dont_unmap {
                for page in self.pages[old..old + kept].iter_mut().flatten() {
                    page.touched = false;
                }
                for page in moved.iter_mut().flatten() {
                    page.owner = (time, Kind::Remap);
                }
            } else {
                self.pages[old..old + kept].fill(None);
            }
            self.pages[new..new + kept].copy_from_slice(&moved);
        }
        let grown = last.map(|last| Page {
            owner: (time, Kind::Remap),
            touched: false,
            ..last
        });
        self.pages[new + kept..new + new_length].fill(grown);
        self.called(Action::Remap {
            old_address: address(old),
            old_length: bytes(old, old_length).1 - 3,
            new_address: address(new),
            new_length: bytes(new, new_length).1 - 3,
            flags,
        })
    }
}

pub fn address(page: usize) -> Address {
    Address(BASE + page as u64 * PAGE)
}

pub fn bytes(page: usize, pages: usize) -> (Address, u64) {
    (address(page), pages as u64 * PAGE)
}

pub fn stamp(time: u64) -> Stamp {
    Stamp {
        time: Nanoseconds(time),
        space: SpaceId(1),
        pid: Pid(1),
        tid: Tid(1),
        cpu: 0,
    }
}

pub fn call(time: u64, action: Action) -> Event {
    Event::Call(Call {
        stamp: stamp(time),
        stack: StackId(time as u32),
        action,
        totals: None,
        took_ns: 0,
    })
}

/// The maps of an array of pages, pages of one protection made one mapping as the kernel does.
pub fn lines(pages: &[Option<Page>; PAGES], heap_end: usize) -> Vec<Mapping> {
    let mut lines: Vec<Mapping> = Vec::new();
    for (at, page) in pages.iter().enumerate() {
        let Some(page) = page else { continue };
        let name = if (HEAP..heap_end).contains(&at) {
            "[heap]"
        } else {
            ""
        };
        match lines.last_mut() {
            Some(last)
                if last.end == address(at)
                    && last.protection == page.protection
                    && last.name == name =>
            {
                last.end = address(at + 1);
            }
            _ => lines.push(Mapping {
                start: address(at),
                end: address(at + 1),
                protection: page.protection,
                name: name.into(),
                ..Mapping::default()
            }),
        }
    }
    lines
}

pub fn truth(machine: &Machine) -> Vec<Mapping> {
    lines(&machine.pages, machine.heap_end)
}

/// A snapshot of which each page was read at its own moment; the heap, one mapping for the kernel, at
/// one.
pub fn torn(states: &[Machine], moments: &[usize]) -> Vec<Mapping> {
    let state = |at: usize| &states[moments[at.min(HEAP)] % states.len()];
    lines(
        &std::array::from_fn(|at| state(at).pages[at]),
        state(HEAP).heap_end,
    )
}

pub fn maps(began: u64, time: u64, purpose: MapsPurpose, mappings: Vec<Mapping>) -> Event {
    Event::Maps(Maps {
        time: Nanoseconds(time),
        began: Nanoseconds(began),
        pid: Pid(1),
        space: SpaceId(1),
        mappings,
        purpose,
        after: 0,
    })
}
