//! What `cargo xtask bench` is told: read here, before minutes of building, and by the program that measures.

use std::path::PathBuf;

use clap::Args;

/// The example of the package `tracer` that reads recordings and makes nothing of them.
pub const DECODER: &str = "decode";

/// How much is measured.
#[derive(Args, Debug)]
pub struct Options {
    /// Rounds of bare, tracer, bpftrace …, of which the medians are told; 0: no calls and faults
    #[arg(long, default_value_t = 7)]
    pub rounds: usize,
    /// How long a busy process is traced, and a real program from its start; 0: not at all
    #[arg(long, default_value_t = 60)]
    pub seconds: u64,
    /// How often recordings of a million events are read and compared; 0: not at all
    #[arg(long, value_name = "TIMES", default_value_t = 5)]
    pub recordings: usize,
    /// Compare with `perf record -g` as well, which takes half a minute more
    #[arg(long)]
    pub perf: bool,
    /// Write all samples to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Measure the binary that is there
    #[arg(long)]
    pub no_build: bool,
}
