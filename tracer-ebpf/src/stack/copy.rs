//! What goes along with a stack that user space is to unwind: as much of it as there is room for. In a
//! handler on an alternate stack (sigaltstack(2)) also of the stack that was interrupted: its place is in
//! what the kernel has put at the alternate stack's end.
//!
//! What the verifier must not multiply lies in the scratch, whose values it does not follow.

use aya_ebpf::{
    cty::{c_long, c_void},
    helpers::generated::bpf_loop,
};
use tracer_common::stack::{MAX_COPY, PAGE};

use super::scratch::{Rest, Scratch, Search, read_user, scratch};
use crate::task::Task;

const PAGES: u64 = MAX_COPY as u64 / PAGE;
/// So many pages of a stack that are not there are skipped: large buffers are of 4, 8 or 16 KiB.
const MOST_MISSING: u64 = 5;
/// What a leaf may keep below its stack pointer (System V ABI, AMD64 supplement, 3.2.2).
const RED_ZONE: u64 = 128;

/// `struct rt_sigframe` (arch/x86/include/asm/sigframe.h): from its `struct ucontext` to the alternate
/// stack's address, to its size, and to the interrupted stack pointer. It is aligned to 16 bytes, and has at
/// least so many to its end; above it lie only the registers that XSAVE stores: 11 KiB with AMX.
const CONTEXT_STACK: u64 = 16;
const CONTEXT_SIZE: u64 = 32;
const CONTEXT_STACK_POINTER: u64 = 160;
const CONTEXT_BYTES: u64 = 304;
const MOST_ABOVE: u32 = 16 << 10;

/// Copies page by page, so many at most, the rest of the first counted as one. A page in the midst of a
/// stack may be out of reach: no one has touched it yet, or it is swapped out.
#[inline(always)]
pub fn copy_rest(scratch: &mut Scratch, sp: u64, pages: u64) {
    let (stack, size) = Task::current().alternate_stack();
    let within = sp.wrapping_sub(stack);
    let alternate = within < size;
    let limit = if alternate {
        size - within
    } else {
        MAX_COPY as u64
    };
    let first = PAGE - (sp & (PAGE - 1));
    // (Not even the first needs to be there: a function may not have written to its frame yet.)
    if !read_user(&raw mut scratch.copy as *mut u8, first as u32, sp) {
        scratch.head.missing |= 1;
    }
    if scratch.head.copied < first as u32 {
        scratch.head.copied = first as u32;
    }
    // The callback has its own way to the scratch, which the compiler cannot see.
    // SAFETY: a member of the scratch.
    unsafe {
        core::ptr::write_volatile(
            &raw mut scratch.rest,
            Rest {
                pages,
                limit,
                offset: 0,
            },
        );
    };
    // SAFETY: the callback has the signature that the helper wants and ignores its context.
    unsafe {
        bpf_loop(
            PAGES as u32 - 1,
            copy_page as *mut c_void,
            core::ptr::null_mut(),
            0,
        )
    };
    // SAFETY: a member of the scratch.
    let copied = unsafe { core::ptr::read_volatile(&raw const scratch.head.copied) };
    if alternate && u64::from(copied) >= limit {
        scratch.head.copied = limit as u32;
        let search = Search {
            stack,
            size,
            highest: ((stack.wrapping_add(size) & !15) - CONTEXT_BYTES).wrapping_sub(sp),
            interrupted: 0,
        };
        copy_interrupted(scratch, search);
    }
}

