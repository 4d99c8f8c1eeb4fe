//! Cut, damaged, foreign and hostile recordings: all are found out, none does harm.

use proptest::prelude::*;
use tracer_recording::{
    Damage, End, FORMAT_VERSION, MAX_PAYLOAD, MAX_PLAIN, OLDEST_VERSION, Problem,
};

use crate::bytes::{block, done, encoded, events_block, file, head, header, play, problem, record};
use crate::events::events;

proptest! {
    #[test]
    fn random_damage_is_never_taken_for_a_whole_recording(
        damage in prop::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 1..8),
        per_block in 1..30_usize,
    ) {
        let truth = events();
        let mut bytes = record(&truth, per_block);
        let good = bytes.clone();
        for (index, flip) in damage {
            let at = index.index(bytes.len());
            bytes[at] ^= flip;
        }
        prop_assume!(bytes != good);
        let (read, end) = play(&bytes);
        prop_assert_eq!(&read[..], &truth[..read.len()]);
        prop_assert!(end.is_err());
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), events in 0..9_u32) {
        prop_assert!(play(&bytes).1.is_err());
        // With all checksums right, so that they reach the decoder.
        let (_, end) = play(&file(&[events_block(&bytes, events)]));
        if let Err(error) = end {
            prop_assert!(!error.to_string().contains('\n'));
        }
    }
}

#[test]
fn a_recording_cut_at_any_byte_delivers_its_whole_blocks_and_says_so() {
    let truth = events();
    let per_block = 4;
    let bytes = record(&truth, per_block);
    // Where each block ends, by the lengths in their heads.
    let mut ends = vec![16];
    while let Some(length) = bytes[ends[ends.len() - 1]..].get(4..8) {
        let length = u32::from_le_bytes(length.try_into().unwrap());
        ends.push(ends[ends.len() - 1] + 24 + length as usize);
    }
    assert_eq!(ends.last(), Some(&bytes.len()));
    for length in 0..bytes.len() {
        let (read, end) = play(&bytes[..length]);
        if length < 16 {
            let problem = end.unwrap_err().problem;
            match length {
                0 => assert!(matches!(problem, Problem::Empty), "{problem}"),
                _ => assert!(matches!(problem, Problem::CutHeader), "{problem}"),
            }
            continue;
        }
        let blocks = ends.iter().filter(|&&end| end <= length).count() - 1;
        assert_eq!(read, truth[..truth.len().min(blocks * per_block)]);
        assert_eq!(
            end.unwrap(),
            End::Cut {
                blocks: blocks as u64,
                events: read.len() as u64,
                offset: ends[blocks] as u64,
            }
        );
    }
}

#[test]
fn a_flip_of_any_bit_is_found() {
    let truth = events();
    let bytes = record(&truth, 4);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << bit;
            let (read, end) = play(&bytes);
            assert_eq!(read, truth[..read.len()], "bit {bit} of byte {at}");
            let error = end.expect_err("a flipped bit is no recording");
            assert!(!error.to_string().contains('\n'), "{error}");
        }
    }
}

#[test]
fn a_damaged_block_is_named_and_those_before_it_are_delivered() {
    let truth = events();
    let good = events_block(&encoded(&truth[0]), 1);
    let mut bad = events_block(&encoded(&truth[1]), 1);
    *bad.last_mut().unwrap() ^= 1;
    let (read, end) = play(&file(&[good.clone(), bad]));
    assert_eq!(read, truth[..1]);
    let error = end.unwrap_err();
    let offset = 16 + good.len() as u64;
    assert!(matches!(
        &error.problem,
        Problem::Corrupt { block: 1, offset: at, what: Damage::PayloadChecksum } if *at == offset
    ));
    assert_eq!(
        error.to_string(),
        format!(
            "cannot read the recording a.rec: wrong checksum, in block 1 at byte {offset}: it is \
             damaged, and events from there on are lost; copy it again from where it was made"
        )
    );
}

#[test]
fn a_foreign_file_is_refused() {
    assert!(matches!(problem(b"\x7fELF"), Problem::Foreign));
    assert!(matches!(
        problem(b"{\"schema\": \"tracer.report/1\"}"),
        Problem::Foreign
    ));
    // A recording after a conversion of line ends.
    let converted = [b"\x89TRACER\r\n".as_slice(), &record(&[], 1)[8..]].concat();
    assert!(matches!(problem(&converted), Problem::Foreign));
}

#[test]
fn a_newer_format_is_refused_by_its_version() {
    let newer = header(FORMAT_VERSION + 1);
    assert!(matches!(problem(&newer), Problem::Version { found } if found == FORMAT_VERSION + 1));
    let (_, end) = play(&newer);
    assert_eq!(
        end.unwrap_err().to_string(),
        "cannot read the recording a.rec: it is of format version 7, this tracer reads versions 2 to 6; \
         use the tracer that made it"
    );
}

