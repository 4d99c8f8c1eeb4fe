//! Whose turn it was: every change of an address space happens under its `mmap_lock`, held for writing,
//! so the order in which the lock is given is the order of the changes. Each call that is given it
//! draws a number, and takes a look at the kernel's totals before anything changes; the number waits
//! with the thread until the call returns and its record is sent.

use aya_ebpf::{
    bindings::BPF_NOEXIST,
    helpers::bpf_ktime_get_ns,
    macros::map,
    maps::{Array, HashMap},
};
use tracer_common::{
    account::Split,
    counters::Counter,
    kind::Kind,
    settings::{Offset, PROCESS_WORDS, SPACE_SLOTS, SpaceCounts, SpaceSlot, space_slot_of},
};

use crate::{
    emit,
    filter::{PROCESSES, Traced},
    stack,
    task::Mm,
    thread::{self, SLOTS, SLOTS_TAKEN, Taken},
};

/// What is counted of each address space, each in the slot of its identity.
#[map]
static SPACE_COUNTS: Array<SpaceSlot> = Array::with_max_entries(SPACE_SLOTS, 0);

/// The same for those whose slot is another's: identity → counts.
#[map]
static SPACES: HashMap<u64, SpaceCounts> = HashMap::with_max_entries(16 * 1024, 0);

/// Turns of calls that have not returned yet, of threads without a slot: thread id → see [`Taken`].
#[map]
static TURNS: HashMap<u32, Taken> = HashMap::with_max_entries(64 * 1024, 0);

/// The current task has just been given the lock of its own address space, `mm`, whose identity is told
/// besides, as a number: with what it knows to be a pointer the verifier allows no arithmetic.
#[inline(always)]
pub fn begin(mm: Mm, space: u64, who: Traced) {
    let Some(taken) = room(space, who) else {
        // The table is full: this call will come without a turn, and the collector reads the maps.
        return;
    };
    // SAFETY: only this thread uses it.
    let taken = unsafe { &mut *taken };
    if taken.turn.number != 0 {
        return;
    }
    let Some(counts) = counts_of(space) else {
        return;
    };
    // SAFETY: the lock is held, so nobody else changes these counts.
    let counts = unsafe { &mut *counts };
    // The time first: whoever has seen the number knows that the time is past.
    // SAFETY: no arguments.
    taken.turn.time_ns = unsafe { bpf_ktime_get_ns() };
    counts.turns += 1;
    taken.turn.number = counts.turns;
    taken.pages = mm.pages();
    taken.heap_end = mm.get(Offset::MmBrk);
    let mappings = mm.mappings();
    counts.most_mappings = counts.most_mappings.max(mappings);
    taken.most_mappings = counts.most_mappings;
    if mappings >= counts.told_mappings + counts.told_mappings / 16 + 64 {
        counts.told_mappings = mappings;
        emit::send(
            Split {
                header: emit::header(Kind::Mappings, 0, 0, space, who),
                stack: 0,
                mappings,
            },
            Counter::LostStacks,
        );
    }
}

/// Where the current thread's turn is kept; its process is known to live in this address space then.
#[inline(always)]
fn room(space: u64, who: Traced) -> Option<*mut Taken> {
    // A turn that has begun in the table stays there.
    let there = match who.thread {
        Some(_) => None,
        None => TURNS.get_ptr_mut(who.tid),
    };
    if there.is_none()
        && let Some(thread) = thread::claim(who.ids(), who.how())
    {
        // SAFETY: this thread's own.
        let thread = unsafe { &mut *thread };
        if thread.space != space {
            note_process(space, who);
            thread.space = space;
        }
        return Some(&raw mut thread.taken);
    }
    note_process(space, who);
    if there.is_none() {
        TURNS.insert(who.tid, Taken::default(), 0).ok()?;
    }
    TURNS.get_ptr_mut(who.tid)
}

