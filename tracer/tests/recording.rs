//! The recording file: what goes in comes out, and whatever else is in it is found out.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use proptest::prelude::*;
use tracer::capture::recording::{
    Damage, End, FORMAT_VERSION, MAX_PAYLOAD, MAX_PLAIN, Problem, ReadError, Reader, WriteError,
    Writer,
};
use tracer::event::{
    Action, Address, Call, Ended, Event, Exec, Exit, ExitStatus, Failures, Fault, Fork, Found,
    Frame, FrameKind, Identity, Limits, Loss, Mapping, Maps, MapsPurpose, Nanoseconds, Pid, Rename,
    Resident, Sample, SpaceId, Stack, StackId, StackQuality, Stamp, Started, Thread, Tid, Totals,
};

// ---- what is recorded ----

fn stamp(time: u64) -> Stamp {
    Stamp {
        time: Nanoseconds(time),
        space: SpaceId(3),
        pid: Pid(5876),
        tid: Tid(5880),
        cpu: 300,
    }
}

fn call(action: Action) -> Event {
    Event::Call(Call {
        stamp: stamp(1_000_000_007),
        stack: StackId(17),
        action,
        totals: Some(Totals {
            total_pages: 5_642_153,
            stack_pages: 34,
        }),
    })
}

fn identity() -> Identity {
    Identity {
        comm: "openclaw-gatewa".into(),
        exe: "/usr/bin/node".into(),
        cmdline: vec!["node".into(), String::new(), "gateway ü".into()],
        runtime: Some("node v22.22.0".into()),
        limits: Limits {
            address_space_bytes: None,
            overcommit_memory: Some(1),
            max_map_count: Some(65_530),
            cgroup_memory_max_bytes: Some(4 << 30),
            ..Limits::default()
        },
    }
}