/// Copies the `index`-th whole page above the stack pointer; returns 1 at the end.
///
/// # Safety
/// Called by the kernel only.
unsafe extern "C" fn copy_page(index: u32, _context: *mut c_void) -> c_long {
    let Some(scratch) = scratch() else {
        return 1;
    };
    // SAFETY: this CPU's own; the caller does not touch it during the loop.
    let scratch = unsafe { &mut *scratch };
    // SAFETY: written before the loop began. A plain number to the verifier.
    let sp = unsafe { core::ptr::read_volatile(&raw const scratch.head.sp) };
    let page = u64::from(index & 15);
    // Through memory: else the compiler compares it as signed, and the verifier knows no lower bound.
    // SAFETY: a member of the scratch.
    let offset = unsafe {
        core::ptr::write_volatile(
            &raw mut scratch.rest.offset,
            PAGE - (sp & (PAGE - 1)) + page * PAGE,
        );
        core::ptr::read_volatile(&raw const scratch.rest.offset)
    };
    if page + 1 >= scratch.rest.pages
        || offset >= scratch.rest.limit
        || offset > MAX_COPY as u64 - PAGE
    {
        return 1;
    }
    // SAFETY: the page lies inside of the copy.
    let to = unsafe { (&raw mut scratch.copy as *mut u8).add(offset as usize) };
    let copied = u64::from(scratch.head.copied);
    if read_user(to, PAGE as u32, sp.wrapping_add(offset)) {
        if copied < offset + PAGE {
            scratch.head.copied = (offset + PAGE) as u32;
        }
        return 0;
    }
    scratch.head.missing |= 2 << (index & 15);
    // Many of them are the stack's end.
    c_long::from(offset >= copied + (MOST_MISSING - 1) * PAGE)
}

/// Copies the stack that a handler on an alternate stack has interrupted, behind that stack.
#[inline(always)]
fn copy_interrupted(scratch: &mut Scratch, search: Search) {
    // The callback has its own way to the scratch, which the compiler cannot see.
    // SAFETY: a member of the scratch.
    unsafe { core::ptr::write_volatile(&raw mut scratch.search, search) };
    // SAFETY: the callback has the signature that the helper wants and ignores its context.
    unsafe {
        bpf_loop(
            MOST_ABOVE / 16,
            look as *mut c_void,
            core::ptr::null_mut(),
            0,
        )
    };
    // SAFETY: a member of the scratch.
    let interrupted = unsafe { core::ptr::read_volatile(&raw const scratch.search.interrupted) };
    if interrupted == 0 {
        return;
    }
    let from = interrupted.wrapping_sub(RED_ZONE);
    let at = u64::from(scratch.head.copied);
    scratch.head.other_sp = from;
    scratch.head.other_at = at as u32;
    let first = PAGE - (from & (PAGE - 1));
    if !copy_to(scratch, at, from, first) {
        scratch.head.other_missing |= 1;
    }
    for page in 0..PAGES {
        let offset = first + page * PAGE;
        if at + offset > MAX_COPY as u64 - PAGE {
            break;
        }
        if !copy_to(scratch, at + offset, from.wrapping_add(offset), PAGE) {
            scratch.head.other_missing |= 2 << page;
        }
    }
}

/// Copies a page or less; what lies before it in the copy is sent too.
#[inline(always)]
fn copy_to(scratch: &mut Scratch, at: u64, from: u64, length: u64) -> bool {
    if at > MAX_COPY as u64 - PAGE || length > PAGE {
        return false;
    }
    // SAFETY: at most a page from `at`, which is at least a page from the copy's end.
    let to = unsafe { (&raw mut scratch.copy as *mut u8).add(at as usize) };
    let there = read_user(to, length as u32, from);
    if there {
        scratch.head.copied = (at + length) as u32;
    }
    there
}

/// Looks for the context at one place, downwards; returns 1 to end the search.
///
/// # Safety
/// Called by the kernel only.
unsafe extern "C" fn look(index: u32, _context: *mut c_void) -> c_long {
    let Some(scratch) = scratch() else {
        return 1;
    };
    // SAFETY: this CPU's own; the caller does not touch it during the loop.
    let scratch = unsafe { &mut *scratch };
    let at = scratch.search.highest.wrapping_sub(u64::from(index) * 16);
    let is_context = word(scratch, at.wrapping_add(CONTEXT_STACK)) == scratch.search.stack
        && word(scratch, at.wrapping_add(CONTEXT_SIZE)) == scratch.search.size;
    if is_context {
        scratch.search.interrupted = word(scratch, at.wrapping_add(CONTEXT_STACK_POINTER));
        return 1;
    }
    0
}

/// A word of the copy; 0 outside of it.
#[inline(always)]
fn word(scratch: &Scratch, at: u64) -> u64 {
    if at > (MAX_COPY - 8) as u64 {
        return 0;
    }
    // SAFETY: inside of the copy.
    unsafe {
        core::ptr::read_unaligned(
            (&raw const scratch.copy as *const u8)
                .add(at as usize)
                .cast::<u64>(),
        )
    }
}
