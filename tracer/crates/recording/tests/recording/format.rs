//! What goes in comes out, in the format that is documented.

use std::path::Path;

use proptest::prelude::*;
use tracer_ledger::event::{Address, Event, Fault, FaultMode, Mapping, Maps, Rename, Started};
use tracer_recording::{End, FORMAT_VERSION, MAX_PLAIN, WriteError, Writer};

use crate::bytes::{NAME, done, encoded, events_block, file, play, record};
use crate::events::{busy, events, one_of_each, stamp};

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
    assert_eq!(FORMAT_VERSION, 6, "then the checksums below are others");
    let found: Vec<(&str, u32)> = one_of_each()
        .iter()
        .map(|(name, event)| (*name, crc32fast::hash(&encoded(event))))
        .collect();
    let expected: &[(&str, u32)] = &[
        ("Started", 0xc1cb_e4ad),
        ("Found", 0x3ed8_7f77),
        ("Maps", 0x725a_ac8b),
        ("Map", 0x7bd9_804c),
        ("Unmap", 0xc27e_33af),
        ("Remap", 0xb7df_cc91),
        ("Break", 0x588b_364f),
        ("RemapFailed", 0x842d_3895),
        ("MapFailed", 0x4778_31fc),
        ("Protect", 0x780f_18b7),
        ("Advise", 0x0b46_11be),
        ("Attach", 0x6fd2_edf2),
        ("Detach", 0xbcbe_1256),
        ("RemapFilePages", 0x7856_b947),
        ("Unclear", 0x0636_7891),
        ("ProtectFailed", 0x89e9_1253),
        ("AdviseFailed", 0x21c6_fa07),
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
        ("Looking", 0x3c3d_cefe),
        ("Incomplete", 0x093a_685a),
        ("Learning", 0xf7c5_de6b),
        ("Machine", 0x3cfd_bb22),
        ("Shown", 0x88ad_7dbd),
        ("Module", 0x07c3_58da),
        ("Ended", 0x4d11_34cd),
        ("Missing", 0x8e56_8a7c),
        ("Reading", 0x968f_d10a),
        ("SampledFault", 0x28a1_bd91),
        ("Refused", 0x20ee_c31c),
        ("RefusedAgain", 0xfeb5_1bf1),
        ("Accounted", 0x9aef_187d),
        ("Usage", 0x2945_a5b5),
        ("Shares", 0xab37_7b25),
        ("Mappings", 0x4525_494e),
        ("Split", 0xe470_5455),
        ("Group", 0x9f0e_c74d),
        ("OomKill", 0xb38d_55e9),
        ("File", 0xf64a_c214),
        ("Backed", 0x9515_f1c7),
        ("Named", 0xc7dd_e71d),
        ("Unseen", 0x26b5_d572),
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
}

#[test]
fn the_way_of_following_faults_is_a_word_and_a_foreign_one_is_read_as_none() {
    let started = |faults| {
        Event::Started(Started {
            faults,
            ..Started::default()
        })
    };
    // It is the last that a header tells: a length, and so many letters.
    let told = |word: &str| {
        let mut bytes = encoded(&started(None));
        assert_eq!(bytes.pop(), Some(0));
        bytes.push(word.len() as u8);
        bytes.extend(word.as_bytes());
        bytes
    };
    for mode in FaultMode::ALL {
        assert_eq!(encoded(&started(Some(mode))), told(mode.word()));
    }
    for (word, mode) in [
        ("each", Some(FaultMode::Each)),
        ("count", Some(FaultMode::Count)),
        ("off", Some(FaultMode::Off)),
        ("", None),
        ("some of them", None),
    ] {
        let bytes = file(&[events_block(&told(word), 1), done(1)]);
        let (read, end) = play(&bytes);
        assert_eq!(read, [started(mode)], "{word}");
        assert_eq!(end.unwrap(), End::Whole);
    }
}

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
