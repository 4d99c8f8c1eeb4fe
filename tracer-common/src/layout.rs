//! The layout of the wire, asserted at compile time.

use core::mem::{offset_of, size_of};

use crate::{account, file, header, memory, process, stack};

const _: () = {
    assert!(size_of::<header::Header>() == 32);
    assert!(offset_of!(header::Header, kind) == 0);
    assert!(offset_of!(header::Header, time_ns) == 8);
    assert!(size_of::<memory::Call>() == 80);
    assert!(offset_of!(memory::Call, address) == 32);
    assert!(offset_of!(memory::Call, pages) == 56);
    assert!(size_of::<memory::LongCall>() == 96);
    assert!(size_of::<account::Account>() == 72);
    assert!(size_of::<account::Accounted>() == 104);
    assert!(size_of::<account::Refused>() == 192);
    assert!(size_of::<account::Split>() == 48);
    assert!(size_of::<file::FileCall>() == 112);
    assert!(size_of::<file::FileHead>() == 64);
    assert!(size_of::<file::Named>() == 128);
    assert!(size_of::<memory::Fault>() == 40);
    assert!(size_of::<memory::SampledFault>() == 48);
    assert!(size_of::<process::Process>() == 88);
    assert!(size_of::<process::Mapping>() == 72);
    assert!(size_of::<stack::StackHead>() == 104);
    assert!(stack::FRAME_SLOTS > stack::MAX_FRAMES);
    assert!(size_of::<stack::Rule>() == 8);
    assert!(size_of::<stack::RuleKey>() == 16);
};
