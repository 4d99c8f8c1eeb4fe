//! The closed set of events that drives everything behind the ring: a live trace and a recording
//! are two sources of the same stream of [`Event`]s, in true order (see [`crate::order`]).
//!
//! Times are ns of the machine's `CLOCK_MONOTONIC`; reports show them relative to
//! [`Started::time`]. Addresses and lengths are bytes.

mod ids;

mod trace;

mod call;

mod process;

mod maps;

mod shown;

mod pages;

mod stacks;

mod machine;

mod account;

mod refused;

mod group;

mod files;

mod split;

mod time;

pub mod fault_mode;

pub mod record;

pub mod decode;

pub use account::{Account, Accounted, Mappings, ResourceLimits, Shares, Usage};
pub use call::{Action, Call, Stamp, Totals};
pub use files::{Backed, File, FileId, FileKind, Named};
pub use group::{Group, OomKill};
pub use ids::{Address, Nanoseconds, Pid, SpaceId, StackId, Tid};
pub use machine::Machine;
pub use maps::{Mapping, Maps, MapsPurpose, Missing, Reading};
pub use pages::{Fault, Looking, Resident, SampledFault};
pub use process::{Exec, Exit, ExitStatus, Fork, Found, Identity, Limits, Rename, Sample, Thread};
pub use refused::{Around, Refused, RefusedAgain, RefusedCall};
use serde::{Deserialize, Serialize};
pub use shown::{Mapped, Shown, VmFlags};
pub use split::{Blind, Split, Unseen};
pub use stacks::{
    Cause, Frame, FrameKind, Incomplete, Learning, Module, Sent, Stack, StackQuality,
};
pub use trace::{Ended, Failures, Loss, Started};
pub use tracer_common::settings::FaultMode;

/// Everything that can happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The trace begins: always the first event.
    Started(Started),
    /// A process is traced from now on: selected at the start, or found there as a descendant.
    /// Forked children come as [`Event::Fork`] instead.
    Found(Found),
    /// What `/proc/PID/maps` showed: the seed of a ledger, or its resynchronisation.
    Maps(Maps),
    /// A successful call that may change an address space.
    Call(Call),
    /// A page fault on a user address.
    Fault(Fault),
    /// Pages that `/proc/PID/pagemap` shows to be in memory.
    Resident(Resident),
    /// A traced process made a child process.
    Fork(Fork),
    /// A traced process made a thread.
    Thread(Thread),
    /// A process began a new program.
    Exec(Exec),
    /// A process has ended (its last thread is gone).
    Exit(Exit),
    /// A thread has a new name.
    Rename(Rename),
    /// Periodic figures of a process, from `/proc`.
    Sample(Sample),
    /// A stack, named; comes at any time before [`Event::Ended`], after or before its first use.
    Stack(Stack),
    /// Something was lost since the last event of this kind.
    Loss(Loss),
    /// Failed calls by kind, all in all (counted in the kernel, not streamed).
    Failures(Failures),
    /// The trace ends: always the last event.
    Ended(Ended),
    /// A reading of the maps begins, of which an [`Event::Maps`] will tell.
    Reading(Reading),
    /// Calls on an address space are missing here: what they changed nobody knows.
    Missing(Missing),
    /// A reading of the page map begins, to end with the next [`Event::Resident`] of the same address
    /// space.
    Looking(Looking),
    /// Why a stack is not complete; comes at any time before [`Event::Ended`].
    Incomplete(Incomplete),
    /// How stacks came, all in all.
    Learning(Learning),
    /// A page fault, with its stack.
    SampledFault(SampledFault),
    /// The machine's memory, at the start and at the end.
    Machine(Machine),
    /// What the mappings of a found process were.
    Shown(Shown),
    /// A file with code that frames lie in; comes at any time before [`Event::Ended`].
    Module(Module),
    /// The kernel refused a call for want of something.
    Refused(Refused),
    /// How often it refused one at a place, so far.
    RefusedAgain(RefusedAgain),
    /// What the kernel had of a process as it began a program, and as it ended.
    Accounted(Accounted),
    /// Periodic figures of a process: CPU time, and what its resident memory is.
    Usage(Usage),
    /// Whose the resident pages of a process are.
    Shares(Shares),
    /// How many mappings an address space has.
    Mappings(Mappings),
    /// A call made more mappings of those that there were.
    Split(Split),
    /// The control group that limits a process, by its own figures.
    Group(Group),
    /// The kernel killed a process for want of memory; comes before its [`Event::Exit`].
    OomKill(OomKill),
    /// A file that was mapped; comes at any time before the first [`Event::Backed`] that names it.
    File(File),
    /// What a call mapped is of a file.
    Backed(Backed),
    /// A process gave anonymous memory a name.
    Named(Named),
    /// What a process does is not all seen any more.
    Unseen(Unseen),
}
