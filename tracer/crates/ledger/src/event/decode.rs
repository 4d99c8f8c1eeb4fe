//! Bytes from the ring to records. Strict: a record of the wrong length, of an unknown kind, or with a
//! number out of range is an error, never a guess.

use std::collections::HashMap;

use bytes::{Buf as _, Bytes};
use thiserror::Error;
use tracer_common::{
    header::Header,
    kind::{Kind, Success, TracedCall},
    memory::{FAULT_IN_KERNEL, FAULT_WRITE, unpack_failure, unpack_pages},
    process::{COMM_LENGTH, MAPPING_BY_CALL, MAPPING_SHARED, MAPPING_STACK, MAPPING_VDSO},
    stack::{FRAME_SLOTS, MAX_FRAMES, TICKET},
};

mod account;

mod file;

use super::{
    Address, Fault, Mapping, Nanoseconds, Pid, RefusedCall, SpaceId, Stamp, Tid, Totals,
    record::{
        OtherStack, RawCall, RawFailed, RawMapping, RawProcess, RawSplit, RawStack, Record,
        StackWord, Turn,
    },
};

/// Why a record could not be decoded.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum DecodeError {
    /// Fewer bytes than a header.
    #[error("a record of {0} bytes is shorter than a header")]
    NoHeader(usize),
    /// A kind that this version of the wire does not have.
    #[error("a record of unknown kind {0}")]
    UnknownKind(u8),
    /// Not the length that records of this kind have.
    #[error("a record of kind {kind:?} has {length} bytes")]
    Length {
        /// What it claims to be.
        kind: Kind,
        /// How long it is.
        length: usize,
    },
    /// More frames than there are slots.
    #[error("a stack of {0} frames")]
    Frames(u32),
}

/// Decodes records. It numbers address spaces, so that no kernel address goes further than here.
#[derive(Debug, Default)]
pub struct Decoder {
    spaces: HashMap<u64, SpaceId>,
    /// Numbers given to processes whose address space the kernel has not named yet.
    expected: HashMap<Pid, SpaceId>,
    given: u32,
}

impl Decoder {
    /// A process that runs already: the number of its address space, which its first record will
    /// tie to the kernel's own name for it.
    pub fn expect(&mut self, pid: Pid) -> SpaceId {
        let space = self.new_space();
        self.expected.insert(pid, space);
        space
    }

    fn new_space(&mut self) -> SpaceId {
        self.given += 1;
        SpaceId(self.given)
    }

    /// The number of an address space that the kernel knows by `key`; 0 is "none".
    fn space(&mut self, key: u64, owner: Option<Pid>) -> SpaceId {
        if key == 0 {
            return SpaceId(0);
        }
        if let Some(space) = self.spaces.get(&key) {
            return *space;
        }
        let expected = owner.and_then(|pid| self.expected.remove(&pid));
        let space = expected.unwrap_or_else(|| self.new_space());
        self.spaces.insert(key, space);
        space
    }

    /// The kernel's own name for an address space, for what is handed to it.
    #[must_use]
    pub fn key_of(&self, space: SpaceId) -> Option<u64> {
        let found = self.spaces.iter().find(|(_, known)| **known == space);
        found.map(|(key, _)| *key)
    }

    /// An address space has ended: the kernel may use its name for another.
    pub fn forget(&mut self, space: SpaceId) {
        self.spaces.retain(|_, known| *known != space);
    }

