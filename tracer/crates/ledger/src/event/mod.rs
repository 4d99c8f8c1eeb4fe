//! The closed set of events that drives everything behind the ring: a live trace and a recording
//! are two sources of the same stream of [`Event`]s, in true order (see [`crate::order`]).
//!
//! Times are ns of the machine's `CLOCK_MONOTONIC`; reports show them relative to
//! [`Started::time`]. Addresses and lengths are bytes.

pub mod record;

pub mod decode;

mod machine;

mod shown;

mod stacks;

mod time;

use std::fmt;

pub use machine::Machine;
use serde::{Deserialize, Serialize};
pub use shown::{Mapped, Shown, VmFlags};
pub use stacks::{Cause, Incomplete, Learning, Module, Sent};

/// A virtual address in a traced process.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Address(pub u64);

/// A time on the machine's `CLOCK_MONOTONIC`, ns.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Nanoseconds(pub u64);

/// A process (thread group) id in the tracer's initial PID namespace.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Pid(pub u32);

/// A thread id in the tracer's initial PID namespace.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Tid(pub u32);

/// An address space. The kernel uses the same number again once a space has ended.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct SpaceId(pub u32);

/// An interned call stack; 0 is "no stack".
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct StackId(pub u32);

impl StackId {
    /// No stack was taken, or it was lost.
    pub const NONE: Self = Self(0);
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Everything that can happen, in the words of ARCHITECTURE.md.
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
}

/// [`Event::Started`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// `CLOCK_MONOTONIC` at the start: the zero of all times in reports.
    pub time: Nanoseconds,
    /// `CLOCK_REALTIME` at the start, ns since the epoch.
    pub realtime_ns: u64,
    /// Host name.
    pub host: String,
    /// Kernel release, as `uname -r`.
    pub kernel: String,
    /// Machine architecture, as `uname -m`.
    pub arch: String,
    /// Identity of the boot (`/proc/sys/kernel/random/boot_id`): the clock's scope.
    pub boot_id: String,
    /// Bytes in a page.
    pub page_bytes: u64,
    /// Version of the tracer that made the trace.
    pub tracer_version: String,
    /// How page faults are followed: `each`, `count` or `off`.
    pub faults: String,
}

/// What is known of a process from `/proc`, at the time it was first seen or began a program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Name of the main thread.
    pub comm: String,
    /// Path of the executable, in the process's own root; empty if unreadable.
    pub exe: String,
    /// Arguments, the command's name first; empty if unreadable.
    pub cmdline: Vec<String>,
    /// Version or other identity of a known runtime (as `node v22.22.0`), if found.
    pub runtime: Option<String>,
    /// What limits this process's memory.
    pub limits: Limits,
}

/// Limits that address space or memory can run into. `None`: no limit, or unknown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Soft `RLIMIT_AS`, bytes.
    pub address_space_bytes: Option<u64>,
    /// `/proc/sys/vm/overcommit_memory` (0 heuristic, 1 always, 2 never).
    pub overcommit_memory: Option<u32>,
    /// `/proc/sys/vm/max_map_count`.
    pub max_map_count: Option<u64>,
    /// The tightest `memory.max` of the process's cgroup and its ancestors, bytes.
    pub cgroup_memory_max_bytes: Option<u64>,
    /// Physical memory, bytes.
    pub memory_total_bytes: Option<u64>,
}

/// [`Event::Found`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// When.
    pub time: Nanoseconds,
    /// The process.
    pub pid: Pid,
    /// Its parent.
    pub parent: Pid,
    /// Its address space.
    pub space: SpaceId,
    /// What `/proc` says of it.
    pub identity: Identity,
    /// Its threads and their names.
    pub threads: Vec<(Tid, String)>,
}

/// One line of `/proc/PID/maps`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// First address.
    pub start: Address,
    /// One past the last address.
    pub end: Address,
    /// `PROT_*` bits.
    pub protection: u8,
    /// `MAP_SHARED` rather than private.
    pub shared: bool,
    /// Offset in the file, bytes.
    pub offset: u64,
    /// Inode of the file, 0 if none.
    pub inode: u64,
    /// The last column: a path, `[heap]`, `[stack]`, `[anon:…]` or empty.
    pub name: String,
}

/// [`Event::Maps`]: placed at [`Maps::time`], when the reading ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Maps {
    /// When the reading ended.
    pub time: Nanoseconds,
    /// When the reading began.
    pub began: Nanoseconds,
    /// The process whose maps were read.
    pub pid: Pid,
    /// Its address space.
    pub space: SpaceId,
    /// Every mapping, ascending.
    pub mappings: Vec<Mapping>,
    /// Why it was read.
    pub purpose: MapsPurpose,
    /// How many turns had been taken on this address space when the reading had ended (see
    /// [`crate::order`]): what the calls up to there did, the reading may show.
    pub after: u64,
}

/// [`Event::Reading`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// When.
    pub time: Nanoseconds,
    /// The address space.
    pub space: SpaceId,
}

/// [`Event::Missing`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// When whatever they did was done.
    pub time: Nanoseconds,
    /// The address space.
    pub space: SpaceId,
}

