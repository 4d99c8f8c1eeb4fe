//! mmap(address, length, protection, flags, fd, offset).

use aya_ebpf::{macros::tracepoint, programs::TracePointContext};
use tracer_common::{
    bits::{MAP_ANONYMOUS, PROT_EXEC},
    kind::Kind,
    settings::Offset,
};

use super::{Finished, send, send_long};
use crate::program;

/// `syscalls:sys_exit_mmap`: `ret` is the address.
#[tracepoint]
pub fn mmap_exit(ctx: TracePointContext) -> u32 {
    try_mmap_exit(&ctx);
    0
}

#[inline(always)]
fn try_mmap_exit(ctx: &TracePointContext) -> Option<()> {
    let call = Finished::success(ctx, Kind::Mmap)?;
    let flags = call.argument(Offset::Argument3);
    let mut record = call.record(
        Kind::Mmap,
        call.argument(Offset::Argument2) as u8,
        flags as u32,
        call.result as u64,
        call.argument(Offset::Argument1),
    );
    record.stack = call.stack();
    if flags & u64::from(MAP_ANONYMOUS) != 0 {
        send(record);
    } else {
        let file_offset = call.argument(Offset::Argument5);
        send_long(record, file_offset, call.argument(Offset::Argument4));
        if call.argument(Offset::Argument2) & u64::from(PROT_EXEC) != 0 {
            // At the same address another file's code may lie when the collector comes to look.
            program::send_mapped(record.address, record.length, call.who);
        }
    }
    Some(())
}