/// The current task has a new address space, on which nobody has had a turn: not itself either, by
/// what exec did (its number is that of `munmap` where a 64-bit program begins a 32-bit one).
#[inline(always)]
pub fn begin_space(space: u64, who: Traced) {
    let _ = take(who);
    forget_space(space);
    if let Some(process) = PROCESSES.get_ptr_mut(who.pid) {
        begin_program(process, space);
    }
}

/// The current task holds the lock of this address space, and so lives in it. If it is another one than
/// before, the task is on its way into another program, some 100 µs before that is told: whoever reads
/// its maps from here on reads those of the new one.
#[inline(always)]
pub fn enter_space(space: u64, who: Traced) {
    let thread = who.thread;
    // SAFETY: this thread's own.
    if thread.is_some_and(|thread| unsafe { (*thread).space } == space) {
        return;
    }
    let Some(process) = PROCESSES.get_ptr_mut(who.pid) else {
        return;
    };
    if last_space(process) != 0 {
        begin_program(process, space);
        if let Some(thread) = thread {
            // SAFETY: as above.
            unsafe { (*thread).space = space };
        }
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

/// The current task's process lives in this address space.
#[inline(always)]
fn note_process(space: u64, who: Traced) {
    if let Some(process) = PROCESSES.get_ptr_mut(who.pid) {
        note_space(process, space);
    }
}

/// The turn that the current thread's call had, used up.
#[inline(always)]
pub fn take(who: Traced) -> Taken {
    let kept = match who.thread {
        // SAFETY: this thread's own.
        Some(thread) => unsafe { &raw mut (*thread).taken },
        None => match TURNS.get_ptr_mut(who.tid) {
            Some(kept) => kept,
            None => return Taken::default(),
        },
    };
    // SAFETY: only this thread uses it.
    unsafe {
        let taken = *kept;
        (*kept).turn.number = 0;
        taken
    }
}

/// A thread ends.
#[inline(always)]
pub fn forget_thread(tid: u32) {
    let _ = TURNS.remove(tid);
}

/// An address space has ended, or another is about to begin where one was.
#[inline(always)]
pub fn forget_space(space: u64) {
    if let Some(slot) = space_slot(space) {
        // SAFETY: a map's value; nobody has turns in this space any more.
        if unsafe { (*slot).space } == space {
            // SAFETY: as above.
            unsafe { core::ptr::write_volatile(&raw mut (*slot).space, 0) };
            let _ = SLOTS_TAKEN.remove(SLOTS + space_slot_of(space));
        }
    }
    let _ = SPACES.remove(space);
    stack::forget_code(space);
}

#[inline(always)]
fn space_slot(space: u64) -> Option<*mut SpaceSlot> {
    SPACE_COUNTS.get_ptr_mut(space_slot_of(space))
}

/// What is counted of the current task's own address space, whose lock it holds.
#[inline(always)]
fn counts_of(space: u64) -> Option<*mut SpaceCounts> {
    let slot = space_slot(space)?;
    // SAFETY: a map's value; only who holds the lock of the space counts in it.
    unsafe {
        if (*slot).space == space {
            return Some(&raw mut (*slot).counts);
        }
    }
    if let Some(counts) = SPACES.get_ptr_mut(space) {
        return Some(counts);
    }
    // SAFETY: as above.
    let free = unsafe { (*slot).space } == 0;
    let at = SLOTS + space_slot_of(space);
    if free && SLOTS_TAKEN.insert(at, space, BPF_NOEXIST.into()).is_ok() {
        // SAFETY: it is this space's now. The counts first: who reads them looks at the owner first.
        unsafe {
            core::ptr::write_volatile(&raw mut (*slot).counts.turns, 0);
            (*slot).counts.most_mappings = 0;
            (*slot).counts.told_mappings = 0;
            core::ptr::write_volatile(&raw mut (*slot).space, space);
            return Some(&raw mut (*slot).counts);
        }
    }
    SPACES.insert(space, SpaceCounts::default(), 0).ok()?;
    SPACES.get_ptr_mut(space)
}
