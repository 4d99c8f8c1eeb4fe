//! What one record of the ring says: the wire's types, decoded, not yet in order.

use bytes::Bytes;
use tracer_common::kind::Kind;

use super::{
    Account, Address, Fault, File, FileId, Mapping, Named, Nanoseconds, Refused, SpaceId, Stamp,
    Totals,
};

/// A stack as an event names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackWord {
    /// There is none, or it was lost.
    None,
    /// A hash that user space has verified.
    Verified(u64),
    /// The number of a [`RawStack`] that came just before, of the same CPU.
    Ticket(u64),
}

/// A memory call as the kernel saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawCall {
    /// Who and when: the call's end.
    pub stamp: Stamp,
    /// Which call.
    pub kind: Kind,
    /// `PROT_*`.
    pub protection: u8,
    /// Flags or advice.
    pub flags: u32,
    /// See [`tracer_common::memory::Call::address`].
    pub address: Address,
    /// See [`tracer_common::memory::Call::length`].
    pub length: u64,
    /// Its stack.
    pub stack: StackWord,
    /// Its place among the calls on its address space.
    pub turn: Turn,
    /// The kernel's totals when it had its turn; without one they mean nothing.
    pub totals: Totals,
    /// See [`tracer_common::memory::LongCall`].
    pub extra: Option<[u64; 2]>,
    /// mmap: the file that it is of, where that is known.
    pub file: Option<FileId>,
}

/// A call's place among those on its address space: see [`tracer_common::memory::Turn`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// Counts from 1; 0: the call had none.
    pub number: u64,
    /// When it was given the lock.
    pub time: Nanoseconds,
}

/// A call that had its turn and failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawFailed {
    /// Who and when: the call's end.
    pub stamp: Stamp,
    /// Which call.
    pub kind: Kind,
    /// Its place.
    pub turn: Turn,
    /// The first argument.
    pub address: Address,
    /// The second argument.
    pub length: u64,
    /// The low half of an argument: see [`tracer_common::memory::pack_failure`].
    pub argument: u16,
    /// The error number.
    pub error: u16,
    /// mremap: the new address and the new length asked.
    pub extra: Option<[u64; 2]>,
    /// The kernel's totals when it had its turn.
    pub totals: Totals,
}

/// A fork, a thread, an exec, an exit or a new name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawProcess {
    /// Who and when.
    pub stamp: Stamp,
    /// Fork: the child; thread: the new thread.
    pub child: u32,
    /// Fork: the child's address space.
    pub child_space: SpaceId,
    /// Fork: the child's totals; else the process's own. `None`: there is no address space any more.
    pub totals: Option<Totals>,
    /// The name.
    pub comm: String,
    /// Exit: the wait status. Fork: whether the child is followed.
    pub flags: u32,
    /// Exit: the kernel has killed it for want of memory.
    pub is_oom_victim: bool,
    /// Fork: its place among the calls on the parent's address space.
    pub turn: Turn,
}

/// What the kernel has of a process that begins a program, or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawAccounted {
    /// Who and when.
    pub stamp: Stamp,
    /// What it has.
    pub account: Account,
    /// The program is one of 32 bits.
    pub is_32_bit: bool,
}

/// A call that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRefused {
    /// All of it but its stack and what `/proc` says of the machine.
    pub refused: Refused,
    /// Its stack.
    pub stack: StackWord,
}

/// A call that made more mappings of those that there were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawSplit {
    /// Who and when.
    pub stamp: Stamp,
    /// Its stack.
    pub stack: StackWord,
    /// See [`super::Split::more`].
    pub more: u32,
    /// See [`super::Split::mappings`].
    pub mappings: u64,
}

/// A mapping that the kernel made for a new program, or a call of a file's code; its name is not known to the
/// kernel's programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawMapping {
    /// Whose.
    pub stamp: Stamp,
    /// What `/proc` would show of it, but for a file's name.
    pub mapping: Mapping,
    /// Device of the file, as the kernel has it.
    pub device: u64,
    /// It was made by a call, not by the kernel.
    pub by_call: bool,
}

/// A stack that user space has not verified yet. Its bytes are the target's secrets: they are dropped
/// once it is unwound.
#[derive(Clone, PartialEq, Eq)]
pub struct RawStack {
    /// Whose.
    pub stamp: Stamp,
    /// See [`tracer_common::stack::StackHead::code`].
    pub code: u64,
    /// The number that the event carries.
    pub ticket: u64,
    /// The hash to verify.
    pub hash: u64,
    /// Instruction pointer.
    pub ip: u64,
    /// Stack pointer.
    pub sp: u64,
    /// Frame pointer.
    pub fp: u64,
    /// [`tracer_common::stack::flags`].
    pub flags: u32,
    /// The kernel's walk: return addresses, innermost first.
    pub frames: Vec<u64>,
    /// Bytes of stack from `sp` up.
    pub copied: Bytes,
    /// Which pages of them could not be read: a bit for each.
    pub missing: u16,
    /// What a handler on an alternate stack has interrupted.
    pub other: Option<OtherStack>,
}

/// The interrupted stack.
#[derive(Clone, PartialEq, Eq)]
pub struct OtherStack {
    /// Where `copied` begins: a little below its stack pointer.
    pub sp: u64,
    /// Its bytes.
    pub copied: Bytes,
    /// As in [`RawStack`].
    pub missing: u16,
}

impl std::fmt::Debug for RawStack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawStack")
            .field("stamp", &self.stamp)
            .field("ip", &self.ip)
            .field("frames", &self.frames.len())
            .field("copied", &self.copied.len())
            .finish_non_exhaustive()
    }
}

/// One record of the ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A successful call.
    Call(RawCall),
    /// A call that had its turn and failed.
    Failed(RawFailed),
    /// A page fault.
    Fault(Fault),
    /// A page fault whose stack was taken.
    SampledFault(Fault, StackWord),
    /// A new process.
    Fork(RawProcess),
    /// A new thread.
    Thread(RawProcess),
    /// A new program.
    Exec(RawProcess),
    /// The end of a process.
    Exit(RawProcess),
    /// A new name.
    Rename(RawProcess),
    /// A mapping of a program that is about to begin.
    Mapping(RawMapping),
    /// What the kernel has of a process.
    Accounted(RawAccounted),
    /// A process makes 32-bit system calls.
    ThirtyTwoBits(Stamp),
    /// A call that was refused.
    Refused(RawRefused),
    /// A call that made more mappings of those that there were.
    Split(RawSplit),
    /// How many mappings an address space has.
    Mappings(Stamp, u64),
    /// A file that is mapped.
    File(File),
    /// A name for anonymous memory.
    Named(Named),
    /// A stack.
    Stack(RawStack),
}
