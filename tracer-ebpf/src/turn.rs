//! Whose turn it was: every change of an address space happens under its `mmap_lock`, held for writing,
//! so the order in which the lock is given is the order of the changes. Each call that is given it
//! draws a number, and takes a look at the kernel's totals before anything changes; the number waits
//! with the thread until the call returns and its record is sent.

use aya_ebpf::helpers::bpf_ktime_get_ns;
use tracer_common::{
    memory::Turn,
    settings::{Offset, PROCESS_WORDS},
};

use crate::{
    filter::Traced,
    maps::{CODES, PROCESSES, SPACES, TURNS},
    task::Mm,
};

/// A thread's turn that is not used up yet.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Taken {
    pub turn: Turn,
    /// The totals before the change, packed.
    pub pages: u64,
    /// The break before the change.
    pub heap_end: u64,
}

/// The current task has just been given the lock of its own address space.
#[inline(always)]
pub fn begin(mm: Mm, who: Traced) {
    let Some(taken) = slot(who.tid) else {
        // The table is full: this call will come without a turn, and the collector reads the maps.
        return;
    };
    // SAFETY: only this thread uses its slot.
    let taken = unsafe { &mut *taken };
    if taken.turn.number != 0 {
        return;
    }
    let space = mm.identity();
    let Some(count) = count_of(space) else {
        return;
    };
    if let Some(process) = PROCESSES.get_ptr_mut(who.pid) {
        note_space(process, space);
    }
    // The time first: whoever has seen the number knows that the time is past.
    // SAFETY: no arguments.
    let time_ns = unsafe { bpf_ktime_get_ns() };
    // SAFETY: the lock is held, so nobody else changes this count.
    let number = unsafe {
        *count += 1;
        *count
    };
    *taken = Taken {
        turn: Turn { number, time_ns },
        pages: mm.pages(),
        heap_end: mm.get(Offset::MmBrk),
    };
}

/// The current task has a new address space, on which nobody has had a turn: not itself either, by
/// what exec did (its number is that of `munmap` where a 64-bit program begins a 32-bit one).
#[inline(always)]
pub fn begin_space(mm: Mm, who: Traced) {
    forget_thread(who.tid);
    forget_space(mm.identity());
    if let Some(process) = PROCESSES.get_ptr_mut(who.pid) {
        begin_program(process, mm.identity());
    }
}

/// The current task holds the lock of this address space, and so lives in it. If it is another one than
/// before, the task is on its way into another program, some 100 µs before that is told: whoever reads
/// its maps from here on reads those of the new one.
#[inline(always)]
pub fn enter_space(mm: Mm, who: Traced) {
    if let Some(process) = PROCESSES.get_ptr_mut(who.pid)
        && last_space(process) != 0
    {
        begin_program(process, mm.identity());
    }
}

/// The address space in which a process was last seen.
#[inline(always)]
fn last_space(process: *const [u64; PROCESS_WORDS]) -> u64 {
    // SAFETY: one aligned word of a map's value, which other threads of the process may write meanwhile.
    unsafe { core::ptr::read_volatile(&raw const (*process)[1]) }
}

/// Counts the program that begins in this address space, once.
#[inline(always)]
fn begin_program(process: *mut [u64; PROCESS_WORDS], space: u64) {
    if last_space(process) != space {
        note_space(process, space);
        // SAFETY: one aligned word; a process that begins a program has one thread.
        unsafe { (*process)[2] += 1 };
    }
}

/// Tells the collector in which address space a process lives.
#[inline(always)]
fn note_space(process: *mut [u64; PROCESS_WORDS], space: u64) {
    // SAFETY: one aligned word; whoever reads it meanwhile has the old or the new one.
    unsafe { core::ptr::write_volatile(&raw mut (*process)[1], space) };
}

/// The turn that the current thread's call had, used up.
#[inline(always)]
pub fn take(tid: u32) -> Taken {
    let Some(taken) = TURNS.get_ptr_mut(tid) else {
        return Taken::default();
    };
    // SAFETY: only this thread uses its slot.
    unsafe { core::mem::take(&mut *taken) }
}

/// A thread ends.
#[inline(always)]
pub fn forget_thread(tid: u32) {
    let _ = TURNS.remove(tid);
}

/// An address space has ended, or another is about to begin where one was.
#[inline(always)]
pub fn forget_space(space: u64) {
    let _ = SPACES.remove(space);
    let _ = CODES.remove(space);
}

#[inline(always)]
fn slot(tid: u32) -> Option<*mut Taken> {
    if let Some(slot) = TURNS.get_ptr_mut(tid) {
        return Some(slot);
    }
    TURNS.insert(tid, Taken::default(), 0).ok()?;
    TURNS.get_ptr_mut(tid)
}

#[inline(always)]
fn count_of(space: u64) -> Option<*mut u64> {
    if let Some(count) = SPACES.get_ptr_mut(space) {
        return Some(count);
    }
    SPACES.insert(space, 0u64, 0).ok()?;
    SPACES.get_ptr_mut(space)
}
