//! tracer's eBPF programs. Each answers: is this task traced? what were the arguments, what came
//! back, with which stack? One record per successful call goes to the ring; failed calls and every
//! loss are counted.
//!
//! Read in this order: [`settings`] (what the collector injects), [`maps`], [`filter`] (who is
//! traced), [`thread`] (what is kept of each thread), [`task`] (the kernel's memory, read by offsets
//! from BTF), [`turn`] (the order of the calls), [`stack`] (the user's call stack), [`emit`] (records
//! into the ring), [`program`] (what a new program begins with), then [`probes`], one file a subject.
#![no_std]
#![no_main]
#![expect(
    clippy::needless_pass_by_value,
    reason = "aya's macros hand the context over by value"
)]

mod settings;

mod maps;

mod filter;

mod task;

mod thread;

mod turn;

mod stack;

mod emit;

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
