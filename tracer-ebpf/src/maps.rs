//! Every map of the programs.

use aya_ebpf::{
    bindings::BPF_F_MMAPABLE,
    macros::map,
    maps::{Array, HashMap, LruHashMap, PerCpuArray, RingBuf},
};
use tracer_common::{
    counters::COUNTERS,
    settings::{PROCESS_WORDS, SPACE_SLOTS},
    stack::{Bucket, HASH_BUCKETS, RULE_BUCKETS},
};

use crate::{
    stack::Scratch,
    thread::{SLOTS, Thread},
    turn::Taken,
};

/// The way to the collector. Its size is set at load.
#[map]
pub static EVENTS: RingBuf = RingBuf::with_byte_size(16 * 1024 * 1024, 0);

/// Which processes are traced: process id → see [`tracer_common::settings::PROCESS_WORDS`].
#[map]
pub static PROCESSES: HashMap<u32, [u64; PROCESS_WORDS]> = HashMap::with_max_entries(16 * 1024, 0);

/// Turns taken on each address space so far, each in the slot of its identity: identity and count.
#[map]
pub static SPACE_COUNTS: Array<[u64; 2]> = Array::with_max_entries(SPACE_SLOTS, 0);

/// The same for those whose slot is another's: identity → count.
#[map]
pub static SPACES: HashMap<u64, u64> = HashMap::with_max_entries(16 * 1024, 0);

/// Traced threads, each in the slot of its number: see [`Thread`].
#[map]
pub static THREADS: Array<Thread> = Array::with_max_entries(SLOTS, 0);

/// Slots of [`THREADS`], and after them those of [`SPACE_COUNTS`], that are taken: slot → by whom. It
/// decides who takes one first.
#[map]
pub static SLOTS_TAKEN: HashMap<u32, u64> = HashMap::with_max_entries(SLOTS + SPACE_SLOTS, 0);

/// How often a process was deselected, written by the collector: what slots say of earlier is void.
#[map]
pub static EPOCH: Array<u64> = Array::with_max_entries(1, 0);

/// Turns of calls that have not returned yet, of threads without a slot: thread id → see [`Taken`].
#[map]
pub static TURNS: HashMap<u32, Taken> = HashMap::with_max_entries(64 * 1024, 0);

/// What a process's address space was when it ended, until its exit is told: process id → identity and
/// packed pages (see [`crate::probes`], `process.rs`).
#[map]
pub static ENDED: LruHashMap<u32, [u64; 2]> = LruHashMap::with_max_entries(1024, 0);

/// See [`tracer_common::counters`].
#[map]
pub static COUNTS: PerCpuArray<[u64; COUNTERS]> = PerCpuArray::with_max_entries(1, 0);

/// Hashes of stacks that user space has verified. User space writes both tables in its own mapping of
/// them.
#[map]
pub static VERIFIED: Array<Bucket> = Array::with_max_entries(HASH_BUCKETS, BPF_F_MMAPABLE);

/// Address spaces whose code is another's: identity → what stands for their code in hashes and rules. A
/// forked copy has its parent's; user space gives a new one when the code of either changes.
#[map]
pub static CODES: HashMap<u64, u64> = HashMap::with_max_entries(16 * 1024, 0);

/// 1 from the first entry of [`CODES`] on: most traces never have one.
#[map]
pub static CODES_USED: Array<u32> = Array::with_max_entries(1, 0);

/// Rules that user space has learned: keys and rules, as one word each.
#[map]
pub static RULES: Array<Bucket> = Array::with_max_entries(RULE_BUCKETS, BPF_F_MMAPABLE);

/// Where a stack is copied to and walked in, one for each CPU: a plain array, for a per-CPU value may
/// have 32 KiB at most (`PCPU_MIN_UNIT_SIZE`). Its length is set at load.
#[map]
pub static SCRATCH: Array<Scratch> = Array::with_max_entries(1, 0);

/// 1 while a program on this CPU reads user memory: faults that this raises are its own.
#[map]
pub static READING: PerCpuArray<u32> = PerCpuArray::with_max_entries(1, 0);
