use super::Short::{Born, Changed, Died};
use super::*;

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
fn what_the_maps_show_instead_of_what_was_known_is_what_they_show() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    story.lose();
    let segment = Mapping {
        shared: true,
        ..line(10, 4, RW, "/SYSV00000000 (deleted)")
    };
    story.maps(MapsPurpose::Resync, &[segment]);
    assert_eq!(story.made_at(2).charged_bytes, 0);
    story.call(Action::Detach {
        address: Address(10 * PAGE),
    });
    assert_eq!(story.shape(), []);
}

#[test]
fn of_what_a_segment_of_unknown_length_may_cover_earlier_calls_say_nothing() {
    for flags in [0, SHM_REMAP] {
        let mut story = Story::new();
        story.map(10, 2, RW, PRIVATE);
        story.map(12, 2, R, PRIVATE);
        story.map(20, 1, RW, PRIVATE);
        // It may have changed the first, and then both are unmapped for sure.
        story.protect_failed(10, 4, RW, 13);
        assert!(!story.space().is_sure_at(Address(10 * PAGE)));
        story.unmap(10, 4);
        assert!(story.space().is_sure_at(Address(10 * PAGE)));
        story.call(Action::Attach {
            address: Address(10 * PAGE),
            length: 0,
            flags,
        });
        let sure = |page| story.space().is_sure_at(Address(page * PAGE));
        assert!(!sure(10) && !sure(19));
        // It may go over what is mapped only if it was to.
        assert_eq!(sure(20), flags == 0);
        story.reading();
        let segment = Mapping {
            shared: true,
            ..line(10, 6, RW, "/SYSV00000000 (deleted)")
        };
        story.maps(MapsPurpose::Resync, &[segment, line(20, 1, RW, "")]);
        assert_eq!(story.shape(), [(10, 6, 7, RW), (20, 1, 4, RW)]);
        assert!(!story.space().needs_resync());
    }
}
