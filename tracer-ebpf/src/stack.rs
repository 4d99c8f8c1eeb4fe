//! The user's call stack: a bounded copy, walked in place, hashed.
//!
//! The walk follows frame pointers, but for the places for which user space has handed over a rule because
//! frame pointers lead astray there (see [`Rule`]). A stack whose hash user space has verified is sent as
//! that hash; any other goes along whole, and user space unwinds it by the code's own rules.

use aya_ebpf::{
    bindings::{BPF_F_MMAPABLE, BPF_RB_AVAIL_DATA, BPF_RB_RING_SIZE},
    cty::{c_long, c_void},
    helpers::generated::{bpf_ktime_get_ns, bpf_loop},
    macros::map,
    maps::{Array, HashMap, PerCpuArray},
};
use tracer_common::{
    counters::Counter,
    header::Header,
    kind::Kind,
    settings::Offset,
    stack::{
        BY_RULE, Bucket, FRAME_SLOTS, HASH_BUCKETS, MAX_COPY, MAX_FRAMES, PAGE, RULE_BUCKETS, Rule,
        StackHead, TICKET, bucket_of, flags, mix,
    },
};

use crate::{
    emit::{self, EVENTS},
    filter::Traced,
    task::Registers,
};

mod scratch;

mod copy;

use scratch::{Scratch, read_user, scratch};

/// Bytes of stack that are copied at once for the first frames, which are all of many stacks.
const SMALL_BLOCK: u64 = 1024;
/// So many.
const SHALLOW: u32 = 8;
/// No code lies below this address (`vm.mmap_min_addr` is at least a page wherever code runs).
const LOWEST_CODE: u64 = PAGE;

/// Hashes of stacks that user space has verified. User space writes both tables in its own mapping of
/// them.
#[map]
static VERIFIED: Array<Bucket> = Array::with_max_entries(HASH_BUCKETS, BPF_F_MMAPABLE);

/// Rules that user space has learned: keys and rules, as one word each.
#[map]
static RULES: Array<Bucket> = Array::with_max_entries(RULE_BUCKETS, BPF_F_MMAPABLE);

/// Address spaces whose code is another's: identity → what stands for their code in hashes and rules. A
/// forked copy has its parent's; user space gives a new one when the code of either changes.
#[map]
static CODES: HashMap<u64, u64> = HashMap::with_max_entries(16 * 1024, 0);

/// 1 from the first entry of [`CODES`] on: most traces never have one.
#[map]
static CODES_USED: Array<u32> = Array::with_max_entries(1, 0);