    /// Decodes one record.
    ///
    /// # Errors
    /// Anything that is not exactly one record of this version of the wire.
    pub fn decode(&mut self, mut bytes: Bytes) -> Result<Record, DecodeError> {
        let length = bytes.len();
        if length < size_of::<Header>() {
            return Err(DecodeError::NoHeader(length));
        }
        let number = bytes.get_u8();
        let kind = Kind::from_wire(number).ok_or(DecodeError::UnknownKind(number))?;
        let protection = bytes.get_u8();
        let cpu = bytes.get_u16_ne();
        let flags = bytes.get_u32_ne();
        let time = Nanoseconds(bytes.get_u64_ne());
        let space_key = bytes.get_u64_ne();
        let pid = Pid(bytes.get_u32_ne());
        let stamp = Stamp {
            time,
            space: self.space(space_key, Some(pid)),
            pid,
            tid: Tid(bytes.get_u32_ne()),
            cpu,
        };
        let wrong = DecodeError::Length { kind, length };
        let exactly = |expected: usize| (length == expected).then_some(()).ok_or(wrong);
        Ok(match kind {
            Kind::Fault => {
                exactly(40)?;
                Record::Fault(fault(stamp, flags, &mut bytes))
            }
            Kind::SampledFault => {
                exactly(48)?;
                let fault = fault(stamp, flags, &mut bytes);
                Record::SampledFault(fault, stack_word(bytes.get_u64_ne()))
            }
            Kind::Failed => {
                let long = length == 96;
                if !long {
                    exactly(80)?;
                }
                let (error, argument) = unpack_failure(flags);
                let address = Address(bytes.get_u64_ne());
                let length = bytes.get_u64_ne();
                let _no_stack = bytes.get_u64_ne();
                Record::Failed(RawFailed {
                    stamp,
                    kind: Kind::from_wire(protection)
                        .ok_or(DecodeError::UnknownKind(protection))?,
                    address,
                    length,
                    argument,
                    error,
                    totals: totals(bytes.get_u64_ne()),
                    turn: turn(&mut bytes),
                    extra: long.then(|| [bytes.get_u64_ne(), bytes.get_u64_ne()]),
                })
            }
            Kind::Fork | Kind::Thread | Kind::Exec | Kind::Exit | Kind::Rename => {
                exactly(88)?;
                let process = RawProcess {
                    is_oom_victim: kind == Kind::Exit && protection != 0,
                    ..self.process(stamp, flags, &mut bytes)
                };
                match kind {
                    Kind::Fork => Record::Fork(process),
                    Kind::Thread => Record::Thread(process),
                    Kind::Exec => Record::Exec(process),
                    Kind::Exit => Record::Exit(process),
                    _ => Record::Rename(process),
                }
            }
            Kind::Mapping => {
                exactly(72)?;
                let start = bytes.get_u64_ne();
                let end = start.checked_add(bytes.get_u64_ne()).ok_or(wrong)?;
                let name = match flags {
                    flags if flags & MAPPING_STACK != 0 => "[stack]",
                    flags if flags & MAPPING_VDSO != 0 => "[vdso]",
                    _ => "",
                };
                let mapping = Mapping {
                    start: Address(start),
                    end: Address(end),
                    protection,
                    shared: flags & MAPPING_SHARED != 0,
                    offset: bytes.get_u64_ne(),
                    inode: bytes.get_u64_ne(),
                    name: name.to_owned(),
                };
                Record::Mapping(RawMapping {
                    stamp,
                    mapping,
                    device: bytes.get_u64_ne(),
                    by_call: flags & MAPPING_BY_CALL != 0,
                })
            }
            Kind::File => {
                const HEAD: usize = 64;
                if length < HEAD {
                    return Err(wrong);
                }
                let file = file::file(time, flags, &mut bytes);
                Record::File(file.ok_or(wrong)?)
            }
            Kind::Named => {
                exactly(128)?;
                Record::Named(file::named(stamp, &mut bytes))
            }
            Kind::Accounted => {
                exactly(104)?;
                Record::Accounted(account::accounted(stamp, flags, &mut bytes))
            }
            Kind::ThirtyTwoBits => {
                exactly(88)?;
                Record::ThirtyTwoBits(stamp)
            }
            Kind::Refused => {
                exactly(192)?;
                let call = Kind::from_wire(protection).and_then(RefusedCall::of);
                let call = call.ok_or(DecodeError::UnknownKind(protection))?;
                Record::Refused(account::refused(stamp, call, flags, &mut bytes))
            }
            Kind::Split | Kind::Mappings => {
                exactly(48)?;
                let stack = stack_word(bytes.get_u64_ne());
                let mappings = bytes.get_u64_ne();
                if kind == Kind::Split {
                    Record::Split(RawSplit {
                        stamp,
                        stack,
                        more: flags,
                        mappings,
                    })
                } else {
                    Record::Mappings(stamp, mappings)
                }
            }
            Kind::Stack => Record::Stack(stack(stamp, flags, bytes, wrong)?),
            // Every other kind is that of a call.
            _ => {
                let call = TracedCall::of(kind).ok_or(DecodeError::UnknownKind(number))?;
                let long = match call.success {
                    Success::Short => false,
                    Success::ShortOrLong => length == 96,
                    Success::Long => true,
                    Success::Elsewhere => return Err(DecodeError::UnknownKind(number)),
                };
                let of_file = kind == Kind::Mmap && length == 112;
                let long = long || of_file;
                exactly(if of_file {
                    112
                } else if long {
                    96
                } else {
                    80
                })?;
                let address = Address(bytes.get_u64_ne());
                let call_length = bytes.get_u64_ne();
                let stack = stack_word(bytes.get_u64_ne());
                let totals = totals(bytes.get_u64_ne());
                Record::Call(RawCall {
                    stamp,
                    kind,
                    protection,
                    flags,
                    address,
                    length: call_length,
                    stack,
                    totals,
                    turn: turn(&mut bytes),
                    extra: long.then(|| [bytes.get_u64_ne(), bytes.get_u64_ne()]),
                    file: of_file.then(|| file::identity(&mut bytes)),
                })
            }
        })
    }

