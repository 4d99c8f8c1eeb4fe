use super::*;

fn total(pages: u64) -> Option<Totals> {
    Some(Totals {
        total_pages: pages,
        stack_pages: 0,
    })
}

fn call(time: u64, took: u64, action: Action) -> Event {
    Event::Call(Call {
        stamp: Stamp {
            time: Nanoseconds(time),
            space: SpaceId(1),
            pid: Pid(10),
            tid: Tid(10),
            cpu: 0,
        },
        stack: StackId::NONE,
        action,
        totals: None,
        took_ns: took,
    })
}

fn map(page: u64, pages: u64) -> Action {
    Action::Map {
        address: Address(page * PAGE),
        length: pages * PAGE,
        protection: RW,
        flags: PRIVATE,
        file_offset: None,
    }
}

fn reading(time: u64) -> Event {
    Event::Reading(Reading {
        time: Nanoseconds(time),
        space: SpaceId(1),
    })
}

fn maps(began: u64, time: u64, mappings: &[Mapping]) -> Event {
    Event::Maps(Maps {
        time: Nanoseconds(time),
        began: Nanoseconds(began),
        pid: Pid(10),
        space: SpaceId(1),
        mappings: mappings.to_vec(),
        purpose: MapsPurpose::Verify,
        after: 0,
    })
}

#[test]
fn each_call_tells_what_the_kernel_had_before_it() {
    let mut story = Story::new();
    assert_eq!(story.space().checks().difference(), None);
    story.totals = total(0);
    story.map(10, 4, RW, PRIVATE);
    story.totals = total(4);
    story.map(20, 4, RW, PRIVATE);
    let space = story.space();
    assert_eq!(
        (space.checks().totals, space.checks().totals_differing),
        (2, 0)
    );
    assert_eq!(space.difference_bytes(), Some(0));
    // What there is after it, the kernel has not said.
    assert_eq!(space.kernel_bytes(), None);
    story.totals = total(8);
    story.protect(10, 4, R);
    assert_eq!(story.space().kernel_bytes(), Some(8 * PAGE));
    story.totals = None;
    story.unmap(10, 4);
    assert_eq!(story.space().kernel_bytes(), None);
    assert_eq!(story.space().difference_bytes(), Some(0));
}

#[test]
fn a_reading_is_the_kernels_word_unless_something_moved_meanwhile() {
    let mut story = Story::new();
    story.apply(&call(40, 1, map(10, 4)));
    story.apply(&reading(50));
    story.apply(&maps(50, 70, &[line(10, 4, RW, ""), line(20, 1, R, "")]));
    assert_eq!(story.space().kernel_bytes(), Some(5 * PAGE));
    story.apply(&reading(80));
    story.apply(&call(90, 1, map(30, 2)));
    story.apply(&maps(80, 95, &[line(10, 4, RW, ""), line(20, 1, R, "")]));
    assert_eq!(story.space().kernel_bytes(), None);
}

/// An `mprotect` that failed somewhere: what is mapped is sure all the same.
fn doubt_protections(story: &mut Story) {
    story.protect_failed(10, 4, R, EACCES);
    assert!(story.space().needs_resync());
}

#[test]
fn totals_are_compared_while_only_protections_are_in_doubt() {
    let mut story = Story::new();
    story.map(10, 2, RW, PRIVATE);
    story.map(12, 2, R, PRIVATE);
    doubt_protections(&mut story);
    story.totals = total(4);
    story.map(20, 1, RW, PRIVATE);
    let checks = story.space().checks();
    assert_eq!((checks.totals, checks.totals_differing), (1, 0));
    story.totals = total(7);
    story.map(30, 1, RW, PRIVATE);
    let checks = story.space().checks();
    assert_eq!((checks.totals, checks.totals_differing), (2, 1));
    assert!(story.space().lost_something());
}

#[test]
fn totals_are_compared_again_once_calls_have_settled_what_sizes_depend_on() {
    let mut story = Story::new();
    story.map(10, 2, RW, PRIVATE);
    story.map(12, 2, R, PRIVATE);
    doubt_protections(&mut story);
    let failed = Action::RemapFailed {
        old_address: Address(10 * PAGE),
        old_length: 2 * PAGE,
        new_address: Address(12 * PAGE),
        new_length: 2 * PAGE,
    };
    story.call(failed);
    // The target may be gone: this is no difference.
    story.totals = total(2);
    story.unmap(12, 2);
    assert_eq!(story.space().checks().totals, 0);
    story.map(10, 2, RW, PRIVATE | MAP_FIXED);
    assert_eq!(story.space().checks().totals, 0);
    assert!(story.space().needs_resync());
    story.totals = total(2);
    story.unmap(30, 1);
    let checks = story.space().checks();
    assert_eq!((checks.totals, checks.totals_differing), (1, 0));
}

