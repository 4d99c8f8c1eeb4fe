//! The ledger against a model that cannot be wrong: an array of pages.
//!
//! The model is a small kernel. It decides which calls succeed, and keeps for each page who owns it,
//! its protection, its charge and whether it was touched. The ledger sees only what a tracer would: the
//! events of the calls that succeeded, and snapshots of the maps that were read, page by page, at any
//! moment between the begin and the end of their reading.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tracer::event::{
    Action, Address, Call, Event, Exec, Fault, Fork, Found, Loss, Mapping, Maps, MapsPurpose,
    Nanoseconds, Pid, SpaceId, StackId, Stamp, Tid,
};
use tracer::ledger::{AddressSpace, Change, Ledger, Origin, ReservationId};

const PAGE: u64 = 4096;
/// Pages of the model.
const PAGES: usize = 96;
/// Where the heap begins.
const HEAP: usize = 72;
/// Where the model lies in the address space.
const BASE: u64 = 0x5000_0000;
const FIXED: u32 = 0x10;
const NORESERVE: u32 = 0x4000;
const POPULATE: u32 = 0x8000;

#[derive(Clone, Copy, Debug, PartialEq)]
struct Page {
    /// When the owner was made, and by what; time 0 is before tracing.
    owner: (u64, Kind),
    protection: u8,
    noreserve: bool,
    charged: bool,
    touched: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Map,
    Remap,
    Break,
    Old,
}

#[derive(Clone, Debug)]
enum Step {
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
struct Machine {
    pages: [Option<Page>; PAGES],
    heap_end: usize,
    /// What `mmap`, `munmap` and `mremap` reach: the maps do not show where the heap ends if its end
    /// was unmapped, so a snapshot is only the truth where nobody does that.
    reach: usize,
    time: u64,
}

impl Machine {
    fn fresh(owner: (u64, Kind), protection: u8, noreserve: bool) -> Page {
        Page {
            owner,
            protection,
            noreserve,
            charged: protection & 2 != 0 && !noreserve,
            touched: false,
        }
    }

    fn mapped(&self, at: usize, pages: usize) -> bool {
        pages > 0 && at + pages <= PAGES && self.pages[at..at + pages].iter().all(Option::is_some)
    }

    fn free(&self, at: usize, pages: usize) -> bool {
        at + pages <= PAGES && self.pages[at..at + pages].iter().all(Option::is_none)
    }

