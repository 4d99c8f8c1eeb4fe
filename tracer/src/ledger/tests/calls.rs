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
fn a_protection_reaches_across_reservations() {
    let mut story = Story::new();
    story.map(10, 2, NONE, PRIVATE);
    story.map(12, 2, NONE, PRIVATE | MAP_NORESERVE);
    assert_eq!(
        short(&story.protect(11, 2, RW)),
        [Changed(pages(0, 1, 1, 0)), Changed(pages(0, 1, 0, 0))]
    );
    story.fault(11, true);
    assert_eq!(
        short(&story.protect(11, 2, NONE)),
        [Changed(pages(0, -1, 0, 0)), Changed(pages(0, -1, 0, 0))]
    );
}

#[test]
fn a_protection_that_failed_at_a_hole_has_changed_what_lies_before() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    story.map(16, 4, RW, PRIVATE);
    story.protect_failed(12, 6, R, ENOMEM);
    story.protect_failed(14, 6, NONE, ENOMEM);
    assert!(!story.space().needs_resync());
    assert_eq!(
        story.shape(),
        [(10, 2, 2, RW), (12, 2, 2, R), (16, 4, 3, RW)]
    );
}

#[test]
fn a_protection_that_failed_without_a_hole_is_asked_of_the_maps() {
    for error in [ENOMEM, EACCES, 1] {
        let mut story = Story::new();
        story.map(10, 4, RW, PRIVATE);
        story.map(14, 4, RW, PRIVATE);
        story.map(20, 1, RW, PRIVATE);
        story.protect_failed(12, 6, R, error);
        assert!(story.space().needs_resync());
        // Meanwhile nothing is guessed, and what is known still counts.
        story.protect(20, 1, NONE);
        let lines = [line(10, 4, RW, ""), line(14, 4, R, ""), line(20, 1, RW, "")];
        story.maps(MapsPurpose::Resync, &lines);
        assert_eq!(
            story.shape(),
            [(10, 4, 2, RW), (14, 4, 3, R), (20, 1, 4, NONE)]
        );
        assert!(!story.space().needs_resync());
        assert_eq!(story.ledger.resyncs(), 0, "nothing was lost");
    }
}

#[test]
fn a_denied_protection_of_one_mapping_changes_nothing() {
    let mut story = Story::new();
    story.map(10, 4, R, PRIVATE);
    story.protect_failed(11, 2, RW, EACCES);
    assert!(!story.space().needs_resync());
    assert_eq!(story.shape(), [(10, 4, 2, R)]);
}

#[test]
fn while_the_ledger_is_unsure_a_failed_protection_makes_what_calls_said_a_guess() {
    let mut story = Story::unseeded();
    story.map(10, 4, RW, PRIVATE);
    story.protect(30, 2, NONE);
    story.protect_failed(12, 20, R, ENOMEM);
    let lines = [line(10, 2, RW, ""), line(12, 2, R, ""), line(30, 2, R, "")];
    // One whose reading began before it does not settle it.
    story.maps_begun(story.time - 1, MapsPurpose::Seed, &lines);
    assert!(story.space().needs_resync());
    story.maps(MapsPurpose::Seed, &lines);
    assert!(!story.space().needs_resync());
    assert_eq!(
        story.shape(),
        [(10, 2, 1, RW), (12, 2, 1, R), (30, 2, 0, R)]
    );
}

#[test]
fn a_protection_that_grows_down_begins_with_its_mapping() {
    let mut story = Story::new();
    story.map(10, 8, RW, PRIVATE | MAP_GROWSDOWN);
    story.protect(14, 1, R | PROT_GROWSDOWN);
    assert_eq!(story.shape(), [(10, 5, 2, R), (15, 3, 2, RW)]);
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
fn the_charge_of_what_was_never_written_is_taken_back() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    story.fault(11, false);
    assert_eq!(
        short(&story.protect(10, 2, R)),
        [Changed(pages(0, 0, -2, 0))]
    );
    story.fault(13, true);
    assert_eq!(short(&story.protect(12, 2, R)), []);
}

