use super::Short::{Born, Died};
use super::*;

#[test]
fn fork_copies_every_reservation_with_its_site_and_age() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    story.map(20, 2, RW, MAP_SHARED | MAP_ANONYMOUS);
    story.map(30, 2, RW, PRIVATE);
    story.advise(30, 1, MADV_DONTFORK);
    story.fault(11, true);
    let changes = story.fork(11, 2);
    assert_eq!(
        short(&changes),
        [
            Born(Origin::Inherited, pages(4, 4, 4, 1)),
            Born(Origin::Inherited, pages(2, 2, 0, 0)),
            Born(Origin::Inherited, pages(1, 1, 1, 0)),
        ]
    );
    story.as_process(11, 2);
    let copy = story.made_at(2);
    assert_eq!((copy.stack, copy.pid), (StackId(2), Pid(10)));
    story.unmap(10, 100);
    assert_eq!(story.space().mapped_bytes(), 0);
    story.as_process(10, 1);
    assert_eq!(story.space().mapped_bytes(), 8 * PAGE);
}

#[test]
fn a_child_has_touched_what_fork_hands_on() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    story.fault(11, true);
    story.fault(12, false);
    story.map(20, 4, RW, MAP_SHARED | MAP_ANONYMOUS);
    story.fault(21, true);
    // Never written to: the kernel copies no page tables.
    story.map(30, 4, RW, PRIVATE);
    story.fault(31, false);
    story.map(40, 4, RW, PRIVATE);
    story.fault(41, true);
    story.advise(40, 4, MADV_WIPEONFORK);
    story.look(&[(11, 1), (21, 1), (41, 1)]);
    assert_eq!(
        short(&story.fork(11, 2)),
        [
            Born(Origin::Inherited, pages(4, 4, 4, 2)),
            Born(Origin::Inherited, pages(4, 4, 0, 0)),
            Born(Origin::Inherited, pages(4, 4, 4, 0)),
            Born(Origin::Inherited, pages(4, 4, 4, 0)),
        ]
    );
}

#[test]
fn a_vforked_child_shares_the_space_until_it_executes() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    assert_eq!(short(&story.fork(11, 1)), []);
    story.as_process(11, 1);
    story.unmap(10, 1);
    assert_eq!(short(&story.exec(2)), []);
    assert_eq!(story.ledger.space_of(Pid(11)), Some(SpaceId(2)));
    assert!(story.space().needs_resync() && !story.space().is_seeded());
    story.as_process(10, 1);
    assert_eq!(story.space().mapped_bytes(), 3 * PAGE);
}

#[test]
fn what_a_process_left_can_be_looked_at_until_the_next_event() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    story.fork(11, 1);
    story.exit();
    // The child lives on in it.
    assert_eq!(story.ledger.left().unwrap().users(), [Pid(11)]);
    story.as_process(11, 1);
    story.exec(2);
    let left = story.ledger.left().unwrap();
    assert_eq!((left.id(), left.mapped_bytes()), (SpaceId(1), 4 * PAGE));
    assert_eq!(left.reservations().count(), 1);
    story.reading();
    assert!(story.ledger.left().is_none());
}

#[test]
fn the_totals_of_an_exit_are_the_last_check_of_its_space_whatever_is_in_doubt() {
    for (seeded, kernel) in [(true, 4), (false, 4), (true, 5)] {
        let mut story = if seeded {
            Story::new()
        } else {
            Story::unseeded()
        };
        story.map(10, 4, RW, PRIVATE);
        let stamp = story.stamp();
        story.apply(&Event::Exit(Exit {
            stamp,
            status: ExitStatus::Code(0),
            totals: Some(Totals {
                total_pages: kernel,
                stack_pages: 0,
            }),
        }));
        let left = story.ledger.left().unwrap();
        assert_eq!(left.kernel_bytes(), Some(kernel * PAGE));
        let checks = left.checks();
        let differing = u64::from(kernel != 4);
        assert_eq!((checks.totals, checks.totals_differing), (1, differing));
        assert_eq!(checks.largest_bytes, (kernel - 4) * PAGE);
    }
}

