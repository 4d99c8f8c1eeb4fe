//! The machine that is traced, and what this process itself costs.

use std::fs;

use rustix::{system::uname, time::ClockId};
use tracer_common::settings::FaultMode;

use super::ring::now;
use tracer_ledger::event::{Ended, Machine, Nanoseconds, Started};

/// The first event of a trace.
#[must_use]
pub(crate) fn started(faults: FaultMode) -> Started {
    let names = uname();
    let realtime = rustix::time::clock_gettime(ClockId::Realtime);
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Started {
        time: now(),
        realtime_ns: realtime.tv_sec as u64 * 1_000_000_000 + realtime.tv_nsec as u64,
        host: names.nodename().to_string_lossy().into_owned(),
        kernel: names.release().to_string_lossy().into_owned(),
        arch: names.machine().to_string_lossy().into_owned(),
        boot_id: boot_id.trim().to_owned(),
        page_bytes: rustix::param::page_size() as u64,
        tracer_version: env!("CARGO_PKG_VERSION").to_owned(),
        faults: Some(faults),
    }
}

/// The machine's memory now. What `/proc/meminfo` does not say is left open.
#[must_use]
pub(crate) fn machine() -> Machine {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let bytes = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kib.checked_mul(1024)
    };
    Machine {
        time: now(),
        cpus: std::thread::available_parallelism()
            .map_or(1, |cpus| u32::try_from(cpus.get()).unwrap_or(u32::MAX)),
        available_bytes: bytes("MemAvailable:"),
        swap_total_bytes: bytes("SwapTotal:"),
        swap_free_bytes: bytes("SwapFree:"),
        commit_limit_bytes: bytes("CommitLimit:"),
        committed_bytes: bytes("Committed_AS:"),
    }
}

/// The last event of a trace: when it ended, of how many records it was made, and what it cost.
#[must_use]
pub(crate) fn ended(time: Nanoseconds, records: u64) -> Ended {
    let usage = own_usage();
    Ended {
        time,
        tracer_cpu_ns: usage.cpu_ns,
        tracer_peak_bytes: usage.peak_bytes,
        events: records,
    }
}

/// What this process has used so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// CPU time of all its threads, user and system, ns.
    pub(crate) cpu_ns: u64,
    /// The most it had resident, bytes.
    pub(crate) peak_bytes: u64,
}

/// What this process has used so far (`CLOCK_PROCESS_CPUTIME_ID`; `VmHWM` of `/proc/self/status`).
#[must_use]
pub(crate) fn own_usage() -> Usage {
    let cpu = rustix::time::clock_gettime(ClockId::ProcessCPUTime);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak_kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    Usage {
        cpu_ns: cpu.tv_sec as u64 * 1_000_000_000 + cpu.tv_nsec as u64,
        peak_bytes: peak_kib.unwrap_or_default() * 1024,
    }
}
