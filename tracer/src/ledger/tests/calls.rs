use super::Short::{Born, Changed, Died};
use super::*;

#[test]
fn munmap_of_the_middle_leaves_two_pieces_with_one_site() {
    let mut story = Story::new();
    story.map(10, 10, RW, PRIVATE);
    assert_eq!(short(&story.unmap(13, 4)), [Changed(pages(-4, -4, -4, 0))]);
    assert_eq!(story.shape(), [(10, 3, 2, RW), (17, 3, 2, RW)]);
    assert_eq!(
        short(&story.unmap(0, 100)),
        [Died(pages(-6, -6, -6, 0), true)]
    );
    assert_eq!(story.space().mapped_bytes(), 0);
}

#[test]
fn a_commit_stays_with_the_reservation_and_only_what_it_adds_is_new() {
    let mut story = Story::new();
    story.map(10, 10, NONE, PRIVATE | MAP_NORESERVE);
    let changes = story.map(18, 4, RW, PRIVATE | MAP_FIXED);
    assert_eq!(
        short(&changes),
        [
            Changed(pages(0, 2, 2, 0)),
            Born(Origin::Map, pages(2, 2, 2, 0))
        ]
    );
    assert_eq!(
        story.shape(),
        [(10, 8, 2, NONE), (18, 2, 2, RW), (20, 2, 3, RW)]
    );
}

#[test]
fn a_commit_that_adds_nothing_makes_no_reservation() {
    let mut story = Story::new();
    story.map(10, 10, NONE, PRIVATE);
    let changes = story.map(12, 4, RW, PRIVATE | MAP_FIXED);
    assert_eq!(short(&changes), [Changed(pages(0, 4, 4, 0))]);
    assert_eq!(story.space().reservations().count(), 1);
}

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
fn a_mapping_where_the_ledger_believes_another_wins() {
    for flags in [0, MAP_FIXED_NOREPLACE] {
        let mut story = Story::new();
        story.map(10, 4, RW, PRIVATE);
        story.map(20, 2, RW, PRIVATE);
        assert_eq!(
            short(&story.map(12, 10, R, PRIVATE | flags)),
            [
                Changed(pages(-2, -2, -2, 0)),
                Died(pages(-2, -2, -2, 0), true),
                Born(Origin::Map, pages(10, 10, 0, 0)),
            ]
        );
        assert_eq!(story.shape(), [(10, 2, 2, RW), (12, 10, 4, R)]);
    }
}

#[test]
fn a_v8_cage_is_trimmed_and_committed_under_one_site() {
    let mut story = Story::new();
    let asked = (10 << 30) / PAGE + 15;
    story.map(0x10_0001, asked, NONE, PRIVATE | MAP_NORESERVE);
    story.unmap(0x10_0001, 15);
    story.protect(0x10_0010 + (2 << 30) / PAGE, 16, RW);
    let cage = story.made_at(2);
    assert_eq!(cage.asked_bytes, (10 << 30) + 15 * PAGE);
    assert_eq!(cage.reserved_bytes, 10 << 30);
    assert_eq!(cage.accessible_bytes, 16 * PAGE);
    assert_eq!(cage.charged_bytes, 0);
    assert_eq!(story.space().pieces(cage.id).count(), 3);
}

#[test]
fn lengths_are_rounded_up_to_pages_and_huge_mappings_to_huge_pages() {
    let mut story = Story::new();
    let map = |length, flags| Action::Map {
        address: Address(0x4000_0000),
        length,
        protection: RW,
        flags: PRIVATE | flags,
        file_offset: None,
    };
    story.call(map(PAGE + 1, 0));
    assert_eq!(story.space().mapped_bytes(), 2 * PAGE);
    story.call(map(PAGE + 1, MAP_HUGETLB));
    assert_eq!(story.space().mapped_bytes(), 2 << 20);
    story.call(map(PAGE + 1, MAP_HUGETLB | 30 << MAP_HUGE_SHIFT));
    assert_eq!(story.space().mapped_bytes(), 1 << 30);
    story.call(Action::Unmap {
        address: Address(0x4000_0000),
        length: 1,
    });
    assert_eq!(story.space().mapped_bytes(), (1 << 30) - PAGE);
}

