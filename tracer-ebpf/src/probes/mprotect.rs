//! mprotect(address, length, protection) and pkey_mprotect (the same, and a key).

use aya_ebpf::{macros::tracepoint, programs::TracePointContext};
use tracer_common::{kind::Kind, memory::pack_protection, settings::Offset};

use super::{Finished, send, split};

/// `syscalls:sys_exit_mprotect` and `syscalls:sys_exit_pkey_mprotect`: `ret` is 0.
#[tracepoint]
pub fn mprotect_exit(ctx: TracePointContext) -> u32 {
    try_mprotect_exit(&ctx);
    0
}

#[inline(always)]
fn try_mprotect_exit(ctx: &TracePointContext) -> Option<()> {
    let call = Finished::success(ctx, Kind::Mprotect)?;
    send(call.record(
        Kind::Mprotect,
        pack_protection(call.argument(Offset::Argument2)),
        0,
        call.argument(Offset::Argument0),
        call.argument(Offset::Argument1),
    ));
    split::tell(&call);
    Some(())
}
