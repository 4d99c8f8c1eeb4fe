//! The ledger by small stories: one call after another, and what it says then.

mod calls;
mod checks;
mod maps;
mod memory;
mod names;
mod processes;
mod protections;
mod remap;
mod segments;

use super::{AddressSpace, Change, Difference, Ledger, Origin, Reservation};
use crate::event::{
    Action, Address, Call, Event, Exec, Exit, ExitStatus, Fault, FaultMode, Fork, Found, Looking,
    Loss, Mapping, Maps, MapsPurpose, Nanoseconds, Pid, Reading, Resident, SpaceId, StackId, Stamp,
    Started, Tid, Totals,
};
use tracer_common::bits::*;

pub const PAGE: u64 = 4096;
pub const PRIVATE: u32 = MAP_PRIVATE | MAP_ANONYMOUS;
pub const NONE: u8 = 0;
pub const R: u8 = 1;
pub const RW: u8 = 3;

/// A ledger whose clock ticks with every event; addresses and lengths are in pages. The stack of
/// each call is its time, so that a reservation is known by it.
pub struct Story {
    pub ledger: Ledger,
    pub time: u64,
    pub pid: u32,
    pub tid: u32,
    pub space: u32,
    pub totals: Option<Totals>,
}

impl Story {
    /// One process, found, its maps not read yet.
    pub fn unseeded() -> Self {
        let mut story = Self {
            ledger: Ledger::new(PAGE),
            time: 0,
            pid: 10,
            tid: 10,
            space: 1,
            totals: None,
        };
        story.apply(&Event::Found(Found {
            time: Nanoseconds(1),
            pid: Pid(10),
            parent: Pid(1),
            space: SpaceId(1),
            ..Found::default()
        }));
        story.reading();
        story
    }

    /// One process, its maps empty.
    pub fn new() -> Self {
        let mut story = Self::unseeded();
        story.maps(MapsPurpose::Seed, &[]);
        story
    }

    pub fn apply(&mut self, event: &Event) -> Vec<Change> {
        let mut changes = Vec::new();
        self.ledger.apply(event, &mut changes);
        changes
    }

    pub fn stamp(&mut self) -> Stamp {
        self.time += 1;
        Stamp {
            time: Nanoseconds(self.time),
            space: SpaceId(self.space),
            pid: Pid(self.pid),
            tid: Tid(self.tid),
            cpu: 0,
        }
    }

    pub fn call(&mut self, action: Action) -> Vec<Change> {
        let stamp = self.stamp();
        let stack = StackId(self.time as u32);
        let totals = self.totals;
        self.apply(&Event::Call(Call {
            stamp,
            stack,
            action,
            totals,
            took_ns: 0,
        }))
    }

    pub fn map(&mut self, page: u64, pages: u64, protection: u8, flags: u32) -> Vec<Change> {
        self.call(Action::Map {
            address: Address(page * PAGE),
            length: pages * PAGE,
            protection,
            flags,
            file_offset: None,
        })
    }

    pub fn unmap(&mut self, page: u64, pages: u64) -> Vec<Change> {
        self.call(Action::Unmap {
            address: Address(page * PAGE),
            length: pages * PAGE,
        })
    }

    pub fn protect(&mut self, page: u64, pages: u64, protection: u8) -> Vec<Change> {
        self.call(Action::Protect {
            address: Address(page * PAGE),
            length: pages * PAGE,
            protection,
        })
    }

    pub fn advise(&mut self, page: u64, pages: u64, advice: u32) -> Vec<Change> {
        self.call(Action::Advise {
            address: Address(page * PAGE),
            length: pages * PAGE,
            advice,
        })
    }

    pub fn protect_failed(
        &mut self,
        page: u64,
        pages: u64,
        protection: u8,
        error: u16,
    ) -> Vec<Change> {
        self.call(Action::ProtectFailed {
            address: Address(page * PAGE),
            length: pages * PAGE,
            protection,
            error,
        })
    }

    pub fn advise_failed(&mut self, page: u64, pages: u64, advice: u32, error: u16) -> Vec<Change> {
        self.call(Action::AdviseFailed {
            address: Address(page * PAGE),
            length: pages * PAGE,
            advice,
            error,
        })
    }

    /// The heap ended at page `old`, and ends at `new` now.
    pub fn brk(&mut self, old: u64, new: u64) -> Vec<Change> {
        self.call(Action::Break {
            old: Address(old * PAGE),
            new: Address(new * PAGE),
        })
    }

    pub fn remap(&mut self, old: (u64, u64), new: (u64, u64), flags: u32) -> Vec<Change> {
        self.call(Action::Remap {
            old_address: Address(old.0 * PAGE),
            old_length: old.1 * PAGE,
            new_address: Address(new.0 * PAGE),
            new_length: new.1 * PAGE,
            flags,
        })
    }

