//! Calls that were refused for want of something: told with all that the kernel holds a call against, as it is when
//! the call returns. A place at which calls are refused again and again tells of the first few; of the others the
//! kernel keeps count.

use aya_ebpf::{
    helpers::{bpf_ktime_get_ns, bpf_probe_read_user},
    macros::{map, tracepoint},
    maps::LruHashMap,
    programs::TracePointContext,
};
use tracer_common::{
    account::{Refused, RefusedCount, TOLD_REFUSALS},
    bits::{EAGAIN, ENOMEM, EPERM},
    counters::Counter,
    kind::Kind,
    memory::pack_failure,
    settings::Offset,
    stack::mix,
};

use super::{Finished, failed, result};
use crate::{
    emit::{self, EVENTS},
    filter,
    task::Task,
    thread::Taken,
};

/// Refusals counted so far, by [`Refused::place`]. The collector reads it.
#[map]
static REFUSALS: LruHashMap<u64, RefusedCount> = LruHashMap::with_max_entries(4096, 0);

/// `clone3` on x86-64 and arm64 alike: its flags are the first word of a struct of the user's.
const CLONE3: u32 = 435;

/// A call that failed, if that was for want of something.
#[inline(always)]
pub fn tell(call: &Finished, kind: Kind, error: u16) {
    let refused = match kind {
        Kind::Mmap
        | Kind::Mremap
        | Kind::Brk
        | Kind::Mprotect
        | Kind::Munmap
        | Kind::Madvise
        | Kind::Shmat
        | Kind::RemapFilePages
        | Kind::Fork => error == ENOMEM || error == EAGAIN,
        // Who may lock nothing at all has no permission (`can_do_mlock()`, mm/mlock.c).
        Kind::Mlock => error == ENOMEM || error == EAGAIN || error == EPERM,
        _ => false,
    };
    if refused {
        let place = place(call, kind, error);
        if count(place) <= TOLD_REFUSALS {
            send(call, kind, error, place);
        }
    }
}

/// What stands for the place of a call: the same code at the same depth of the same thread's stack, most likely.
#[inline(always)]
fn place(call: &Finished, kind: Kind, error: u16) -> u64 {
    // (With the address space's identity, which it knows to be a pointer, the verifier allows no arithmetic.)
    let program = mix(call.who.pid.into(), call.mm.get(Offset::MmStartCode));
    let what = mix(program, u64::from(kind as u8) << 16 | u64::from(error));
    let ip = mix(what, call.argument(Offset::InstructionPointer));
    mix(ip, call.argument(Offset::StackPointer))
}

/// Counts one more refusal there; how many it makes.
#[inline(always)]
fn count(place: u64) -> u64 {
    // SAFETY: no arguments.
    let now = unsafe { bpf_ktime_get_ns() };
    let Some(known) = REFUSALS.get_ptr_mut(place) else {
        let _ = REFUSALS.insert(place, [1, now], 0);
        return 1;
    };
    // SAFETY: a map's value. Two threads at once may make one of two: their stacks, and so their places, differ.
    unsafe {
        (*known)[0] += 1;
        (*known)[1] = now;
        (*known)[0]
    }
}

#[inline(always)]
fn send(call: &Finished, kind: Kind, error: u16, place: u64) {
    let stack = call.stack();
    let Some(mut slot) = EVENTS.reserve::<Refused>(0) else {
        emit::count(Counter::LostCalls);
        return;
    };
    let task = Task::current();
    let (protection, flags) = match kind {
        Kind::Mmap => (Offset::Argument2, call.argument(Offset::Argument3)),
        Kind::Mremap => (Offset::Argument3, call.argument(Offset::Argument3)),
        Kind::Fork => (Offset::Argument1, clone_flags(call)),
        _ => (Offset::Argument2, call.argument(Offset::Argument2)),
    };
    let told = pack_failure(error, call.argument(protection) as u16);
    let to = slot.as_mut_ptr();
    // SAFETY: the slot is a `Refused`, every member of which is written.
    unsafe {
        (*to).header = emit::header(
            Kind::Refused,
            kind as u8,
            told,
            call.mm.identity(),
            call.who,
        );
        (*to).header.time_ns = bpf_ktime_get_ns();
        (*to).arguments = [
            call.argument(Offset::Argument0),
            call.argument(Offset::Argument1),
            call.argument(Offset::Argument2),
        ];
        (*to).flags = flags;
        (*to).stack = stack;
        (*to).place = place;
        (*to).heap_end = call.mm.get(Offset::MmBrk);
        (*to).default_flags = call.mm.get(Offset::MmDefaultFlags);
        (*to).address_space_end = call.mm.get(Offset::MmTaskSize);
        let (capabilities, processes) = task.credentials();
        (*to).capabilities = capabilities.into();
        (*to).user_processes = processes;
        (*to).account = task.account(call.mm);
    }
    slot.submit(0);
    emit::count(Counter::Sent);
}

#[inline(always)]
fn clone_flags(call: &Finished) -> u64 {
    let first = call.argument(Offset::Argument0);
    if call.argument(Offset::CallNumber) as u32 != CLONE3 {
        return first;
    }
    // SAFETY: the helper checks the address; the value is a plain number.
    unsafe { bpf_probe_read_user(first as *const u64) }.unwrap_or(0)
}

/// `syscalls:sys_exit_clone`, `…clone3`, `…fork`: one that failed, maybe after it had begun to copy its parent's
/// address space. (One that succeeded has used its turn at `sched_process_fork`.)
#[tracepoint]
pub fn clone_exit(ctx: TracePointContext) -> u32 {
    if let Some(call) = Finished::now(&ctx) {
        let error = error_of(call.result);
        if call.taken.turn.number != 0 {
            // The ledger wants to know that it failed, not why.
            super::end_failed(Kind::Fork, 0, call.mm, call.registers, call.who, call.taken);
        }
        tell(&call, Kind::Fork, error);
    }
    0
}

/// `syscalls:sys_exit_mlock`, `…mlock2`, `…mlockall`: only refusals are of interest.
#[tracepoint]
pub fn mlock_exit(ctx: TracePointContext) -> u32 {
    let error = error_of(result(&ctx));
    if error != 0
        && let Some(who) = filter::current()
    {
        let task = Task::current();
        let call = Finished {
            who,
            mm: task.mm(),
            registers: task.registers(),
            result: result(&ctx),
            // It takes none.
            taken: Taken::default(),
        };
        tell(&call, Kind::Mlock, error);
    }
    0
}

/// The error number of a result; 0: it is none.
#[inline(always)]
fn error_of(result: i64) -> u16 {
    if failed(result) {
        result.unsigned_abs() as u16
    } else {
        0
    }
}
