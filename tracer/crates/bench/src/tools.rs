//! The tools that are compared: each attached to running workloads, known to be attached by what it
//! says or shows, and asked at its end whether it really saw what was measured.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::child::{PAUSE, Running};
use super::workload::{Kind, Workload};

/// What tracer says at `-v` (`session/live`).
const TRACER_ATTACHED: &str = "everything is attached";
const TRACER_FIRST_EVENT: &str = "the first event is handled";
/// What our bpftrace scripts say: bpftrace hands on what BEGIN printed when all else is attached.
const SCRIPT_ATTACHED: &str = "attached to everything";
/// How long a tool may take to attach.
const LIMIT: Duration = Duration::from_secs(60);
/// A tool that takes less CPU than this in [`QUIET`] has done its work; what remains are its looks at
/// `/proc`.
const IDLE: Duration = Duration::from_millis(2);
const QUIET: Duration = Duration::from_millis(30);
/// How long a tool may take to do its work.
const PATIENCE: Duration = Duration::from_secs(20);

/// A tool, as it is used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// tracer, with each page fault an event.
    Tracer,
    /// tracer, page faults only counted.
    TracerCounting,
    /// bpftrace, the script that one would write for the question that tracer answers.
    Bpftrace,
    /// perf, recording the stacks of the same calls and faults.
    Perf,
    /// bpftrace, with programs that do nothing on the tracepoints that tracer uses: what the kernel
    /// takes for any tool. The page faults' are classic tracepoints; tracer's are raw.
    Floor,
}

impl Tool {
    /// As in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tracer => "tracer",
            Self::TracerCounting => "tracer --faults count",
            Self::Bpftrace => "bpftrace",
            Self::Perf => "perf record -g",
            Self::Floor => "empty programs",
        }
    }
}

/// Where the tools are, and where they may write.
#[derive(Clone, Debug)]
pub(crate) struct Bench {
    pub(crate) tracer: PathBuf,
    pub(crate) bpftrace: PathBuf,
    pub(crate) perf: PathBuf,
    /// What reads recordings and makes nothing of them.
    pub(crate) decoder: PathBuf,
    pub(crate) folder: PathBuf,
}

/// When a tool was ready, from its start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Readiness {
    /// Everything is attached.
    pub(crate) attached: Duration,
    /// The first event is handled.
    pub(crate) first_event: Duration,
}

/// What tracer tells of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    /// The most memory it had resident, bytes.
    pub(crate) peak_bytes: u64,
    /// Its CPU time, ns.
    pub(crate) cpu_ns: u64,
    /// How long it traced, ns.
    pub(crate) duration_ns: u64,
    /// Events that it handled.
    pub(crate) events: u64,
    /// Events, faults and stacks that were lost.
    pub(crate) lost: u64,
}

/// A tool that is attached.
pub(crate) struct Attached {
    running: Running,
    tool: Tool,
    report: PathBuf,
    readiness: Option<Readiness>,
}

impl Attached {
    /// Attaches a tool to workloads.
    pub(crate) fn to(tool: Tool, bench: &Bench, workloads: &mut [&mut Workload]) -> Result<Self> {
        let pids: Vec<_> = workloads.iter().map(|workload| workload.id()).collect();
        match tool {
            Tool::Tracer | Tool::TracerCounting => {
                let faults = if tool == Tool::Tracer {
                    "each"
                } else {
                    "count"
                };
                let arguments = ["--faults", faults];
                Self::tracer(tool, bench, &pids, &arguments, || {
                    for workload in workloads.iter_mut() {
                        workload.time(Kind::Pairs, 10, 1)?;
                    }
                    Ok(())
                })
            }
            Tool::Bpftrace => Self::bpftrace(tool, bench, &users_script(&pids)),
            Tool::Floor => Self::bpftrace(tool, bench, EMPTY_PROGRAMS),
            Tool::Perf => Self::perf(bench, &pids),
        }
    }

