//! The lock under which an address space is changed (include/trace/events/mmap_lock.h, since Linux
//! 5.11): see [`crate::turn`].

use aya_ebpf::{macros::raw_tracepoint, programs::RawTracePointContext};
use tracer_common::settings::Offset;

use super::process;
use crate::{filter, settings::is_traced_call, task::Task, turn};

/// `mmap_lock:mmap_lock_acquire_returned`:
/// `TP_PROTO(struct mm_struct *mm, bool write, bool success)`.
#[raw_tracepoint(tracepoint = "mmap_lock_acquire_returned")]
pub fn lock_acquired(ctx: RawTracePointContext) -> i32 {
    try_lock_acquired(&ctx, ctx.arg(1), ctx.arg(2));
    0
}

/// The same, as it was in older kernels:
/// `TP_PROTO(struct mm_struct *mm, const char *memcg_path, bool write, bool success)`.
#[raw_tracepoint(tracepoint = "mmap_lock_acquire_returned")]
pub fn lock_acquired_with_path(ctx: RawTracePointContext) -> i32 {
    try_lock_acquired(&ctx, ctx.arg(2), ctx.arg(3));
    0
}

#[inline(always)]
fn try_lock_acquired(ctx: &RawTracePointContext, write: u64, success: u64) -> Option<()> {
    if write & 0xff == 0 || success & 0xff == 0 {
        return None;
    }
    let task = Task::current();
    let mm = task.mm();
    // Not its own: a child's copy in the making, a new program's, another process's.
    let space: u64 = ctx.arg(0);
    if mm.is_null() || mm.identity() != space {
        return None;
    }
    let who = filter::current()?;
    turn::enter_space(space, who);
    // Its number is not that of the call which has it in 64 bits, and no tracepoint tells of its end.
    if task.is_in_32_bit_call() {
        process::tell_32_bit(space, who);
        return None;
    }
    // Not in a call that is traced: a stack that grows by a fault, `mlock`, …
    if !is_traced_call(task.registers().get(Offset::CallNumber) as u32) {
        return None;
    }
    turn::begin(mm, space, who);
    Some(())
}
