//! What the kernel sends of one stack.

use tracer_common::stack::{PAGE, flags};

use tracer_ledger::event::{Pid, SpaceId};

/// How far beyond the copied bytes an address may lie to be of the same stack, bytes: well over the
/// usual limit of 8 MiB.
const STACK_REACH: u64 = 64 << 20;

/// Bytes of a stack.
#[derive(Clone, Copy, Debug, Default)]
pub struct Copied<'a> {
    /// Where they begin.
    pub start: u64,
    /// What was copied, from there upwards.
    pub bytes: &'a [u8],
    /// Pages of it that could not be read, that of `start` lowest: what is there in their place is not
    /// the stack's.
    pub missing: u16,
}

impl Copied<'_> {
    fn word(&self, address: u64) -> Option<u64> {
        let offset = usize::try_from(address.checked_sub(self.start)?).ok()?;
        let bytes = self.bytes.get(offset..offset.checked_add(8)?)?;
        let is_missing = |address: u64| {
            let page = (address / PAGE) - (self.start / PAGE);
            page < 16 && self.missing >> page & 1 == 1
        };
        if is_missing(address) || is_missing(address + 7) {
            return None;
        }
        bytes.try_into().ok().map(u64::from_ne_bytes)
    }

    /// Whether an address may well be of this stack: in it or not far above.
    fn reaches(&self, address: u64) -> bool {
        let end = self.start.saturating_add(self.bytes.len() as u64);
        address >= self.start && address < end.saturating_add(STACK_REACH)
    }
}

/// What the kernel sent for one stack: a decoded [`tracer_common::stack::StackHead`] with what
/// follows it.
#[derive(Clone, Copy, Debug)]
pub struct RawStack<'a> {
    /// A process in that address space, whose `/proc` files are read.
    pub pid: Pid,
    /// The address space.
    pub space: SpaceId,
    /// Instruction pointer: exact, not a return address.
    pub ip: u64,
    /// Stack pointer.
    pub sp: u64,
    /// Frame pointer.
    pub fp: u64,
    /// Return addresses that the kernel found, innermost first, `ip` not among them; those that it found by a
    /// rule have [`BY_RULE`](tracer_common::stack::BY_RULE) set.
    pub kernel_frames: &'a [u64],
    /// Bytes of stack from `sp` upwards.
    pub copied: Copied<'a>,
    /// In a handler on an alternate stack: those of the stack that was interrupted.
    pub other: Option<Copied<'a>>,
    /// [`tracer_common::stack::flags`].
    pub flags: u32,
}

impl RawStack<'_> {
    /// A word of the stack, or of the one that was interrupted.
    pub(super) fn word(&self, address: u64) -> Option<u64> {
        let other = || self.other.and_then(|other| other.word(address));
        self.copied.word(address).or_else(other)
    }

    /// Whether a walk that wanted this address failed only because not enough was copied; `interrupted` tells
    /// that it had come to what a signal has interrupted, which may lie on a stack of which nothing was
    /// copied.
    pub(super) fn is_beyond_copy(&self, address: u64, interrupted: bool) -> bool {
        let cut = !self.copied.bytes.is_empty() || self.flags & (flags::PRESSURE | flags::CUT) != 0;
        let reached =
            self.copied.reaches(address) || self.other.is_some_and(|o| o.reaches(address));
        cut && (reached || interrupted)
    }
}