    /// Does the step if a kernel would, and says what the tracer sees of it.
    fn step(&mut self, step: &Step) -> Vec<Event> {
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

    fn called(&self, action: Action) -> Vec<Event> {
        vec![call(self.time, action)]
    }

    fn map(&mut self, at: usize, length: usize, protection: u8, flags: u32) -> Vec<Event> {
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

    fn brk(&mut self, end: usize) -> Vec<Event> {
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

    fn remap(
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
        let early = |at, pages, moves| {
            let (address, length) = bytes(at, pages);
            call(
                time - 5,
                Action::RemapLeave {
                    address,
                    length,
                    moves,
                },
            )
        };
        let mut events = Vec::new();
        if new_length < old_length {
            events.push(early(old + new_length, old_length - new_length, false));
            self.pages[old + new_length..old + old_length].fill(None);
        }
        let last = self.pages[old + kept - 1];
        if !in_place {
            if !dont_unmap {
                events.push(early(old, kept, true));
            }
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
        events.extend(self.called(Action::RemapArrive {
            old_address: address(old),
            old_length: bytes(old, old_length).1 - 3,
            new_address: address(new),
            new_length: bytes(new, new_length).1 - 3,
            flags,
        }));
        events
    }
}

fn address(page: usize) -> Address {
    Address(BASE + page as u64 * PAGE)
}

fn bytes(page: usize, pages: usize) -> (Address, u64) {
    (address(page), pages as u64 * PAGE)
}

fn stamp(time: u64) -> Stamp {
    Stamp {
        time: Nanoseconds(time),
        space: SpaceId(1),
        pid: Pid(1),
        tid: Tid(1),
        cpu: 0,
    }
}

fn call(time: u64, action: Action) -> Event {
    Event::Call(Call {
        stamp: stamp(time),
        stack: StackId(time as u32),
        action,
        totals: None,
    })
}

/// The maps of an array of pages, pages of one protection made one mapping as the kernel does.
fn lines(pages: &[Option<Page>; PAGES], heap_end: usize) -> Vec<Mapping> {
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

fn truth(machine: &Machine) -> Vec<Mapping> {
    lines(&machine.pages, machine.heap_end)
}

/// A snapshot of which each page was read at its own moment; the heap, one mapping for the kernel, at
/// one.
fn torn(states: &[Machine], moments: &[usize]) -> Vec<Mapping> {
    let state = |at: usize| &states[moments[at.min(HEAP)] % states.len()];
    lines(
        &std::array::from_fn(|at| state(at).pages[at]),
        state(HEAP).heap_end,
    )
}

fn maps(began: u64, time: u64, purpose: MapsPurpose, mappings: Vec<Mapping>) -> Event {
    Event::Maps(Maps {
        time: Nanoseconds(time),
        began: Nanoseconds(began),
        pid: Pid(1),
        space: SpaceId(1),
        mappings,
        purpose,
    })
}

/// A ledger, and the totals that a reader keeps of its changes.
struct Kept {
    ledger: Ledger,
    figures: BTreeMap<ReservationId, [i64; 4]>,
}

impl Kept {
    fn new() -> Self {
        let mut kept = Self {
            ledger: Ledger::new(PAGE),
            figures: BTreeMap::new(),
        };
        kept.apply(&Event::Found(Found {
            time: Nanoseconds(1),
            pid: Pid(1),
            space: SpaceId(1),
            ..Found::default()
        }));
        kept
    }

    /// Seeded by a reading that nothing disturbed.
    fn seeded(machine: &Machine) -> Self {
        let mut kept = Self::new();
        kept.apply(&maps(2, 3, MapsPurpose::Seed, truth(machine)));
        kept
    }

    fn apply(&mut self, event: &Event) {
        let mut changes = Vec::new();
        self.ledger.apply(event, &mut changes);
        for change in changes {
            let (id, difference) = match change {
                Change::Born { id, figures, .. } => {
                    assert!(self.figures.insert(id, [0; 4]).is_none(), "born once");
                    (id, figures)
                }
                Change::Changed { id, difference, .. } | Change::Died { id, difference, .. } => {
                    (id, difference)
                }
            };
            let sum = self.figures.get_mut(&id).expect("changes come after birth");
            sum[0] += difference.reserved;
            sum[1] += difference.accessible;
            sum[2] += difference.charged;
            sum[3] += difference.touched;
            if let Change::Died { .. } = change {
                assert_eq!(
                    self.figures.remove(&id),
                    Some([0; 4]),
                    "the dead have nothing"
                );
            } else {
                assert!(sum[0] > 0, "what has nothing is dead");
            }
        }
        self.consistent();
    }

    fn run(&mut self, machine: &mut Machine, steps: &[Step]) -> Vec<Machine> {
        let mut states = vec![machine.clone()];
        for step in steps {
            for event in machine.step(step) {
                self.apply(&event);
            }
            states.push(machine.clone());
        }
        states
    }

    fn space(&self) -> &AddressSpace {
        self.ledger.space(SpaceId(1)).expect("alive")
    }

    /// Figures of reservations, sums of changes and the map itself are one.
    fn consistent(&self) {
        let mut figures = BTreeMap::new();
        for (_, space) in self.ledger.spaces() {
            let mut pieces: BTreeMap<ReservationId, [i64; 4]> = BTreeMap::new();
            for (start, end, piece) in space.ranges() {
                let sums = pieces.entry(piece.owner).or_default();
                let bytes = (end.0 - start.0) as i64;
                sums[0] += bytes;
                sums[1] += if piece.attributes.protection == 0 {
                    0
                } else {
                    bytes
                };
                sums[2] += if piece.attributes.charged { bytes } else { 0 };
                for page in start.0 / PAGE..end.0 / PAGE {
                    let touched = space.is_touched(Address(page * PAGE));
                    sums[3] += if touched { PAGE as i64 } else { 0 };
                }
            }
            let mut total = 0;
            for reservation in space.reservations() {
                total += reservation.reserved_bytes;
                let of_reservation = [
                    reservation.reserved_bytes as i64,
                    reservation.accessible_bytes as i64,
                    reservation.charged_bytes as i64,
                    reservation.touched_bytes as i64,
                ];
                let held = space
                    .pieces(reservation.id)
                    .map(|(start, end, _)| end.0 - start.0);
                // Between the halves of an mremap the pieces are in transit.
                if let Some(sums) = pieces.get(&reservation.id)
                    && sums[0] == of_reservation[0]
                {
                    assert_eq!(*sums, of_reservation);
                    assert_eq!(held.sum::<u64>(), reservation.reserved_bytes);
                }
                figures.insert(reservation.id, of_reservation);
            }
            assert_eq!(space.mapped_bytes(), total);
        }
        assert_eq!(figures, self.figures);
    }

    /// Page by page: mapped, protection; and with `whole`, owner, charge and touch too.
    fn check(&self, machine: &Machine, whole: bool) {
        let space = self.space();
        let truth = truth(machine);
        assert_eq!(space.compare(&truth), []);
        let bytes: u64 = truth.iter().map(|line| line.end.0 - line.start.0).sum();
        assert_eq!(space.mapped_bytes(), bytes);
        if !whole {
            return;
        }
        for (at, page) in machine.pages.iter().enumerate() {
            let Some(page) = page else {
                assert!(!space.is_touched(address(at)), "page {at}");
                continue;
            };
            let owner = space
                .owner(address(at))
                .expect("mapped pages have an owner");
            let owner = space.reservation(owner).expect("owners live");
            let kind = match owner.origin {
                Origin::Map => Kind::Map,
                Origin::Remap => Kind::Remap,
                Origin::Break => Kind::Break,
                Origin::Attach | Origin::PreExisting | Origin::Inherited | Origin::Unseen => {
                    Kind::Old
                }
            };
            let made = if kind == Kind::Old { 0 } else { owner.born.0 };
            assert_eq!((made, kind), page.owner, "owner of page {at}");
            assert_eq!(u64::from(owner.stack.0), made, "stack of page {at}");
            let charged = space
                .pieces(owner.id)
                .find(|(start, end, _)| (*start..*end).contains(&address(at)))
                .map(|(_, _, attributes)| attributes.charged);
            assert_eq!(charged, Some(page.charged), "charge of page {at}");
            assert_eq!(
                space.is_touched(address(at)),
                page.touched,
                "touch of page {at}"
            );
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let protection = prop_oneof![Just(0u8), Just(1), Just(3), Just(5)];
    let flags = prop_oneof![
        2 => Just(0),
        3 => Just(FIXED),
        1 => Just(NORESERVE),
        1 => Just(FIXED | NORESERVE),
        1 => Just(FIXED | POPULATE),
    ];
    let remap = prop_oneof![Just(1u32), Just(3), Just(5)];
    prop_oneof![
        5 => (0..PAGES, 1..24usize, protection.clone(), flags)
            .prop_map(|(at, n, p, f)| Step::Map(at, n, p, f)),
        3 => (0..PAGES, 1..16usize).prop_map(|(at, n)| Step::Unmap(at, n)),
        3 => (0..PAGES, 1..6usize, protection).prop_map(|(at, n, p)| Step::Protect(at, n, p)),
        4 => (0..PAGES, 1..6usize, 0..PAGES, 1..8usize, remap)
            .prop_map(|(a, n, b, m, f)| Step::Remap(a, n, b, m, f)),
        2 => (HEAP..PAGES).prop_map(Step::Break),
        5 => (0..PAGES, any::<bool>()).prop_map(|(at, write)| Step::Fault(at, write)),
        1 => (0..PAGES, 1..6usize).prop_map(|(at, n)| Step::Populate(at, n)),
    ]
}

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 0..most)
}

/// A process as it was before tracing.
fn before(reach: usize) -> impl Strategy<Value = Machine> {
    steps(25).prop_map(move |steps| {
        let mut machine = Machine {
            pages: [None; PAGES],
            heap_end: HEAP,
            reach: HEAP,
            time: 0,
        };
        for step in &steps {
            machine.step(step);
        }
        for page in machine.pages.iter_mut().flatten() {
            *page = Machine::fresh((0, Kind::Old), page.protection, false);
        }
        machine.reach = reach;
        machine.time = 10;
        machine
    })
}

fn moments() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(any::<usize>(), HEAP + 1)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Nothing unknown: every page, every figure, after every step.
    #[test]
    fn a_seeded_ledger_is_the_page_array(start in before(PAGES), steps in steps(60)) {
        let mut machine = start;
        let mut kept = Kept::seeded(&machine);
        for step in &steps {
            kept.run(&mut machine, std::slice::from_ref(step));
            kept.check(&machine, true);
        }
    }

    /// A snapshot read while the process goes on, each page at its own moment, placed at the end of
    /// its reading: from then on the ledger is the truth, and stays it.
    #[test]
    fn a_torn_snapshot_among_calls_seeds_the_truth(
        start in before(HEAP),
        early in steps(8),
        meanwhile in steps(12),
        later in steps(20),
        moments in moments(),
    ) {
        let mut machine = start;
        let mut kept = Kept::new();
        kept.run(&mut machine, &early);
        let began = machine.time + 1;
        let states = kept.run(&mut machine, &meanwhile);
        kept.apply(&maps(began, machine.time + 1, MapsPurpose::Seed, torn(&states, &moments)));
        if kept.space().needs_resync() {
            // Something moved of which nobody can know how it was mapped: it is mapped, though.
            let began = machine.time + 2;
            kept.apply(&maps(began, machine.time + 3, MapsPurpose::Resync, truth(&machine)));
        }
        prop_assert!(!kept.space().needs_resync());
        prop_assert_eq!(kept.ledger.resyncs(), 0);
        kept.check(&machine, false);
        for step in &later {
            kept.run(&mut machine, std::slice::from_ref(step));
            kept.check(&machine, false);
        }
    }

    /// Any events are lost, and it is noticed; the next snapshot, torn as it may be, brings the truth
    /// back, and no figure goes astray.
    #[test]
    fn a_torn_snapshot_after_a_loss_brings_the_truth_back(
        start in before(HEAP),
        seen in steps(20),
        lost in steps(10),
        between in steps(6),
        meanwhile in steps(10),
        later in steps(10),
        moments in moments(),
        part in any::<u32>(),
    ) {
        let mut machine = start;
        let mut kept = Kept::seeded(&machine);
        kept.run(&mut machine, &seen);
        let mut count = 0;
        for step in &lost {
            for event in machine.step(step) {
                count += 1;
                if part & (1 << (count % 32)) != 0 {
                    kept.apply(&event);
                }
            }
        }
        machine.time += 10;
        kept.apply(&Event::Loss(Loss {
            time: Nanoseconds(machine.time),
            events: 1,
            ..Loss::default()
        }));
        prop_assert!(kept.space().needs_resync());
        kept.run(&mut machine, &between);
        let began = machine.time + 1;
        let states = kept.run(&mut machine, &meanwhile);
        kept.apply(&maps(began, machine.time + 1, MapsPurpose::Resync, torn(&states, &moments)));
        if kept.space().needs_resync() {
            let began = machine.time + 2;
            kept.apply(&maps(began, machine.time + 3, MapsPurpose::Resync, truth(&machine)));
        }
        prop_assert!(!kept.space().needs_resync());
        prop_assert_eq!(kept.ledger.resyncs(), 1);
        kept.check(&machine, false);
        for step in &later {
            kept.run(&mut machine, std::slice::from_ref(step));
            kept.check(&machine, false);
        }
    }

    /// A forked child is the parent's twin, and from then on neither changes the other.
    #[test]
    fn a_fork_is_a_copy_that_lives_its_own_life(
        start in before(PAGES),
        common in steps(20),
        parents in steps(15),
    ) {
        let mut machine = start;
        let mut kept = Kept::seeded(&machine);
        kept.run(&mut machine, &common);
        kept.apply(&Event::Fork(Fork {
            stamp: stamp(machine.time + 1),
            child: Pid(2),
            child_space: SpaceId(2),
            followed: true,
            ..Fork::default()
        }));
        let at_fork = truth(&machine);
        kept.run(&mut machine, &parents);
        kept.check(&machine, true);
        let child = kept.ledger.space(SpaceId(2)).expect("alive");
        prop_assert_eq!(child.compare(&at_fork), []);
        kept.apply(&Event::Exec(Exec {
            stamp: Stamp { space: SpaceId(3), ..stamp(machine.time + 2) },
            ..Exec::default()
        }));
        prop_assert!(kept.ledger.space(SpaceId(1)).is_none());
        let child = kept.ledger.space(SpaceId(2)).expect("alive");
        prop_assert_eq!(child.compare(&at_fork), []);
    }
}
