//! The ledger against a model that cannot be wrong: an array of pages.
//!
//! The model is a small kernel. It decides which calls succeed, and keeps for each page who owns it,
//! its protection, its charge and whether it was touched. The ledger sees only what a tracer would: the
//! events of the calls, and snapshots of the maps that were read, page by page, at any moment between
//! the begin and the end of their reading.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "what is pure is tested by what is not"
)]

mod step;

mod machine;

mod calls;

mod remap;

mod memory;

mod segments;

mod wire;

mod kept;

mod threads;

use proptest::prelude::*;
use tracer_ledger::event::{
    Event, Exec, Fork, Loss, MapsPurpose, Nanoseconds, Pid, SpaceId, Stamp,
};

use crate::{kept::*, machine::*, step::*, threads::*, wire::*};

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(any::<Numbers>().prop_map(Step::of), 0..most)
}

/// A process as it was before tracing.
fn before(steps: &[Step]) -> Machine {
    let mut machine = Machine::new(HEAP);
    for step in steps {
        machine.step(step);
    }
    machine.failures = true;
    for page in machine.pages.iter_mut().flatten() {
        let mut old = Machine::fresh((0, Kind::Old), page.mapped.protection);
        // What maps do not show is taken for the usual: private memory was written to.
        if page.mapped.shared {
            old.mapped.shared = true;
            old.mapped.segment = page.mapped.segment;
            old.mapped.noreserve = page.mapped.segment != 0;
            old.mapped.charged = page.mapped.segment == 0;
            old.mapped.zero = page.mapped.zero;
        } else {
            old.own = Own::Some;
        }
        *page = old;
    }
    machine.time = 10;
    machine
}

/// The same, as it is when the maps cannot tell all.
fn start() -> impl Strategy<Value = Machine> {
    steps(25).prop_map(|steps| before(&steps))
}

fn moments() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(any::<usize>(), HEAP + 1)
}

/// Everything may happen from now on, and all that the ledger cannot know is left out: the size of a
/// segment that nobody saw attached, and whose it is what a failed move has moved.
fn unleashed(mut machine: Machine) -> Machine {
    for page in &mut machine.pages {
        *page = page.filter(|page| page.mapped.segment == 0);
    }
    machine.reach = PAGES;
    machine.failures = false;
    machine
}

/// Reads the maps again if the ledger asks for it: something moved of which nobody knows how it was
/// mapped, or a call failed halfway.
fn reread(kept: &mut Kept, machine: &mut Machine) {
    if kept.space().needs_resync() {
        // Long enough for everything that faults have begun.
        machine.time += 10_000_000;
        let began = machine.time;
        machine.time += 1;
        kept.apply(&maps(
            began,
            machine.time,
            MapsPurpose::Resync,
            truth(machine),
        ));
    }
}

/// Sequences, and steps of each.
const SEQUENCES: u64 = 1000;
const STEPS: u64 = 2000;

/// Nothing unknown: every page, every figure. With `SEED` set, that sequence only, and after every step.
#[test]
fn millions_of_operations_leave_the_ledger_and_the_page_array_one() {
    let only: Option<u64> = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seeds = only.map_or(0..SEQUENCES, |seed| seed..seed + 1);
    let (mut operations, mut events) = (0, 0);
    for seed in seeds {
        let story = std::panic::catch_unwind(|| sequence(seed, only.is_some()));
        let Ok(done) = story else {
            panic!("sequence {seed}: see the panic above, and try SEED={seed}");
        };
        operations += done.0;
        events += done.1;
    }
    println!("{operations} operations, {events} events");
    assert!(only.is_some() || operations == SEQUENCES * STEPS);
    assert!(events * 2 > operations, "most operations do something");
}

/// One long sequence; how many operations, and events of it.
fn sequence(seed: u64, every: bool) -> (u64, u64) {
    let mut dice = Dice::new(seed);
    let first: Vec<Step> = (0..20).map(|_| Step::of(dice.numbers())).collect();
    let mut machine = unleashed(before(&first));
    let mut kept = Kept::seeded(&machine);
    let mut events = 0;
    for operation in 0..STEPS {
        let step = Step::of(dice.numbers());
        if every {
            println!("{step:?}");
        }
        for event in machine.step(&step) {
            kept.apply(&event);
            events += 1;
        }
        let mapped = totals(&machine).total_pages * PAGE;
        assert_eq!(kept.space().mapped_bytes(), mapped, "{step:?}");
        if every || operation % 16 == 0 {
            kept.check(&machine, SpaceId(1), 0);
            kept.consistent();
        }
    }
    (STEPS, events)
}

/// Sequences of racing threads.
const RACES: u64 = 300;

