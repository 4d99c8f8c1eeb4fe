//! What was recorded is read: two recordings of one program, each of a million events from ten thousand
//! call sites, are reported and compared, and the program's ten thousand mappings explained while it
//! lives. Beside each stands what its input alone takes.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::child::{Running, end_with_us};
use super::figures::{Spread, Target, mebibytes, time};
use super::tools::Bench;
use xtask::process;

/// Reservations that are made; each is touched, protected and given back.
const CALLS: u64 = 255_000;
/// Call sites, and of each one reservation that stays.
const SITES: u64 = 10_000;
/// What there is to be at least.
const EVENTS: u64 = 1_000_000;
/// How long the program may take under tracer, on a machine that has others to serve.
const LIMIT: Duration = Duration::from_secs(600);
/// Formats of other tools that the report is written in: what is printed, and the format's name.
const FORMATS: [(&str, &str); 3] = [
    ("tracer report -f html", "html"),
    ("tracer report -f flamegraph", "flamegraph"),
    ("tracer report -f pprof", "pprof"),
];
/// How long each of them may take.
const FORMAT_SECONDS: f64 = 5.0;
/// Bytes that any of the commands may have resident.
const PEAK: Target = Target {
    most: 500.0 * 1024.0 * 1024.0,
};

/// What was measured.
#[derive(Clone, Debug)]
pub(crate) struct Recordings {
    made: Made,
    /// Of the first, compressed.
    file_bytes: u64,
    rows: Vec<Row>,
}

/// What a recording holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Made {
    events: u64,
    sites: u64,
    maps: u64,
}

/// A command, and what its input alone takes.
#[derive(Clone, Debug)]
struct Row {
    name: &'static str,
    /// ns that it may take; `None`: it is shown for comparison.
    most: Option<Target>,
    samples: Vec<Sample>,
    floor: Vec<Sample>,
}

/// One run of a program.
#[derive(Clone, Copy, Debug)]
struct Sample {
    wall_ns: f64,
    /// Of all its threads, theirs and the kernel's for them.
    cpu_ns: f64,
    peak_bytes: f64,
}

