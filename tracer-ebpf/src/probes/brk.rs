//! brk(address). It returns the break, new or unchanged, and no errors: a refused call is one whose
//! result is not what was asked (`SYSCALL_DEFINE1(brk)`, mm/mmap.c).

use aya_ebpf::{macros::tracepoint, programs::TracePointContext};
use tracer_common::{header::Kind, settings::Offset};

use super::{Finished, argument, begin, end_failed, send};
use crate::{emit, filter, task::Task};

/// `syscalls:sys_enter_brk`: `field:unsigned long brk; offset:16`. Only a shrink releases.
#[tracepoint]
pub fn brk_enter(ctx: TracePointContext) -> u32 {
    if let Some(who) = filter::current() {
        let mm = Task::current().mm();
        let (asked, now) = (argument::<0>(&ctx), mm.get(Offset::MmBrk));
        if asked != 0 && asked < now {
            begin(Kind::Brk, mm, who, asked, now - asked);
        }
    }
    0
}

/// `syscalls:sys_exit_brk`: `ret` is the break.
#[tracepoint]
pub fn brk_exit(ctx: TracePointContext) -> u32 {
    try_brk_exit(&ctx);
    0
}

#[inline(always)]
fn try_brk_exit(ctx: &TracePointContext) -> Option<()> {
    let call = Finished::success(ctx, Kind::Brk, true)?;
    let (asked, now) = (call.argument(Offset::Argument0), call.result as u64);
    if asked != 0 && asked != now {
        emit::count_failed(Kind::Brk);
        end_failed(Kind::Brk, call.mm, call.who);
        return None;
    }
    let start = call.mm.get(Offset::MmStartBrk);
    let mut record = call.record(Kind::Brk, 0, 0, start, now.wrapping_sub(start));
    if asked != 0 {
        record.stack = call.stack();
    }
    send(record);
    Some(())
}
