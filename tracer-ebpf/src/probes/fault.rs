//! Page faults on user addresses, raised in user and in kernel mode. Raw tracepoints: attached they
//! cost nothing but at a fault, and less than the classic ones there.

use aya_ebpf::{
    helpers::bpf_get_prandom_u32, macros::raw_tracepoint, programs::RawTracePointContext,
};
use tracer_common::{
    counters::Counter,
    kind::Kind,
    memory::{FAULT_IN_KERNEL, FAULT_WRITE, Fault, SampledFault},
    settings::{FaultMode, Offset},
};

use crate::{
    emit, filter,
    settings::{fault_mode, fault_stacks},
    stack,
    task::{Registers, Task},
};

/// The write bit of x86's error code (`X86_PF_WRITE`, arch/x86/include/asm/trap_pf.h).
const X86_WRITE: u64 = 1 << 1;
/// User addresses have a clear top bit on every 64-bit architecture that Linux runs on.
const KERNEL_HALF: u64 = 1 << 63;

/// `exceptions:page_fault_user`:
/// `TP_PROTO(unsigned long address, struct pt_regs *regs, unsigned long error_code)`.
#[raw_tracepoint(tracepoint = "page_fault_user")]
pub fn fault_user(ctx: RawTracePointContext) -> i32 {
    fault(&ctx, 0);
    0
}

/// `exceptions:page_fault_kernel`, the same arguments.
#[raw_tracepoint(tracepoint = "page_fault_kernel")]
pub fn fault_kernel(ctx: RawTracePointContext) -> i32 {
    // A stack walk of ours reads user memory without faulting it in; its faults are no touches.
    if !stack::is_reading() {
        fault(&ctx, FAULT_IN_KERNEL);
    }
    0
}

#[inline(always)]
fn fault(ctx: &RawTracePointContext, mode_flag: u32) -> Option<()> {
    let who = filter::current()?;
    let address: u64 = ctx.arg(0);
    if address & KERNEL_HALF != 0 {
        return None;
    }
    emit::count(Counter::Faults);
    if fault_mode() != FaultMode::Each as u32 {
        return None;
    }
    let code: u64 = ctx.arg(2);
    let write = if code & X86_WRITE != 0 {
        FAULT_WRITE
    } else {
        0
    };
    let flags = (code as u32 & 0xffff) | write | mode_flag;
    let task = Task::current();
    let space = task.mm().identity();
    if let Some(registers) = sampled(task) {
        let stack = stack::take(registers, space, who);
        let fault = Fault {
            header: emit::header(Kind::SampledFault, 0, flags, space, who),
            address,
        };
        emit::send(SampledFault { fault, stack }, Counter::LostFaults);
        return Some(());
    }
    emit::send(
        Fault {
            header: emit::header(Kind::Fault, 0, flags, space, who),
            address,
        },
        Counter::LostFaults,
    );
    Some(())
}

/// The user's registers, if the stack of this fault is to be taken: those of the instruction that has
/// faulted, or of the system call on whose behalf the kernel has. Chance decides, not a count: what a
/// program does in turns a count would meet always in the same one.
#[inline(always)]
fn sampled(task: Task) -> Option<Registers> {
    let chance = fault_stacks();
    // SAFETY: no arguments.
    if chance == 0 || u64::from(unsafe { bpf_get_prandom_u32() }) >= chance {
        return None;
    }
    let registers = task.registers();
    // A worker of io_uring has never been in user mode: its registers are all 0.
    (registers.get(Offset::InstructionPointer) != 0).then_some(registers)
}
