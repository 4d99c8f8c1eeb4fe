//! mremap(old address, old length, new length, flags, new address).

use aya_ebpf::{macros::tracepoint, programs::TracePointContext};
use tracer_common::{kind::Kind, settings::Offset};

use super::{Finished, send_long};

/// `syscalls:sys_exit_mremap`: `ret` is the new address.
#[tracepoint]
pub fn mremap_exit(ctx: TracePointContext) -> u32 {
    try_mremap_exit(&ctx);
    0
}

#[inline(always)]
fn try_mremap_exit(ctx: &TracePointContext) -> Option<()> {
    let call = Finished::success(ctx, Kind::Mremap)?;
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