/// 1 while a program on this CPU reads user memory: faults that this raises are its own.
#[map]
static READING: PerCpuArray<u32> = PerCpuArray::with_max_entries(1, 0);

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
    scratch.head.code = code_of(space);

    reading(1);
    scratch.head.copied = 0;
    walk(scratch);
    let hash = scratch.hash & !TICKET;
    if is_verified(hash) {
        reading(0);
        return hash;
    }
    scratch.head.missing = 0;
    scratch.head.other_missing = 0;
    scratch.head.other_at = 0;
    scratch.head.other_sp = 0;
    // What helps one stack must not cost others: a ring that fills gets less of each.
    let filled = EVENTS.query(BPF_RB_AVAIL_DATA.into());
    let eighth = EVENTS.query(BPF_RB_RING_SIZE.into()) / 8;
    let pages = match filled {
        _ if filled < 4 * eighth => MAX_COPY as u64 / PAGE,
        _ if filled < 5 * eighth => 3,
        _ if filled < 6 * eighth => 1,
        _ => 0,
    };
    if pages < MAX_COPY as u64 / PAGE {
        scratch.head.header.flags |= flags::PRESSURE;
    }
    if pages > 0 {
        copy::copy_rest(scratch, sp, pages);
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

/// What stands for the code of an address space.
#[inline(always)]
fn code_of(space: u64) -> u64 {
    if CODES_USED.get(0).is_none_or(|used| *used == 0) {
        return space;
    }
    // SAFETY: the value is a plain number.
    unsafe { CODES.get(space) }.copied().unwrap_or(space)
}

/// A copy of an address space has its code.
#[inline(always)]
pub fn copy_code(space: u64, copy: u64) {
    let code = code_of(space);
    if let Some(used) = CODES_USED.get_ptr_mut(0) {
        // SAFETY: one aligned word, which only ever becomes 1.
        unsafe { *used = 1 };
    }
    let _ = CODES.insert(copy, code, 0);
}

/// An address space has ended.
#[inline(always)]
pub fn forget_code(space: u64) {
    let _ = CODES.remove(space);
}

/// Whether user space knows the stack with this hash.
#[inline(always)]
fn is_verified(hash: u64) -> bool {
    let Some(bucket) = VERIFIED.get(bucket_of(hash, HASH_BUCKETS)) else {
        return false;
    };
    bucket.contains(&hash) && hash != 0
}

/// The rule for a frame, if user space has handed one over.
#[inline(always)]
fn rule(key: u64) -> Option<Rule> {
    let bucket = RULES.get_ptr(bucket_of(key, RULE_BUCKETS))?.cast::<u64>();
    for at in [0, 2, 4, 6] {
        // SAFETY: words of the bucket, which user space may write meanwhile: it takes the key away before
        // it writes a rule, so a rule between two readings of its key is that key's.
        unsafe {
            if core::ptr::read_volatile(bucket.add(at)) == key {
                let rule = core::ptr::read_volatile(bucket.add(at + 1));
                let still = core::ptr::read_volatile(bucket.add(at)) == key;
                return still.then_some(Rule::from_word(rule));
            }
        }
    }
    None
}

/// Walks from the first frame to the end.
#[inline(always)]
fn walk(scratch: &mut Scratch) {
    scratch.head.frames = 0;
    scratch.fp = scratch.head.fp;
    scratch.sp = scratch.head.sp;
    scratch.pc = scratch.head.ip;
    // Read back from the map: a plain number to the verifier, which forbids arithmetic on a pointer.
    // SAFETY: the caller has written it.
    let code = unsafe { core::ptr::read_volatile(&raw const scratch.head.code) };
    scratch.code = mix(0, code);
    scratch.hash = mix(scratch.code, scratch.pc);
    let mut context: *mut Scratch = scratch;
    // SAFETY: the callback has the signature that the helper wants.
    let steps = unsafe {
        bpf_loop(
            MAX_FRAMES as u32,
            step as *mut c_void,
            (&raw mut context).cast(),
            0,
        )
    };
    if steps == MAX_FRAMES as c_long {
        scratch.head.header.flags |= flags::CUT;
    }
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

/// Whether a program on this CPU reads user memory.
#[inline(always)]
pub fn is_reading() -> bool {
    READING.get(0).is_some_and(|reading| *reading != 0)
}

/// Faults raised while this is 1 are ours: the probe on kernel faults leaves them out.
#[inline(always)]
fn reading(now: u32) {
    if let Some(flag) = READING.get_ptr_mut(0) {
        // SAFETY: a value of this CPU's own.
        unsafe { *flag = now };
    }
}

/// Makes the copy reach to 16 bytes behind `offset`, and somewhat further: the walk copies what it needs in
/// few reads, and no page above the last that it needs: a read that crosses into a page that is not
/// there fails whole, and its fault costs more than the walk.
#[inline(always)]
fn reach(scratch: &mut Scratch, offset: u64) -> bool {
    let sp = scratch.head.sp;
    let copied = u64::from(scratch.head.copied);
    if copied > (MAX_COPY as u64 - PAGE) || offset > MAX_COPY as u64 {
        return false;
    }
    let page_end = (sp.wrapping_add(offset + 15) | (PAGE - 1))
        .wrapping_add(1)
        .wrapping_sub(sp);
    // (A condition on `copied` itself would lead Linux 6.1's verifier into states that cannot be.)
    let end = if scratch.head.frames < SHALLOW {
        page_end.min(offset + SMALL_BLOCK)
    } else {
        page_end
    };
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

/// Two words of the user's stack at `address`: from the copy where it reaches, else from the user.
#[inline(always)]
fn two_words(scratch: &mut Scratch, address: u64) -> Option<[u64; 2]> {
    let offset = address.wrapping_sub(scratch.head.sp);
    // (What is not aligned could be loaded from the copy byte by byte only.)
    if offset & 7 == 0
        && (within(scratch, offset) || (reach(scratch, offset) && within(scratch, offset)))
    {
        if offset > (MAX_COPY - 16) as u64 {
            return None;
        }
        // SAFETY: `offset + 16` is at most the copy's length, and a multiple of 8, as is where it begins.
        return Some(unsafe {
            let words = (&raw const scratch.copy as *const u8).add(offset as usize);
            let words = words.cast::<u64>();
            [
                core::ptr::read_volatile(words),
                core::ptr::read_volatile(words.add(1)),
            ]
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

/// How a walk goes on from one frame.
#[derive(PartialEq, Eq)]
enum Followed {
    Caller,
    End,
    Broken,
}

/// The caller: by the rule for the walk's pc if there is one, else by the frame pointer.
#[inline(always)]
fn caller(scratch: &mut Scratch) -> Followed {
    let learned = rule(mix(scratch.code, scratch.pc));
    let rule = learned.unwrap_or(Rule::FRAME_POINTER);
    let fp = scratch.fp;
    let base = match rule.base {
        0 => scratch.sp,
        Rule::OUTERMOST => return Followed::End,
        _ => fp,
    };
    if learned.is_none() && (fp == 0 || fp & 7 != 0) {
        return if fp == 0 {
            Followed::End
        } else {
            Followed::Broken
        };
    }
    let caller_sp = base.wrapping_add(i64::from(rule.offset) as u64);
    let Some([below, return_address]) = two_words(scratch, caller_sp.wrapping_sub(16)) else {
        return Followed::Broken;
    };
    if return_address == 0 {
        return Followed::End;
    }
    if learned.is_none() && (return_address < LOWEST_CODE || below == fp) {
        return Followed::Broken;
    }
    if rule.fp_offset == Rule::FRAME_POINTER.fp_offset {
        scratch.fp = below;
    } else if rule.fp_offset != 0 {
        let at = caller_sp.wrapping_add(i64::from(rule.fp_offset) as u64);
        let Some([fp, _]) = two_words(scratch, at) else {
            return Followed::Broken;
        };
        scratch.fp = fp;
    }
    let mark = if learned.is_some() { BY_RULE } else { 0 };
    found(scratch, return_address, mark, caller_sp);
    Followed::Caller
}

/// Another frame, sent with this mark; one too many is left out.
#[inline(always)]
fn found(scratch: &mut Scratch, return_address: u64, mark: u64, sp: u64) {
    let at = scratch.head.frames as usize;
    if at >= MAX_FRAMES {
        return;
    }
    scratch.frames[at & (FRAME_SLOTS - 1)] = return_address | mark;
    scratch.head.frames = at as u32 + 1;
    scratch.hash = mix(scratch.hash, return_address);
    scratch.pc = return_address;
    scratch.sp = sp;
}

/// One frame; returns 1 to end the walk.
///
/// # Safety
/// Called by the kernel only, with what [`walk`] hands over.
unsafe extern "C" fn step(_index: u32, context: *mut c_void) -> c_long {
    // SAFETY: this CPU's own; the caller does not touch it during the loop.
    let scratch = unsafe { &mut **context.cast::<*mut Scratch>() };
    match caller(scratch) {
        Followed::Caller => 0,
        Followed::End => 1,
        Followed::Broken => {
            scratch.head.header.flags |= flags::BROKEN;
            1
        }
    }
}

const _: () = assert!(size_of::<Header>() == 32);
