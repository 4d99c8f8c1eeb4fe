use bytes::{BufMut as _, BytesMut};
use tracer_common::memory::pack_pages;

use super::*;
use crate::event::record::RawRefused;

fn header(kind: Kind, protection: u8, flags: u32) -> BytesMut {
    let mut bytes = BytesMut::new();
    bytes.put_u8(kind as u8);
    bytes.put_u8(protection);
    bytes.put_u16_ne(3);
    bytes.put_u32_ne(flags);
    bytes.put_u64_ne(1_000);
    bytes.put_u64_ne(0xffff_8881_0000_0000);
    bytes.put_u32_ne(10);
    bytes.put_u32_ne(11);
    bytes
}

fn call(kind: Kind) -> BytesMut {
    let mut bytes = header(kind, 3, 0x22);
    for word in [0x7000_0000, 8192, TICKET | 5, pack_pages(100, 7), 3, 900] {
        bytes.put_u64_ne(word);
    }
    bytes
}

#[test]
fn a_fault_with_a_stack_comes_out_as_it_went_in() {
    let mut bytes = header(Kind::SampledFault, 0, FAULT_WRITE | 6);
    bytes.put_u64_ne(0x7000_0008);
    bytes.put_u64_ne(TICKET | 5);
    let Ok(Record::SampledFault(fault, word)) = Decoder::default().decode(bytes.freeze()) else {
        panic!("no fault")
    };
    assert_eq!(
        (fault.address.0, fault.write, fault.in_kernel),
        (0x7000_0008, true, false)
    );
    assert_eq!(word, StackWord::Ticket(TICKET | 5));
    let short = header(Kind::SampledFault, 0, 0).freeze();
    assert!(Decoder::default().decode(short).is_err());
}

#[test]
fn a_call_comes_out_as_it_went_in() {
    let record = Decoder::default().decode(call(Kind::Mmap).freeze());
    assert_eq!(
        record,
        Ok(Record::Call(RawCall {
            stamp: Stamp {
                time: Nanoseconds(1_000),
                space: SpaceId(1),
                pid: Pid(10),
                tid: Tid(11),
                cpu: 3,
            },
            kind: Kind::Mmap,
            protection: 3,
            flags: 0x22,
            address: Address(0x7000_0000),
            length: 8192,
            stack: StackWord::Ticket(TICKET | 5),
            totals: Totals {
                total_pages: 100,
                stack_pages: 7
            },
            turn: Turn {
                number: 3,
                time: Nanoseconds(900)
            },
            extra: None,
            file: None,
        }))
    );
}

#[test]
fn a_record_of_any_other_length_is_refused() {
    for kind in [Kind::Mmap, Kind::Munmap, Kind::Failed] {
        let whole = call(kind);
        for length in 0..whole.len() {
            let cut = whole.clone().split_to(length).freeze();
            assert!(Decoder::default().decode(cut).is_err(), "{kind:?} {length}");
        }
        let mut long = whole.clone();
        long.put_u8(0);
        assert!(Decoder::default().decode(long.freeze()).is_err());
    }
}

#[test]
fn an_mremap_without_its_result_is_refused() {
    assert!(
        Decoder::default()
            .decode(call(Kind::Mremap).freeze())
            .is_err()
    );
}

#[test]
fn an_unknown_kind_is_refused() {
    let mut bytes = call(Kind::Mmap);
    bytes[0] = 200;
    assert_eq!(
        Decoder::default().decode(bytes.freeze()),
        Err(DecodeError::UnknownKind(200))
    );
}

#[test]
fn a_stack_whose_byte_count_does_not_fit_is_refused() {
    let mut bytes = header(Kind::Stack, 0, 0);
    for word in [TICKET | 1, 42, 0x1000, 0x7fff_0000, 0x7fff_0010] {
        bytes.put_u64_ne(word);
    }
    bytes.put_u32_ne(2);
    bytes.put_u32_ne(24);
    bytes.put_u64_ne(0x77);
    bytes.put_u16_ne(5);
    bytes.put_u16_ne(6);
    bytes.put_u32_ne(16);
    bytes.put_u64_ne(0x1234);
    for slot in 0..FRAME_SLOTS as u64 {
        bytes.put_u64_ne(0x4000 + slot);
    }
    bytes.put_slice(&[1; 16]);
    bytes.put_slice(&[2; 8]);
    let Ok(Record::Stack(stack)) = Decoder::default().decode(bytes.clone().freeze()) else {
        panic!("the stack was not decoded");
    };
    assert_eq!(stack.frames, [0x4000, 0x4001]);
    assert_eq!((&stack.copied[..], stack.missing), (&[1; 16][..], 5));
    let other = stack.other.unwrap();
    assert_eq!((&other.copied[..], other.missing), (&[2; 8][..], 6));
    assert_eq!((other.sp, stack.code), (0x1234, 0x77));
    bytes.put_u8(0);
    assert!(Decoder::default().decode(bytes.freeze()).is_err());
}

#[test]
fn the_same_address_space_keeps_its_number() {
    let mut decoder = Decoder::default();
    assert_eq!(decoder.space(7, None), decoder.space(7, Some(Pid(1))));
    assert_ne!(decoder.space(7, None), decoder.space(8, None));
    assert_eq!(decoder.space(0, None), SpaceId(0));
}

