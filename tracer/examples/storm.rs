//! A storm: threads at random memory calls on overlapping ranges of their own and of each other,
//! without any order between them, with threads, forks and programs made in passing, and now and then
//! a pause at which the kernel's maps are written down. A tracer's ledger can be held against them,
//! range by range: `storm --check RECORDING SNAPSHOTS`.
//!
//! A seed decides which operations each thread does. Which of two threads is first, and what the
//! kernel answers, it does not decide; so a failure is replayed from its recording.
//!
//! Read in this order: `world.rs` (where it rages), `calls.rs` (how it calls), `operations.rs` (what
//! it does), `tasks.rs` (who), `snapshot.rs` (what is written down); then `record.rs`, `check.rs`
//! and `explain.rs` (what is made of that).

#[path = "storm/calls.rs"]
mod calls;
#[path = "storm/check.rs"]
mod check;
#[path = "storm/explain.rs"]
mod explain;
#[path = "storm/operations.rs"]
mod operations;
#[path = "storm/random.rs"]
mod random;
#[path = "storm/record.rs"]
mod record;
#[path = "storm/snapshot.rs"]
mod snapshot;
#[path = "storm/tasks.rs"]
mod tasks;
#[path = "storm/world.rs"]
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;

use random::Random;
use snapshot::Moment;
use tasks::Worker;
use world::{Program, World};

/// One thread in so many is made anew after a pause.
const NEW_THREAD: u64 = 4;
/// How long a pause at the beginning is: a tracer has to learn every stack when it first sees it, and
/// until then each call costs it a hundred times as much.
const REST: Duration = Duration::from_millis(12);
/// After one pause in so many a program is started.
const SPAWN: u64 = 16;

/// Storm over an address space of its own; or hold a recording of that against what it wrote down.
#[derive(Parser)]
struct Options {
    /// Decides what each thread does.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Pauses at which the maps are written down.
    #[arg(long, default_value_t = 100)]
    pauses: u64,
    /// Threads.
    #[arg(long, default_value_t = 8)]
    threads: usize,
    /// Operations of each thread between two pauses.
    #[arg(long, default_value_t = 16)]
    operations: u64,
    /// So many pauses at the beginning are longer.
    #[arg(long, default_value_t = 0)]
    rests: u64,
    /// Call `mmap`, `munmap` and `brk` only: what differs then was put in the wrong order.
    #[arg(long)]
    plain: bool,
    /// Make no threads and no processes in passing.
    #[arg(long)]
    alone: bool,
    /// Where the maps are written to.
    #[arg(long, value_name = "FILE", required_unless_present = "check")]
    snapshots: Option<PathBuf>,
    /// Compare instead. Exit code 1: they differ.
    #[arg(long, num_args = 2, value_names = ["RECORDING", "SNAPSHOTS"])]
    check: Option<Vec<PathBuf>>,
    /// So many differences are told in full.
    #[arg(long, default_value_t = 10)]
    shown: u64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("storm: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<ExitCode> {
    if let Some([recording, snapshots]) = options.check.as_deref() {
        let outcome = check::check(recording, snapshots, options.shown)?;
        println!("{}", serde_json::to_string_pretty(&outcome)?);
        return Ok(ExitCode::from(u8::from(!outcome.is_exact())));
    }
    storm(options)?;
    // The address space shall end as the last snapshot saw it.
    // SAFETY: `_exit` only ends the process.
    unsafe { libc::_exit(0) }
}

fn storm(options: &Options) -> Result<()> {
    if options.pauses == 0 {
        return Ok(());
    }
    let path = options.snapshots.clone().unwrap_or_default();
    let mut world = World::new(options.threads, &path).context("cannot set the storm up")?;
    world.operations = options.operations;
    world.plain = options.plain;
    world.children = !options.alone;
    if world.children {
        world.programs = programs(&path, options.plain)?;
    }
    let world: &'static World = Box::leak(Box::new(world));
    let mut random = Random::new(options.seed, u64::MAX);
    let mut threads = Vec::with_capacity(options.threads);
    for seat in 0..options.threads {
        let worker = Worker::new(world, seat, Random::new(options.seed, seat as u64), false);
        threads.push(worker.start().context("cannot start a thread")?);
    }
    for pause in 0..options.pauses {
        let leaving = random.below(NEW_THREAD * threads.len() as u64) as usize;
        let leaving = (world.children && pause > 0 && leaving < threads.len()).then_some(leaving);
        if let Some(seat) = leaving {
            world.seats[seat].leaves.store(true, Ordering::Relaxed);
        }
        world.pause.wait();
        if let Some(seat) = leaving {
            // SAFETY: it was started here, and nobody else joins it.
            unsafe { libc::pthread_join(threads[seat], std::ptr::null_mut()) };
            world.seats[seat].leaves.store(false, Ordering::Relaxed);
            let random = Random::new(random.next(), seat as u64);
            threads[seat] = Worker::new(world, seat, random, true).start()?;
        }
        world.pause.wait();
        let logs = world.seats.iter().map(|seat| &seat.log);
        if pause < options.rests {
            std::thread::sleep(REST);
        }
        snapshot::take(world, Moment::Pause(pause), logs).context("cannot write a snapshot")?;
        if world.children && random.one_in(SPAWN) {
            tasks::spawn(&world.programs[0]);
        }
    }
    world.over.store(true, Ordering::Relaxed);
    world.pause.wait();
    Ok(())
}

/// What children become: something short, and a small storm in an address space of its own.
fn programs(snapshots: &Path, plain: bool) -> Result<Vec<Program>> {
    let own = std::env::current_exe().context("cannot find this program")?;
    let own = own.to_str().context("this program's path is no text")?;
    let path = snapshots
        .to_str()
        .context("the snapshots' path is no text")?;
    let small = ["--alone", "--threads", "2", "--operations", "10"];
    let program = |pauses: &str, seed: &str| {
        let mut words = vec![own, "--snapshots", path, "--pauses", pauses, "--seed", seed];
        words.extend(small);
        words.extend(plain.then_some("--plain"));
        Program::new(&words)
    };
    Ok(vec![program("0", "0")?, program("2", "3")?])
}