/// Every variant once, every [`Action`] once, in an order that need not make sense.
#[allow(clippy::too_many_lines, reason = "a table")]
fn one_of_each() -> Vec<(&'static str, Event)> {
    let cage = Address(0x7d18_0000_0000);
    let length = 10_737_479_680;
    vec![
        (
            "Started",
            Event::Started(Started {
                time: Nanoseconds(123_456_789_012),
                realtime_ns: 1_790_000_000_000_000_000,
                host: "host".into(),
                kernel: "6.18.44".into(),
                arch: "x86_64".into(),
                boot_id: "5d2e7c2e-7d5e-4a0c-9f52-0d6d9a7c8b11".into(),
                page_bytes: 4096,
                tracer_version: "0.1.0".into(),
                ..Started::default()
            }),
        ),
        (
            "Found",
            Event::Found(Found {
                time: Nanoseconds(5),
                pid: Pid(5876),
                parent: Pid(1),
                identity: identity(),
                threads: vec![(Tid(5876), "node".into()), (Tid(5880), "libuv".into())],
                ..Found::default()
            }),
        ),
        (
            "Maps",
            Event::Maps(Maps {
                time: Nanoseconds(9),
                began: Nanoseconds(8),
                pid: Pid(5876),
                mappings: vec![Mapping {
                    start: cage,
                    end: Address(cage.0 + 4096),
                    protection: 5,
                    offset: 0x0300_1000,
                    inode: u64::MAX,
                    name: "/usr/bin/node (deleted)".into(),
                    ..Mapping::default()
                }],
                purpose: MapsPurpose::Verify,
                ..Maps::default()
            }),
        ),
        (
            "Map",
            call(Action::Map {
                address: cage,
                length,
                protection: 0,
                flags: 0x4022,
                file_offset: None,
            }),
        ),
        (
            "Unmap",
            call(Action::Unmap {
                address: cage,
                length,
            }),
        ),
        (
            "RemapLeave",
            call(Action::RemapLeave {
                address: cage,
                length,
                moves: true,
            }),
        ),
        (
            "RemapArrive",
            call(Action::RemapArrive {
                old_address: cage,
                old_length: length,
                new_address: Address(u64::MAX),
                new_length: 1,
                flags: 1,
            }),
        ),
        (
            "Break",
            call(Action::Break {
                start: cage,
                end: Address(cage.0 + 135_168),
            }),
        ),
        (
            "Protect",
            call(Action::Protect {
                address: cage,
                length,
                protection: 3,
            }),
        ),
        (
            "Advise",
            call(Action::Advise {
                address: cage,
                length,
                advice: 4,
            }),
        ),
        (
            "Attach",
            call(Action::Attach {
                address: cage,
                length,
                flags: 0,
            }),
        ),
        ("Detach", call(Action::Detach { address: cage })),
        (
            "RemapFilePages",
            call(Action::RemapFilePages {
                address: cage,
                length,
            }),
        ),
        (
            "Fault",
            Event::Fault(Fault {
                stamp: stamp(77),
                address: cage,
                write: true,
                ..Fault::default()
            }),
        ),
        (
            "Resident",
            Event::Resident(Resident {
                time: Nanoseconds(78),
                ranges: vec![(cage, 4096), (Address(cage.0 + 8192), 65_536)],
                ..Resident::default()
            }),
        ),
        (
            "Fork",
            Event::Fork(Fork {
                stamp: stamp(79),
                child: Pid(6000),
                child_space: SpaceId(4),
                comm: "sh".into(),
                followed: true,
                ..Fork::default()
            }),
        ),
        (
            "Thread",
            Event::Thread(Thread {
                stamp: stamp(80),
                child: Tid(6001),
                ..Thread::default()
            }),
        ),
        (
            "Exec",
            Event::Exec(Exec {
                stamp: stamp(81),
                identity: identity(),
                ..Exec::default()
            }),
        ),
        (
            "Exit",
            Event::Exit(Exit {
                stamp: stamp(82),
                status: ExitStatus::Signal(9),
                totals: None,
            }),
        ),
        (
            "Rename",
            Event::Rename(Rename {
                comm: "V8 \u{1}".into(),
                ..Rename::default()
            }),
        ),
        (
            "Sample",
            Event::Sample(Sample {
                time: Nanoseconds(83),
                virtual_bytes: 22_734_080 << 10,
                resident_bytes: 418_688 << 10,
                maps: Some(793),
                ..Sample::default()
            }),
        ),
        (
            "Stack",
            Event::Stack(Stack {
                id: StackId(17),
                quality: StackQuality::Cut,
                frames: vec![
                    Frame {
                        function: Some("mmap".into()),
                        module: Some("/usr/lib/x86_64-linux-gnu/libc.so.6".into()),
                        offset: 0x10_2f43,
                        ..Frame::default()
                    },
                    Frame {
                        function: Some("lazyllhttp".into()),
                        offset: 0x7d18_4000_1234,
                        file: Some("node:internal/deps/undici/undici".into()),
                        line: Some(5935),
                        kind: FrameKind::Jit,
                        inlined: true,
                        ..Frame::default()
                    },
                ],
            }),
        ),
        (
            "Loss",
            Event::Loss(Loss {
                time: Nanoseconds(84),
                events: 1,
                faults: 2,
                late: 4,
                ..Loss::default()
            }),
        ),
        (
            "Failures",
            Event::Failures(Failures {
                calls: vec![("mmap".into(), 3)],
                ..Failures::default()
            }),
        ),
        (
            "Ended",
            Event::Ended(Ended {
                time: Nanoseconds(85),
                tracer_cpu_ns: 240_000_000,
                tracer_peak_bytes: 38 << 20,
                ..Ended::default()
            }),
        ),
    ]
}

fn events() -> Vec<Event> {
    one_of_each().into_iter().map(|(_, event)| event).collect()
}

/// Calls as a busy process makes them: `seed` makes them differ in all that differs in life.
fn busy(count: u64) -> impl Iterator<Item = Event> {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut time = 123_456_789_012;
    (0..count).map(move |index| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        time += random % 20_000;
        let address = Address(0x7f00_0000_0000 + ((random >> 20) % (1 << 22)) * 4096);
        let length = 4096 * (1 + (random >> 50) % 64);
        Event::Call(Call {
            stamp: Stamp {
                time: Nanoseconds(time),
                tid: Tid(5876 + ((random >> 5) % 12) as u32),
                cpu: (random % 8) as u16,
                ..stamp(0)
            },
            stack: StackId(((random >> 8) % 500) as u32),
            action: if index % 2 == 0 {
                Action::Map {
                    address,
                    length,
                    protection: 3,
                    flags: 0x22,
                    file_offset: None,
                }
            } else {
                Action::Unmap { address, length }
            },
            totals: Some(Totals {
                total_pages: 5_642_153 + (random >> 30) % 4096,
                stack_pages: 34,
            }),
        })
    })
}