/// The same when the calls' records come out of order. The ledger is held against the total at every
/// call, and against every page whenever nothing is under way.
#[test]
fn records_that_come_out_of_order_leave_the_ledger_and_the_page_array_one() {
    let (mut overtaken, mut checks) = (0, 0);
    for seed in 0..RACES {
        let mut dice = Dice::new(seed);
        let first: Vec<Step> = (0..20).map(|_| Step::of(dice.numbers())).collect();
        let mut machine = unleashed(before(&first));
        let mut kept = Kept::seeded(&machine);
        let mut threads = Threads::new();
        for operation in 0..STEPS {
            let step = Step::of(dice.numbers());
            threads.step(&mut machine, &mut kept, &step, dice.roll());
            if operation % 64 == 63 {
                threads.settle(machine.time, &mut kept);
                threads.check();
                kept.check(&machine, SpaceId(1), 0);
            }
        }
        overtaken += threads.overtaken;
        let told = kept.space().checks();
        assert_eq!(told.totals_differing, 0, "sequence {seed}");
        checks += told.totals;
    }
    println!("{overtaken} records overtook others, {checks} totals agreed");
    assert!(overtaken > RACES * STEPS / 20, "{overtaken}");
    assert!(checks > RACES * STEPS / 4, "{checks}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// As the long sequences above, to be made short when it fails.
    #[test]
    fn a_seeded_ledger_is_the_page_array(start in start(), steps in steps(60)) {
        let mut machine = unleashed(start);
        let mut kept = Kept::seeded(&machine);
        for step in &steps {
            kept.run(&mut machine, std::slice::from_ref(step));
            kept.check(&machine, SpaceId(1), 0);
            kept.check_maps(&machine);
        }
    }

    /// A snapshot read while the process goes on, each page at its own moment, placed at the end of
    /// its reading: from then on the ledger is the truth, and stays it.
    #[test]
    fn a_torn_snapshot_among_calls_seeds_the_truth(
        start in start(),
        early in steps(8),
        meanwhile in steps(12),
        later in steps(20),
        moments in moments(),
    ) {
        let mut machine = start;
        let mut kept = Kept::new();
        kept.run(&mut machine, &early);
        let began = machine.time + 1;
        kept.apply(&reading(began));
        let states = kept.run(&mut machine, &meanwhile);
        prop_assert!(!kept.space().lost_something());
        kept.apply(&maps(began, machine.time + 1, MapsPurpose::Seed, torn(&states, &moments)));
        prop_assert!(!kept.space().lost_something());
        reread(&mut kept, &mut machine);
        prop_assert!(!kept.space().needs_resync());
        kept.check_maps(&machine);
        for step in &later {
            kept.run(&mut machine, std::slice::from_ref(step));
            reread(&mut kept, &mut machine);
            kept.check_maps(&machine);
        }
    }

    /// Any events are lost, and it is noticed; the next snapshot, torn as it may be, brings the truth
    /// back, and no figure goes astray.
    #[test]
    fn a_torn_snapshot_after_a_loss_brings_the_truth_back(
        start in start(),
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
        prop_assert!(kept.space().needs_resync() && kept.space().lost_something());
        kept.run(&mut machine, &between);
        let began = machine.time + 1;
        kept.apply(&reading(began));
        let states = kept.run(&mut machine, &meanwhile);
        kept.apply(&maps(began, machine.time + 1, MapsPurpose::Resync, torn(&states, &moments)));
        reread(&mut kept, &mut machine);
        prop_assert!(!kept.space().needs_resync() && !kept.space().lost_something());
        kept.check_maps(&machine);
        for step in &later {
            kept.run(&mut machine, std::slice::from_ref(step));
            reread(&mut kept, &mut machine);
            kept.check_maps(&machine);
        }
    }

    /// A forked child is the parent's twin, and from then on neither changes the other.
    #[test]
    fn a_fork_is_a_copy_that_lives_its_own_life(
        start in start(),
        common in steps(20),
        parents in steps(15),
        childs in steps(15),
    ) {
        let mut machine = unleashed(start);
        let mut kept = Kept::seeded(&machine);
        kept.run(&mut machine, &common);
        let forked = machine.time + 1;
        let mut child = machine.forked();
        kept.apply(&Event::Fork(Fork {
            stamp: stamp(forked),
            child: Pid(2),
            child_space: SpaceId(2),
            totals: totals(&child),
            followed: true,
            ..Fork::default()
        }));
        kept.check(&child, SpaceId(2), forked);
        kept.run(&mut machine, &parents);
        kept.check(&machine, SpaceId(1), 0);
        kept.check(&child, SpaceId(2), forked);
        for step in &childs {
            for event in child.step(step) {
                kept.apply(&as_child(event));
            }
            kept.consistent();
            kept.check(&child, SpaceId(2), forked);
        }
        kept.check(&machine, SpaceId(1), 0);
        kept.apply(&Event::Exec(Exec {
            stamp: Stamp { space: SpaceId(3), ..stamp(machine.time + 2) },
            ..Exec::default()
        }));
        prop_assert!(kept.ledger.space(SpaceId(1)).is_none());
        kept.check(&child, SpaceId(2), forked);
    }
}