    /// Attaches tracer, and has `poke` give it something to see until it has seen something.
    pub(crate) fn tracer(
        tool: Tool,
        bench: &Bench,
        pids: &[u32],
        arguments: &[&str],
        mut poke: impl FnMut() -> Result<()>,
    ) -> Result<Self> {
        let report = bench.folder.join("report.json");
        // Not to be read in place of one that is not written.
        let _ = fs::remove_file(&report);
        let mut command = Command::new(&bench.tracer);
        command.args(["attach", "-v", "--report"]).arg(&report);
        for pid in pids {
            command.args(["--pid", &pid.to_string()]);
        }
        command.args(arguments).env_remove("RUST_LOG");
        let mut running = Running::start(&mut command)?;
        let deadline = Instant::now() + LIMIT;
        let first_event = loop {
            if let Some(time) = running.has_said(TRACER_FIRST_EVENT) {
                break time;
            }
            running.check()?;
            if Instant::now() > deadline {
                bail!("tracer saw no event within {LIMIT:?}");
            }
            poke()?;
            thread::sleep(PAUSE);
        };
        let attached = running.wait_for(TRACER_ATTACHED, LIMIT)?;
        Ok(Self {
            running,
            tool,
            report,
            readiness: Some(Readiness {
                attached,
                first_event,
            }),
        })
    }

    fn perf(bench: &Bench, pids: &[u32]) -> Result<Self> {
        let report = bench.folder.join("perf.data");
        let pids: Vec<_> = pids.iter().map(u32::to_string).collect();
        let mut running = Running::start(
            Command::new(&bench.perf)
                .args(["record", "--quiet", "-g", "-e", PERF_EVENTS])
                .args(["-p", &pids.join(","), "-o"])
                .arg(&report)
                // It takes commands from its input, and answers when it has begun to record.
                .args(["--control", "fd:0,1"]),
        )?;
        running.say("ping")?;
        running.wait_for("ack", LIMIT)?;
        Ok(Self {
            running,
            tool: Tool::Perf,
            report,
            readiness: None,
        })
    }

    fn bpftrace(tool: Tool, bench: &Bench, script: &str) -> Result<Self> {
        let mut running = Running::start(Command::new(&bench.bpftrace).args(["-e", script]))?;
        running.wait_for(SCRIPT_ATTACHED, LIMIT)?;
        Ok(Self {
            running,
            tool,
            report: PathBuf::new(),
            readiness: None,
        })
    }

    /// When it was ready: what only tracer tells.
    pub(crate) fn readiness(&self) -> Option<Readiness> {
        self.readiness
    }

    /// CPU time of the tool's own threads so far, and whether one of them wants a CPU.
    fn activity(&self) -> Result<(Duration, bool)> {
        let tasks = PathBuf::from(format!("/proc/{}/task", self.running.id()));
        let (mut sum, mut busy) = (0, false);
        for task in
            fs::read_dir(&tasks).with_context(|| format!("cannot read {}", tasks.display()))?
        {
            let task = task?.path();
            // A thread may end meanwhile. The first of three numbers is the time on a CPU, ns
            // (Documentation/scheduler/sched-stats.rst).
            let times = fs::read_to_string(task.join("schedstat")).unwrap_or_default();
            let first = times.split(' ').next().unwrap_or_default();
            sum += first.parse::<u64>().unwrap_or_default();
            busy |= is_running(&fs::read_to_string(task.join("stat")).unwrap_or_default());
        }
        Ok((Duration::from_nanos(sum), busy))
    }

    /// Waits until the tool has handled what it was given; its CPU time then. One that is kept from a
    /// CPU by others takes no time either, and is not done.
    pub(crate) fn settle(&self) -> Result<Duration> {
        let deadline = Instant::now() + PATIENCE;
        let (mut before, _) = self.activity()?;
        loop {
            thread::sleep(QUIET);
            let (after, busy) = self.activity()?;
            if !busy && after.saturating_sub(before) < IDLE {
                return Ok(after);
            }
            if Instant::now() > deadline {
                bail!("{} is not done within {PATIENCE:?}", self.tool.name());
            }
            before = after;
        }
    }