#[test]
fn a_total_that_no_call_explains_is_shown_and_looked_into_once() {
    let mut story = Story::new();
    story.totals = total(5);
    story.map(10, 4, RW, PRIVATE);
    assert_eq!(
        story.space().difference_bytes(),
        Some(5 * PAGE.cast_signed())
    );
    assert_eq!(story.space().checks().largest_bytes, 5 * PAGE);
    assert!(story.space().needs_resync());
    // The maps do not show it either: it is a difference that stays.
    story.maps(MapsPurpose::Resync, &[line(10, 4, RW, "")]);
    story.totals = total(9);
    story.map(20, 1, RW, PRIVATE);
    assert!(!story.space().needs_resync());
    assert_eq!(
        story.space().difference_bytes(),
        Some(5 * PAGE.cast_signed())
    );
}

#[test]
fn what_the_maps_show_and_no_call_made_is_found_by_name() {
    let mut story = Story::new();
    story.totals = total(5);
    story.map(10, 4, RW, PRIVATE);
    story.maps(
        MapsPurpose::Resync,
        &[line(10, 4, RW, ""), line(100, 5, RW, "/[aio]")],
    );
    assert_eq!(story.space().mapped_bytes(), 9 * PAGE);
    let found = &story.space().checks().found;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].name, "/[aio]");
    assert_eq!(found[0].range.ledger, None);
    assert_eq!(found[0].range.start, Address(100 * PAGE));
}

#[test]
fn maps_that_agree_are_counted_and_those_that_differ_are_told_range_by_range() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    story.maps(MapsPurpose::Verify, &[line(10, 4, RW, "")]);
    assert_eq!(story.space().checks().readings, 1);
    assert_eq!(story.space().checks().readings_differing, 0);
    story.maps(
        MapsPurpose::Verify,
        &[line(10, 2, RW, ""), line(12, 1, R, "")],
    );
    let checks = story.space().checks();
    assert_eq!((checks.readings, checks.readings_differing), (2, 1));
    let told: Vec<_> = checks
        .found
        .iter()
        .map(|found| {
            (
                found.range.start.0 / PAGE,
                found.range.ledger,
                found.range.kernel,
            )
        })
        .collect();
    assert_eq!(told, [(12, Some(RW), Some(R)), (13, Some(RW), None)]);
    assert_eq!(story.space().difference_bytes(), Some(-PAGE.cast_signed()));
    assert!(story.space().needs_resync());
}

#[test]
fn what_changes_during_a_reading_may_be_seen_as_before_or_after() {
    for shown in [
        vec![line(10, 4, RW, "")],
        vec![line(10, 4, RW, ""), line(20, 2, RW, "")],
    ] {
        let mut story = Story::new();
        story.map(10, 4, RW, PRIVATE);
        story.apply(&reading(50));
        story.apply(&call(60, 5, map(20, 2)));
        story.apply(&maps(50, 70, &shown));
        assert_eq!(story.space().checks().readings_differing, 0);
        assert_eq!(
            story.space().checks().comparisons[0].in_motion_bytes,
            2 * PAGE
        );
    }
}

#[test]
fn what_changed_before_the_reading_and_had_returned_must_be_seen() {
    for (took, differing) in [(5, 1), (20, 0)] {
        let mut story = Story::new();
        story.apply(&call(40, took, map(20, 2)));
        story.apply(&reading(50));
        story.apply(&maps(50, 70, &[]));
        let checks = story.space().checks();
        assert_eq!(checks.readings_differing, differing, "took {took}");
    }
}

#[test]
fn a_call_that_was_under_way_makes_the_next_reading_decide() {
    let mut story = Story::unseeded();
    story.apply(&call(40, 0, Action::Unclear));
    story.apply(&maps(30, 45, &[line(10, 1, R, "")]));
    assert!(story.space().needs_resync());
    story.apply(&maps(50, 55, &[line(10, 2, R, "")]));
    assert!(!story.space().needs_resync());
    assert_eq!(story.space().mapped_bytes(), 2 * PAGE);
}

#[test]
fn a_stack_that_the_maps_show_larger_has_grown_by_itself() {
    let mut story = Story::new();
    story.map(100, 4, RW, PRIVATE | MAP_GROWSDOWN);
    story.maps(MapsPurpose::Verify, &[line(90, 14, RW, "")]);
    assert_eq!(story.space().checks().readings_differing, 0);
    assert_eq!(story.space().mapped_bytes(), 14 * PAGE);
}

#[test]
fn what_was_unmapped_below_a_stack_during_a_reading_is_no_growth() {
    let mut story = Story::new();
    story.map(90, 14, RW, PRIVATE | MAP_GROWSDOWN);
    story.apply(&reading(50));
    let page = |page: u64| Address(page * PAGE);
    let unmap = Action::Unmap {
        address: page(90),
        length: 10 * PAGE,
    };
    story.apply(&call(60, 5, unmap));
    story.apply(&maps(50, 70, &[line(90, 14, RW, "")]));
    assert_eq!(story.space().checks().readings_differing, 0);
    assert_eq!(story.space().mapped_bytes(), 4 * PAGE);
}
