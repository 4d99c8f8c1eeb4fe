use super::Short::Changed;
use super::*;

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
        assert!(!story.space().lost_something(), "nothing was lost");
        story.reading();
        // Meanwhile nothing is guessed, and what is known still counts.
        story.protect(20, 1, NONE);
        let lines = [line(10, 4, RW, ""), line(14, 4, R, ""), line(20, 1, RW, "")];
        story.maps(MapsPurpose::Resync, &lines);
        assert_eq!(
            story.shape(),
            [
                (10, 2, 2, RW),
                (12, 2, 2, RW),
                (14, 4, 3, R),
                (20, 1, 4, NONE)
            ]
        );
        assert!(!story.space().needs_resync());
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
    for (kernel, faults) in [
        ("6.18.0", Some(FaultMode::Count)),
        ("6.18.0", Some(FaultMode::Off)),
        ("6.18.0", None),
        ("6.6.1", Some(FaultMode::Each)),
    ] {
        let mut story = Story::unseeded();
        // A space that begins after the header has come.
        story.apply(&Event::Started(Started {
            kernel: kernel.into(),
            faults,
            ..Started::default()
        }));
        story.exec(2);
        story.map(10, 4, RW, PRIVATE);
        assert_eq!(short(&story.protect(10, 4, R)), [], "{kernel} {faults:?}");
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
