use super::Short::{Born, Changed, Died};
use super::*;
use crate::ledger::RangeDifference;

#[test]
fn what_the_maps_show_first_was_there_before() {
    let mut story = Story::unseeded();
    story.time = 5;
    let changes = story.maps(
        MapsPurpose::Seed,
        &[
            line(10, 4, R, "/bin/true"),
            line(20, 2, RW, ""),
            line(0xf_ffff_ffff_f600, 1, 5, "[vsyscall]"),
        ],
    );
    assert_eq!(
        short(&changes),
        [
            Born(Origin::PreExisting, pages(4, 4, 0, 0)),
            Born(Origin::PreExisting, pages(2, 2, 2, 0)),
        ]
    );
    let binary = story.space().reservations().next().unwrap();
    assert_eq!((&*binary.name, binary.born), ("/bin/true", Nanoseconds(1)));
    assert_eq!(binary.stack, StackId::NONE);
    assert!(story.space().is_seeded());
}

#[test]
fn calls_since_the_begin_win_over_the_first_maps() {
    let mut story = Story::unseeded();
    story.unmap(10, 2);
    story.protect(12, 2, NONE);
    story.map(16, 2, RW, PRIVATE);
    assert_eq!(story.shape(), [(16, 2, 3, RW)]);
    story.maps(MapsPurpose::Seed, &[line(10, 10, R, "old")]);
    assert_eq!(
        story.shape(),
        [
            (12, 2, 0, NONE),
            (14, 2, 0, R),
            (16, 2, 3, RW),
            (18, 2, 0, R)
        ]
    );
}

#[test]
fn a_mapping_that_the_reading_missed_stays() {
    let mut story = Story::unseeded();
    story.map(10, 2, RW, PRIVATE);
    assert_eq!(short(&story.maps(MapsPurpose::Seed, &[])), []);
    assert_eq!(story.shape(), [(10, 2, 1, RW)]);
}

#[test]
fn faults_before_the_first_maps_are_not_forgotten() {
    let mut story = Story::unseeded();
    story.fault(11, false);
    story.fault(12, false);
    story.unmap(12, 1);
    story.map(12, 1, R, PRIVATE);
    let changes = story.maps(MapsPurpose::Seed, &[line(10, 4, R, "")]);
    assert_eq!(
        short(&changes),
        [Born(Origin::PreExisting, pages(3, 3, 0, 1))]
    );
}

#[test]
fn a_heap_that_moves_before_it_was_read_is_the_calls_as_far_as_they_moved_it() {
    let mut story = Story::unseeded();
    story.brk(108, 110);
    story.brk(110, 112);
    story.maps(MapsPurpose::Seed, &[line(100, 8, RW, "[heap]")]);
    assert_eq!(
        story.shape(),
        [(100, 8, 0, RW), (108, 2, 1, RW), (110, 2, 2, RW)]
    );
    let mut story = Story::unseeded();
    story.brk(108, 105);
    story.maps(MapsPurpose::Seed, &[line(100, 8, RW, "[heap]")]);
    assert_eq!(story.shape(), [(100, 5, 0, RW)]);
}

#[test]
fn after_a_loss_the_maps_bring_the_truth_back() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    story.map(20, 2, RW, PRIVATE);
    story.map(30, 2, RW, PRIVATE);
    assert!(!story.space().lost_something());
    story.lose();
    assert!(story.space().needs_resync() && story.space().lost_something());
    story.map(40, 1, RW, PRIVATE);
    let changes = story.maps(
        MapsPurpose::Resync,
        &[line(10, 3, R, ""), line(30, 2, RW, ""), line(50, 2, R, "")],
    );
    assert_eq!(
        short(&changes),
        [
            Changed(pages(-1, -1, -1, 0)),
            Died(pages(-2, -2, -2, 0), true),
            Born(Origin::Unseen, pages(2, 2, 0, 0)),
        ]
    );
    assert_eq!(
        story.shape(),
        [(10, 3, 2, R), (30, 2, 4, RW), (40, 1, 6, RW), (50, 2, 0, R)]
    );
    assert!(!story.space().needs_resync() && !story.space().lost_something());
}

#[test]
fn a_loss_makes_the_kernels_total_unknown_until_it_can_be_compared_again() {
    let mut story = Story::new();
    let totals = |total_pages| {
        Some(Totals {
            total_pages,
            stack_pages: 0,
        })
    };
    story.totals = totals(0);
    story.map(10, 4, RW, PRIVATE);
    story.totals = totals(4);
    story.protect(10, 4, R);
    assert_eq!(story.space().kernel_bytes(), Some(4 * PAGE));
    story.lose();
    assert_eq!(story.space().kernel_bytes(), None);
    assert_eq!(story.space().difference_bytes(), None);
    story.map(20, 2, RW, PRIVATE);
    assert_eq!(story.space().difference_bytes(), None);
    let lines = [line(10, 4, R, ""), line(20, 2, RW, "")];
    story.time += 1;
    story.reading();
    story.maps(MapsPurpose::Resync, &lines);
    assert_eq!(story.space().kernel_bytes(), Some(6 * PAGE));
    assert_eq!(story.space().difference_bytes(), Some(0));
    story.totals = totals(6);
    story.map(30, 1, RW, PRIVATE);
    assert_eq!(story.space().kernel_bytes(), None);
    assert_eq!(story.space().difference_bytes(), Some(0));
}