    pub fn fault(&mut self, page: u64, write: bool) -> Vec<Change> {
        let stamp = self.stamp();
        self.apply(&Event::Fault(Fault {
            stamp,
            address: Address(page * PAGE + 17),
            write,
            in_kernel: false,
        }))
    }

    pub fn look(&mut self, ranges: &[(u64, u64)]) -> Vec<Change> {
        let stamp = self.stamp();
        self.apply(&Event::Resident(Resident {
            time: stamp.time,
            space: stamp.space,
            ranges: ranges
                .iter()
                .map(|&(page, pages)| (Address(page * PAGE), pages * PAGE))
                .collect(),
        }))
    }

    /// A reading of the maps begins.
    pub fn reading(&mut self) {
        let reading = Reading {
            time: Nanoseconds(self.time),
            space: SpaceId(self.space),
        };
        self.apply(&Event::Reading(reading));
    }

    /// A reading of the maps has ended: the one that began last, at the begin of doubt if not later.
    pub fn maps(&mut self, purpose: MapsPurpose, lines: &[Mapping]) -> Vec<Change> {
        self.maps_begun(self.time + 1, purpose, lines)
    }

    /// A reading of the maps that began at a given time, and ended just now.
    pub fn maps_begun(
        &mut self,
        began: u64,
        purpose: MapsPurpose,
        lines: &[Mapping],
    ) -> Vec<Change> {
        let stamp = self.stamp();
        self.apply(&Event::Maps(Maps {
            time: stamp.time,
            began: Nanoseconds(began),
            pid: stamp.pid,
            space: stamp.space,
            mappings: lines.to_vec(),
            purpose,
            after: 0,
        }))
    }

    pub fn lose(&mut self) -> Vec<Change> {
        let stamp = self.stamp();
        let changes = self.apply(&Event::Loss(Loss {
            time: stamp.time,
            events: 1,
            ..Loss::default()
        }));
        self.reading();
        changes
    }

    pub fn fork(&mut self, child: u32, child_space: u32) -> Vec<Change> {
        let stamp = self.stamp();
        self.apply(&Event::Fork(Fork {
            stamp,
            child: Pid(child),
            child_space: SpaceId(child_space),
            totals: Totals::default(),
            comm: "child".into(),
            followed: true,
        }))
    }

    pub fn exec(&mut self, new_space: u32) -> Vec<Change> {
        self.space = new_space;
        let stamp = self.stamp();
        self.apply(&Event::Exec(Exec {
            stamp,
            ..Exec::default()
        }))
    }

    pub fn exit(&mut self) -> Vec<Change> {
        let stamp = self.stamp();
        self.apply(&Event::Exit(Exit {
            stamp,
            status: ExitStatus::Code(0),
            totals: None,
        }))
    }

    pub fn as_process(&mut self, pid: u32, space: u32) {
        (self.pid, self.tid, self.space) = (pid, pid, space);
    }

    pub fn space(&self) -> &AddressSpace {
        self.ledger.space(SpaceId(self.space)).unwrap()
    }

    /// The reservation of the call at `time`.
    pub fn made_at(&self, time: u64) -> &Reservation {
        let mut all = self.space().reservations().filter(|r| r.born.0 == time);
        let only = all.next().unwrap();
        assert!(all.next().is_none());
        only
    }

    /// Everything mapped: `(page, pages, stack of the owner, protection)`.
    pub fn shape(&self) -> Vec<(u64, u64, u32, u8)> {
        let space = self.space();
        space
            .ranges()
            .map(|(start, end, piece)| {
                let owner = space.reservation(piece.owner).unwrap();
                (
                    start.0 / PAGE,
                    (end.0 - start.0) / PAGE,
                    owner.stack.0,
                    piece.attributes.protection,
                )
            })
            .collect()
    }
}

pub fn line(page: u64, pages: u64, protection: u8, name: &str) -> Mapping {
    Mapping {
        start: Address(page * PAGE),
        end: Address((page + pages) * PAGE),
        protection,
        name: name.into(),
        inode: u64::from(name.starts_with('/')),
        ..Mapping::default()
    }
}

/// In pages: reserved, accessible, charged, touched.
pub fn pages(reserved: i64, accessible: i64, charged: i64, touched: i64) -> Difference {
    let page = PAGE.cast_signed();
    Difference {
        reserved: reserved * page,
        accessible: accessible * page,
        charged: charged * page,
        touched: touched * page,
    }
}

#[derive(Debug, PartialEq)]
pub enum Short {
    Born(Origin, Difference),
    Changed(Difference),
    Died(Difference, bool),
}

pub fn short(changes: &[Change]) -> Vec<Short> {
    changes
        .iter()
        .map(|change| match *change {
            Change::Born {
                origin, figures, ..
            } => Short::Born(origin, figures),
            Change::Changed { difference, .. } => Short::Changed(difference),
            Change::Died {
                difference,
                released,
                ..
            } => Short::Died(difference, released),
        })
        .collect()
}
