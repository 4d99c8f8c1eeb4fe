//! How processes are traced.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use anyhow::{Result, ensure};
use tracer_common::settings::FaultMode;

use super::output::Output;
use crate::cli;
use tracer_report::export::samples::Value;

/// How processes are traced.
#[derive(Clone, Debug)]
pub struct Tracing {
    /// Their children too.
    pub follow: bool,
    /// How page faults are followed.
    pub faults: FaultMode,
    /// One page fault in so many carries a stack; 0: none.
    pub fault_stacks: u32,
    /// Size of the ring.
    pub ring_bytes: u32,
    /// It ends after this time.
    pub duration: Option<Duration>,
    /// The ledger is compared with the kernel's maps so often.
    pub verify: Option<Duration>,
    /// All is recorded here.
    pub recording: Option<PathBuf>,
}

impl Tracing {
    /// As asked, for that output.
    ///
    /// # Errors
    /// The trace would not know what the output is to show; the kernel takes no such figures.
    pub fn new(asked: &cli::Tracing, output: &Output) -> Result<Self> {
        ensure!(
            !output.shows_value()
                || output.value != Value::Touched
                || asked.faults == FaultMode::Each,
            "--value touched needs --faults each: without it nobody knows which pages were touched"
        );
        Ok(Self {
            follow: !asked.no_follow,
            faults: asked.faults,
            fault_stacks: fault_stacks(asked)?,
            ring_bytes: ring_bytes(asked.ring_size)?,
            duration: asked.duration,
            verify: asked.verify,
            recording: asked.recording.clone(),
        })
    }
}

/// One page fault in so many carries a stack; 0: none.
fn fault_stacks(asked: &cli::Tracing) -> Result<u32> {
    let Some(every) = asked.fault_stacks else {
        return Ok(0);
    };
    ensure!(
        asked.faults == FaultMode::Each,
        "--fault-stacks {every} needs --faults each: without it no page fault is looked at by itself"
    );
    ensure!(
        every > 0,
        "--fault-stacks 0 is no share: 1 takes the stack of each page fault, 100 that of 1 in 100"
    );
    Ok(every)
}

/// The ring's size, checked: the kernel wants a power of two and whole pages.
fn ring_bytes(size: u64) -> Result<u32> {
    let page = rustix::param::page_size() as u64;
    ensure!(
        size.is_power_of_two() && size >= page && size <= 1 << 30,
        "--ring-size {size} is no power of two between {page} and 1 GiB"
    );
    Ok(u32::try_from(size)?)
}

/// What is added to the command's environment. JavaScript functions get names from what V8 writes to
/// `/tmp/perf-PID.map` (<https://nodejs.org/api/cli.html>).
pub(super) fn environment(asked: &cli::CommandTracing) -> Vec<(OsString, OsString)> {
    if !asked.js_names {
        return Vec::new();
    }
    let mut options = std::env::var_os("NODE_OPTIONS").unwrap_or_default();
    if !options.is_empty() {
        options.push(" ");
    }
    options.push("--perf-basic-prof --interpreted-frames-native-stack");
    vec![("NODE_OPTIONS".into(), options)]
}