// ---- writing and reading in memory ----

const NAME: &str = "a.rec";

/// A recording with a block after every `per_block` events.
fn record(events: &[Event], per_block: usize) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), Path::new(NAME)).unwrap();
    for chunk in events.chunks(per_block) {
        for event in chunk {
            writer.write(event).unwrap();
        }
        writer.flush_block().unwrap();
    }
    writer.end().unwrap()
}

/// All events that come, and how it ended.
fn play(bytes: &[u8]) -> (Vec<Event>, Result<End, ReadError>) {
    let mut reader = match Reader::new(bytes, Path::new(NAME)) {
        Ok(reader) => reader,
        Err(error) => return (Vec::new(), Err(error)),
    };
    let mut events = Vec::new();
    loop {
        match reader.read() {
            Ok(Some(event)) => events.push(event),
            Ok(None) => {
                assert_eq!(reader.events(), events.len() as u64);
                return (events, Ok(reader.end().expect("all is read")));
            }
            Err(error) => {
                assert_eq!(reader.end(), None);
                assert!(reader.next().is_none(), "nothing comes after an error");
                return (events, Err(error));
            }
        }
    }
}

fn problem(bytes: &[u8]) -> Problem {
    play(bytes).1.expect_err("this is no recording").problem
}

// ---- a writer made from the format's description alone ----

