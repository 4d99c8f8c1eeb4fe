//! shmat(id, address, flags), shmdt(address), and remap_file_pages(address, size, …).

use aya_ebpf::{
    cty::{c_long, c_void},
    helpers::generated::{bpf_find_vma, bpf_get_current_task_btf},
    macros::tracepoint,
    programs::TracePointContext,
};
use tracer_common::{bits::EBUSY, kind::Kind, settings::Offset};

use super::{Finished, send};
use crate::settings::offset;

/// How often `bpf_find_vma` is asked: if another thread has the lock, it does not wait.
const TRIES: u32 = 64;

/// `syscalls:sys_exit_shmat`: `ret` is the address. The length is the segment's, which no argument
/// tells: it is read from the mapping itself, which is one of its own. Where it could not be read, it is
/// 0, and the collector asks the maps.
#[tracepoint]
pub fn shmat_exit(ctx: TracePointContext) -> u32 {
    try_shmat_exit(&ctx);
    0
}

#[inline(always)]
fn try_shmat_exit(ctx: &TracePointContext) -> Option<()> {
    let call = Finished::success(ctx, Kind::Shmat)?;
    let mut length = 0u64;
    for _ in 0..TRIES {
        // SAFETY: the current task, a callback of the signature that the helper wants, and its context
        // on this stack.
        let found = unsafe {
            bpf_find_vma(
                bpf_get_current_task_btf(),
                call.result as u64,
                length_of as *mut c_void,
                (&raw mut length).cast(),
                0,
            )
        };
        if found != -c_long::from(EBUSY) {
            break;
        }
    }
    let flags = call.argument(Offset::Argument2) as u32;
    let mut record = call.record(Kind::Shmat, 0, flags, call.result as u64, length);
    record.stack = call.stack();
    send(record);
    Some(())
}

/// Stores a mapping's length in the context.
///
/// # Safety
/// Called by the kernel only.
unsafe extern "C" fn length_of(
    _task: *mut c_void,
    vma: *mut c_void,
    length: *mut c_void,
) -> c_long {
    // SAFETY: `vma` is a `vm_area_struct`, `length` the number that the caller passed.
    unsafe {
        let start = core::ptr::read_volatile(vma.cast::<u8>().add(offset(Offset::VmaStart)).cast());
        let end: u64 =
            core::ptr::read_volatile(vma.cast::<u8>().add(offset(Offset::VmaEnd)).cast());
        *length.cast::<u64>() = end.wrapping_sub(start);
    }
    0
}

/// `syscalls:sys_exit_shmdt`: `ret` is 0.
#[tracepoint]
pub fn shmdt_exit(ctx: TracePointContext) -> u32 {
    try_shmdt_exit(&ctx);
    0
}

#[inline(always)]
fn try_shmdt_exit(ctx: &TracePointContext) -> Option<()> {
    let call = Finished::success(ctx, Kind::Shmdt)?;
    send(call.record(Kind::Shmdt, 0, 0, call.argument(Offset::Argument0), 0));
    Some(())
}

/// `syscalls:sys_exit_remap_file_pages`: `ret` is 0.
#[tracepoint]
pub fn remap_file_pages_exit(ctx: TracePointContext) -> u32 {
    try_remap_file_pages_exit(&ctx);
    0
}

#[inline(always)]
fn try_remap_file_pages_exit(ctx: &TracePointContext) -> Option<()> {
    let call = Finished::success(ctx, Kind::RemapFilePages)?;
    send(call.record(
        Kind::RemapFilePages,
        0,
        0,
        call.argument(Offset::Argument0),
        call.argument(Offset::Argument1),
    ));
    Some(())
}
