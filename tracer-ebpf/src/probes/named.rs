//! prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, address, length, name): names that programs and libraries give their
//! memory. Where the kernel does not keep them (`CONFIG_ANON_VMA_NAME`) the call fails, and has told the name all the
//! same.

use aya_ebpf::{
    helpers::bpf_probe_read_user_str_bytes, macros::tracepoint, programs::TracePointContext,
};
use tracer_common::{
    counters::Counter,
    file::{NAME_LENGTH, Named},
    kind::Kind,
    settings::Offset,
};

use crate::{emit, filter, task::Task};

/// `PR_SET_VMA` (include/uapi/linux/prctl.h); `PR_SET_VMA_ANON_NAME` is 0.
const PR_SET_VMA: u64 = 0x5356_4d41;

/// `syscalls:sys_exit_prctl`: `ret` does not matter.
#[tracepoint]
pub fn prctl_exit(_ctx: TracePointContext) -> u32 {
    if let Some(who) = filter::current() {
        let task = Task::current();
        let registers = task.registers();
        let (option, what) = (
            registers.get(Offset::Argument0),
            registers.get(Offset::Argument1),
        );
        if option == PR_SET_VMA && what == 0 {
            let mut name = [0u8; NAME_LENGTH];
            let from = registers.get(Offset::Argument4);
            // SAFETY: the helper checks the address.
            let read = |to| unsafe { bpf_probe_read_user_str_bytes(from as *const u8, to).is_ok() };
            if from != 0 && !read(&mut name) {
                // It is not in memory: neither the kernel nor the process has looked at it yet.
                return 0;
            }
            let space = task.mm().identity();
            emit::send(
                Named {
                    header: emit::header(Kind::Named, 0, 0, space, who),
                    address: registers.get(Offset::Argument2),
                    length: registers.get(Offset::Argument3),
                    name,
                },
                Counter::LostProcesses,
            );
        }
    }
    0
}