/// Why the maps were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MapsPurpose {
    /// To begin a ledger: at attach or after exec.
    #[default]
    Seed,
    /// To bring a ledger back to the truth after a loss, or after a difference was found.
    Resync,
    /// To compare; and where a call left unclear what it did, to settle that.
    Verify,
}

/// Who did something, when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// When it took effect (ARCHITECTURE.md, rule 1): a call when it was given the lock of its address
    /// space, all else when it happened.
    pub time: Nanoseconds,
    /// The address space.
    pub space: SpaceId,
    /// The process.
    pub pid: Pid,
    /// The thread.
    pub tid: Tid,
    /// The CPU.
    pub cpu: u16,
}

/// [`Event::Call`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Who and when.
    pub stamp: Stamp,
    /// The user stack of the call.
    pub stack: StackId,
    /// What it did.
    pub action: Action,
    /// The kernel's totals when the call was given the lock: before it changed anything, and after
    /// all calls on this address space that come earlier in the stream. `None`: not known.
    pub totals: Option<Totals>,
    /// From when it took effect at the earliest to its return, ns.
    pub took_ns: u64,
}

/// The kernel's own account of an address space, pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// `mm->total_vm`: all that is mapped (`VmSize`).
    pub total_pages: u64,
    /// `mm->stack_vm`: of these, in mappings that grow down by themselves.
    pub stack_pages: u64,
}

/// What a successful call did. Lengths are as asked: rounding up to pages is the ledger's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// `mmap`. With `MAP_FIXED` it replaces what was there.
    Map {
        /// The address returned.
        address: Address,
        /// Bytes asked.
        length: u64,
        /// `PROT_*` bits.
        protection: u8,
        /// `MAP_*` bits.
        flags: u32,
        /// Offset in the file, bytes; `None` for an anonymous mapping.
        file_offset: Option<u64>,
    },
    /// `munmap`.
    Unmap {
        /// First address.
        address: Address,
        /// Bytes asked.
        length: u64,
    },
    /// `mremap`.
    Remap {
        /// The old address.
        old_address: Address,
        /// The old length, bytes.
        old_length: u64,
        /// The new address (equal to the old one when grown or shrunk in place).
        new_address: Address,
        /// The new length, bytes.
        new_length: u64,
        /// `MREMAP_*` bits.
        flags: u32,
    },
    /// `brk` moved the end of the heap (not rounded), or asked where it is.
    Break {
        /// Where it was.
        old: Address,
        /// Where it is.
        new: Address,
    },
    /// `mprotect`, `pkey_mprotect`.
    Protect {
        /// First address.
        address: Address,
        /// Bytes asked.
        length: u64,
        /// `PROT_*` bits; bit 7 stands for `PROT_GROWSDOWN`.
        protection: u8,
    },
    /// `madvise`.
    Advise {
        /// First address.
        address: Address,
        /// Bytes asked.
        length: u64,
        /// `MADV_*`.
        advice: u32,
    },
    /// `shmat`: length 0 if it is not known.
    Attach {
        /// The address returned.
        address: Address,
        /// Bytes mapped, 0 if unknown.
        length: u64,
        /// `SHM_*` flags.
        flags: u32,
    },
    /// `shmdt`.
    Detach {
        /// The address.
        address: Address,
    },
    /// `remap_file_pages`: replaces the pages of a mapping in place.
    RemapFilePages {
        /// First address.
        address: Address,
        /// Bytes asked.
        length: u64,
    },
    /// A call of which nobody knows what it changed: it had the lock already when its process came to
    /// be traced, or it failed halfway. A reading of the maps that begins after its return shows it.
    Unclear,
    /// `mremap` to a fixed place that failed: it may have released what was there, and moved a part.
    RemapFailed {
        /// The old address.
        old_address: Address,
        /// The old length, bytes.
        old_length: u64,
        /// The new address.
        new_address: Address,
        /// The new length, bytes.
        new_length: u64,
    },
    /// `mprotect` or `pkey_mprotect` that failed after it had begun to change things: it goes from
    /// mapping to mapping, and leaves those before the one at which it fails as it has made them.
    ProtectFailed {
        /// First address.
        address: Address,
        /// Bytes asked.
        length: u64,
        /// `PROT_*` bits.
        protection: u8,
        /// `errno`.
        error: u16,
    },
    /// `madvise` that failed after it had begun to do what it was told.
    AdviseFailed {
        /// First address.
        address: Address,
        /// Bytes asked.
        length: u64,
        /// `MADV_*`.
        advice: u32,
        /// `errno`.
        error: u16,
    },
    /// `mmap` to a fixed place that failed: it may have released what was there.
    MapFailed {
        /// The address.
        address: Address,
        /// Bytes asked.
        length: u64,
        /// The low half of the `MAP_*` flags.
        flags: u16,
        /// `errno`.
        error: u16,
    },
}

/// [`Event::Fault`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Who and when.
    pub stamp: Stamp,
    /// The address.
    pub address: Address,
    /// It was a write.
    pub write: bool,
    /// It was raised in kernel mode.
    pub in_kernel: bool,
}

