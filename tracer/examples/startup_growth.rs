//! The start-up growth that this project exists for, made on purpose, without Node and without a
//! network: two WebAssembly-like cages, two code ranges, malloc arenas, thread stacks, and beside
//! them a true leak, churn, a growing heap and a growing table.
//!
//! It does the same calls however long it takes (`--seconds`), and ends by printing its own truth
//! on stdout as one JSON document: what each call site reserved, opened, touched and released,
//! where what is left of it lies, and the kernel's `VmSize`. A tracer's report can be held against
//! it, byte for byte. Nothing else is printed; a refused call is one line on stderr and exit
//! code 2.
//!
//! `--added-cages` is a change that lets it grow by more, for whoever holds it against a budget.
//!
//! The call sites are in `growth.rs` and `change.rs`, the books in `truth.rs`, the kernel's view in `kernel.rs`.

#[path = "startup_growth/change.rs"]
mod change;
#[path = "startup_growth/growth.rs"]
mod growth;
#[path = "startup_growth/kernel.rs"]
mod kernel;
#[path = "startup_growth/truth.rs"]
mod truth;

use std::fs::File;
use std::io::{self, Read};
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;

use growth::{Refused, Table, WORKERS};
use truth::{Books, Group, Truth};

/// The growth is spread over this many steps whatever `--seconds` says, so that the same calls are
/// made in a short run and in a long one.
const STEPS: u32 = 240;

/// Grow like a Node service at its start, then print what was done as JSON.
#[derive(Parser)]
struct Options {
    /// How long the growth takes.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How many buffers are leaked, and twice that churned, in each step.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    scale: u32,
    /// How many cages more than two are reserved, as a change that loads more modules would.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=1000))]
    added_cages: u32,
    /// After printing, wait for the end of stdin, so that this process can be looked at.
    #[arg(long)]
    hold: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Err(error) = run(&options) {
        eprintln!("startup_growth: {error}");
        return ExitCode::from(2);
    }
    // SAFETY: `_exit` only ends the process. Returning would let the runtime unmap the signal
    // stack, and the address space at exit would no longer be the one whose size was printed.
    unsafe { libc::_exit(0) }
}

fn run(options: &Options) -> Result<(), Failure> {
    let vm_size_at_start = kernel::status().map_err(Failure::Look)?.vm_size_bytes;
    kernel::touch_small_pages_only();
    let books = grow(options)?;
    Truth::new(options.seconds, vm_size_at_start, books)
        .and_then(|truth| truth.print())
        .map_err(Failure::Look)?;
    if options.hold {
        wait_for_end_of_stdin().map_err(Failure::Hold)?;
    }
    Ok(())
}

/// Everything but leak and churn happens in the first half, at moments like those of the real
/// gateway's start (its cages at about a tenth and at somewhat under half of a minute).
fn grow(options: &Options) -> Result<Books, Refused> {
    let leaks = STEPS as usize * options.scale as usize;
    let mut first_cage = Group::new("first cage", "reserve_first_cage", 1);
    let mut second_cage = Group::new("second cage", "reserve_second_cage", 1);
    let expected = options.added_cages as usize;
    let mut added_cages = Group::new("added cages", "reserve_added_cage", expected);
    let mut code_ranges = Group::new("code ranges", "reserve_code_range", 2);
    let mut stacks = Group::new("thread stacks", "spawn_worker", WORKERS.len());
    let mut arenas = Group::new("malloc arenas", "worker_that_mallocs", WORKERS.len());
    let mut leak = Group::new("leak", "leak_request_buffer", leaks);
    let mut churn = Group::new("churn", "churn_scratch_buffer", 1);
    let mut heap = Group::new("heap growth", "grow_heap_by_sbrk", 8);
    let mut table_base = Group::new("table", "make_table", 1);
    let mut table_growth = Group::new("table growth", "grow_table_by_mremap", 3);

    let mut table = None;
    let mut workers = WORKERS.iter();
    let begun = Instant::now();
    for step in 0..STEPS {
        match step {
            4 | 36 => growth::reserve_code_range(&mut code_ranges)?,
            12 => table = Some(growth::make_table(&mut table_base)?),
            22 => growth::reserve_first_cage(&mut first_cage)?,
            30 | 60 | 90 => {
                if let Some(table) = &mut table {
                    growth::grow_table_by_mremap(table, &mut table_base, &mut table_growth)?;
                }
            }
            40 | 50 | 58 | 66 | 74 | 82 => {
                if let Some(worker) = workers.next() {
                    growth::spawn_worker(worker, &mut stacks, &mut arenas)?;
                }
            }
            45 | 55 | 65 | 75 | 85 | 95 | 105 | 115 => growth::grow_heap_by_sbrk(&mut heap)?,
            108 => growth::reserve_second_cage(&mut second_cage)?,
            112 => {
                for _ in 0..options.added_cages {
                    change::reserve_added_cage(&mut added_cages)?;
                }
            }
            _ => {}
        }
        for _ in 0..options.scale {
            growth::leak_request_buffer(&mut leak)?;
            growth::churn_scratch_buffer(&mut churn)?;
            growth::churn_scratch_buffer(&mut churn)?;
        }
        sleep_until(begun + Duration::from_secs(options.seconds) * (step + 1) / STEPS);
    }
    let mut groups = vec![
        first_cage,
        second_cage,
        code_ranges,
        stacks,
        arenas,
        leak,
        churn,
        heap,
        table_base,
        table_growth,
    ];
    // What was not asked for is no call site.
    if options.added_cages > 0 {
        groups.push(added_cages);
    }
    Ok(Books {
        groups,
        table_moves: table.map(Table::into_moves).unwrap_or_default(),
    })
}

/// Without the standard library's buffer for stdin: making it could move the program break, after
/// it was printed.
fn wait_for_end_of_stdin() -> io::Result<()> {
    // SAFETY: 0 is stdin, and is not closed here.
    let mut stdin = ManuallyDrop::new(unsafe { File::from_raw_fd(0) });
    let mut ignored = [0; 64];
    while stdin.read(&mut ignored)? > 0 {}
    Ok(())
}

fn sleep_until(deadline: Instant) {
    thread::sleep(deadline.saturating_duration_since(Instant::now()));
}

/// Why there is no truth to print: one line each.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("cannot read or print this process's own state: {0}")]
    Look(io::Error),
    #[error("cannot wait for the end of stdin: {0}")]
    Hold(io::Error),
}
