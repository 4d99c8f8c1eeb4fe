//! `cargo xtask bench`: what tracing costs, beside what bpftrace costs and what it may cost. Read in
//! this order: `child` and `workload` (what runs), `tools` (what is compared), `figures` (what is made
//! of the times), `rounds` (calls and page faults), `busy` (very many calls), `gateway` (a real
//! program), `recordings` (what was recorded is read), `table` (what is printed).

mod busy;
mod child;
mod figures;
mod gateway;
mod recordings;
mod rounds;
mod table;
mod tools;
mod workload;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use tracer_ebpf_build::machine;
use xtask::places;

use rounds::Processes;
use tools::Bench;

/// Measure what tracing costs, beside bpftrace and the targets, as root
#[derive(Parser, Debug)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Options {
    /// Rounds of bare, tracer, bpftrace …, of which the medians are told; 0: no calls and faults
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// How long a busy process is traced, and a real program from its start; 0: not at all
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How often recordings of a million events are read and compared; 0: not at all
    #[arg(long, value_name = "TIMES", default_value_t = 5)]
    recordings: usize,
    /// Compare with `perf record -g` as well, which takes half a minute more
    #[arg(long)]
    perf: bool,
    /// Write all samples to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure the binary that is there (cargo xtask bench builds it otherwise)
    #[arg(long)]
    no_build: bool,
    /// The checkout
    #[arg(long, value_name = "FOLDER", default_value = ".", hide = true)]
    workspace: PathBuf,
}

/// What was measured, and where.
#[derive(Default)]
struct Results {
    machine: String,
    measured: Option<rounds::Measured>,
    busy: Option<busy::Busy>,
    real: Option<gateway::Real>,
    recordings: Option<recordings::Recordings>,
}

fn main() -> ExitCode {
    match measure(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> Result<()> {
    let workspace = options.workspace.as_path();
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
        decoder: places::example(workspace, recordings::DECODER),
        bpftrace,
        perf: perf.unwrap_or_default(),
        folder: workspace.join("target/bench"),
    };
    // Before minutes of measuring.
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
    let measured = if options.rounds > 0 {
        let mut processes = Processes::start(workspace, &bench)?;
        Some(rounds::measure(
            &mut processes,
            &bench,
            options.rounds,
            options.perf,
            |round| eprintln!("round {} of {}", round + 1, options.rounds),
        )?)
    } else {
        None
    };
    let (busy, real) = if options.seconds > 0 {
        let busy = busy::measure(workspace, &bench, options.seconds)?;
        let real = gateway::measure(workspace, &bench, options.seconds)?;
        (Some(busy), Some(real))
    } else {
        (None, None)
    };
    let recordings = (options.recordings > 0)
        .then(|| recordings::measure(workspace, &bench, options.recordings))
        .transpose()?;
    let results = Results {
        machine: format!("{}, load now {}", kernel(), load()),
        measured,
        busy,
        real,
        recordings,
    };
    print!("{}", table::text(&results));
    if let Some(file) = &options.json {
        fs::write(file, format!("{:#}\n", table::json(&results)))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
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