#[test]
fn a_loss_of_faults_or_stacks_leaves_the_map_sure() {
    let mut story = Story::new();
    story.apply(&Event::Loss(Loss {
        time: Nanoseconds(5),
        faults: 3,
        stacks: 2,
        ..Loss::default()
    }));
    assert!(!story.space().needs_resync());
}

#[test]
fn a_reading_that_began_before_the_loss_does_not_end_the_doubt() {
    let mut story = Story::unseeded();
    story.lose();
    story.apply(&Event::Maps(Maps {
        time: Nanoseconds(5),
        began: Nanoseconds(0),
        pid: Pid(10),
        space: SpaceId(1),
        mappings: vec![line(10, 4, R, "")],
        purpose: MapsPurpose::Seed,
        after: 0,
    }));
    assert!(story.space().is_seeded());
    assert!(story.space().needs_resync());
    story.time = 5;
    story.maps(MapsPurpose::Resync, &[line(11, 4, R, "")]);
    assert!(!story.space().needs_resync());
    assert_eq!(story.space().mapped_bytes(), 4 * PAGE);
}

#[test]
fn a_resync_that_finds_a_sure_ledger_wrong_begins_doubt_and_the_next_one_repairs() {
    let mut story = Story::new();
    story.map(10, 2, RW, PRIVATE);
    let truth = [line(10, 3, RW, "")];
    assert_eq!(short(&story.maps(MapsPurpose::Resync, &truth)), []);
    assert!(story.space().needs_resync() && story.space().lost_something());
    assert_eq!(
        short(&story.maps(MapsPurpose::Resync, &truth)),
        [Born(Origin::Unseen, pages(1, 1, 1, 0))]
    );
    assert!(!story.space().needs_resync());
    assert_eq!(short(&story.maps(MapsPurpose::Resync, &truth)), []);
    assert!(!story.space().needs_resync() && !story.space().lost_something());
}

#[test]
fn a_verification_changes_no_figure_but_names_what_was_mapped_since() {
    let mut story = Story::new();
    story.map(10, 2, R, PRIVATE);
    let changes = story.maps(MapsPurpose::Verify, &[line(10, 3, RW, "/lib/x.so")]);
    assert_eq!(short(&changes), []);
    assert_eq!(&*story.made_at(2).name, "/lib/x.so");
    assert_eq!(story.shape(), [(10, 2, 2, R)]);
}

#[test]
fn differences_are_told_range_by_range() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    story.map(14, 2, RW, PRIVATE);
    let difference = |page: u64, pages: u64, ledger, kernel| RangeDifference {
        start: Address(page * PAGE),
        end: Address((page + pages) * PAGE),
        ledger,
        kernel,
    };
    let same = [line(10, 6, RW, ""), line(1 << 51, 1, 5, "[vsyscall]")];
    assert_eq!(story.space().compare(&same), []);
    let other = [line(8, 3, RW, ""), line(12, 3, R, "")];
    assert_eq!(
        story.space().compare(&other),
        [
            difference(8, 2, None, Some(RW)),
            difference(11, 1, Some(RW), None),
            difference(12, 3, Some(RW), Some(R)),
            difference(15, 1, Some(RW), None),
        ]
    );
}

fn with_stack() -> Story {
    let mut story = Story::unseeded();
    story.maps(
        MapsPurpose::Seed,
        &[line(1000, 4, RW, ""), line(5000, 33, RW, "[stack]")],
    );
    story
}

#[test]
fn the_stack_grows_down_by_faults() {
    let mut story = with_stack();
    assert_eq!(
        short(&story.fault(4996, true)),
        [Changed(pages(4, 4, 4, 1))]
    );
    assert_eq!(short(&story.fault(1200, true)), []);
    story.totals = Some(Totals {
        total_pages: 41,
        stack_pages: 37,
    });
    assert_eq!(short(&story.brk(1, 1)), []);
    assert_eq!(story.space().difference_bytes(), Some(0));
}

#[test]
fn the_stack_follows_the_kernels_count_and_is_never_counted_twice() {
    let mut story = with_stack();
    story.totals = Some(Totals {
        total_pages: 44,
        stack_pages: 40,
    });
    assert_eq!(short(&story.brk(1, 1)), [Changed(pages(7, 7, 7, 0))]);
    assert_eq!(short(&story.brk(1, 1)), []);
    let grown = [line(1000, 4, RW, ""), line(4993, 40, RW, "[stack]")];
    assert_eq!(story.space().compare(&grown), []);
    story.lose();
    let later = [line(1000, 4, RW, ""), line(4990, 43, RW, "[stack]")];
    assert_eq!(
        short(&story.maps(MapsPurpose::Resync, &later)),
        [Changed(pages(3, 3, 3, 0))]
    );
    assert_eq!(story.space().reservations().count(), 2);
}

