//! User call stacks.
//!
//! The kernel walks a bounded copy of the stack, hashes the return addresses, and sends only the
//! hash with each event. A hash that user space has not verified yet goes along with the copy, under
//! a *ticket*: a number that is good for one event.

use crate::header::Header;

/// Set in [`crate::memory::Call::stack`] when the word is a ticket, not a stack id.
pub const TICKET: u64 = 1 << 63;
/// The most frames the kernel walks.
pub const MAX_FRAMES: usize = 127;
/// The most bytes of stack that the kernel copies: half of Node's stacks go beyond 16 KiB (one frame
/// of libuv's is 12 KiB), none that was seen beyond 48.
pub const MAX_COPY: usize = 48 * 1024;

/// Words that are sent for the return addresses, whatever their number.
pub const FRAME_SLOTS: usize = 128;

/// A stack as the kernel saw it. In the ring it is followed by [`FRAME_SLOTS`] words, of which
/// `frames` are return addresses (innermost first, [`StackHead::ip`] not among them), and then by
/// `copied` bytes of stack from [`StackHead::sp`] upwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct StackHead {
    /// What every record begins with; `flags` holds the [`flags`] of the walk, `time_ns` is when
    /// it was taken.
    pub header: Header,
    /// The ticket that the event carries.
    pub ticket: u64,
    /// The hash over address space, `ip` and frames: the id once it is verified.
    pub hash: u64,
    /// Instruction pointer at the system call: the instruction after it.
    pub ip: u64,
    /// Stack pointer.
    pub sp: u64,
    /// Frame pointer.
    pub fp: u64,
    /// How many of the words that follow are return addresses.
    pub frames: u32,
    /// Number of stack bytes that follow the words.
    pub copied: u32,
}

/// [`StackHead`]'s `header.flags`.
pub mod flags {
    /// The walk ended at [`super::MAX_FRAMES`].
    pub const CUT: u32 = 1;
    /// The walk ended at a frame that could not be read or that led nowhere.
    pub const BROKEN: u32 = 2;
    /// Fewer bytes were copied because the ring was filling.
    pub const PRESSURE: u32 = 4;
}

/// A rule that user space has learned for one `ip` in one address space: how to find the caller there.
/// The caller's stack pointer is `base + offset` and the return address lies 8 bytes below that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Rule {
    /// Bytes from the base register to the caller's stack pointer.
    pub offset: i32,
    /// Where the caller's frame pointer is saved, bytes from the caller's stack pointer; 0: still in
    /// the register.
    pub fp_offset: i16,
    /// 0: the base is the stack pointer, 1: the frame pointer; [`Rule::OUTERMOST`]: no caller.
    pub base: u8,
    /// Unused, 0.
    pub reserved: u8,
}

impl Rule {
    /// The `base` of a function that nothing has called: `_start`, a thread's first.
    pub const OUTERMOST: u8 = 2;
    /// The rule of every function that keeps a frame pointer: the kernel needs not be told.
    pub const FRAME_POINTER: Self = Self {
        offset: 16,
        fp_offset: -16,
        base: 1,
        reserved: 0,
    };

    /// The rule as the one word that the kernel's map holds.
    #[must_use]
    pub const fn to_word(self) -> u64 {
        (self.offset as u32 as u64)
            | ((self.fp_offset as u16 as u64) << 32)
            | ((self.base as u64) << 48)
    }

    /// The rule in a word of the kernel's map.
    #[must_use]
    pub const fn from_word(word: u64) -> Self {
        Self {
            offset: word as u32 as i32,
            fp_offset: (word >> 32) as u16 as i16,
            base: (word >> 48) as u8,
            reserved: 0,
        }
    }
}

/// What a [`Rule`] is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct RuleKey {
    /// Address space ([`Header::space`]).
    pub space: u64,
    /// Instruction pointer or return address.
    pub ip: u64,
}