/// Makes the recordings, and has each command run that often, in turns with its floor. The commands that came to
/// their end are in `into`.
pub(crate) fn measure(
    workspace: &Path,
    bench: &Bench,
    times: usize,
    into: &mut Option<Recordings>,
) -> Result<()> {
    let program = bench.folder.join("sites");
    process::run(
        Command::new("cc")
            .args(["-O2", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&program)
            .arg(workspace.join("tracer/crates/bench/src/sites.c")),
    )?;
    let (old, new) = (bench.folder.join("old.rec"), bench.folder.join("new.rec"));
    record(bench, &program, &old)?;
    let made = record(bench, &program, &new)?;
    let of_them = into.insert(Recordings {
        made,
        file_bytes: fs::metadata(&new).map_or(0, |data| data.len()),
        rows: Vec::new(),
    });
    let done = run(bench, &program, [&old, &new], times, &mut of_them.rows);
    for file in [&old, &new] {
        let _ = fs::remove_file(file);
    }
    done
}

/// Runs each command, while the program lives that is to be explained.
fn run(
    bench: &Bench,
    program: &Path,
    [old, new]: [&PathBuf; 2],
    times: usize,
    rows: &mut Vec<Row>,
) -> Result<()> {
    let mut living = Running::start(Command::new(program).args([
        SITES.to_string(),
        SITES.to_string(),
        "wait".into(),
    ]))?;
    living.wait_for("ready", LIMIT)?;
    let pid = living.id().to_string();

    let tracer = |words: &[&str], files: &[&PathBuf]| {
        let mut command = Command::new(&bench.tracer);
        command.args(words).args(files).env_remove("RUST_LOG");
        command
    };
    let decode = |files: &[&PathBuf]| {
        let mut command = Command::new(&bench.decoder);
        command.args(files);
        command
    };
    let smaps = || {
        let mut command = Command::new("cat");
        command.arg(format!("/proc/{pid}/smaps"));
        command
    };
    let row =
        |name, seconds: Option<f64>, command: &dyn Fn() -> Command, floor: &dyn Fn() -> Command| {
            eprintln!("{name}: {times} times");
            let mut row = Row {
                name,
                most: seconds.map(|seconds| Target {
                    most: seconds * 1e9,
                }),
                samples: Vec::new(),
                floor: Vec::new(),
            };
            for _ in 0..times {
                row.samples.push(sample(&mut command())?);
                row.floor.push(sample(&mut floor())?);
            }
            anyhow::Ok(row)
        };
    rows.push(row(
        "tracer report",
        Some(2.0),
        &|| tracer(&["report"], &[new]),
        &|| decode(&[new]),
    )?);
    rows.push(row(
        "tracer report -f json --full",
        None,
        &|| tracer(&["report", "-f", "json", "--full"], &[new]),
        &|| decode(&[new]),
    )?);
    rows.push(row(
        "tracer diff",
        Some(3.0),
        &|| tracer(&["diff"], &[old, new]),
        &|| decode(&[old, new]),
    )?);
    rows.push(row(
        "tracer explain",
        Some(1.0),
        &|| tracer(&["explain", "--pid", &pid], &[]),
        &smaps,
    )?);
    for (name, format) in FORMATS {
        rows.push(row(
            name,
            Some(FORMAT_SECONDS),
            &|| tracer(&["report", "-f", format], &[new]),
            &|| decode(&[new]),
        )?);
    }
    Ok(())
}

/// Traces the program, and makes sure that the recording is what is to be measured.
fn record(bench: &Bench, program: &Path, file: &Path) -> Result<Made> {
    eprintln!("recording {EVENTS} events from {SITES} call sites");
    let report = bench.folder.join("recorded.json");
    let _ = fs::remove_file(&report);
    let mut command = Command::new(&bench.tracer);
    command
        .args(["run", "--ring-size", "128MiB", "-o"])
        .arg(file)
        .arg("--report")
        .arg(&report)
        .arg("--")
        .arg(program)
        .args([CALLS.to_string(), SITES.to_string()])
        .env_remove("RUST_LOG");
    Running::start(&mut command)?.ended(LIMIT)?;
    let json = File::open(&report)
        .with_context(|| format!("cannot read tracer's report {}", report.display()))?;
    let made =
        made(BufReader::new(json)).with_context(|| format!("{} does not do", report.display()))?;
    let _ = fs::remove_file(&report);
    Ok(made)
}

/// What a report says of its recording. Read piece by piece: a child's peak begins with its parent's.
fn made(json: impl io::Read) -> Result<Made> {
    #[derive(Deserialize)]
    struct Report {
        events: u64,
        losses: Losses,
        processes: Vec<Process>,
    }
    #[derive(Deserialize)]
    struct Losses {
        events: u64,
        faults: u64,
        stacks: u64,
        late: u64,
    }
    #[derive(Deserialize)]
    struct Process {
        sites: Vec<IgnoredAny>,
        limits: Limits,
    }
    #[derive(Deserialize)]
    struct Limits {
        maps: Option<u64>,
    }
    let report: Report = serde_json::from_reader(json)?;
    let losses = report.losses;
    let lost = losses.events + losses.faults + losses.stacks + losses.late;
    if lost > 0 {
        bail!("{lost} events were lost: the machine has too much else to do");
    }
    let process = report.processes.first().context("it has no process")?;
    let made = Made {
        events: report.events,
        sites: process.sites.len() as u64,
        maps: process.limits.maps.unwrap_or(0),
    };
    if made.events < EVENTS || made.sites < SITES || made.maps < SITES {
        bail!("it is too small: {made:?}");
    }
    Ok(made)
}

/// Runs a program to its end, its output thrown away.
fn sample(command: &mut Command) -> Result<Sample> {
    let line = process::shown(command);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    end_with_us(command);
    let begun = Instant::now();
    let child = command
        .spawn()
        .with_context(|| format!("cannot start `{line}`"))?;
    let (status, usage) = wait(child.id()).with_context(|| format!("cannot wait for `{line}`"))?;
    let wall = begun.elapsed();
    if !status.success() {
        bail!("`{line}` failed: {status}");
    }
    let ns = |of: libc::timeval| of.tv_sec as f64 * 1e9 + of.tv_usec as f64 * 1e3;
    Ok(Sample {
        wall_ns: wall.as_nanos() as f64,
        cpu_ns: ns(usage.ru_utime) + ns(usage.ru_stime),
        // KiB (getrusage(2)).
        peak_bytes: usage.ru_maxrss as f64 * 1024.0,
    })
}

/// The end of this child, and what it alone has used.
fn wait(child: u32) -> Result<(ExitStatus, libc::rusage)> {
    let pid = libc::pid_t::try_from(child)?;
    loop {
        let mut status = 0;
        // SAFETY: a `rusage` is numbers, for which zero is a value.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: both pointers are to values that live through the call.
        if unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) } == pid {
            return Ok((ExitStatus::from_raw(status), usage));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error.into());
        }
    }
}

impl Row {
    fn spread(samples: &[Sample], of: fn(&Sample) -> f64) -> Option<Spread> {
        Spread::of(samples.iter().map(of))
    }

