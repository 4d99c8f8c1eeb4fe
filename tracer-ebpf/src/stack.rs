//! The user's call stack: a bounded copy, walked in place, hashed.
//!
//! The first walk follows frame pointers, but for the first frame: a function that makes a system call
//! is often a leaf without a frame of its own. If user space has not verified the hash of what it found,
//! a second walk follows, frame by frame, the rules that user space has handed over for the places where
//! frame pointers lead astray (see [`Rule`]). A stack whose hash is verified then is sent as that hash;
//! any other goes along whole, and user space unwinds it by the code's own rules.

use aya_ebpf::{
    bindings::{BPF_RB_AVAIL_DATA, BPF_RB_RING_SIZE},
    cty::{c_long, c_void},
    helpers::generated::{
        bpf_get_smp_processor_id, bpf_ktime_get_ns, bpf_loop, bpf_probe_read_user,
    },
};
use tracer_common::{
    counters::Counter,
    header::{Header, Kind},
    settings::Offset,
    stack::{FRAME_SLOTS, MAX_COPY, MAX_FRAMES, Rule, RuleKey, StackHead, TICKET, flags},
};

use crate::{
    emit,
    filter::Traced,
    maps::{EVENTS, READING, RULES, SCRATCH, VERIFIED},
    task::Registers,
};

const PAGE: u64 = 4096;
/// Bytes of stack that are copied at once for the first frames, which are all of many stacks.
const SMALL_BLOCK: u64 = 1024;
/// So many.
const SHALLOW: u32 = 8;
/// No code lies below this address (`vm.mmap_min_addr` is at least a page wherever code runs).
const LOWEST_CODE: u64 = PAGE;

/// What is sent, and after it what only the walk needs.
#[repr(C)]
pub struct Scratch {
    head: StackHead,
    frames: [u64; FRAME_SLOTS],
    copy: [u8; MAX_COPY],
    /// The walk's registers.
    fp: u64,
    sp: u64,
    pc: u64,
    hash: u64,
    /// Tickets given out on this CPU.
    tickets: u64,
}

const SENT_BEFORE_COPY: usize = size_of::<StackHead>() + FRAME_SLOTS * size_of::<u64>();

/// The word for an event's `stack`: an id, a ticket, or 0 if the stack was lost.
#[inline(always)]
pub fn take(registers: Registers, space: u64, who: Traced) -> u64 {
    let Some(scratch) = scratch() else {
        return 0;
    };
    let ip = registers.get(Offset::InstructionPointer);
    let sp = registers.get(Offset::StackPointer);
    let fp = registers.get(Offset::FramePointer);
    // SAFETY: the scratch is this CPU's own and programs on it do not nest while preemption is off.
    let scratch = unsafe { &mut *scratch };
    scratch.head.ip = ip;
    scratch.head.sp = sp;
    scratch.head.fp = fp;
    scratch.head.header = emit::header(Kind::Stack, 0, 0, space, who);

    reading(1);
    scratch.head.copied = 0;
    let space = begin(scratch);
    by_rule(scratch, space);
    follow(scratch, step as *mut c_void);
    let mut known = is_verified(scratch);
    if !known {
        begin(scratch);
        follow(scratch, step_by_rule as *mut c_void);
        known = is_verified(scratch);
    }
    let hash = scratch.hash & !TICKET;
    if known {
        reading(0);
        return hash;
    }
    // What helps one stack must not cost others: a ring that fills gets less of each.
    if EVENTS.query(BPF_RB_AVAIL_DATA.into()) < EVENTS.query(BPF_RB_RING_SIZE.into()) / 2 {
        copy_rest(scratch, sp);
    } else {
        scratch.head.header.flags |= flags::PRESSURE;
    }
    reading(0);
    scratch.head.hash = hash;
    // SAFETY: no arguments.
    scratch.head.header.time_ns = unsafe { bpf_ktime_get_ns() };
    scratch.tickets += 1;
    scratch.head.ticket =
        TICKET | (u64::from(scratch.head.header.cpu) << 40) | (scratch.tickets & 0xff_ffff_ffff);
    send(scratch)
}

/// Whether user space knows the stack that the walk has found.
#[inline(always)]
fn is_verified(scratch: &Scratch) -> bool {
    // SAFETY: the value is a plain number.
    unsafe { VERIFIED.get(scratch.hash & !TICKET) }.is_some()
}

/// Puts the walk at the beginning; returns the address space.
#[inline(always)]
fn begin(scratch: &mut Scratch) -> u64 {
    scratch.head.frames = 0;
    scratch.head.header.flags = 0;
    scratch.fp = scratch.head.fp;
    scratch.sp = scratch.head.sp;
    scratch.pc = scratch.head.ip;
    // Read back from the map: a plain number to the verifier, which forbids arithmetic on a pointer.
    // SAFETY: the caller has written it.
    let space = unsafe { core::ptr::read_volatile(&raw const scratch.head.header.space) };
    scratch.hash = mix(mix(0, space), scratch.pc);
    space
}

