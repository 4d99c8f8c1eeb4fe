use super::Short::{Born, Changed, Died};
use super::*;

#[test]
fn growth_in_place_is_a_reservation_of_its_own() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    assert_eq!(
        short(&story.remap((10, 4), (10, 6), 1)),
        [Born(Origin::Remap, pages(2, 2, 2, 0))]
    );
    assert_eq!(story.shape(), [(10, 4, 2, RW), (14, 2, 3, RW)]);
}

#[test]
fn a_move_keeps_identity_protection_and_touched_pages() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    story.protect(10, 1, R);
    story.fault(12, true);
    story.look(&[(12, 1)]);
    let changes = story.remap((10, 4), (101, 6), 1);
    assert_eq!(short(&changes), [Born(Origin::Remap, pages(2, 2, 2, 0))]);
    assert_eq!(
        story.shape(),
        [(101, 1, 2, R), (102, 3, 2, RW), (105, 2, 6, RW)]
    );
    assert!(story.space().is_touched(Address(103 * PAGE)));
    assert!(!story.space().is_touched(Address(12 * PAGE)));
    assert_eq!(story.made_at(2).resident_bytes, PAGE);
    assert_eq!(story.made_at(2).touched_bytes, PAGE);
}

#[test]
fn a_shrinking_move_releases_the_tail() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    assert_eq!(
        short(&story.remap((10, 4), (20, 3), 3)),
        [Changed(pages(-1, -1, -1, 0))]
    );
    assert_eq!(story.shape(), [(20, 3, 2, RW)]);
}

#[test]
fn a_move_to_a_fixed_place_releases_what_was_there() {
    let mut story = Story::new();
    story.map(10, 2, RW, PRIVATE);
    story.map(20, 2, R, PRIVATE);
    assert_eq!(
        short(&story.remap((10, 2), (20, 2), 3)),
        [Died(pages(-2, -2, 0, 0), true)]
    );
    assert_eq!(story.shape(), [(20, 2, 2, RW)]);
}

#[test]
fn a_move_of_several_mappings_keeps_the_hole_between_them() {
    let mut story = Story::new();
    story.map(10, 5, RW, PRIVATE);
    story.unmap(12, 1);
    story.remap((10, 5), (20, 5), 3);
    assert_eq!(story.shape(), [(20, 2, 2, RW), (23, 2, 2, RW)]);
}

#[test]
fn under_a_hole_among_several_mappings_the_target_stays() {
    for flags in [3, 3 | MREMAP_DONTUNMAP] {
        let mut story = Story::new();
        story.map(10, 5, RW, PRIVATE);
        story.unmap(12, 1);
        story.map(20, 5, R, PRIVATE);
        let target = story.time as u32;
        story.remap((10, 5), (20, 5), flags);
        let shape = story.shape();
        let there: Vec<_> = shape.iter().filter(|(page, ..)| *page >= 20).collect();
        assert_eq!(there.len(), 3);
        assert_eq!(there[1], &(22, 1, target, R));
    }
}

#[test]
fn dontunmap_leaves_the_old_place_empty_and_makes_a_new_reservation() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    story.fault(11, true);
    let changes = story.remap((10, 4), (20, 4), 1 | MREMAP_DONTUNMAP);
    assert_eq!(
        short(&changes),
        [
            Changed(pages(0, 0, 0, -1)),
            Born(Origin::Remap, pages(4, 4, 4, 1))
        ]
    );
    assert_eq!(story.shape(), [(10, 4, 2, RW), (20, 4, 4, RW)]);
    assert!(story.space().is_touched(Address(21 * PAGE)));
}

#[test]
fn a_shared_mapping_is_duplicated_by_an_old_length_of_nothing() {
    let mut story = Story::new();
    story.map(10, 4, RW, MAP_SHARED | MAP_ANONYMOUS);
    let changes = story.remap((11, 0), (20, 3), 1);
    assert_eq!(short(&changes), [Born(Origin::Remap, pages(3, 3, 0, 0))]);
    assert_eq!(story.shape(), [(10, 4, 2, RW), (20, 3, 3, RW)]);
}

#[test]
fn what_moves_out_of_the_unknown_was_there_before() {
    let mut story = Story::unseeded();
    let changes = story.remap((10, 2), (20, 3), 1);
    assert_eq!(
        short(&changes),
        [
            Born(Origin::PreExisting, pages(2, 2, 2, 0)),
            Born(Origin::Remap, pages(1, 1, 1, 0)),
        ]
    );
    // Read before the move: the old place is not believed, and the new one is known anyway.
    story.maps(MapsPurpose::Seed, &[line(10, 2, R, "")]);
    assert_eq!(story.space().mapped_bytes(), 3 * PAGE);
    // Read after the move: the protection is learnt.
    let mut story = Story::unseeded();
    story.remap((10, 2), (20, 3), 1);
    story.maps(MapsPurpose::Seed, &[line(20, 3, R, "")]);
    assert_eq!(story.shape(), [(20, 2, 0, R), (22, 1, 1, R)]);
}

#[test]
fn shrinking_in_place_releases_the_tail() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    story.fault(13, true);
    assert_eq!(
        short(&story.remap((10, 4), (10, 3), 0)),
        [Changed(pages(-1, -1, -1, -1))]
    );
    assert_eq!(story.shape(), [(10, 3, 2, RW)]);
}

#[test]
fn a_move_that_failed_leaves_a_doubt_of_its_places_only() {
    let mut story = Story::new();
    story.map(10, 2, RW, PRIVATE);
    story.map(12, 2, R, PRIVATE);
    story.map(20, 4, RW, PRIVATE);
    story.map(30, 4, RW, PRIVATE);
    story.unmap(33, 1);
    let page = |page: u64| Address(page * PAGE);
    story.call(Action::RemapFailed {
        old_address: page(10),
        old_length: 4 * PAGE,
        new_address: page(20),
        new_length: 4 * PAGE,
    });
    assert!(story.space().needs_resync());
    let sure =
        |story: &Story| [10, 13, 20, 23, 30, 40].map(|at| story.space().is_sure_at(page(at)));
    assert_eq!(sure(&story), [false, false, false, false, true, true]);
    // Elsewhere it goes on as if nothing were, and what is mapped anew is known.
    story.protect_failed(31, 4, R, ENOMEM);
    story.map(22, 2, R, PRIVATE | MAP_FIXED);
    assert_eq!(sure(&story), [false, false, false, true, true, true]);
    // The first of the two mappings has moved.
    let changes = story.maps(
        MapsPurpose::Verify,
        &[
            line(12, 2, R, ""),
            line(20, 2, RW, ""),
            line(22, 2, R, ""),
            line(30, 1, RW, ""),
            line(31, 2, R, ""),
        ],
    );
    assert_eq!(short(&changes), [Died(pages(-2, -2, -2, 0), true)]);
    assert!(!story.space().needs_resync());
    assert_eq!(story.space().mapped_bytes(), 9 * PAGE);
}