#[test]
fn growth_that_only_the_totals_of_the_exit_tell_is_in_what_was_left() {
    let mut story = Story::unseeded();
    story.maps(MapsPurpose::Seed, &[line(1000, 4, RW, "[stack]")]);
    let stamp = story.stamp();
    story.apply(&Event::Exit(Exit {
        stamp,
        status: ExitStatus::Code(0),
        totals: Some(Totals {
            total_pages: 6,
            stack_pages: 6,
        }),
    }));
    let left = story.ledger.left().unwrap();
    assert_eq!(left.mapped_bytes(), 6 * PAGE);
    assert_eq!(
        left.owner(Address(998 * PAGE)),
        left.owner(Address(1000 * PAGE))
    );
    assert!(left.owner(Address(998 * PAGE)).is_some());
}

#[test]
fn the_last_exit_releases_all() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    story.fork(11, 1);
    assert_eq!(short(&story.exit()), []);
    story.as_process(11, 1);
    assert_eq!(short(&story.exit()), [Died(pages(-4, -4, -4, 0), false)]);
    assert!(story.ledger.space(SpaceId(1)).is_none());
}

#[test]
fn exec_ends_the_old_space_and_begins_one_with_an_empty_heap() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    assert_eq!(short(&story.exec(2)), [Died(pages(-4, -4, -4, 0), false)]);
    assert_eq!(
        short(&story.brk(100, 103)),
        [Born(Origin::Break, pages(3, 3, 3, 0))]
    );
    let changes = story.maps(
        MapsPurpose::Seed,
        &[line(10, 2, R, "/bin/x"), line(100, 3, RW, "[heap]")],
    );
    assert_eq!(
        short(&changes),
        [Born(Origin::PreExisting, pages(2, 2, 0, 0))]
    );
}

#[test]
fn a_number_used_again_for_another_space_ends_what_was_believed_alive() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    story.fork(11, 2);
    // The parent's exit was lost; the kernel gives its space's number to a child of the child.
    story.as_process(11, 2);
    let changes = story.fork(12, 1);
    assert_eq!(
        short(&changes),
        [
            Died(pages(-4, -4, -4, 0), false),
            Born(Origin::Inherited, pages(4, 4, 4, 0))
        ]
    );
    assert_eq!(story.ledger.space_of(Pid(10)), None);
}

#[test]
fn a_call_in_a_space_whose_begin_was_lost_begins_it() {
    let mut story = Story::new();
    story.as_process(50, 7);
    assert_eq!(
        short(&story.map(10, 4, RW, PRIVATE)),
        [Born(Origin::Map, pages(4, 4, 4, 0))]
    );
    assert!(story.space().needs_resync());
}

#[test]
fn children_that_are_not_followed_are_not_copied() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    let stamp = story.stamp();
    let changes = story.apply(&Event::Fork(Fork {
        stamp,
        child: Pid(11),
        child_space: SpaceId(2),
        ..Fork::default()
    }));
    assert_eq!(short(&changes), []);
    assert!(story.ledger.space(SpaceId(2)).is_none());
}

#[test]
fn where_the_machine_never_overcommits_noreserve_is_charged() {
    let mut story = Story::new();
    let mut exec = Exec {
        stamp: story.stamp(),
        ..Exec::default()
    };
    exec.identity.limits.overcommit_memory = Some(2);
    story.apply(&Event::Exec(exec));
    story.map(10, 4, RW, PRIVATE | MAP_NORESERVE);
    assert_eq!(story.made_at(3).charged_bytes, 4 * PAGE);
}

#[test]
fn the_kernels_total_of_a_child_is_its_own_however_its_parent_stands() {
    let mut story = Story::new();
    story.map(10, 2, RW, PRIVATE);
    story.lose();
    let stamp = story.stamp();
    story.apply(&Event::Fork(Fork {
        stamp,
        child: Pid(11),
        child_space: SpaceId(2),
        totals: Totals {
            total_pages: 3,
            stack_pages: 0,
        },
        comm: "child".into(),
        followed: true,
    }));
    story.as_process(11, 2);
    assert_eq!(story.space().kernel_bytes(), Some(3 * PAGE));
    story.map(20, 1, RW, PRIVATE);
    story.exit();
    // No totals came with the exit, and it had mapped since.
    assert_eq!(story.ledger.left().unwrap().kernel_bytes(), None);
}
