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
}

#[test]
fn the_heap_grows_by_new_reservations_and_shrinks_from_its_end() {
    let mut story = Story::new();
    assert_eq!(short(&story.brk(100, 100)), []);
    assert_eq!(
        short(&story.brk(100, 104)),
        [Born(Origin::Break, pages(4, 4, 4, 0))]
    );
    story.brk(104, 110);
    assert_eq!(
        short(&story.brk(110, 102)),
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
        old: Address(100 * PAGE),
        new: Address(100 * PAGE + 1),
    });
    assert_eq!(story.space().mapped_bytes(), PAGE);
    story.call(Action::Break {
        old: Address(100 * PAGE + 1),
        new: Address(101 * PAGE),
    });
    assert_eq!(story.space().mapped_bytes(), PAGE);
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
                old: address,
                new: Address(address.0.saturating_add(length)),
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

#[test]
fn a_fixed_mapping_that_failed_may_have_left_a_hole() {
    let asked = |kernel: &str, page, flags, error| {
        let mut story = Story::new();
        story.apply(&Event::Started(Started {
            kernel: kernel.into(),
            ..Started::default()
        }));
        story.exec(2);
        story.maps(MapsPurpose::Seed, &[]);
        story.map(10, 4, RW, PRIVATE);
        story.call(Action::MapFailed {
            address: Address(page * PAGE),
            length: 2 * PAGE,
            flags,
            error,
        });
        let sure = |page| story.space().is_sure_at(Address(page * PAGE));
        assert!(sure(9) && sure(14));
        !sure(page)
    };
    const FILE: u16 = MAP_FIXED as u16 | 2;
    const ANONYMOUS: u16 = FILE | MAP_ANONYMOUS as u16;
    assert!(asked("6.1.0", 12, ANONYMOUS, ENOMEM));
    assert!(!asked("6.1.0", 30, ANONYMOUS, ENOMEM), "nothing was there");
    assert!(!asked("6.12.0", 12, ANONYMOUS, ENOMEM), "it is put back");
    assert!(asked("6.12.0", 12, FILE, 1));
    assert!(
        !asked("6.1.0", 12, FILE, EACCES),
        "nothing was unmapped yet"
    );
}