#[test]
fn without_faults_or_on_an_older_kernel_every_charge_stays() {
    for (kernel, faults) in [("6.18.0", "count"), ("6.18.0", "off"), ("6.6.1", "each")] {
        let mut story = Story::unseeded();
        // A space that begins after the header has come.
        story.apply(&Event::Started(Started {
            kernel: kernel.into(),
            faults: faults.into(),
            ..Started::default()
        }));
        story.exec(2);
        story.map(10, 4, RW, PRIVATE);
        assert_eq!(short(&story.protect(10, 4, R)), [], "{kernel} {faults}");
    }
}

#[test]
fn where_faults_were_lost_every_charge_stays() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    let loss = Loss {
        time: Nanoseconds(story.time),
        faults: 1,
        ..Loss::default()
    };
    story.apply(&Event::Loss(loss));
    assert!(!story.space().needs_resync());
    assert_eq!(short(&story.protect(10, 4, R)), []);
    // What is mapped from then on is known.
    story.map(20, 4, RW, PRIVATE);
    assert_eq!(
        short(&story.protect(20, 4, R)),
        [Changed(pages(0, 0, -4, 0))]
    );
}

#[test]
fn a_page_in_memory_holds_the_charge_of_its_mapping() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    story.look(&[(12, 1)]);
    assert_eq!(short(&story.protect(10, 4, R)), []);
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
fn shmdt_finds_a_segment_whose_beginning_is_gone_and_leaves_what_lies_over_it() {
    let mut story = Story::new();
    let attach = |flags| Action::Attach {
        address: Address(10 * PAGE),
        length: 6 * PAGE,
        flags,
    };
    let detach = || Action::Detach {
        address: Address(10 * PAGE),
    };
    story.call(attach(0));
    story.unmap(10, 1);
    story.unmap(12, 1);
    story.map(14, 1, RW, PRIVATE | MAP_FIXED);
    story.call(detach());
    assert!(!story.space().needs_resync());
    assert_eq!(story.shape(), [(14, 1, 2, RW)]);
    // Over what is there it is a commit.
    story.unmap(14, 1);
    story.map(8, 10, NONE, PRIVATE);
    let reserved = story.time as u32;
    story.call(attach(SHM_REMAP));
    assert_eq!(
        story.shape(),
        [
            (8, 2, reserved, NONE),
            (10, 6, reserved, RW),
            (16, 2, reserved, NONE)
        ]
    );
    story.call(detach());
    assert_eq!(
        story.shape(),
        [(8, 2, reserved, NONE), (16, 2, reserved, NONE)]
    );
}

#[test]
fn a_segment_that_the_maps_show_is_known_by_its_offset() {
    let mut story = Story::unseeded();
    let segment = |page, pages, offset| Mapping {
        shared: true,
        offset: offset * PAGE,
        ..line(page, pages, RW, "/SYSV00000000 (deleted)")
    };
    story.maps(
        MapsPurpose::Seed,
        &[segment(11, 2, 1), segment(14, 1, 4), segment(20, 4, 0)],
    );
    // Its creator was charged, and the inode of the first segment ever is 0.
    assert!(story.space().reservations().all(|r| r.charged_bytes == 0));
    story.call(Action::Detach {
        address: Address(10 * PAGE),
    });
    assert_eq!(story.shape(), [(20, 4, 0, RW)]);
}

#[test]
fn remap_file_pages_makes_its_pages_anew_and_brings_them_in() {
    let mut story = Story::new();
    story.map(10, 4, RW, MAP_SHARED | MAP_ANONYMOUS);
    story.fault(11, true);
    story.look(&[(11, 1)]);
    let changes = story.call(Action::RemapFilePages {
        address: Address(10 * PAGE),
        length: 3 * PAGE - 1,
    });
    assert_eq!(short(&changes), [Changed(pages(0, 0, 0, 1))]);
    assert_eq!(story.made_at(2).resident_bytes, 0);
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
            Action::RemapLeave {
                address,
                length,
                moves: true,
            },
            Action::RemapArrive {
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
