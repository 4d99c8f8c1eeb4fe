//! madvise(address, length, advice).

use aya_ebpf::{macros::tracepoint, programs::TracePointContext};
use tracer_common::{kind::Kind, settings::Offset};

use super::{Finished, send, split};

/// `syscalls:sys_exit_madvise`: `ret` is 0.
#[tracepoint]
pub fn madvise_exit(ctx: TracePointContext) -> u32 {
    try_madvise_exit(&ctx);
    0
}

#[inline(always)]
fn try_madvise_exit(ctx: &TracePointContext) -> Option<()> {
    let call = Finished::success(ctx, Kind::Madvise)?;
    send(call.record(
        Kind::Madvise,
        0,
        call.argument(Offset::Argument2) as u32,
        call.argument(Offset::Argument0),
        call.argument(Offset::Argument1),
    ));
    split::tell(&call);
    Some(())
}
