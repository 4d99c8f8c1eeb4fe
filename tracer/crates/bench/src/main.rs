//! `cargo xtask bench`: what tracing costs, beside what bpftrace costs and what it may cost. Read in
//! this order: `child` and `workload` (what runs), `tools` (what is compared), `figures` (what is made
//! of the times), `rounds` (calls and page faults), `busy` (very many calls), `gateway` (a real
//! program), `recordings` (what was recorded is read), `results` (all of it, and what failed), `table` (what
//! is printed).

mod busy;
mod child;
mod figures;
mod gateway;
mod recordings;
mod results;
mod rounds;
mod table;
mod tools;
mod workload;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use tracer_ebpf_build::machine;
use xtask::bench::{DECODER, Options};
use xtask::places;

use results::Results;
use tools::Bench;

/// Measure what tracing costs, beside bpftrace and the targets, as root (cargo xtask bench builds and calls this)
#[derive(Parser, Debug)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// The checkout, in whose target folder the binaries lie
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    workspace: PathBuf,
}

fn main() -> ExitCode {
    let measured = run(&Arguments::parse());
    if let Err(error) = &measured {
        eprintln!("error: {error:#}");
    }
    measured.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

/// Measures, prints and writes; fails also if only a part could not be measured.
fn run(Arguments { options, workspace }: &Arguments) -> Result<()> {
    // What is started is started elsewhere.
    let workspace = workspace
        .canonicalize()
        .with_context(|| format!("there is no checkout {}", workspace.display()))?;
    let bench = prepare(options, &workspace)?;
    let mut results = Results::default();
    measure(options, &workspace, &bench, &mut results);
    results.machine = format!("{}, load now {}", kernel(), load());
    print!("{}", table::text(&results));
    if let Some(file) = &options.json {
        fs::write(file, format!("{:#}\n", results.json()))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    if !results.failures.is_empty() {
        let parts: Vec<_> = results.failures.iter().map(|of| of.part).collect();
        bail!("not measured to the end: {}", parts.join(", "));
    }
    Ok(())
}

/// Looks whether all is there, before minutes of measuring.
fn prepare(options: &Options, workspace: &Path) -> Result<Bench> {
    let Some(bpftrace) = machine::on_path("bpftrace") else {
        bail!("bpftrace, which tracer is compared with, is missing: apt-get install bpftrace");
    };
    if machine::on_path("cc").is_none() {
        bail!("a C compiler, for the program that is measured, is missing: apt-get install gcc");
    }
    let perf = machine::on_path("perf");
    if options.perf && perf.is_none() {
        bail!("perf is missing: apt-get install linux-perf");
    }
    let bench = Bench {
        tracer: places::program(workspace),
        decoder: places::example(workspace, DECODER),
        bpftrace,
        perf: perf.unwrap_or_default(),
        folder: workspace.join("target/bench"),
    };
    for (program, is_needed) in [
        (&bench.tracer, true),
        (&bench.decoder, options.recordings > 0),
    ] {
        if is_needed && !program.exists() {
            bail!("{} is not built: leave --no-build out", program.display());
        }
    }
    fs::create_dir_all(&bench.folder)
        .with_context(|| format!("cannot create {}", bench.folder.display()))?;
    Ok(bench)
}

/// All parts that are asked for, each whatever becomes of the others.
fn measure(options: &Options, workspace: &Path, bench: &Bench, results: &mut Results) {
    let &Options {
        rounds,
        seconds,
        recordings,
        perf,
        ..
    } = options;
    if rounds > 0 {
        results.part("calls and page faults", |results| {
            rounds::measure(workspace, bench, rounds, perf, &mut results.measured)
        });
    }
    if seconds > 0 {
        results.part("a busy process", |results| {
            results.busy = Some(busy::measure(workspace, bench, seconds)?);
            Ok(())
        });
        results.part("a real program", |results| {
            gateway::measure(workspace, bench, seconds, &mut results.real)
        });
    }
    if recordings > 0 {
        results.part("reading recordings", |results| {
            recordings::measure(workspace, bench, recordings, &mut results.recordings)
        });
    }
}

fn kernel() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cpus = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!("Linux {}, {cpus} CPUs", release.trim_end())
}

/// The load of the last minute: how many others wanted a CPU.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}
