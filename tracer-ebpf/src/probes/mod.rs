//! One file a subject. A thin entry calls `try_…`; what it reads of its tracepoint is quoted above it
//! from `/sys/kernel/tracing/events/*/*/format`.

mod mmap;

mod munmap;

mod mremap;

mod brk;

mod mprotect;

mod madvise;

mod shm;

mod fault;

mod process;

mod lock;

mod refused;

mod named;

mod split;

use aya_ebpf::{EbpfContext as _, programs::TracePointContext};
use tracer_common::{
    counters::Counter,
    kind::Kind,
    memory::{Call, LongCall, pack_failure, pack_protection},
    settings::Offset,
};

use crate::{
    emit, filter,
    filter::Traced,
    stack,
    task::{Mm, Registers, Task},
    thread::Taken,
    turn,
};

/// `syscalls:sys_exit_*`: `field:long ret; offset:16`.
#[inline(always)]
fn result(ctx: &TracePointContext) -> i64 {
    // SAFETY: the record of every sys_exit tracepoint is 24 bytes long.
    unsafe { *ctx.as_ptr().cast::<i64>().add(2) }
}

/// The kernel returns errors as −4095…−1 (`IS_ERR_VALUE`, include/linux/err.h).
#[inline(always)]
fn failed(result: i64) -> bool {
    (-4095..0).contains(&result)
}

/// A finished system call of a traced task.
struct Finished {
    who: Traced,
    mm: Mm,
    registers: Registers,
    result: i64,
    taken: Taken,
}

impl Finished {
    /// The call, if the task is traced.
    #[inline(always)]
    fn now(ctx: &TracePointContext) -> Option<Self> {
        let who = filter::current()?;
        let task = Task::current();
        Some(Self {
            who,
            mm: task.mm(),
            registers: task.registers(),
            result: result(ctx),
            taken: turn::take(who),
        })
    }

    /// The call, if the task is traced and it succeeded. A failed one is counted, and told to the
    /// collector if it had its turn.
    #[inline(always)]
    fn success(ctx: &TracePointContext, kind: Kind) -> Option<Self> {
        let call = Self::now(ctx)?;
        if failed(call.result) {
            call.failed(kind, call.result.unsigned_abs() as u16);
            return None;
        }
        Some(call)
    }

    #[inline(always)]
    fn failed(&self, kind: Kind, error: u16) {
        emit::count_failed(kind);
        if self.taken.turn.number != 0 {
            end_failed(kind, error, self.mm, self.registers, self.who, self.taken);
        }
        refused::tell(self, kind, error);
    }

    #[inline(always)]
    fn argument(&self, which: Offset) -> u64 {
        self.registers.get(which)
    }

    #[inline(always)]
    fn record(&self, kind: Kind, protection: u8, flags: u32, address: u64, length: u64) -> Call {
        let space = self.mm.identity();
        Call {
            header: emit::header(kind, protection, flags, space, self.who),
            address,
            length,
            stack: 0,
            pages: self.taken.pages,
            turn: self.taken.turn,
        }
    }

    #[inline(always)]
    fn stack(&self) -> u64 {
        stack::take(self.registers, self.mm.identity(), self.who)
    }
}

/// Tells the collector that a call which had its turn has failed, and with which arguments.
#[inline(always)]
fn end_failed(kind: Kind, error: u16, mm: Mm, registers: Registers, who: Traced, taken: Taken) {
    let argument = match kind {
        Kind::Mmap | Kind::Mremap => registers.get(Offset::Argument3) as u16,
        Kind::Mprotect => u16::from(pack_protection(registers.get(Offset::Argument2))),
        _ => registers.get(Offset::Argument2) as u16,
    };
    let flags = pack_failure(error, argument);
    let call = Call {
        header: emit::header(Kind::Failed, kind as u8, flags, mm.identity(), who),
        address: registers.get(Offset::Argument0),
        length: registers.get(Offset::Argument1),
        stack: 0,
        pages: taken.pages,
        turn: taken.turn,
    };
    if matches!(kind, Kind::Mremap) {
        let (address, length) = (Offset::Argument4, Offset::Argument2);
        send_long(call, registers.get(address), registers.get(length));
    } else {
        send(call);
    }
}

/// Sends a call.
#[inline(always)]
fn send(call: Call) {
    emit::send_turn(call, Counter::LostCalls, call.turn);
}

/// Sends a call with two more words.
#[inline(always)]
fn send_long(call: Call, extra0: u64, extra1: u64) {
    emit::send_turn(
        LongCall {
            call,
            extra0,
            extra1,
        },
        Counter::LostCalls,
        call.turn,
    );
}
