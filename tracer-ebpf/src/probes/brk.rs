//! brk(address). It returns the break, new or unchanged, and no errors: a refused call is one whose
//! result is not what was asked (`SYSCALL_DEFINE1(brk)`, mm/mmap.c).

use aya_ebpf::{macros::tracepoint, programs::TracePointContext};
use tracer_common::{bits::ENOMEM, kind::Kind, settings::Offset};

use super::{Finished, send};

/// `syscalls:sys_exit_brk`: `ret` is the break.
#[tracepoint]
pub fn brk_exit(ctx: TracePointContext) -> u32 {
    try_brk_exit(&ctx);
    0
}

#[inline(always)]
fn try_brk_exit(ctx: &TracePointContext) -> Option<()> {
    let call = Finished::success(ctx, Kind::Brk)?;
    let (asked, now) = (call.argument(Offset::Argument0), call.result as u64);
    if asked != 0 && asked != now {
        // What it would say if it did.
        call.failed(Kind::Brk, ENOMEM);
        return None;
    }
    let mut record = call.record(Kind::Brk, 0, 0, call.taken.heap_end, now);
    if asked != 0 {
        record.stack = call.stack();
    }
    send(record);
    Some(())
}
