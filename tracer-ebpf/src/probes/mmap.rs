//! mmap(address, length, protection, flags, fd, offset).

use aya_ebpf::{EbpfContext as _, macros::tracepoint, programs::TracePointContext};
use tracer_common::{
    bits::{MAP_ANONYMOUS, PROT_EXEC},
    counters::Counter,
    file::FileCall,
    kind::Kind,
    memory::LongCall,
    settings::Offset,
};

use super::{Finished, send};
use crate::{
    emit,
    file::{self, Identity},
    filter, program,
};

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
        return Some(());
    }
    let file_offset = call.argument(Offset::Argument5);
    let space = call.mm.identity();
    let known = file::tell(file::take(call.who), space, call.who);
    let long = LongCall {
        call: record,
        extra0: file_offset,
        extra1: call.argument(Offset::Argument4),
    };
    match known {
        Some(Identity { device, inode }) => emit::send_turn(
            FileCall {
                call: long,
                device,
                inode,
            },
            Counter::LostCalls,
            record.turn,
        ),
        None => emit::send_turn(long, Counter::LostCalls, record.turn),
    }
    if call.argument(Offset::Argument2) & u64::from(PROT_EXEC) != 0 {
        // At the same address another file's code may lie when the collector comes to look.
        match known {
            Some(file) => program::send_known(&record, file_offset, file, call.who),
            None => program::send_mapped(record.address, record.length, call.who),
        }
    }
    Some(())
}

/// `syscalls:sys_enter_mmap`: `unsigned long flags` at 40, `fd` at 48.
#[tracepoint]
pub fn mmap_enter(ctx: TracePointContext) -> u32 {
    let word = |at: usize| {
        // SAFETY: the record is 64 bytes long.
        unsafe { *ctx.as_ptr().cast::<u64>().add(at) }
    };
    if word(5) & u64::from(MAP_ANONYMOUS) == 0
        && let Some(who) = filter::current()
    {
        let _ = file::keep(word(6), who);
    }
    0
}
