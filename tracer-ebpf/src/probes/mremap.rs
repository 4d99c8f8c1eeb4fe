//! mremap(old address, old length, new length, flags, new address).

use aya_ebpf::{macros::tracepoint, programs::TracePointContext};
use tracer_common::{header::Kind, settings::Offset};

use super::{Finished, argument, begin, send_long};
use crate::{filter, task::Task};

/// `syscalls:sys_enter_mremap`: `field:unsigned long addr; offset:16`,
/// `field:unsigned long old_len; offset:24`.
#[tracepoint]
pub fn mremap_enter(ctx: TracePointContext) -> u32 {
    if let Some(who) = filter::current() {
        let (address, length) = (argument::<0>(&ctx), argument::<1>(&ctx));
        begin(Kind::Mremap, Task::current().mm(), who, address, length);
    }
    0
}

/// `syscalls:sys_exit_mremap`: `ret` is the new address.
#[tracepoint]
pub fn mremap_exit(ctx: TracePointContext) -> u32 {
    try_mremap_exit(&ctx);
    0
}

#[inline(always)]
fn try_mremap_exit(ctx: &TracePointContext) -> Option<()> {
    let call = Finished::success(ctx, Kind::Mremap, true)?;
    let mut record = call.record(
        Kind::Mremap,
        0,
        call.argument(Offset::Argument3) as u32,
        call.argument(Offset::Argument0),
        call.argument(Offset::Argument1),
    );
    record.stack = call.stack();
    let new_length = call.argument(Offset::Argument2);
    send_long(record, call.result as u64, new_length);
    Some(())
}
