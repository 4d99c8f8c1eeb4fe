//! tracer's eBPF programs. Each answers: is this task traced? what were the arguments, what came
//! back, with which stack? One record per successful call goes to the ring; failed calls and every
//! loss are counted.
//!
//! Read in this order: [`settings`] (what the collector injects), [`thread`] (what is kept of each
//! thread), [`filter`] (who is traced), [`task`] (the kernel's memory, read by offsets from BTF), [`emit`]
//! (records into the ring), [`stack`] (the user's call stack), [`turn`] (the order of the calls), [`file`] (what is mapped),
//! [`program`] (what a new program begins with), then [`probes`], one file a subject. A map stands in the
//! file that has most to do with it.
#![no_std]
#![no_main]
#![expect(
    clippy::needless_pass_by_value,
    reason = "aya's macros hand the context over by value"
)]

mod settings;

mod thread;

mod filter;

mod task;

mod emit;

mod stack;

mod turn;

mod file;

mod program;

mod probes;

/// The kernel refuses programs under another licence the helpers that are used here
/// (`gpl_only` in `kernel/trace/bpf_trace.c`).
#[unsafe(no_mangle)]
#[unsafe(link_section = "license")]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    // No program can panic: the verifier would not accept a path that loops here.
    loop {}
}
