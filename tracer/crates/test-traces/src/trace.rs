//! A ledger that is told what to say: it keeps figures, not addresses.

use std::collections::BTreeMap;

pub use crate::ask::Ask;
use crate::told::{Living, Told};
use tracer_analysis::known;
use tracer_analysis::window::Window;
use tracer_analysis::{Analysis, LedgerView, LivingReservation, SpaceView};
use tracer_ledger::event::{
    Action, Address, Call, Event, Exec, Exit, ExitStatus, FaultMode, Fork, Frame, Identity, Maps,
    Nanoseconds, Pid, Sample, SpaceId, Stack, StackId, StackQuality, Stamp, Started, Tid, Totals,
};
use tracer_ledger::ledger::Checks;
use tracer_ledger::ledger::change::{Change, Difference, Origin, ReservationId};

pub const PAGE: u64 = 4096;
pub const KIB: u64 = 1 << 10;
pub const MIB: u64 = 1 << 20;
pub const GIB: u64 = 1 << 30;
pub const MILLISECOND: u64 = 1_000_000;
pub const SECOND: u64 = 1_000 * MILLISECOND;
/// When constructed traces begin on the machine's clock.
pub const EPOCH: u64 = 1_000 * SECOND;

/// An analysis, fed.
pub struct Trace {
    pub analysis: Analysis,
    pub now: u64,
    /// Bytes that the kernel has and the ledger has not.
    pub unexplained: u64,
    /// Whether ledgers are in doubt.
    pub is_in_doubt: bool,
    spaces: BTreeMap<SpaceId, Living>,
    left: Option<Told>,
    fallen: Option<LivingReservation>,
    born: BTreeMap<ReservationId, u64>,
    stacks: BTreeMap<ReservationId, StackId>,
    next_id: u64,
    next_address: u64,
}

impl LedgerView for Trace {
    fn space(&self, id: SpaceId) -> Option<impl SpaceView> {
        self.spaces.get(&id)?;
        Some(self.told(id))
    }

    fn left(&self) -> Option<impl SpaceView> {
        self.left.clone()
    }

    fn fallen(&self, _: SpaceId, id: ReservationId) -> Option<LivingReservation> {
        self.fallen.clone().filter(|one| one.id == id)
    }
}

impl Trace {
    pub fn begin(faults: &str) -> Self {
        Self::within(faults, Window::default())
    }

    /// Of which only this part is looked at.
    pub fn within(faults: &str, window: Window) -> Self {
        let mut trace = Self {
            analysis: Analysis::new(known::patterns(), window),
            now: 0,
            unexplained: 0,
            is_in_doubt: false,
            spaces: BTreeMap::new(),
            left: None,
            fallen: None,
            born: BTreeMap::new(),
            stacks: BTreeMap::new(),
            next_id: 1,
            next_address: 0x7f00_0000_0000,
        };
        let started = Started {
            time: Nanoseconds(EPOCH),
            realtime_ns: 1_795_000_000 * SECOND,
            host: "testhost".into(),
            kernel: "6.12.0".into(),
            arch: "x86_64".into(),
            boot_id: "00000000-0000-0000-0000-000000000000".into(),
            page_bytes: PAGE,
            tracer_version: "0.1.0".into(),
            faults: FaultMode::of_word(faults),
        };
        trace.tell(&Event::Started(started), &[]);
        trace
    }

    pub fn tell(&mut self, event: &Event, changes: &[Change]) {
        if !self.analysis.is_beyond(event) {
            let mut analysis = std::mem::take(&mut self.analysis);
            analysis.apply(event, changes, self);
            self.analysis = analysis;
        }
        self.left = None;
    }

    fn living(&self, space: SpaceId) -> Vec<LivingReservation> {
        let living = self.spaces.get(&space);
        living.map_or_else(Vec::new, |living| living.values().cloned().collect())
    }

    fn mapped_bytes(&self, space: SpaceId) -> u64 {
        let living = self.spaces.get(&space);
        living.map_or(0, |living| living.values().map(|one| one.reserved).sum())
    }

    fn kernel_bytes(&self, space: SpaceId) -> Option<u64> {
        let mapped = self.mapped_bytes(space);
        (mapped > 0).then_some(mapped + self.unexplained)
    }

    fn told(&self, id: SpaceId) -> Told {
        Told {
            id,
            living: self.spaces.get(&id).cloned().unwrap_or_default(),
            kernel_bytes: self.kernel_bytes(id),
            checks: Checks::default(),
            is_in_doubt: self.is_in_doubt,
        }
    }

    pub fn time(&self) -> Nanoseconds {
        Nanoseconds(EPOCH + self.now)
    }

    pub fn stamp(&self, who: (u32, u32), space: u32) -> Stamp {
        Stamp {
            time: self.time(),
            space: SpaceId(space),
            pid: Pid(who.0),
            tid: Tid(who.1),
            cpu: 0,
        }
    }

