//! What is kept of a traced thread, where its programs find it without a call: in the slot that its number
//! leads to. A thread whose slot is another's is served from hash maps, slower and as right.
//!
//! A slot is taken when its thread is first given its address space's lock, and given back on the thread's
//! way out: after that no program takes one, so none outlives its thread. (A process that is deselected
//! while it runs leaves its slots behind: [`EPOCH`] tells that they are to be asked about again.)

use aya_ebpf::{
    bindings::BPF_NOEXIST,
    helpers::bpf_get_current_pid_tgid,
    macros::map,
    maps::{Array, HashMap},
};
use tracer_common::{memory::Turn, settings::SPACE_SLOTS};

/// Slots: a power of two.
pub const SLOTS: u32 = 16 << 10;

/// Traced threads, each in the slot of its number: see [`Thread`].
#[map]
static THREADS: Array<Thread> = Array::with_max_entries(SLOTS, 0);

/// Slots of [`THREADS`], and after them those of address spaces (see [`crate::turn`]), that are taken: slot →
/// by whom. It decides who takes one first.
#[map]
pub static SLOTS_TAKEN: HashMap<u32, u64> = HashMap::with_max_entries(SLOTS + SPACE_SLOTS, 0);

/// How often a process was deselected, written by the collector: what slots say of earlier is void.
#[map]
static EPOCH: Array<u64> = Array::with_max_entries(1, 0);

/// A thread's turn that is not used up yet.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Taken {
    pub turn: Turn,
    /// The totals before the change, packed.
    pub pages: u64,
    /// The break before the change.
    pub heap_end: u64,
    /// The most mappings that there ever were before it.
    pub most_mappings: u64,
}

/// A traced thread. Two cache lines.
#[repr(C)]
pub struct Thread {
    /// Process id and thread id, as `bpf_get_current_pid_tgid` has them; 0: nobody.
    owner: u64,
    /// The [`EPOCH`] of `how`.
    epoch: u32,
    /// How its process is traced: see [`tracer_common::settings::PROCESS_WORDS`].
    how: u32,
    /// The address space that was noted for its process last; 0: none.
    pub space: u64,
    /// Its turn.
    pub taken: Taken,
    /// The file that its `mmap` is of (see [`crate::file`]); 0: none. On a cache line of its own: most calls map none.
    pub file: u64,
    unused: [u64; 7],
}

const _: () = assert!(size_of::<Thread>() == 128);

/// The slot that the current thread's number leads to.
#[inline(always)]
fn slot(ids: u64) -> Option<*mut Thread> {
    THREADS.get_ptr_mut(ids as u32 & (SLOTS - 1))
}

/// How often a process was deselected.
#[inline(always)]
fn epoch() -> u32 {
    // SAFETY: one aligned word, which user space may change meanwhile.
    EPOCH
        .get_ptr(0)
        .map_or(0, |epoch| unsafe { core::ptr::read_volatile(epoch) } as u32)
}

/// The slot of the current thread, which has these ids, if it has one.
#[inline(always)]
pub fn own(ids: u64) -> Option<*mut Thread> {
    let slot = slot(ids)?;
    // SAFETY: a map's value; who has this thread's ids is this thread.
    (unsafe { (*slot).owner } == ids).then_some(slot)
}

/// How the current thread is traced, if its slot tells.
#[inline(always)]
pub fn how(own: *mut Thread) -> Option<u64> {
    // SAFETY: the thread's own.
    unsafe { ((*own).epoch == epoch()).then_some((*own).how.into()) }
}

/// The slot of the current thread, which has these ids and is traced so, taken if it is free.
#[inline(always)]
pub fn claim(ids: u64, how: u64) -> Option<*mut Thread> {
    let slot = slot(ids)?;
    let now = epoch();
    // SAFETY: as in `own`.
    let (owner, then) = unsafe { ((*slot).owner, (*slot).epoch) };
    if owner == ids && then == now {
        return Some(slot);
    }
    if owner != ids {
        if owner != 0 {
            return None;
        }
        // Two may want it at once.
        SLOTS_TAKEN
            .insert(ids as u32 & (SLOTS - 1), ids, BPF_NOEXIST.into())
            .ok()?;
    }
    // SAFETY: it is this thread's now.
    unsafe {
        (*slot).epoch = now;
        (*slot).how = how as u32;
        (*slot).space = 0;
        (*slot).taken.turn.number = 0;
        (*slot).file = 0;
        (*slot).owner = ids;
    }
    Some(slot)
}

/// The current thread ends.
#[inline(always)]
pub fn release() {
    let ids = bpf_get_current_pid_tgid();
    if let Some(slot) = own(ids) {
        free(slot, ids as u32);
    }
}

/// The only thread of a process that begins a program has the process's number from now on: the slot of the
/// number that it had before is nobody's.
#[inline(always)]
pub fn release_former(pid: u32, tid: u32) {
    if tid == pid {
        return;
    }
    if let Some(slot) = slot(tid.into()) {
        // SAFETY: a map's value.
        if unsafe { (*slot).owner } == (u64::from(pid) << 32 | u64::from(tid)) {
            free(slot, tid);
        }
    }
}

#[inline(always)]
fn free(slot: *mut Thread, tid: u32) {
    // SAFETY: a map's value, whose owner is the current thread or gone.
    unsafe { core::ptr::write_volatile(&raw mut (*slot).owner, 0) };
    let _ = SLOTS_TAKEN.remove(tid & (SLOTS - 1));
}