    /// Ends the tool, and makes sure that it saw what was measured. Only tracer tells of itself.
    pub(crate) fn end(self) -> Result<Option<Own>> {
        let Self {
            running,
            tool,
            report,
            ..
        } = self;
        let said = running.interrupt()?;
        match tool {
            Tool::Tracer | Tool::TracerCounting => own(&report).map(Some),
            Tool::Bpftrace => {
                for map in ["@site[", "@faults["] {
                    if !said.contains(map) {
                        bail!("bpftrace saw nothing for {map}…]: it said `{said}`");
                    }
                }
                Ok(None)
            }
            Tool::Perf => {
                let written = fs::metadata(&report).map_or(0, |data| data.len());
                // Nobody reads it, and it is large.
                let _ = fs::remove_file(&report);
                if written < 1 << 20 {
                    bail!("perf recorded nothing: {written} bytes; it said `{said}`");
                }
                Ok(None)
            }
            Tool::Floor => Ok(None),
        }
    }

    /// Waits for the end of a tool that ends by itself.
    pub(crate) fn ended(mut self, limit: Duration) -> Result<Own> {
        self.running.ended(limit)?;
        own(&self.report)
    }
}

/// Whether a thread runs or waits for a CPU, by its `stat` (proc_pid_stat(5)).
fn is_running(stat: &str) -> bool {
    // The name may hold blanks and brackets.
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| rest.starts_with('R'))
}

/// What somebody would write who has bpftrace and wants to know who holds memory: the stack of each
/// mapping that is alive, and the stacks of the page faults.
fn users_script(pids: &[u32]) -> String {
    let terms: Vec<_> = pids.iter().map(|pid| format!("pid == {pid}")).collect();
    let ours = terms.join(" || ");
    format!(
        "BEGIN {{ printf(\"{SCRIPT_ATTACHED}\\n\"); }}
         tracepoint:syscalls:sys_exit_mmap /{ours}/ {{ @site[args->ret] = ustack; }}
         tracepoint:syscalls:sys_enter_munmap /{ours}/ {{ delete(@site[args->addr]); }}
         tracepoint:exceptions:page_fault_user /{ours}/ {{ @faults[ustack] = count(); }}"
    )
}

/// What the users' script looks at.
const PERF_EVENTS: &str =
    "syscalls:sys_exit_mmap,syscalls:sys_enter_munmap,exceptions:page_fault_user";

/// The tracepoints that a pair and a fault pass under tracer.
const EMPTY_PROGRAMS: &str = "BEGIN { printf(\"attached to everything\\n\"); }
     tracepoint:syscalls:sys_exit_mmap { }
     tracepoint:syscalls:sys_enter_munmap { }
     tracepoint:syscalls:sys_exit_munmap { }
     tracepoint:exceptions:page_fault_user { }
     tracepoint:exceptions:page_fault_kernel { }";

fn own(report: &Path) -> Result<Own> {
    let text = fs::read_to_string(report)
        .with_context(|| format!("cannot read tracer's report {}", report.display()))?;
    let json: Value =
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", report.display()))?;
    own_of(&json).with_context(|| format!("{} lacks what tracing cost", report.display()))
}

fn own_of(report: &Value) -> Option<Own> {
    let number = |pointer: &str| report.pointer(pointer)?.as_u64();
    Some(Own {
        peak_bytes: number("/tracer/peak_bytes")?,
        cpu_ns: number("/tracer/cpu_ns")?,
        duration_ns: number("/duration_ns")?,
        events: number("/events")?,
        lost: number("/losses/events")?
            + number("/losses/faults")?
            + number("/losses/stacks")?
            + number("/losses/late")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tracing_cost_is_read_from_the_report() {
        let report = serde_json::json!({
            "duration_ns": 60, "events": 7,
            "tracer": { "peak_bytes": 100, "cpu_ns": 20 },
            "losses": { "events": 1, "faults": 2, "stacks": 3, "late": 4, "resyncs": 9 },
        });
        let own = own_of(&report).expect("all is there");
        assert_eq!((own.peak_bytes, own.cpu_ns), (100, 20));
        assert_eq!((own.duration_ns, own.events, own.lost), (60, 7, 10));
    }

    #[test]
    fn a_thread_that_waits_for_a_cpu_is_not_done() {
        assert!(is_running("12 (a) S name) R 1 12"));
        assert!(!is_running("12 (a) R name) S 1 12"));
        assert!(!is_running(""));
    }

    #[test]
    fn the_users_script_looks_at_our_processes_only() {
        let script = users_script(&[12, 34]);
        assert_eq!(script.matches("/pid == 12 || pid == 34/").count(), 3);
        assert!(EMPTY_PROGRAMS.contains(SCRIPT_ATTACHED));
    }
}
