//! User call stacks.
//!
//! The kernel walks a bounded copy of the stack, hashes the return addresses, and sends only the
//! hash with each event. A hash that user space has not verified yet goes along with the copy, under
//! a *ticket*: a number that is good for one event.

use crate::header::Header;

/// Set in [`crate::memory::Call::stack`] when the word is a ticket, not a stack id.
pub const TICKET: u64 = 1 << 63;
/// The most frames the kernel walks.
pub const MAX_FRAMES: usize = 255;
/// The most bytes of stack that the kernel copies: half of Node's stacks go beyond 16 KiB (one frame
/// of libuv's is 12 KiB), none that was seen beyond 48.
pub const MAX_COPY: usize = 48 * 1024;

/// Words that are sent for the return addresses, whatever their number.
pub const FRAME_SLOTS: usize = 256;
/// Set in a return address that was found by a [`Rule`]; no user address has this bit.
pub const BY_RULE: u64 = 1 << 63;
/// Bytes of a page of the copy.
pub const PAGE: u64 = 4096;

/// A stack as the kernel saw it. In the ring it is followed by [`FRAME_SLOTS`] words, of which
/// `frames` are return addresses (innermost first, [`StackHead::ip`] not among them; see [`BY_RULE`]), and
/// then by `copied` bytes of stack from [`StackHead::sp`] upwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct StackHead {
    /// What every record begins with; `flags` holds the [`flags`] of the walk, `time_ns` is when
    /// it was taken.
    pub header: Header,
    /// The ticket that the event carries.
    pub ticket: u64,
    /// The hash over `code`, `ip` and frames: the id once it is verified.
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
    /// Stands for the code of the address space: copies made by fork have their parent's until the code of
    /// either changes, and so all that is known of it.
    pub code: u64,
    /// Which pages of the copy could not be read: a bit for each, that of [`StackHead::sp`] lowest. Nobody
    /// has touched them, or they are not in memory now.
    pub missing: u16,
    /// The same of the other stack.
    pub other_missing: u16,
    /// Where the other stack begins among those bytes: what they hold from there on lies at `other_sp`. 0:
    /// there is none.
    pub other_at: u32,
    /// In a handler on an alternate stack: where on the interrupted stack the copy begins.
    pub other_sp: u64,
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

/// A rule that user space has learned for one `ip` in one code: how to find the caller there.
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

    /// The rule as the one word that the kernel's table holds.
    #[must_use]
    pub const fn to_word(self) -> u64 {
        (self.offset as u32 as u64)
            | ((self.fp_offset as u16 as u64) << 32)
            | ((self.base as u64) << 48)
    }

    /// The rule in a word of the kernel's table.
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
    /// Its code ([`StackHead::code`]).
    pub code: u64,
    /// Instruction pointer or return address.
    pub ip: u64,
}

impl RuleKey {
    /// The key as the one word that the kernel's table holds.
    #[must_use]
    pub const fn to_word(self) -> u64 {
        mix(mix(0, self.code), self.ip)
    }
}

/// A multiplicative mix: every bit of `word` reaches the high bits, the rotation brings them back
/// down. Not cryptographic: user space compares the frames before it trusts a hash.
#[inline(always)]
#[must_use]
pub const fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A cache line of a table that user space writes and the kernel's walk reads, without a call and
/// without a lock: words of a key, and of a value each where the table has values. 0 is no key.
pub type Bucket = [u64; 8];
/// Buckets of the table of verified hashes, which has no values.
pub const HASH_BUCKETS: u32 = 8 << 10;
/// Buckets of the table of learned rules: key, value, key, value, …
pub const RULE_BUCKETS: u32 = 16 << 10;

/// Where a key lies in a table of so many buckets (a power of two): from the bits that [`mix`] has mixed
/// best, below [`TICKET`].
#[inline(always)]
#[must_use]
pub const fn bucket_of(key: u64, buckets: u32) -> u32 {
    (key >> 40) as u32 & (buckets - 1)
}