/// Walks to the end, one frame by each call of `step`.
#[inline(always)]
fn follow(scratch: &mut Scratch, step: *mut c_void) {
    // SAFETY: the callback has the signature that the helper wants and ignores its context.
    let steps = unsafe { bpf_loop(MAX_FRAMES as u32, step, core::ptr::null_mut(), 0) };
    if steps == MAX_FRAMES as c_long {
        scratch.head.header.flags |= flags::CUT;
    }
}

/// This CPU's own scratch.
#[inline(always)]
fn scratch() -> Option<*mut Scratch> {
    // SAFETY: no arguments.
    SCRATCH.get_ptr_mut(unsafe { bpf_get_smp_processor_id() })
}

/// Sends the whole scratch; returns the ticket, or 0 if it was lost.
#[inline(always)]
fn send(scratch: &Scratch) -> u64 {
    let copied = (scratch.head.copied as usize).min(MAX_COPY);
    // SAFETY: head, frames and copy lie one after the other (`repr(C)`, no padding), and `copied` is
    // at most the copy's length.
    let sent = unsafe {
        let bytes = core::slice::from_raw_parts(
            core::ptr::from_ref(scratch).cast::<u8>(),
            SENT_BEFORE_COPY + copied,
        );
        EVENTS.output::<[u8]>(bytes, 0)
    };
    if sent.is_err() {
        emit::count(Counter::LostStacks);
        return 0;
    }
    emit::count(Counter::Sent);
    scratch.head.ticket
}

/// Faults raised while this is 1 are ours: the probe on kernel faults leaves them out.
#[inline(always)]
fn reading(now: u32) {
    if let Some(flag) = READING.get_ptr_mut(0) {
        // SAFETY: a value of this CPU's own.
        unsafe { *flag = now };
    }
}

/// Makes the copy reach to 16 bytes behind `offset`, and on to the end of the block that they end in: the
/// walk copies what it needs, in few reads, and no page above the last that it needs: a read that
/// crosses into a page that is not there fails whole, and its fault costs more than the walk.
#[inline(always)]
fn reach(scratch: &mut Scratch, offset: u64) -> bool {
    let sp = scratch.head.sp;
    let copied = u64::from(scratch.head.copied);
    if copied > (MAX_COPY as u64 - PAGE) || offset > MAX_COPY as u64 {
        return false;
    }
    // (A condition on `copied` itself would lead Linux 6.1's verifier into states that cannot be.)
    let block = if scratch.head.frames < SHALLOW {
        SMALL_BLOCK
    } else {
        PAGE
    };
    let end = (sp.wrapping_add(offset + 16 + block - 1) & !(block - 1)).wrapping_sub(sp);
    let length = end.wrapping_sub(copied);
    if length == 0 || length > PAGE {
        return false;
    }
    // SAFETY: at most a page from `copied`, which is at least a page from the copy's end.
    let to = unsafe { (&raw mut scratch.copy as *mut u8).add(copied as usize) };
    let there = read_user(to, length as u32, sp.wrapping_add(copied));
    if there {
        scratch.head.copied = (copied + length) as u32;
    }
    there
}

/// Copies what user space will need beyond what the walk here has copied, page by page: the last page
/// that can be read is the end.
#[inline(always)]
fn copy_rest(scratch: &mut Scratch, sp: u64) {
    let first = PAGE - (sp & (PAGE - 1));
    if !read_user(&raw mut scratch.copy as *mut u8, first as u32, sp) {
        return;
    }
    let mut pages = 0;
    for _ in 0..MAX_COPY as u64 / PAGE - 1 {
        if !copy_page(scratch, sp, first + pages * PAGE) {
            break;
        }
        pages += 1;
    }
    scratch.head.copied = (first + pages * PAGE) as u32;
}

/// Copies the page that lies `offset` bytes above `sp`.
#[inline(always)]
fn copy_page(scratch: &mut Scratch, sp: u64, offset: u64) -> bool {
    if offset > MAX_COPY as u64 - PAGE {
        return false;
    }
    // SAFETY: the page lies inside of the copy.
    let to = unsafe { (&raw mut scratch.copy as *mut u8).add(offset as usize) };
    read_user(to, PAGE as u32, sp.wrapping_add(offset))
}

#[inline(always)]
fn read_user(to: *mut u8, length: u32, from: u64) -> bool {
    // SAFETY: `to` has room for `length` bytes, which the verifier checks; the helper checks `from`.
    unsafe { bpf_probe_read_user(to.cast(), length, from as *const c_void) == 0 }
}