fn header(version: u32) -> Vec<u8> {
    let mut bytes = b"\x89TRACER\n".to_vec();
    bytes.extend(version.to_le_bytes());
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

fn block(tag: &[u8; 4], payload: &[u8], plain: u32, events: u32) -> Vec<u8> {
    head(
        tag,
        payload.len() as u32,
        plain,
        events,
        crc32fast::hash(payload),
    )
    .into_iter()
    .chain(payload.iter().copied())
    .collect()
}

fn head(tag: &[u8; 4], payload: u32, plain: u32, events: u32, crc: u32) -> Vec<u8> {
    let mut bytes = tag.to_vec();
    for word in [payload, plain, events, crc] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

fn events_block(plain: &[u8], events: u32) -> Vec<u8> {
    let payload = zstd::bulk::compress(plain, 1).unwrap();
    block(b"EVTS", &payload, plain.len() as u32, events)
}

fn done(events: u64) -> Vec<u8> {
    block(b"DONE", &events.to_le_bytes(), 8, 0)
}

fn file(blocks: &[Vec<u8>]) -> Vec<u8> {
    [header(FORMAT_VERSION), blocks.concat()].concat()
}

fn encoded(event: &Event) -> Vec<u8> {
    postcard::to_allocvec(event).unwrap()
}

// ---- what goes in comes out ----

#[test]
fn every_kind_of_event_comes_out_as_it_went_in() {
    for per_block in [1, 4, 100] {
        let (read, end) = play(&record(&events(), per_block));
        assert_eq!(read, events());
        assert_eq!(end.unwrap(), End::Whole);
    }
}

#[test]
fn an_empty_recording_is_whole() {
    let (read, end) = play(&record(&[], 1));
    assert_eq!(read, []);
    assert_eq!(end.unwrap(), End::Whole);
}

#[test]
fn a_file_made_from_the_formats_description_is_read() {
    let [first, second, third] = &events()[..3] else {
        panic!("there are more");
    };
    let bytes = file(&[
        events_block(&[encoded(first), encoded(second)].concat(), 2),
        events_block(&encoded(third), 1),
        done(3),
    ]);
    let (read, end) = play(&bytes);
    assert_eq!(read, events()[..3]);
    assert_eq!(end.unwrap(), End::Whole);
}

#[test]
fn an_event_is_encoded_as_the_format_describes() {
    let event = Event::Rename(Rename {
        stamp: stamp(300),
        comm: "sh".into(),
    });
    #[rustfmt::skip]
    let expected = [
        10,             // the 11th variant
        0xac, 0x02,     // time 300
        3,              // space
        0xf4, 0x2d,     // pid 5876
        0xf8, 0x2d,     // tid 5880
        0xac, 0x02,     // cpu 300
        2, b's', b'h',  // comm
    ];
    assert_eq!(encoded(&event), expected);
}

/// The encoding carries no description of itself: if this fails, a type of an event was changed, and
/// recordings made before can no longer be read. Raise `FORMAT_VERSION` then, and put the new
/// checksums here.
#[test]
fn a_changed_event_type_is_a_new_format_version() {
    assert_eq!(FORMAT_VERSION, 1, "then the checksums below are others");
    let found: Vec<(&str, u32)> = one_of_each()
        .iter()
        .map(|(name, event)| (*name, crc32fast::hash(&encoded(event))))
        .collect();
    let expected: &[(&str, u32)] = &[
        ("Started", 0xc1cb_e4ad),
        ("Found", 0x3ed8_7f77),
        ("Maps", 0x52a1_7ee0),
        ("Map", 0x13b2_5b61),
        ("Unmap", 0x1545_865f),
        ("RemapLeave", 0xca77_8002),
        ("RemapArrive", 0x26b3_203e),
        ("Break", 0x1551_c063),
        ("Protect", 0xbcac_37b8),
        ("Advise", 0xd6a2_44fc),
        ("Attach", 0x478a_5ba9),
        ("Detach", 0xaf10_b6ed),
        ("RemapFilePages", 0x1ce4_9bda),
        ("Fault", 0xc8ba_2d38),
        ("Resident", 0x8012_1b63),
        ("Fork", 0xf21b_26e0),
        ("Thread", 0x79d1_6457),
        ("Exec", 0xb20d_f7cd),
        ("Exit", 0xa78d_cf3d),
        ("Rename", 0x5a35_bfca),
        ("Sample", 0x6682_6727),
        ("Stack", 0x9e0c_0721),
        ("Loss", 0x7c9a_ac64),
        ("Failures", 0x3fa0_ef3c),
        ("Ended", 0x4d11_34cd),
    ];
    assert_eq!(found, expected, "found {found:#x?}");
}

proptest! {
    #[test]
    fn any_events_come_out_as_they_went_in(
        names in prop::collection::vec((any::<String>(), any::<[u64; 4]>()), 0..40),
        times in prop::collection::vec((any::<u64>(), any::<u64>()), 1..40),
        per_block in 1..20_usize,
    ) {
        let mappings = names.into_iter().map(|(name, [start, end, offset, inode])| Mapping {
            start: Address(start), end: Address(end), offset, inode, name, ..Mapping::default()
        });
        let mut events = vec![Event::Maps(Maps { mappings: mappings.collect(), ..Maps::default() })];
        events.extend(times.into_iter().map(|(time, address)| Event::Fault(Fault {
            stamp: stamp(time), address: Address(address), ..Fault::default()
        })));
        let (read, end) = play(&record(&events, per_block));
        prop_assert_eq!(read, events);
        prop_assert_eq!(end.unwrap(), End::Whole);
    }

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

// ---- cut and damaged ----

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

// ---- foreign and hostile ----

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
        "cannot read the recording a.rec: it is of format version 2, this tracer reads version 1; \
         use the tracer that made it"
    );
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

// ---- sizes ----

#[test]
fn a_block_is_written_by_itself_when_enough_is_gathered() {
    let mut writer = Writer::new(Vec::new(), Path::new(NAME)).unwrap();
    for event in busy(20_000) {
        writer.write(&event).unwrap();
    }
    let bytes = writer.end().unwrap();
    let plain = u32::from_le_bytes(bytes[24..28].try_into().unwrap());
    assert!((256 << 10..257 << 10).contains(&plain), "{plain}");
    let (read, end) = play(&bytes);
    assert!(read.into_iter().eq(busy(20_000)));
    assert_eq!(end.unwrap(), End::Whole);
}

#[test]
fn a_million_calls_take_less_than_twenty_mebibytes() {
    let mut writer = Writer::new(Vec::new(), Path::new(NAME)).unwrap();
    for event in busy(100_000) {
        writer.write(&event).unwrap();
    }
    let bytes = writer.end().unwrap().len();
    assert!(bytes * 10 < 20 << 20, "{bytes} for a tenth of it");
}

#[test]
fn an_event_larger_than_a_block_may_be_is_left_out_with_an_error() {
    let mut writer = Writer::new(Vec::new(), Path::new(NAME)).unwrap();
    let truth = events();
    writer.write(&truth[0]).unwrap();
    let huge = Event::Rename(Rename {
        comm: "x".repeat(MAX_PLAIN as usize),
        ..Rename::default()
    });
    let error = writer.write(&huge).unwrap_err();
    assert!(matches!(error, WriteError::TooLarge { bytes, .. } if bytes > MAX_PLAIN as usize));
    writer.write(&truth[1]).unwrap();
    let (read, end) = play(&writer.end().unwrap());
    assert_eq!(read, truth[..2]);
    assert_eq!(end.unwrap(), End::Whole);
}

// ---- the file ----

#[test]
fn a_recording_has_its_name_only_when_it_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    let partial = folder.path().join("a.rec.partial");
    let truth = events();
    let mut writer = Writer::create(&path).unwrap();
    writer.write(&truth[0]).unwrap();
    writer.flush_block().unwrap();
    writer.write(&truth[1]).unwrap();
    assert!(!path.exists());
    assert_eq!(
        fs::metadata(&partial).unwrap().permissions().mode() & 0o777,
        0o600
    );

    // As after a crash: what was flushed is there.
    let mut reader = Reader::open(&partial).unwrap();
    assert_eq!(reader.read().unwrap().as_ref(), Some(&truth[0]));
    assert_eq!(reader.read().unwrap(), None);
    assert!(matches!(
        reader.end(),
        Some(End::Cut {
            blocks: 1,
            events: 1,
            ..
        })
    ));

    writer.finish().unwrap();
    assert!(!partial.exists());
    let read: Result<Vec<Event>, ReadError> = Reader::open(&path).unwrap().collect();
    assert_eq!(read.unwrap(), truth[..2]);
}

#[test]
fn an_older_recording_stays_until_the_new_one_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    fs::write(&path, "older").unwrap();
    let writer = Writer::create(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"older");
    writer.finish().unwrap();
    assert!(Reader::open(&path).is_ok());
}