    fn process(&mut self, stamp: Stamp, flags: u32, bytes: &mut Bytes) -> RawProcess {
        let child = bytes.get_u32_ne();
        let _reserved = bytes.get_u32_ne();
        let child_space = self.space(bytes.get_u64_ne(), None);
        let pages = bytes.get_u64_ne();
        let name = bytes.split_to(COMM_LENGTH);
        let end = name.iter().position(|byte| *byte == 0);
        RawProcess {
            stamp,
            child,
            child_space,
            totals: (pages != 0).then(|| totals(pages)),
            comm: String::from_utf8_lossy(&name[..end.unwrap_or(COMM_LENGTH)]).into_owned(),
            flags,
            is_oom_victim: false,
            turn: turn(bytes),
        }
    }
}

fn fault(stamp: Stamp, flags: u32, bytes: &mut Bytes) -> Fault {
    Fault {
        stamp,
        address: Address(bytes.get_u64_ne()),
        write: flags & FAULT_WRITE != 0,
        in_kernel: flags & FAULT_IN_KERNEL != 0,
    }
}

fn turn(bytes: &mut Bytes) -> Turn {
    Turn {
        number: bytes.get_u64_ne(),
        time: Nanoseconds(bytes.get_u64_ne()),
    }
}

/// What is not as long as it says is `wrong`.
fn stack(
    stamp: Stamp,
    flags: u32,
    mut bytes: Bytes,
    wrong: DecodeError,
) -> Result<RawStack, DecodeError> {
    const REST_OF_HEAD: usize = 72;
    if bytes.len() < REST_OF_HEAD + 8 * FRAME_SLOTS {
        return Err(wrong);
    }
    let ticket = bytes.get_u64_ne();
    let hash = bytes.get_u64_ne();
    let ip = bytes.get_u64_ne();
    let sp = bytes.get_u64_ne();
    let fp = bytes.get_u64_ne();
    let frames = bytes.get_u32_ne();
    let copied = bytes.get_u32_ne() as usize;
    let code = bytes.get_u64_ne();
    let missing = bytes.get_u16_ne();
    let other_missing = bytes.get_u16_ne();
    let other_at = bytes.get_u32_ne() as usize;
    let other_sp = bytes.get_u64_ne();
    if frames as usize > MAX_FRAMES {
        return Err(DecodeError::Frames(frames));
    }
    let mut words = bytes.split_to(8 * FRAME_SLOTS);
    if bytes.len() != copied || other_at > copied {
        return Err(wrong);
    }
    let other = (other_at > 0).then(|| OtherStack {
        sp: other_sp,
        copied: bytes.split_off(other_at),
        missing: other_missing,
    });
    Ok(RawStack {
        stamp,
        code,
        ticket,
        hash,
        ip,
        sp,
        fp,
        flags,
        frames: (0..frames).map(|_| words.get_u64_ne()).collect(),
        copied: bytes,
        missing,
        other,
    })
}

fn stack_word(word: u64) -> StackWord {
    match word {
        0 => StackWord::None,
        word if word & TICKET != 0 => StackWord::Ticket(word),
        word => StackWord::Verified(word),
    }
}

fn totals(packed: u64) -> Totals {
    let (total_pages, stack_pages) = unpack_pages(packed);
    Totals {
        total_pages,
        stack_pages,
    }
}

#[cfg(test)]
mod tests;