#[test]
fn a_process_that_ran_before_keeps_the_number_that_it_was_expected_under() {
    let mut decoder = Decoder::default();
    let expected = decoder.expect(Pid(10));
    assert_ne!(decoder.space(5, Some(Pid(9))), expected);
    assert_eq!(decoder.space(7, Some(Pid(10))), expected);
    assert_eq!(decoder.space(7, None), expected);
    decoder.forget(expected);
    let again = decoder.expect(Pid(12));
    assert_eq!(
        decoder.space(7, Some(Pid(12))),
        again,
        "the kernel used the name again"
    );
}

/// A record of this kind with these words behind its header.
fn record(kind: Kind, protection: u8, flags: u32, words: &[u64]) -> BytesMut {
    let mut bytes = header(kind, protection, flags);
    for word in words {
        bytes.put_u64_ne(*word);
    }
    bytes
}

#[test]
fn a_refused_call_comes_out_as_it_went_in() {
    let flags = tracer_common::memory::pack_failure(12, 3);
    let arguments = [0, 64 << 30, 0];
    let told = [0x4022, TICKET | 5, 77, 0x5000, 0x2000, 1 << 47, 1 << 14, 9];
    let account = [
        pack_pages(100, 7),
        3,
        4,
        22,
        8 << 30,
        u64::MAX,
        8 << 20,
        1,
        20,
    ];
    let words = [&arguments[..], &told[..], &account[..]].concat();
    let bytes = record(Kind::Refused, Kind::Mmap as u8, flags, &words);
    let Ok(Record::Refused(RawRefused { refused, stack })) =
        Decoder::default().decode(bytes.clone().freeze())
    else {
        panic!("it was not decoded");
    };
    assert_eq!(stack, StackWord::Ticket(TICKET | 5));
    assert_eq!(
        (refused.call, refused.requested_bytes, refused.error),
        (RefusedCall::Mmap, 64 << 30, 12)
    );
    assert_eq!((refused.protection, refused.flags), (3, 0x4022));
    assert_eq!((refused.place, refused.account.mappings), (77, 22));
    let limits = refused.account.limits;
    assert_eq!(limits.address_space_bytes, Some(8 << 30));
    assert_eq!((limits.data_bytes, limits.processes), (None, Some(20)));
    let around = refused.around;
    assert_eq!((around.may_lock, around.locks_all), (Some(true), true));
    assert_eq!(around.user_processes, Some(9));
    let mut long = bytes;
    long.put_u8(0);
    assert!(Decoder::default().decode(long.freeze()).is_err());
    // No such call can be refused.
    let other = record(Kind::Refused, Kind::Shmdt as u8, flags, &words);
    assert!(Decoder::default().decode(other.freeze()).is_err());
}

#[test]
fn what_brk_and_mremap_asked_for_is_what_they_wanted_more() {
    let requested = |kind: Kind, arguments: [u64; 3]| {
        let words = [&arguments[..], &[0, 0, 1, 0x5000, 0, 0, 0, 0], &[0; 9]].concat();
        let bytes = record(Kind::Refused, kind as u8, 12, &words);
        let Ok(Record::Refused(raw)) = Decoder::default().decode(bytes.freeze()) else {
            panic!("it was not decoded");
        };
        raw.refused.requested_bytes
    };
    assert_eq!(requested(Kind::Brk, [0x9000, 0, 0]), 0x4000);
    assert_eq!(requested(Kind::Mremap, [0, 0x1000, 0x3000]), 0x2000);
    assert_eq!(requested(Kind::Fork, [7, 8, 9]), 0);
}

#[test]
fn what_the_kernel_has_of_a_process_comes_out_as_it_went_in() {
    let words = [
        pack_pages(100, 7),
        3,
        4,
        22,
        8 << 30,
        u64::MAX,
        8 << 20,
        1,
        20,
    ];
    let bytes = record(Kind::Accounted, 0, 1, &words);
    let Ok(Record::Accounted(told)) = Decoder::default().decode(bytes.freeze()) else {
        panic!("it was not decoded");
    };
    assert!(told.is_32_bit);
    assert_eq!(told.account.totals.total_pages, 100);
    assert_eq!((told.account.data_pages, told.account.locked_pages), (3, 4));
}

#[test]
fn a_call_that_maps_a_file_tells_which() {
    let mut bytes = call(Kind::Mmap);
    for word in [4096, 3, (1 << 20) | 2, 42] {
        bytes.put_u64_ne(word);
    }
    let Ok(Record::Call(call)) = Decoder::default().decode(bytes.freeze()) else {
        panic!("it was not decoded");
    };
    let file = call.file.unwrap();
    assert_eq!((file.device, file.inode), ((1 << 20) | 2, 42));
    assert_eq!(call.extra, Some([4096, 3]));
}

#[test]
fn a_file_whose_names_are_not_as_long_as_it_says_is_refused() {
    let names = b"f.dat\0srv\0";
    let file = |length: u32| {
        let mut bytes = record(Kind::File, 0, 0o100_644, &[8, 42, 0xef53]);
        bytes.put_u32_ne(length);
        bytes.put_u32_ne(0);
        bytes.put_slice(names);
        Decoder::default().decode(bytes.freeze())
    };
    let Ok(Record::File(known)) = file(names.len() as u32) else {
        panic!("it was not decoded");
    };
    assert_eq!((known.path.as_str(), known.inode), ("/srv/f.dat", 42));
    assert!(file(3).is_err() && file(300).is_err());
}
