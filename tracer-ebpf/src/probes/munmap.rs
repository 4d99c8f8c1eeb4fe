//! munmap(address, length).

use aya_ebpf::{macros::tracepoint, programs::TracePointContext};
use tracer_common::{kind::Kind, settings::Offset};

use super::{Finished, send, split};

/// `syscalls:sys_exit_munmap`: `ret` is 0.
#[tracepoint]
pub fn munmap_exit(ctx: TracePointContext) -> u32 {
    try_munmap_exit(&ctx);
    0
}

#[inline(always)]
fn try_munmap_exit(ctx: &TracePointContext) -> Option<()> {
    let call = Finished::success(ctx, Kind::Munmap)?;
    let address = call.argument(Offset::Argument0);
    send(call.record(
        Kind::Munmap,
        0,
        0,
        address,
        call.argument(Offset::Argument1),
    ));
    split::tell(&call);
    Some(())
}
