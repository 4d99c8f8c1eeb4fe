use bytes::{BufMut as _, BytesMut};
use tracer_common::memory::pack_pages;

use super::*;

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