#[test]
fn what_a_crash_has_left_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    drop(Writer::create(&path).unwrap());
    let partial = folder.path().join("a.rec.partial");
    let before = fs::metadata(&partial).unwrap().ino();
    let keep = File::open(&partial).unwrap(); // so that its inode is not used again
    let writer = Writer::create(&path).unwrap();
    assert_ne!(fs::metadata(&partial).unwrap().ino(), before);
    drop(keep);
    writer.finish().unwrap();
}

#[test]
fn two_tracers_do_not_write_the_same_recording() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    let first = Writer::create(&path).unwrap();
    assert!(matches!(
        Writer::create(&path),
        Err(WriteError::Busy { .. })
    ));
    first.finish().unwrap();
    assert!(Reader::open(&path).is_ok());
}

#[test]
fn links_and_whatever_is_not_a_regular_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let victim = folder.path().join("victim");
    fs::write(&victim, "untouched").unwrap();

    let path = folder.path().join("link");
    symlink(&victim, &path).unwrap();
    assert!(matches!(
        Writer::create(&path),
        Err(WriteError::NotRegular { .. })
    ));

    symlink(&victim, folder.path().join("b.rec.partial")).unwrap();
    let path = folder.path().join("b.rec");
    assert!(matches!(
        Writer::create(&path),
        Err(WriteError::NotRegular { .. })
    ));

    fs::create_dir(folder.path().join("c.rec.partial")).unwrap();
    let path = folder.path().join("c.rec");
    assert!(matches!(
        Writer::create(&path),
        Err(WriteError::NotRegular { .. })
    ));

    for other in [
        folder.path(),
        Path::new("/dev/null"),
        Path::new("/dev/stdout"),
    ] {
        let error = Writer::create(other).map(drop).unwrap_err();
        assert!(matches!(error, WriteError::NotRegular { .. }), "{error}");
    }
    assert!(matches!(
        Writer::create(Path::new("/")),
        Err(WriteError::NoName { .. })
    ));
    assert_eq!(fs::read(&victim).unwrap(), b"untouched");
    assert!(!Path::new("/dev/null.partial").exists());
}

