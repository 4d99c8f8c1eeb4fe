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

use aya_ebpf::{EbpfContext as _, programs::TracePointContext};
use tracer_common::{
    counters::Counter,
    header::Kind,
    memory::{Call, LongCall},
    settings::Offset,
};

use crate::{
    emit, filter,
    filter::Traced,
    stack,
    task::{Mm, Registers, Task},
};

/// `syscalls:sys_exit_*`: `field:long ret; offset:16`.
#[inline(always)]
fn result(ctx: &TracePointContext) -> i64 {
    // SAFETY: the record of every sys_exit tracepoint is 24 bytes long.
    unsafe { *ctx.as_ptr().cast::<i64>().add(2) }
}

/// `syscalls:sys_enter_*`: `field:unsigned long …; offset:16` and on, 8 bytes each.
#[inline(always)]
fn argument<const N: usize>(ctx: &TracePointContext) -> u64 {
    // SAFETY: the caller names an argument that the system call has.
    unsafe { *ctx.as_ptr().cast::<u64>().add(2 + N) }
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
}

impl Finished {
    /// The call, if the task is traced and it succeeded; a failed one is counted, and told to the
    /// collector if its begin was.
    #[inline(always)]
    fn success(ctx: &TracePointContext, kind: Kind, begins: bool) -> Option<Self> {
        let who = filter::current()?;
        let task = Task::current();
        let mm = task.mm();
        let result = result(ctx);
        if failed(result) {
            emit::count_failed(kind);
            if begins {
                end_failed(kind, mm, who);
            }
            return None;
        }
        Some(Self {
            who,
            mm,
            registers: task.registers(),
            result,
        })
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
            pages: self.mm.pages(),
        }
    }

    #[inline(always)]
    fn stack(&self) -> u64 {
        stack::take(self.registers, self.mm.identity(), self.who)
    }
}

/// Tells the collector that a call which may release `[address, address + length)` has begun.
#[inline(always)]
fn begin(kind: Kind, mm: Mm, who: Traced, address: u64, length: u64) {
    emit::send(
        Call {
            header: emit::header(Kind::Begin, kind as u8, 0, mm.identity(), who),
            address,
            length,
            stack: 0,
            pages: 0,
        },
        Counter::LostBegins,
    );
}

/// Tells the collector that the call announced by [`begin`] changed nothing.
#[inline(always)]
fn end_failed(kind: Kind, mm: Mm, who: Traced) {
    emit::send(
        Call {
            header: emit::header(Kind::Failed, kind as u8, 0, mm.identity(), who),
            address: 0,
            length: 0,
            stack: 0,
            pages: 0,
        },
        Counter::LostBegins,
    );
}

/// Sends a call.
#[inline(always)]
fn send(call: Call) {
    emit::send(call, Counter::LostCalls);
}

/// Sends a call with two more words.
#[inline(always)]
fn send_long(call: Call, extra0: u64, extra1: u64) {
    emit::send(
        LongCall {
            call,
            extra0,
            extra1,
        },
        Counter::LostCalls,
    );
}