    pub fn stack(&mut self, id: u32, quality: StackQuality, frames: Vec<Frame>) -> StackId {
        let id = StackId(id);
        let stack = Stack {
            id,
            quality,
            frames,
        };
        self.tell(&Event::Stack(stack), &[]);
        id
    }

    fn add(
        &mut self,
        who: (u32, u32),
        space: u32,
        ask: Ask,
        origin: Origin,
        name: &str,
    ) -> (ReservationId, Change) {
        let id = ReservationId(self.next_id);
        self.next_id += 1;
        let start = Address(self.next_address);
        self.next_address += ask.reserved + PAGE;
        let left = LivingReservation {
            id,
            start,
            length: ask.reserved,
            accessible_at: ask.accessible_at,
            protection: if ask.accessible > ask.reserved / 2 {
                3
            } else {
                0
            },
            flags: ask.flags,
            name: name.into(),
            file: None,
            reserved: ask.reserved,
            accessible: ask.accessible,
            touched: ask.touched,
            resident: Some(ask.touched),
            charged: ask.charged,
        };
        let space = SpaceId(space);
        self.spaces.entry(space).or_default().insert(id, left);
        self.born.insert(id, self.now);
        self.stacks.insert(id, ask.stack);
        let change = Change::Born {
            id,
            space,
            pid: Pid(who.0),
            tid: Tid(who.1),
            stack: ask.stack,
            origin,
            time: self.time(),
            figures: Difference {
                reserved: signed(ask.reserved),
                accessible: signed(ask.accessible),
                charged: signed(ask.charged),
                touched: signed(ask.touched),
            },
        };
        (id, change)
    }

    fn call(&self, who: (u32, u32), space: u32, stack: StackId, action: Action) -> Event {
        let bytes = self.kernel_bytes(SpaceId(space)).unwrap_or(0);
        Event::Call(Call {
            stamp: self.stamp(who, space),
            stack,
            action,
            totals: Some(Totals {
                total_pages: bytes / PAGE,
                stack_pages: 0,
            }),
            took_ns: 0,
        })
    }

    pub fn reserve(&mut self, who: (u32, u32), space: u32, ask: Ask) -> ReservationId {
        self.reserve_named(who, space, ask, "")
    }

    /// With the name that the kernel has for it.
    pub fn reserve_named(
        &mut self,
        who: (u32, u32),
        space: u32,
        ask: Ask,
        name: &str,
    ) -> ReservationId {
        let (id, change) = self.add(who, space, ask, Origin::Map, name);
        let action = Action::Map {
            address: Address(0),
            length: ask.reserved,
            protection: 0,
            flags: ask.flags,
            file_offset: None,
        };
        let event = self.call(who, space, ask.stack, action);
        self.tell(&event, &[change]);
        id
    }

    /// Growth without a call.
    pub fn unseen(&mut self, who: (u32, u32), space: u32, ask: Ask, name: &str) {
        let (_, change) = self.add(who, space, ask, Origin::Unseen, name);
        let event = self.call(who, space, StackId::NONE, unmap());
        self.tell(&event, &[change]);
    }

    /// Changes a reservation by a call of one kind or another.
    pub fn adjust(&mut self, who: (u32, u32), space: u32, id: ReservationId, by: Difference) {
        self.adjust_by(who, space, id, by, unmap());
    }

    pub fn adjust_by(
        &mut self,
        who: (u32, u32),
        space: u32,
        id: ReservationId,
        by: Difference,
        action: Action,
    ) {
        let living = self.spaces.get_mut(&SpaceId(space)).unwrap();
        let left = living.get_mut(&id).unwrap();
        for (figure, change) in [
            (&mut left.reserved, by.reserved),
            (&mut left.accessible, by.accessible),
            (&mut left.charged, by.charged),
            (&mut left.touched, by.touched),
        ] {
            *figure = figure.checked_add_signed(change).unwrap();
        }
        left.length = left.reserved;
        left.resident = Some(left.touched);
        let change = Change::Changed {
            id,
            space: SpaceId(space),
            time: self.time(),
            difference: by,
        };
        let event = self.call(who, space, StackId::NONE, action);
        self.tell(&event, &[change]);
    }

    fn death(&mut self, space: u32, id: ReservationId, released: bool) -> Change {
        let living = self.spaces.get_mut(&SpaceId(space)).unwrap();
        let left = living.remove(&id).unwrap();
        self.fallen = Some(left.clone());
        Change::Died {
            id,
            space: SpaceId(space),
            time: self.time(),
            born: Nanoseconds(EPOCH + self.born[&id]),
            difference: Difference {
                reserved: -signed(left.reserved),
                accessible: -signed(left.accessible),
                charged: -signed(left.charged),
                touched: -signed(left.touched),
            },
            released,
        }
    }

    pub fn release(&mut self, who: (u32, u32), space: u32, id: ReservationId) {
        let change = self.death(space, id, true);
        let event = self.call(who, space, StackId::NONE, unmap());
        self.tell(&event, &[change]);
    }

    fn all_die(&mut self, space: u32) -> Vec<Change> {
        let living = self.living(SpaceId(space));
        living
            .iter()
            .map(|one| self.death(space, one.id, false))
            .collect()
    }