#[test]
fn a_file_of_another_user_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let partial = folder.path().join("a.rec.partial");
    fs::write(&partial, "theirs").unwrap();
    std::os::unix::fs::chown(&partial, Some(65_534), None).unwrap();
    let path = folder.path().join(NAME);
    assert!(matches!(
        Writer::create(&path),
        Err(WriteError::NotOurs { .. })
    ));
    assert_eq!(fs::read(&partial).unwrap(), b"theirs");
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join(NAME);
    let error = Writer::create(&path).map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot create the recording {}.partial: No such file or directory (os error 2)",
            path.display()
        )
    );
    let error = Reader::open(&path).map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot read the recording {}: No such file or directory (os error 2)",
            path.display()
        )
    );
}

#[test]
fn a_full_disk_is_an_error_that_names_the_file_and_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    // In a thread of its own: the file systems it mounts are seen by nobody else, and gone with it.
    std::thread::spawn(move || {
        mount_small_tmpfs(path.parent().unwrap());
        let mut writer = Writer::create(&path).unwrap();
        let mut written = 0;
        let error = loop {
            let event = busy(written + 1).last().unwrap();
            let result = writer.write(&event).and_then(|()| writer.flush_block());
            match result {
                Ok(()) => written += 1,
                Err(error) => break error,
            }
            assert!(written < 10_000, "64 KiB are not that much");
        };
        assert_eq!(
            error.to_string(),
            format!(
                "cannot write the recording {}.partial: No space left on device (os error 28); \
                 what is in it so far is kept and can be reported",
                path.display()
            )
        );
        let event = Event::Loss(Loss::default());
        assert!(matches!(
            writer.write(&event),
            Err(WriteError::Failed { .. })
        ));
        assert!(matches!(writer.finish(), Err(WriteError::Failed { .. })));

        assert!(!path.exists());
        let (read, end) = play(&fs::read(path.with_file_name("a.rec.partial")).unwrap());
        assert!(
            read.into_iter()
                .eq((0..written).map(|index| busy(index + 1).last().unwrap()))
        );
        assert!(matches!(end, Ok(End::Cut { events, .. }) if events == written));
    })
    .join()
    .unwrap();
}

fn mount_small_tmpfs(folder: &Path) {
    use std::ffi::CString;
    use std::os::unix::ffi::OsStrExt;
    use std::ptr::null;

    let folder = CString::new(folder.as_os_str().as_bytes()).unwrap();
    let check = |result: i32| assert_eq!(result, 0, "{}", io::Error::last_os_error());
    // SAFETY: all pointers are to NUL-terminated strings that live through the calls, or null where
    // mount(2) ignores them; a thread may leave its mount namespace whatever the others do.
    unsafe {
        check(libc::unshare(libc::CLONE_NEWNS));
        let private = libc::MS_REC | libc::MS_PRIVATE;
        check(libc::mount(null(), c"/".as_ptr(), null(), private, null()));
        let (kind, options) = (c"tmpfs".as_ptr(), c"size=64k".as_ptr().cast());
        check(libc::mount(kind, folder.as_ptr(), kind, 0, options));
    }
}

#[test]
fn a_sink_that_fails_in_the_middle_of_a_block_leaves_a_cut_recording() {
    struct Short(Vec<u8>);
    impl Write for Short {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = 300 - self.0.len();
            if room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0.extend(&bytes[..bytes.len().min(room)]);
            Ok(bytes.len().min(room))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut sink = Short(Vec::new());
    let mut writer = Writer::new(&mut sink, Path::new(NAME)).unwrap();
    let truth = events();
    let failed = truth
        .iter()
        .position(|event| {
            writer
                .write(event)
                .and_then(|()| writer.flush_block())
                .is_err()
        })
        .unwrap();
    drop(writer);
    assert_eq!(sink.0.len(), 300);
    let (read, end) = play(&sink.0);
    assert_eq!(read, truth[..failed]);
    assert!(matches!(end, Ok(End::Cut { .. })));
}
