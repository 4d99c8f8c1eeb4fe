//! What the collector injects before the programs are loaded. The values lie in a map that is frozen
//! and read-only to programs, so the verifier knows them as constants.

use tracer_common::{
    WIRE_VERSION,
    settings::{FaultMode, OFFSETS, Offset},
};

/// See [`Offset`]. Injected by the collector.
#[unsafe(no_mangle)]
static OFFSET_TABLE: [u32; OFFSETS] = [0; OFFSETS];

/// See [`FaultMode`]. Injected by the collector.
#[unsafe(no_mangle)]
static FAULT_MODE: u32 = FaultMode::Each as u32;

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

/// The version of the wire that these programs speak.
#[inline(always)]
pub fn wire_version() -> u32 {
    // SAFETY: a static of this program; volatile so that it stays in the object.
    unsafe { core::ptr::read_volatile(&raw const OBJECT_WIRE_VERSION) }
}
