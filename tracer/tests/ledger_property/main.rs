//! The ledger against a model that cannot be wrong: an array of pages.
//!
//! The model is a small kernel. It decides which calls succeed, and keeps for each page who owns it,
//! its protection, its charge and whether it was touched. The ledger sees only what a tracer would: the
//! events of the calls that succeeded, and snapshots of the maps that were read, page by page, at any
//! moment between the begin and the end of their reading.

mod machine;

mod kept;

use proptest::prelude::*;
use tracer::event::{Event, Exec, Fork, Loss, MapsPurpose, Nanoseconds, Pid, SpaceId, Stamp};

use crate::{kept::*, machine::*};

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