#[test]
fn an_older_recording_is_read_as_far_back_as_nothing_but_new_events_was_added() {
    let new = record(&events(), 4);
    for (version, is_read) in [(OLDEST_VERSION, true), (OLDEST_VERSION - 1, false)] {
        let old = [&header(version), &new[16..]].concat();
        let (read, _) = play(&old);
        assert_eq!(read.len(), if is_read { events().len() } else { 0 });
    }
}

#[test]
fn an_absurd_length_is_refused_before_memory_is_taken() {
    for (payload, plain) in [(MAX_PAYLOAD + 1, 0), (u32::MAX, 0), (0, MAX_PLAIN + 1)] {
        let bytes = file(&[head(b"EVTS", payload, plain, 1, 0)]);
        let length = payload.max(plain);
        assert!(
            matches!(problem(&bytes), Problem::TooLong { length: found, .. } if found == length)
        );
    }
    // The largest that is allowed, and nothing behind it: memory is taken as bytes arrive.
    let (_, end) = play(&file(&[head(b"EVTS", MAX_PAYLOAD, MAX_PLAIN, 1, 0)]));
    assert!(matches!(end, Ok(End::Cut { .. })));
}

#[test]
fn a_block_that_decompresses_to_more_than_it_says_is_refused() {
    let bomb = zstd::bulk::compress(&vec![0; 32 << 20], 1).unwrap();
    for plain in [0, 1000] {
        let problem = problem(&file(&[block(b"EVTS", &bomb, plain, 1)]));
        assert!(
            matches!(
                &problem,
                Problem::Corrupt {
                    what: Damage::Compression(_),
                    ..
                }
            ),
            "{problem}"
        );
    }
}

#[test]
fn a_block_that_decompresses_to_less_than_it_says_is_refused() {
    let payload = zstd::bulk::compress(&[0; 10], 1).unwrap();
    let problem = problem(&file(&[block(b"EVTS", &payload, 11, 1)]));
    assert!(
        matches!(&problem, Problem::Corrupt { what: Damage::Compression(why), .. } if why == "10 bytes where 11 were written"),
        "{problem}"
    );
}

#[test]
fn events_that_do_not_decode_or_do_not_fill_their_block_are_refused() {
    let event = encoded(&events()[0]);
    let check = |plain: &[u8], count: u32, expected: &str| {
        let problem = problem(&file(&[events_block(plain, count), done(1)]));
        let Problem::Corrupt {
            what,
            block: 0,
            offset: 16,
        } = problem
        else {
            panic!("{problem}");
        };
        assert!(what.to_string().starts_with(expected), "{what}");
    };
    check(&event[..event.len() - 1], 1, "undecodable event 0 (");
    check(&event, 2, "undecodable event 1 (");
    check(
        &[event.clone(), vec![7]].concat(),
        1,
        "1 bytes behind the last event",
    );
    check(&event, 0, &format!("{} bytes behind", event.len()));
    check(&[200; 40], 1, "undecodable event 0 (");
}

#[test]
fn a_sequence_of_absurd_length_does_not_take_its_memory() {
    // Resident, time 0, space 0, and ranges of which there are 2^63.
    let mut plain = vec![5, 0, 0];
    plain.extend([0x80; 9]);
    plain.push(1);
    plain.extend([0; 1000]);
    let problem = problem(&file(&[events_block(&plain, 1)]));
    assert!(
        matches!(
            &problem,
            Problem::Corrupt {
                what: Damage::Event { .. },
                ..
            }
        ),
        "{problem}"
    );
}

#[test]
fn the_end_marker_must_fit_what_was_read() {
    let one = events_block(&encoded(&events()[0]), 1);
    let what = |end: Vec<u8>| match problem(&file(&[one.clone(), end])) {
        Problem::Corrupt { what, .. } => what,
        other => panic!("{other}"),
    };
    assert_eq!(
        what(done(2)),
        Damage::Count {
            found: 1,
            expected: 2
        }
    );
    assert_eq!(what(block(b"DONE", &[1, 0, 0, 0], 8, 0)), Damage::EndMarker);
    assert_eq!(
        what(block(b"DONE", &1_u64.to_le_bytes(), 8, 1)),
        Damage::EndMarker
    );
    assert_eq!(
        what(block(b"DONE", &1_u64.to_le_bytes(), 9, 0)),
        Damage::EndMarker
    );
    assert_eq!(
        what(block(b"INDX", &[], 0, 0)),
        Damage::UnknownBlock { tag: *b"INDX" }
    );
}

#[test]
fn bytes_after_the_end_are_refused() {
    let mut bytes = record(&events(), 100);
    let offset = bytes.len() as u64;
    bytes.push(0);
    assert!(matches!(problem(&bytes), Problem::AfterEnd { offset: at } if at == offset));
}