#[test]
fn stack_growth_that_the_snapshot_saw_already_is_not_added() {
    let mut story = Story::unseeded();
    story.totals = Some(Totals {
        total_pages: 35,
        stack_pages: 35,
    });
    story.brk(1, 1);
    story.maps(MapsPurpose::Seed, &[line(5000, 37, RW, "[stack]")]);
    assert_eq!(story.space().mapped_bytes(), 37 * PAGE);
    story.brk(1, 1);
    assert_eq!(story.space().mapped_bytes(), 37 * PAGE);
}

#[test]
fn whether_a_stack_grows_over_what_is_in_doubt_only_the_maps_tell() {
    let mut story = with_stack();
    story.map(4900, 2, NONE, PRIVATE);
    story.map(4902, 2, R, PRIVATE);
    // If it made the first accessible, the stack is too near to it to grow.
    story.protect_failed(4900, 4, RW, 13);
    story.unmap(4902, 2);
    story.unmap(4990, 8);
    assert_eq!(short(&story.fault(4996, true)), []);
    let kernel = |page, pages| {
        [
            line(1000, 4, RW, ""),
            line(4900, 2, NONE, ""),
            line(page, pages, RW, "[stack]"),
        ]
    };
    let sure = |page| story.space().is_sure_at(Address(page * PAGE));
    assert!(!sure(4996) && sure(5000));
    story.reading();
    story.maps(MapsPurpose::Resync, &kernel(5000, 33));
    assert!(story.space().needs_resync(), "it may still grow");
    story.time += 10_000_000;
    story.reading();
    story.maps(MapsPurpose::Resync, &kernel(4990, 43));
    assert_eq!(story.space().compare(&kernel(4990, 43)), []);
    assert!(!story.space().needs_resync());
    // Its own growth is nobody else's reservation.
    assert_eq!(story.space().reservations().count(), 3);
}

#[test]
fn the_maps_do_not_tell_which_mappings_grow_down() {
    let mut story = with_stack();
    let sure = |story: &Story, page| story.space().is_sure_at(Address(page * PAGE));
    // Nobody saw the mapping at 1000 made. The first 64 KiB are nobody's stack.
    story.fault(700, true);
    assert!(!sure(&story, 700) && sure(&story, 699));
    story.time += 10_000_000;
    story.reading();
    let seen = [line(10, 1, RW, ""), line(700, 304, RW, "")];
    story.maps(
        MapsPurpose::Resync,
        &[&seen[..], &[line(5000, 33, RW, "[stack]")]].concat(),
    );
    assert!(!story.space().needs_resync());
    story.fault(3, true);
    assert!(!story.space().needs_resync());
    // Nor whether one keeps others away.
    story.map(900, 1, NONE, PRIVATE | MAP_GROWSDOWN);
    story.unmap(701, 199);
    story.fault(899, false);
    assert!(!sure(&story, 899));
}

#[test]
fn a_reading_says_nothing_of_what_is_in_doubt_since_after_it_began() {
    let mut story = Story::new();
    story.map(10, 2, RW, PRIVATE);
    story.map(12, 2, R, PRIVATE);
    story.map(32, 2, RW, PRIVATE);
    story.map(34, 2, R, PRIVATE);
    let failed_move = |story: &mut Story, old: u64, new: u64| {
        story.call(Action::RemapFailed {
            old_address: Address(old * PAGE),
            old_length: 2 * PAGE,
            new_address: Address(new * PAGE),
            new_length: 2 * PAGE,
        });
    };
    // What was at 12 is gone, and only the maps tell.
    failed_move(&mut story, 10, 12);
    story.time += 10;
    story.reading();
    let began = story.time;
    story.unmap(33, 1);
    failed_move(&mut story, 32, 34);
    let as_it_began = [line(10, 2, RW, ""), line(32, 2, RW, ""), line(34, 2, R, "")];
    story.maps_begun(began, MapsPurpose::Verify, &as_it_began);
    let now = [line(10, 2, RW, ""), line(32, 1, RW, ""), line(34, 2, R, "")];
    assert_eq!(story.space().compare(&now), []);
    let sure = [10, 12, 33, 34].map(|page| story.space().is_sure_at(Address(page * PAGE)));
    assert_eq!(sure, [true, true, false, false]);
    story.time += 10;
    story.reading();
    story.maps(MapsPurpose::Verify, &now);
    assert!(!story.space().needs_resync());
    assert_eq!(story.space().compare(&now), []);
}