/// [`Event::SampledFault`]: one in `every` faults, chosen by chance; the others come as [`Event::Fault`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampledFault {
    /// The fault.
    pub fault: Fault,
    /// The user stack of the access, or of the system call that made it.
    pub stack: StackId,
    /// One in so many.
    pub every: u32,
}

/// [`Event::Resident`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resident {
    /// When the reading ended.
    pub time: Nanoseconds,
    /// The address space.
    pub space: SpaceId,
    /// Ranges in memory, ascending: first address and bytes.
    pub ranges: Vec<(Address, u64)>,
}

/// [`Event::Looking`]. What happens to a page between this and the [`Resident`] is newer than what that
/// says of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looking {
    /// When the reading began.
    pub time: Nanoseconds,
    /// The address space.
    pub space: SpaceId,
}

/// [`Event::Fork`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// The parent's doing.
    pub stamp: Stamp,
    /// The new process.
    pub child: Pid,
    /// Its address space: the parent's own for vfork and `CLONE_VM`, else a copy of it.
    pub child_space: SpaceId,
    /// The kernel's totals of the child.
    pub totals: Totals,
    /// The child's name.
    pub comm: String,
    /// Whether the child is traced.
    pub followed: bool,
}

/// [`Event::Thread`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// Who made it.
    pub stamp: Stamp,
    /// The new thread.
    pub child: Tid,
    /// Its name, inherited.
    pub comm: String,
}

/// [`Event::Exec`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exec {
    /// Who; [`Stamp::space`] is the new address space.
    pub stamp: Stamp,
    /// The kernel's totals of the new space: what the kernel itself mapped.
    pub totals: Totals,
    /// What `/proc` said just after.
    pub identity: Identity,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExitStatus {
    /// By `exit`, with this code.
    Code(u8),
    /// By this signal.
    Signal(u8),
}

/// [`Event::Exit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Who and when.
    pub stamp: Stamp,
    /// How.
    pub status: ExitStatus,
    /// The kernel's totals at the end, if the kernel still had them.
    pub totals: Option<Totals>,
}

/// [`Event::Rename`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rename {
    /// Who and when.
    pub stamp: Stamp,
    /// The new name.
    pub comm: String,
}

/// [`Event::Sample`], from `/proc/PID/status`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// When.
    pub time: Nanoseconds,
    /// The process.
    pub pid: Pid,
    /// `VmSize`, bytes.
    pub virtual_bytes: u64,
    /// `VmRSS`, bytes.
    pub resident_bytes: u64,
    /// `VmHWM`, bytes: the most that was ever resident.
    pub resident_peak_bytes: u64,
    /// Lines in `/proc/PID/maps`, if counted.
    pub maps: Option<u32>,
}

/// What kind of code a frame is. An open set: more kinds will come.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum FrameKind {
    /// Compiled ahead of time.
    #[default]
    Native,
    /// Compiled at run time.
    Jit,
    /// Interpreted.
    Interpreted,
    /// Kernel code.
    Kernel,
}

/// One frame of a stack, named as far as it could be.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Frame {
    /// The function's name, demangled; absent where no symbol covers the address.
    pub function: Option<String>,
    /// Path of the binary, in the target's root; absent for JIT code.
    pub module: Option<String>,
    /// Offset of the address in the module's file, bytes; for JIT code the address itself.
    pub offset: u64,
    /// Source file.
    pub file: Option<String>,
    /// Source line.
    pub line: Option<u32>,
    /// What kind of code it is.
    pub kind: FrameKind,
    /// This function was inlined into the next frame's.
    pub inlined: bool,
}

/// How much of a stack is known.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum StackQuality {
    /// Down to the thread's start.
    Complete,
    /// Right as far as it goes, and then cut off (depth or copied bytes).
    Cut,
    /// The walk lost its way: the outer frames may be missing or wrong.
    Broken,
    /// There is no stack.
    #[default]
    None,
}

/// [`Event::Stack`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// Its id.
    pub id: StackId,
    /// How much of it is known.
    pub quality: StackQuality,
    /// Innermost first.
    pub frames: Vec<Frame>,
}

/// [`Event::Loss`]: counts since the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// When it was noticed.
    pub time: Nanoseconds,
    /// Memory calls and process events lost.
    pub events: u64,
    /// Page faults lost.
    pub faults: u64,
    /// Stacks lost.
    pub stacks: u64,
    /// Events that came too late to be put in their place.
    pub late: u64,
}

/// [`Event::Failures`]: failed calls so far by name (`mmap`, …).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// Name of the call and count.
    pub calls: Vec<(String, u64)>,
    /// Page faults counted in the kernel (also in mode `count`).
    pub faults: u64,
}

/// [`Event::Ended`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub time: Nanoseconds,
    /// CPU time that the tracer itself used in user space and in the kernel on its own behalf, ns.
    pub tracer_cpu_ns: u64,
    /// The most memory that the tracer had resident, bytes.
    pub tracer_peak_bytes: u64,
    /// Records handled.
    pub events: u64,
}
