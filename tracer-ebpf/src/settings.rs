//! What the collector injects before the programs are loaded. The values lie in a map that is frozen
//! and read-only to programs, so the verifier knows them as constants.

use tracer_common::{
    WIRE_VERSION,
    settings::{CALL_WORDS, FaultMode, OFFSETS, Offset},
};

/// See [`Offset`]. Injected by the collector.
#[unsafe(no_mangle)]
static OFFSET_TABLE: [u32; OFFSETS] = [0; OFFSETS];

/// See [`FaultMode`]. Injected by the collector.
#[unsafe(no_mangle)]
static FAULT_MODE: u32 = FaultMode::Each as u32;

/// How many of [`tracer_common::settings::ALL_FAULTS`] carry a stack. Injected by the collector.
#[unsafe(no_mangle)]
static FAULT_STACKS: u64 = 0;

/// The numbers of the system calls that take turns, one bit each. Injected by the collector.
#[unsafe(no_mangle)]
static TRACED_CALLS: [u64; CALL_WORDS] = [0; CALL_WORDS];

/// Bytes in the ring at which the collector is woken. Injected by the collector.
#[unsafe(no_mangle)]
static WAKE_BYTES: u64 = u64::MAX;

/// Compared by the collector with its own before it loads the programs.
#[unsafe(no_mangle)]
static OBJECT_WIRE_VERSION: u32 = WIRE_VERSION;

/// Where the running kernel keeps `which`.
#[inline(always)]
pub fn offset(which: Offset) -> usize {
    // SAFETY: a static of this program; volatile because the loader changes it.
    unsafe { core::ptr::read_volatile(&raw const OFFSET_TABLE[which as usize]) as usize }
}

/// How page faults are followed.
#[inline(always)]
pub fn fault_mode() -> u32 {
    // SAFETY: a static of this program; volatile because the loader changes it.
    unsafe { core::ptr::read_volatile(&raw const FAULT_MODE) }
}

/// How many of [`tracer_common::settings::ALL_FAULTS`] carry a stack.
#[inline(always)]
pub fn fault_stacks() -> u64 {
    // SAFETY: a static of this program; volatile because the loader changes it.
    unsafe { core::ptr::read_volatile(&raw const FAULT_STACKS) }
}

/// Bytes in the ring at which the collector is woken; it comes by itself for less. A power of two.
#[inline(always)]
pub fn wake_bytes() -> u64 {
    // SAFETY: a static of this program; volatile because the loader changes it.
    unsafe { core::ptr::read_volatile(&raw const WAKE_BYTES) }
}

/// Whether a system call is one of those that take turns.
#[inline(always)]
pub fn is_traced_call(number: u32) -> bool {
    let word = (number / 64) as usize;
    if word >= CALL_WORDS {
        return false;
    }
    // SAFETY: a static of this program, the index within it; volatile because the loader changes it.
    let word =
        unsafe { core::ptr::read_volatile((&raw const TRACED_CALLS).cast::<u64>().add(word)) };
    word >> (number % 64) & 1 == 1
}

/// The version of the wire that these programs speak.
#[inline(always)]
pub fn wire_version() -> u32 {
    // SAFETY: a static of this program; volatile so that it stays in the object.
    unsafe { core::ptr::read_volatile(&raw const OBJECT_WIRE_VERSION) }
}
