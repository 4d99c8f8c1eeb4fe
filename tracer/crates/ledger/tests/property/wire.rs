//! What the tracer sees of the model: events, and the maps.

use tracer_ledger::event::{
    Action, Address, Call, Event, Fault, Mapping, Maps, MapsPurpose, Nanoseconds, Pid, Reading,
    Resident, SpaceId, StackId, Stamp, Tid, Totals,
};

use crate::machine::*;

pub const PAGE: u64 = 4096;
/// Where the model lies in the address space.
const BASE: u64 = 0x5000_0000;

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

/// The event of an `mremap` that succeeded.
pub fn remapped(
    time: u64,
    (old, old_length): (usize, usize),
    (new, new_length): (usize, usize),
    flags: u32,
) -> Vec<Event> {
    // Not whole pages: rounding is the ledger's.
    let odd = |(page, pages): (usize, usize)| bytes(page, pages).1.saturating_sub(3);
    let action = Action::Remap {
        old_address: address(old),
        old_length: odd((old, old_length)),
        new_address: address(new),
        new_length: odd((new, new_length)),
        flags,
    };
    vec![call(time, action)]
}

/// The event of one to a fixed place that failed.
pub fn remap_failed(time: u64, old: usize, length: usize, new: usize) -> Vec<Event> {
    let (old_address, length) = bytes(old, length);
    let action = Action::RemapFailed {
        old_address,
        old_length: length,
        new_address: address(new),
        new_length: length,
    };
    vec![call(time, action)]
}

pub fn fault(time: u64, page: usize, write: bool) -> Event {
    Event::Fault(Fault {
        stamp: stamp(time),
        address: Address(address(page).0 + 100),
        write,
        in_kernel: false,
    })
}

pub fn look(time: u64, pages: &[Option<Page>; PAGES]) -> Event {
    let resident = |at: &usize| pages[*at].is_some_and(|page| page.resident);
    Event::Resident(Resident {
        time: Nanoseconds(time),
        space: SpaceId(1),
        ranges: (0..PAGES).filter(resident).map(|at| bytes(at, 1)).collect(),
    })
}

/// The same for another process in a space of its own.
pub fn as_child(event: Event) -> Event {
    let (pid, space) = (Pid(2), SpaceId(2));
    match event {
        Event::Call(call) => Event::Call(Call {
            stamp: Stamp {
                pid,
                space,
                ..call.stamp
            },
            ..call
        }),
        Event::Fault(fault) => Event::Fault(Fault {
            stamp: Stamp {
                pid,
                space,
                ..fault.stamp
            },
            ..fault
        }),
        Event::Resident(look) => Event::Resident(Resident { space, ..look }),
        other => other,
    }
}

/// The maps of an array of pages, pages of one kind made one mapping as the kernel does.
pub fn lines(pages: &[Option<Page>; PAGES], heap_end: usize) -> Vec<Mapping> {
    let mut lines: Vec<Mapping> = Vec::new();
    for (at, page) in pages.iter().enumerate() {
        let Some(Page { mapped, .. }) = page else {
            continue;
        };
        let name = if mapped.segment != 0 {
            "/SYSV00000000 (deleted)"
        } else if mapped.shared {
            "/dev/zero (deleted)"
        } else if (HEAP..heap_end).contains(&at) {
            "[heap]"
        } else {
            ""
        };
        let offset = if mapped.shared {
            (at as i64 - mapped.zero) as u64 * PAGE
        } else {
            0
        };
        match lines.last_mut() {
            Some(last)
                if last.end == address(at)
                    && last.protection == mapped.protection
                    && last.name == name
                    && (!mapped.shared || last.offset + (last.end.0 - last.start.0) == offset) =>
            {
                last.end = address(at + 1);
            }
            _ => lines.push(Mapping {
                start: address(at),
                end: address(at + 1),
                protection: mapped.protection,
                shared: mapped.shared,
                offset,
                inode: u64::from(mapped.shared),
                name: name.into(),
            }),
        }
    }
    lines
}

/// What the kernel counts.
pub fn totals(machine: &Machine) -> Totals {
    Totals {
        total_pages: machine.pages.iter().flatten().count() as u64,
        stack_pages: 0,
    }
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

pub fn reading(time: u64) -> Event {
    Event::Reading(Reading {
        time: Nanoseconds(time),
        space: SpaceId(1),
    })
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