    /// `old` is `None` where the process has shared its parent's space.
    pub fn exec(&mut self, pid: u32, old: Option<u32>, new: u32, kernel: u64, who: Identity) {
        let mut changes = Vec::new();
        if let Some(old) = old {
            self.left = Some(self.told(SpaceId(old)));
            changes = self.all_die(old);
        }
        let exec = Exec {
            stamp: self.stamp((pid, pid), new),
            totals: Totals {
                total_pages: kernel / PAGE,
                stack_pages: 33,
            },
            identity: who,
        };
        self.tell(&Event::Exec(exec), &changes);
    }

    pub fn seed(&mut self, pid: u32, space: u32, mappings: &[(&str, u64)]) {
        let mut changes = Vec::new();
        for (name, bytes) in mappings {
            let ask = Ask {
                charged: 0,
                ..Ask::memory(StackId::NONE, *bytes, bytes / 4 / PAGE * PAGE)
            };
            changes.push(
                self.add((pid, pid), space, ask, Origin::PreExisting, name)
                    .1,
            );
        }
        let maps = Maps {
            time: self.time(),
            began: self.time(),
            pid: Pid(pid),
            space: SpaceId(space),
            mappings: vec![Default::default(); mappings.len()],
            ..Maps::default()
        };
        self.tell(&Event::Maps(maps), &changes);
    }

    pub fn fork(
        &mut self,
        parent: (u32, u32),
        space: u32,
        child: u32,
        child_space: u32,
        comm: &str,
    ) {
        let mut changes = Vec::new();
        if space != child_space {
            for one in self.living(SpaceId(space)) {
                let ask = Ask {
                    accessible_at: None,
                    stack: self.stacks[&one.id],
                    reserved: one.reserved,
                    accessible: one.accessible,
                    charged: one.charged,
                    touched: 0,
                    flags: one.flags,
                };
                let copy = self.add(
                    (child, child),
                    child_space,
                    ask,
                    Origin::Inherited,
                    &one.name,
                );
                changes.push(copy.1);
            }
        }
        let bytes = self.mapped_bytes(SpaceId(child_space));
        let fork = Fork {
            stamp: self.stamp(parent, space),
            child: Pid(child),
            child_space: SpaceId(child_space),
            totals: Totals {
                total_pages: bytes / PAGE,
                stack_pages: 33,
            },
            comm: comm.into(),
            followed: true,
        };
        self.tell(&Event::Fork(fork), &changes);
    }

    pub fn exit(&mut self, pid: u32, space: u32, status: ExitStatus) {
        self.exit_after(pid, space, status, None);
    }

    /// An exit whose totals tell of growth that no event has told before.
    pub fn exit_after(
        &mut self,
        pid: u32,
        space: u32,
        status: ExitStatus,
        grown: Option<(ReservationId, u64)>,
    ) {
        let mut changes = Vec::new();
        if let Some((id, bytes)) = grown {
            let living = self.spaces.get_mut(&SpaceId(space)).unwrap();
            living.get_mut(&id).unwrap().reserved += bytes;
            changes.push(Change::Changed {
                id,
                space: SpaceId(space),
                time: self.time(),
                difference: Difference {
                    reserved: signed(bytes),
                    ..Difference::default()
                },
            });
        }
        let mut left = self.told(SpaceId(space));
        let kernel = left.kernel_bytes.unwrap_or(0);
        // The totals of an exit are held against the ledger, too.
        left.kernel_bytes = Some(kernel);
        left.checks.totals += 1;
        self.left = Some(left);
        changes.extend(self.all_die(space));
        self.exited(pid, space, status, kernel, &changes);
    }

    /// The exit of one who lives in another's space, in which the kernel has so many bytes more by then.
    pub fn exit_of_guest(&mut self, pid: u32, space: u32, more: u64) {
        self.left = Some(self.told(SpaceId(space)));
        let kernel = self.mapped_bytes(SpaceId(space)) + more;
        self.exited(pid, space, ExitStatus::Code(0), kernel, &[]);
    }

    fn exited(
        &mut self,
        pid: u32,
        space: u32,
        status: ExitStatus,
        kernel: u64,
        changes: &[Change],
    ) {
        let exit = Exit {
            stamp: self.stamp((pid, pid), space),
            status,
            totals: Some(Totals {
                total_pages: kernel / PAGE,
                stack_pages: 33,
            }),
        };
        self.tell(&Event::Exit(exit), changes);
    }

    pub fn sample(&mut self, pid: u32, space: u32, resident: u64) {
        let sample = Sample {
            time: self.time(),
            pid: Pid(pid),
            virtual_bytes: self.mapped_bytes(SpaceId(space)) + self.unexplained,
            resident_bytes: resident,
            resident_peak_bytes: resident,
            maps: Some(793),
        };
        self.tell(&Event::Sample(sample), &[]);
    }
}

fn unmap() -> Action {
    Action::Unmap {
        address: Address(0),
        length: 0,
    }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap()
}
