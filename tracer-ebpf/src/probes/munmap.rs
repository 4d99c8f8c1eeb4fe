//! munmap(address, length).

use aya_ebpf::{macros::tracepoint, programs::TracePointContext};
use tracer_common::{header::Kind, settings::Offset};

use super::{Finished, argument, begin, send};
use crate::{filter, task::Task};

/// `syscalls:sys_enter_munmap`: `field:unsigned long addr; offset:16`, `field:size_t len; offset:24`.
#[tracepoint]
pub fn munmap_enter(ctx: TracePointContext) -> u32 {
    if let Some(who) = filter::current() {
        let (address, length) = (argument::<0>(&ctx), argument::<1>(&ctx));
        begin(Kind::Munmap, Task::current().mm(), who, address, length);
    }
    0
}

/// `syscalls:sys_exit_munmap`: `ret` is 0.
#[tracepoint]
pub fn munmap_exit(ctx: TracePointContext) -> u32 {
    try_munmap_exit(&ctx);
    0
}

#[inline(always)]
fn try_munmap_exit(ctx: &TracePointContext) -> Option<()> {
    let call = Finished::success(ctx, Kind::Munmap, true)?;
    let address = call.argument(Offset::Argument0);
    send(call.record(
        Kind::Munmap,
        0,
        0,
        address,
        call.argument(Offset::Argument1),
    ));
    Some(())
}