/// Two words of the user's stack at `address`: from the copy where it reaches, else from the user.
#[inline(always)]
fn two_words(scratch: &mut Scratch, address: u64) -> Option<[u64; 2]> {
    let offset = address.wrapping_sub(scratch.head.sp);
    if within(scratch, offset) || (reach(scratch, offset) && within(scratch, offset)) {
        if offset > (MAX_COPY - 16) as u64 {
            return None;
        }
        // SAFETY: `offset + 16` is at most the copy's length.
        return Some(unsafe {
            core::ptr::read_unaligned(
                (&raw const scratch.copy as *const u8)
                    .add(offset as usize)
                    .cast::<[u64; 2]>(),
            )
        });
    }
    let mut words = [0u64; 2];
    read_user((&raw mut words).cast(), 16, address).then_some(words)
}

/// Whether the copy has 16 bytes at `offset`.
#[inline(always)]
fn within(scratch: &Scratch, offset: u64) -> bool {
    let copied = u64::from(scratch.head.copied);
    copied >= 16 && offset <= copied - 16
}

/// What a rule was good for.
#[derive(PartialEq, Eq)]
enum Followed {
    NoRule,
    Caller,
    End,
    Broken,
}

/// The caller, by the rule for the walk's pc, if there is one.
#[inline(always)]
fn by_rule(scratch: &mut Scratch, space: u64) -> Followed {
    let ip = scratch.pc;
    // SAFETY: the value is a plain number.
    let Some(word) = (unsafe { RULES.get(RuleKey { space, ip }) }) else {
        return Followed::NoRule;
    };
    let rule = Rule::from_word(*word);
    if rule.base == Rule::OUTERMOST {
        return Followed::End;
    }
    let base = if rule.base == 0 {
        scratch.sp
    } else {
        scratch.fp
    };
    let caller_sp = base.wrapping_add(i64::from(rule.offset) as u64);
    let Some([_, return_address]) = two_words(scratch, caller_sp.wrapping_sub(16)) else {
        return Followed::Broken;
    };
    if rule.fp_offset != 0 {
        let at = caller_sp.wrapping_add(i64::from(rule.fp_offset) as u64);
        let Some([fp, _]) = two_words(scratch, at) else {
            return Followed::Broken;
        };
        scratch.fp = fp;
    }
    found(scratch, return_address, caller_sp);
    Followed::Caller
}

/// The caller, by the frame pointer.
#[inline(always)]
fn by_frame_pointer(scratch: &mut Scratch) -> Followed {
    let fp = scratch.fp;
    if fp == 0 {
        return Followed::End;
    }
    if fp & 7 != 0 {
        return Followed::Broken;
    }
    let Some([next, return_address]) = two_words(scratch, fp) else {
        return Followed::Broken;
    };
    if return_address == 0 {
        return Followed::End;
    }
    if return_address < LOWEST_CODE || next == fp {
        return Followed::Broken;
    }
    scratch.fp = next;
    found(scratch, return_address, fp.wrapping_add(16));
    Followed::Caller
}

/// Another frame; one too many is left out.
#[inline(always)]
fn found(scratch: &mut Scratch, return_address: u64, sp: u64) {
    let at = scratch.head.frames as usize;
    if at >= MAX_FRAMES {
        return;
    }
    scratch.frames[at & (FRAME_SLOTS - 1)] = return_address;
    scratch.head.frames = at as u32 + 1;
    scratch.hash = mix(scratch.hash, return_address);
    scratch.pc = return_address;
    scratch.sp = sp;
}

/// Whether a walk ends here: 1, else 0.
#[inline(always)]
fn ends(scratch: &mut Scratch, followed: Followed) -> c_long {
    match followed {
        Followed::Caller => 0,
        Followed::Broken => {
            scratch.head.header.flags |= flags::BROKEN;
            1
        }
        Followed::End | Followed::NoRule => 1,
    }
}

/// One frame by frame pointer; returns 1 to end the walk.
///
/// # Safety
/// Called by the kernel only.
unsafe extern "C" fn step(_index: u32, _context: *mut c_void) -> c_long {
    let Some(scratch) = scratch() else {
        return 1;
    };
    // SAFETY: this CPU's own; the caller does not touch it during the loop.
    let scratch = unsafe { &mut *scratch };
    let followed = by_frame_pointer(scratch);
    ends(scratch, followed)
}

/// One frame by its rule, or else by frame pointer; returns 1 to end the walk.
///
/// # Safety
/// Called by the kernel only.
unsafe extern "C" fn step_by_rule(_index: u32, _context: *mut c_void) -> c_long {
    let Some(scratch) = scratch() else {
        return 1;
    };
    // SAFETY: this CPU's own; the caller does not touch it during the loop.
    let scratch = unsafe { &mut *scratch };
    // SAFETY: written before the walk began.
    let space = unsafe { core::ptr::read_volatile(&raw const scratch.head.header.space) };
    let followed = match by_rule(scratch, space) {
        Followed::NoRule => by_frame_pointer(scratch),
        followed => followed,
    };
    ends(scratch, followed)
}

/// A multiplicative mix: every bit of `word` reaches the high bits, the rotation brings them back
/// down. Not cryptographic: user space compares the frames before it trusts a hash.
#[inline(always)]
fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

const _: () = assert!(size_of::<Header>() == 32);
