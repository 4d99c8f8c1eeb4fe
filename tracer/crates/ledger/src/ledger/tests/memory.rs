use super::Short::{Born, Changed};
use super::*;

#[test]
fn a_fresh_commit_is_untouched_and_can_be_taken_back() {
    let mut story = Story::new();
    story.map(10, 10, RW, PRIVATE);
    story.fault(11, true);
    story.look(&[(11, 2)]);
    assert_eq!(story.made_at(2).touched_bytes, 2 * PAGE);
    let changes = story.map(10, 10, NONE, PRIVATE | MAP_FIXED | MAP_NORESERVE);
    assert_eq!(short(&changes), [Changed(pages(0, -10, -10, -2))]);
    assert_eq!(story.made_at(2).resident_bytes, 0);
}

#[test]
fn a_fault_touches_all_of_a_huge_page() {
    let mut story = Story::new();
    let huge = (2 << 20) / PAGE;
    story.map(8 * huge, 2 * huge, RW, PRIVATE | MAP_HUGETLB);
    let changes = story.fault(9 * huge + 5, true);
    assert_eq!(
        short(&changes),
        [Changed(pages(0, 0, 0, huge.cast_signed()))]
    );
    assert_eq!(short(&story.fault(9 * huge + 6, true)), []);
}

#[test]
fn advice_that_failed_for_a_hole_was_taken_around_it() {
    let mut story = Story::new();
    story.map(10, 2, RW, PRIVATE);
    story.map(14, 2, RW, PRIVATE);
    story.look(&[(10, 2), (14, 2)]);
    story.advise_failed(10, 6, MADV_DONTNEED, 22);
    assert_eq!(story.made_at(2).resident_bytes, 2 * PAGE);
    story.advise_failed(10, 6, MADV_DONTNEED, ENOMEM);
    assert_eq!(story.made_at(2).resident_bytes, 0);
    assert_eq!(story.made_at(3).resident_bytes, 0);
    story.map(30, 2, RW, PRIVATE);
    story.map(34, 2, RW, PRIVATE);
    let changes = story.advise_failed(31, 5, MADV_POPULATE_WRITE, ENOMEM);
    assert_eq!(short(&changes), [Changed(pages(0, 0, 0, 1))]);
}

#[test]
fn populating_touches_what_can_be_accessed() {
    let mut story = Story::new();
    assert_eq!(
        short(&story.map(10, 4, RW, PRIVATE | MAP_POPULATE)),
        [Born(Origin::Map, pages(4, 4, 4, 4))]
    );
    assert_eq!(
        short(&story.map(20, 4, NONE, PRIVATE | MAP_POPULATE)),
        [Born(Origin::Map, pages(4, 0, 0, 0))]
    );
    assert_eq!(
        short(&story.map(30, 4, RW, PRIVATE | MAP_POPULATE | MAP_NONBLOCK)),
        [Born(Origin::Map, pages(4, 4, 4, 0))]
    );
    assert_eq!(
        short(&story.map(40, 4, R, PRIVATE | MAP_LOCKED)),
        [Born(Origin::Map, pages(4, 4, 0, 4))]
    );
    assert_eq!(
        short(&story.advise(30, 2, MADV_POPULATE_WRITE)),
        [Changed(pages(0, 0, 0, 2))]
    );
}

#[test]
fn a_page_is_touched_once_and_until_it_is_unmapped() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    assert_eq!(short(&story.fault(11, true)), [Changed(pages(0, 0, 0, 1))]);
    assert_eq!(short(&story.fault(11, true)), []);
    assert_eq!(short(&story.advise(10, 4, MADV_DONTNEED)), []);
    assert_eq!(short(&story.fault(11, true)), []);
    assert_eq!(short(&story.unmap(11, 1)), [Changed(pages(-1, -1, -1, -1))]);
    assert_eq!(short(&story.fault(11, true)), []);
}

#[test]
fn a_fault_that_the_mapping_forbids_touches_nothing() {
    let mut story = Story::new();
    story.map(10, 1, NONE, PRIVATE);
    story.map(11, 1, R, PRIVATE);
    assert_eq!(short(&story.fault(10, false)), []);
    assert_eq!(short(&story.fault(11, true)), []);
    assert_eq!(short(&story.fault(11, false)), [Changed(pages(0, 0, 0, 1))]);
}

#[test]
fn a_guard_is_touched_by_nothing_until_it_is_removed() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    story.look(&[(11, 1)]);
    story.advise(11, 2, MADV_GUARD_INSTALL);
    assert_eq!(story.made_at(2).resident_bytes, 0);
    assert_eq!(short(&story.fault(12, true)), []);
    assert_eq!(
        short(&story.advise(10, 4, MADV_POPULATE_READ)),
        [Changed(pages(0, 0, 0, 2))]
    );
    story.advise(11, 2, MADV_GUARD_REMOVE);
    assert_eq!(short(&story.fault(12, true)), [Changed(pages(0, 0, 0, 1))]);
    story.advise(10, 4, MADV_GUARD_INSTALL);
    // What is mapped over it is no guard.
    story.map(13, 1, RW, PRIVATE | MAP_FIXED);
    assert_eq!(short(&story.fault(13, true)), [Changed(pages(0, 0, 0, 1))]);
}

#[test]
fn residence_is_that_of_the_last_look_and_touches() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    story.map(14, 4, RW, PRIVATE);
    assert_eq!(
        short(&story.look(&[(12, 3), (90, 5)])),
        [Changed(pages(0, 0, 0, 2)), Changed(pages(0, 0, 0, 1))]
    );
    assert_eq!(story.made_at(2).resident_bytes, 2 * PAGE);
    story.advise(12, 1, MADV_DONTNEED);
    assert_eq!(story.made_at(2).resident_bytes, PAGE);
    assert_eq!(short(&story.look(&[(14, 1)])), []);
    assert_eq!(story.made_at(2).resident_bytes, 0);
    assert_eq!(story.made_at(3).resident_bytes, PAGE);
    story.unmap(14, 2);
    assert_eq!(story.made_at(3).resident_bytes, 0);
}

#[test]
fn what_changed_while_someone_looked_is_not_what_was_seen() {
    let mut story = Story::new();
    story.map(10, 8, RW, PRIVATE);
    story.look(&[]);
    let stamp = story.stamp();
    story.apply(&Event::Looking(Looking {
        time: stamp.time,
        space: stamp.space,
    }));
    story.unmap(11, 1);
    story.map(11, 1, RW, PRIVATE);
    story.map(13, 1, RW, PRIVATE | MAP_FIXED);
    story.advise(15, 1, MADV_DONTNEED);
    story.look(&[(10, 8)]);
    let touched: Vec<u64> = (10..18)
        .filter(|page| story.space().is_touched(Address(page * PAGE)))
        .collect();
    assert_eq!(touched, [10, 12, 14, 16, 17]);
    // The next look is another one.
    story.look(&[(10, 8)]);
    assert_eq!(story.made_at(2).resident_bytes, 7 * PAGE);
}