#[test]
fn a_protection_reaches_across_reservations() {
    let mut story = Story::new();
    story.map(10, 2, NONE, PRIVATE);
    story.map(12, 2, NONE, PRIVATE | MAP_NORESERVE);
    assert_eq!(
        short(&story.protect(11, 2, RW)),
        [Changed(pages(0, 1, 1, 0)), Changed(pages(0, 1, 0, 0))]
    );
    assert_eq!(
        short(&story.protect(11, 2, NONE)),
        [Changed(pages(0, -1, 0, 0)), Changed(pages(0, -1, 0, 0))]
    );
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
fn the_heap_grows_by_new_reservations_and_shrinks_from_its_end() {
    let mut story = Story::new();
    assert_eq!(short(&story.brk(100, 100)), []);
    assert_eq!(
        short(&story.brk(100, 104)),
        [Born(Origin::Break, pages(4, 4, 4, 0))]
    );
    story.brk(100, 110);
    assert_eq!(
        short(&story.brk(100, 102)),
        [
            Changed(pages(-2, -2, -2, 0)),
            Died(pages(-6, -6, -6, 0), true)
        ]
    );
    assert_eq!(&*story.made_at(3).name, "[heap]");
}

#[test]
fn a_break_inside_a_page_takes_the_page() {
    let mut story = Story::new();
    story.call(Action::Break {
        start: Address(100 * PAGE),
        end: Address(100 * PAGE + 1),
    });
    assert_eq!(story.space().mapped_bytes(), PAGE);
    story.call(Action::Break {
        start: Address(100 * PAGE),
        end: Address(101 * PAGE),
    });
    assert_eq!(story.space().mapped_bytes(), PAGE);
}

#[test]
fn shmdt_releases_what_shmat_attached_and_nothing_else() {
    let mut story = Story::new();
    story.map(14, 1, RW, PRIVATE);
    let attach = |page: u64, length| Action::Attach {
        address: Address(page * PAGE),
        length,
        flags: 0,
    };
    story.call(attach(10, 4 * PAGE - 5));
    story.call(attach(6, 4 * PAGE));
    story.protect(7, 1, R);
    assert_eq!(
        short(&story.call(Action::Detach {
            address: Address(6 * PAGE)
        })),
        [Died(pages(-4, -4, 0, 0), true)]
    );
    assert_eq!(story.shape(), [(10, 4, 3, RW), (14, 1, 2, RW)]);
    story.call(Action::Detach {
        address: Address(14 * PAGE),
    });
    assert!(story.space().needs_resync());
}

#[test]
fn an_attached_segment_of_unknown_length_waits_for_the_maps() {
    let mut story = Story::new();
    let attach = Action::Attach {
        address: Address(10 * PAGE),
        length: 0,
        flags: 0,
    };
    assert_eq!(short(&story.call(attach)), []);
    assert!(story.space().needs_resync());
    let mut segment = line(10, 4, RW, "/SYSV00000000 (deleted)");
    segment.shared = true;
    let changes = story.maps(MapsPurpose::Resync, &[segment]);
    assert_eq!(short(&changes), [Born(Origin::Attach, pages(4, 4, 0, 0))]);
    assert_eq!(story.made_at(2).stack, StackId(2));
    assert!(!story.space().needs_resync());
}

#[test]
fn absurd_arguments_change_nothing() {
    let mut story = Story::new();
    for (address, length) in [(u64::MAX, 1), (PAGE, u64::MAX), (1 << 57, PAGE), (PAGE, 0)] {
        let address = Address(address);
        for action in [
            Action::Map {
                address,
                length,
                protection: RW,
                flags: PRIVATE | MAP_POPULATE,
                file_offset: None,
            },
            Action::Unmap { address, length },
            Action::Remap {
                old_address: address,
                old_length: length,
                new_address: address,
                new_length: length,
                flags: MREMAP_DONTUNMAP,
            },
            Action::Break {
                start: address,
                end: Address(address.0.saturating_add(length)),
            },
            Action::Protect {
                address,
                length,
                protection: RW,
            },
        ] {
            if !matches!(action, Action::Break { .. }) || address.0 != PAGE {
                assert_eq!(short(&story.call(action)), []);
            }
        }
    }
    story.fault(u64::MAX / PAGE - 1, true);
    assert_eq!(story.space().mapped_bytes(), 0);
}
