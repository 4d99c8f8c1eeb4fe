//! Where a stack is copied to and walked in.

use aya_ebpf::{
    cty::c_void,
    helpers::generated::{bpf_get_smp_processor_id, bpf_probe_read_user},
    macros::map,
    maps::Array,
};
use tracer_common::stack::{FRAME_SLOTS, MAX_COPY, StackHead};

/// One for each CPU: a plain array, for a per-CPU value may have 32 KiB at most (`PCPU_MIN_UNIT_SIZE`). Its
/// length is set at load.
#[map]
static SCRATCH: Array<Scratch> = Array::with_max_entries(1, 0);

/// What is sent, and after it what only the walk needs.
#[repr(C)]
pub struct Scratch {
    pub head: StackHead,
    pub frames: [u64; FRAME_SLOTS],
    pub copy: [u8; MAX_COPY],
    /// The walk's registers.
    pub fp: u64,
    pub sp: u64,
    pub pc: u64,
    /// What stands for the code, mixed: what every rule's key begins with.
    pub code: u64,
    pub hash: u64,
    /// Tickets given out on this CPU.
    pub tickets: u64,
    pub rest: Rest,
    pub search: Search,
}

/// How much is to be copied.
#[repr(C)]
pub struct Rest {
    /// Pages at most, the rest of the first counted as one.
    pub pages: u64,
    /// Bytes at most.
    pub limit: u64,
    /// Where the next page goes.
    pub offset: u64,
}

/// Where a handler's alternate stack is looked at.
#[repr(C)]
pub struct Search {
    pub stack: u64,
    pub size: u64,
    /// Of the highest place that may be a context, in the copy.
    pub highest: u64,
    /// The interrupted stack pointer; 0: not found.
    pub interrupted: u64,
}

/// This CPU's own scratch.
#[inline(always)]
pub fn scratch() -> Option<*mut Scratch> {
    // SAFETY: no arguments.
    SCRATCH.get_ptr_mut(unsafe { bpf_get_smp_processor_id() })
}

/// Copies from the user's memory; whether it could be read.
#[inline(always)]
pub fn read_user(to: *mut u8, length: u32, from: u64) -> bool {
    // SAFETY: `to` has room for `length` bytes, which the verifier checks; the helper checks `from`.
    unsafe { bpf_probe_read_user(to.cast(), length, from as *const c_void) == 0 }
}
