//! A process that makes 100,000 calls a second, traced with default settings: none may be lost.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::tools::{Attached, Bench, Own, Tool};
use super::workload::{Frames, Kind, Workload, compile};

/// Calls that are made in each second, half of them mmap and half munmap.
pub(crate) const RATE: u32 = 100_000;
/// Parts of a second in which so many are made at once: a process is not busy evenly.
const BURSTS: u32 = 10;
/// Frames below `main` from which they are made.
const DEPTH: u32 = 32;

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Busy {
    /// tracer while it was attached.
    pub(crate) own: Own,
    /// Calls that were made while it was.
    pub(crate) calls: u64,
    /// How long that took, ns.
    pub(crate) took_ns: u64,
}

/// Makes the calls for so many seconds.
pub(crate) fn measure(workspace: &Path, bench: &Bench, seconds: u64) -> Result<Busy> {
    eprintln!("{RATE} calls a second: {seconds} s");
    let program = compile(workspace, &bench.folder, Frames::Omitted)?;
    let mut workload = Workload::start(&program)?;
    let attached = Attached::to(Tool::Tracer, bench, &mut [&mut workload])?;
    let begun = Instant::now();
    let mut calls = 0;
    for burst in 1..=u32::try_from(seconds)?.saturating_mul(BURSTS) {
        workload.time(Kind::Pairs, RATE / BURSTS / 2, DEPTH)?;
        calls += u64::from(RATE / BURSTS);
        let due = begun + Duration::from_secs(1) * burst / BURSTS;
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    let took_ns = u64::try_from(begun.elapsed().as_nanos())?;
    let own = attached.end()?.context("tracer tells of itself")?;
    Ok(Busy {
        own,
        calls,
        took_ns,
    })
}