    fn text(&self, out: &mut String) {
        let spreads = (
            Self::spread(&self.samples, |one| one.wall_ns),
            Self::spread(&self.samples, |one| one.cpu_ns),
            Self::spread(&self.samples, |one| one.peak_bytes),
        );
        let (Some(wall), Some(cpu), Some(peak)) = spreads else {
            return;
        };
        let figures = format!(
            "{:34} {:>8} ({}–{}), CPU {}, {} ({}–{})",
            self.name,
            time(wall.median),
            time(wall.least),
            time(wall.greatest),
            time(cpu.median),
            mebibytes(peak.median),
            mebibytes(peak.least),
            mebibytes(peak.greatest),
        );
        let _ = write!(out, "{figures}");
        if let Some(target) = self.most {
            let _ = write!(
                out,
                "   ≤ {}: {}, ≤ {}: {}",
                time(target.most),
                verdict(target, wall.median, cpu.median),
                mebibytes(PEAK.most),
                PEAK.verdict(peak.median),
            );
        }
        let floor = (
            Self::spread(&self.floor, |one| one.wall_ns),
            Self::spread(&self.floor, |one| one.cpu_ns),
        );
        if let (Some(wall), Some(cpu)) = floor {
            let (wall, cpu) = (time(wall.median), time(cpu.median));
            let _ = write!(out, "\n{:34} {wall:>8}, CPU {cpu}", "  its input alone");
        }
        out.push('\n');
    }

    fn json(&self) -> Value {
        let samples = |of: &[Sample]| -> Vec<Value> {
            let one = |of: &Sample| {
                json!({
                    "wall_ns": of.wall_ns,
                    "cpu_ns": of.cpu_ns,
                    "peak_bytes": of.peak_bytes,
                })
            };
            of.iter().map(one).collect()
        };
        json!({
            "name": self.name,
            "most_ns": self.most.map(|target| target.most),
            "samples": samples(&self.samples),
            "input_alone": samples(&self.floor),
        })
    }
}

/// A program that waited for a CPU longer than it had one may be quick enough, and is not shown to be.
fn verdict(target: Target, wall: f64, cpu: f64) -> &'static str {
    match target.verdict(wall) {
        "missed" if cpu <= target.most && cpu < wall / 2.0 => "not shown, the CPUs were others'",
        said => said,
    }
}

impl Recordings {
    /// The lines of the table.
    pub(crate) fn text(&self, out: &mut String) {
        let Made {
            events,
            sites,
            maps,
        } = self.made;
        let _ = writeln!(
            out,
            "\nReading {events} events from {sites} call sites with {maps} mappings at their end ({} \
             compressed);\nits input alone: what it takes to decode the events, or `cat` to read smaps",
            mebibytes(self.file_bytes as f64)
        );
        for row in &self.rows {
            row.text(out);
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "events": self.made.events,
            "sites": self.made.sites,
            "maps": self.made.maps,
            "file_bytes": self.file_bytes,
            "commands": self.rows.iter().map(Row::json).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_is_what_was_to_be() {
        let report = |events: u64, lost: u64, maps: u64| {
            let sites = vec![json!({}); usize::try_from(SITES).unwrap()];
            let text = json!({
                "events": events,
                "losses": { "events": 0, "faults": lost, "stacks": 0, "late": 0, "resyncs": 1 },
                "processes": [{ "sites": sites, "limits": { "maps": maps } }],
            });
            made(text.to_string().as_bytes())
        };
        let good = report(EVENTS, 0, SITES + 1).unwrap();
        assert_eq!(
            (good.events, good.sites, good.maps),
            (EVENTS, SITES, SITES + 1)
        );
        for bad in [
            report(EVENTS - 1, 0, SITES),
            report(EVENTS, 1, SITES),
            report(EVENTS, 0, 1),
        ] {
            assert!(bad.is_err());
        }
    }

    #[test]
    fn a_childs_memory_is_its_own() {
        let small = sample(&mut Command::new("true")).unwrap();
        let script = "a = bytearray(200 << 20)";
        let large = sample(Command::new("python3").args(["-c", script])).unwrap();
        assert!(large.peak_bytes > 200e6, "{large:?}");
        assert!(small.peak_bytes < 100e6 && small.wall_ns > 0.0, "{small:?}");
        assert!(sample(&mut Command::new("false")).is_err());
    }

    #[test]
    fn who_had_no_cpu_is_not_said_to_be_slow() {
        let target = Target { most: 2e9 };
        assert_eq!(verdict(target, 1.9e9, 1.8e9), "met");
        assert_eq!(verdict(target, 2.1e9, 1.8e9), "missed");
        assert_eq!(
            verdict(target, 4.0e9, 1.8e9),
            "not shown, the CPUs were others'"
        );
        assert_eq!(verdict(target, 9.0e9, 2.1e9), "missed");
    }
}
