//! Every frame of every stack, against a program that knows its own chain of calls at each of its memory
//! calls (`fixtures/chains`), as each compiler makes it.
//!
//! `TRACER_TRUTH_RUNS` sets how often each variant is run, with another seed each time: 10 runs of all
//! compare more than 100,000 stacks. `TRACER_TRUTH_SEED` replays a failure, whose message has it.
//!
//! A run makes so few events that the ring holds them all, whole stacks though they are: however slow the
//! machine, no stack is cut for want of room. And it goes on until the tracer has seen all of it.

mod compare;

mod log;

mod program;

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    ops::RangeInclusive,
    path::Path,
};

use tracer_ledger::event::{Action, Event, Stack, StackId};
use tracer_recording::Reader;

use crate::{
    command::{Attached, chosen, folder},
    target::Target,
};
use compare::compare;
use log::Log;
use program::{Program, Variant};

/// Threads besides the first: each makes as many events.
const THREADS: u64 = 1;
/// Memory calls of a run; at some 50 KiB for each stack half of the ring is enough.
const EVENTS: u64 = 850;
const RING: u64 = 128 << 20;

/// The program's functions, each a step of its own kind or called by one. Two are missing: compilers leave
/// by `tail` and `throws` without a frame; what the latter throws is seen as `~Thrown`.
const STEPS: [&str; 37] = [
    "memory_here",
    "memory_leaf",
    "leaf",
    "memory_libc",
    "memory_malloc",
    "memory_realloc",
    "memory_after_alloca",
    "memory_with_arguments",
    "takes_many",
    "plain",
    "recursive",
    "recursion",
    "pressed",
    "tail_twice",
    "allocates",
    "variable",
    "realigned_at",
    "realigned_and_variable_at",
    "big",
    "sorts",
    "signalled",
    "handle",
    "signalled_by_libc",
    "handle_raised",
    "faults",
    "faulting",
    "jumps",
    "jumps_back",
    "swaps",
    "yields",
    "forks",
    "compiled",
    "catches",
    "~Guard",
    "~Thrown",
    "throws_big",
    "in_library",
];
/// All that stands for frames of others (`fixtures/chains/chains.h`).
const ALL_OTHERS: RangeInclusive<u64> = 1..=11;

/// What has come of a variant.
#[derive(Debug, Default)]
struct Sum {
    events: usize,
    frames: usize,
    cut: usize,
    /// Functions that were met on stacks, and what stood for frames of others.
    names: BTreeSet<String>,
    others: BTreeSet<u64>,
    /// What is wrong, in words.
    wrong: Vec<String>,
}

/// The stacks of a recording that lost nothing.
struct Recorded {
    stacks: HashMap<StackId, Stack>,
    /// Of each thread the calls that took memory, by address and length, in order.
    calls: HashMap<(u64, u64, u64), VecDeque<StackId>>,
}

fn read(path: &Path) -> Recorded {
    let mut reader = Reader::open(path).unwrap();
    let (mut stacks, mut calls) = (HashMap::new(), HashMap::<_, VecDeque<_>>::new());
    while let Some(event) = reader.read().unwrap() {
        match event {
            Event::Call(call) => {
                let (address, length) = match call.action {
                    Action::Map {
                        address, length, ..
                    } => (address, length),
                    Action::Remap {
                        new_address,
                        new_length,
                        ..
                    } => (new_address, new_length),
                    _ => continue,
                };
                let key = (u64::from(call.stamp.tid.0), address.0, length);
                calls.entry(key).or_default().push_back(call.stack);
            }
            Event::Stack(stack) => {
                stacks.insert(stack.id, stack);
            }
            Event::Loss(loss) => assert_eq!((loss.events, loss.stacks), (0, 0), "{loss:?}"),
            _ => {}
        }
    }
    Recorded { stacks, calls }
}

/// Runs it once, and adds what has come of it.
fn run(program: &Program, folder: &Path, seed: u64, sum: &mut Sum) {
    let (log, recording) = (folder.join("log"), folder.join("chains.vmt"));
    let numbers = [seed, EVENTS, THREADS].map(|number| number.to_string());
    let mut words: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let paths = [&log, &program.libraries[0], &program.libraries[1]];
    words.extend(paths.map(|path| path.to_str().unwrap()));
    let mut target = Target::start(program.program.to_str().unwrap(), &words);
    let ring = RING.to_string();
    let options = ["--faults", "off", "--ring-size", &ring, "-o"];
    let options = [&options[..], &[recording.to_str().unwrap()]].concat();
    let attached = Attached::to(target.pid(), &options);
    target.act();
    attached.interrupt();
    drop(target);

    let log = Log::read(&log);
    let mut recorded = read(&recording);
    sum.events += log.events.len();
    assert_eq!(
        log.events.len() as u64,
        EVENTS / (THREADS + 1) * (THREADS + 1)
    );
    let none = Stack::default();
    for (number, event) in log.events.iter().enumerate() {
        let calls = recorded.calls.get_mut(&event.key());
        let id = calls.and_then(VecDeque::pop_front);
        let stack = id.map_or(&none, |id| recorded.stacks.get(&id).unwrap_or(&none));
        match compare(event, &log.maps[event.maps], stack) {
            Ok(verdict) => {
                sum.frames += verdict.frames;
                sum.cut += usize::from(verdict.cut);
                let names = verdict.names.into_iter();
                sum.names.extend(names.map(str::to_owned));
                sum.others.extend(verdict.others);
            }
            Err(difference) => sum.wrong.push(format!(
                "TRACER_TRUTH_SEED={seed}, event {number}: {difference}"
            )),
        }
    }
}

/// Asserts that nothing is wrong.
#[track_caller]
fn is_true(compiler: &'static str, level: &'static str, frame_pointers: bool) {
    let variant = Variant {
        compiler,
        level,
        frame_pointers,
    };
    let folder = folder();
    let program = variant.build(folder.path());
    let seed = chosen("TRACER_TRUTH_SEED", 1);
    let mut sum = Sum::default();
    for seed in seed..seed + chosen("TRACER_TRUTH_RUNS", 1) {
        run(&program, folder.path(), seed, &mut sum);
    }
    println!(
        "{variant}: {} events, {} frames, {} wrong, {} cut",
        sum.events,
        sum.frames,
        sum.wrong.len(),
        sum.cut
    );
    assert!(
        sum.wrong.is_empty(),
        "{variant}: {} of {} wrong; first {}",
        sum.wrong.len(),
        sum.events,
        sum.wrong[..sum.wrong.len().min(3)].join("\n")
    );
    // By gcc's debug information they are not in a class or namespace.
    let last_part = |name: &String| name.rsplit("::").next().unwrap_or_default().to_owned();
    let met: BTreeSet<String> = sum.names.iter().map(last_part).collect();
    let never: Vec<_> = STEPS.iter().filter(|step| !met.contains(**step)).collect();
    assert!(never.is_empty(), "{variant}: on no stack: {never:?}");
    let others: Vec<u64> = sum.others.into_iter().collect();
    assert_eq!(others, ALL_OTHERS.collect::<Vec<_>>(), "{variant}");
}

macro_rules! variants {
    ($($name:ident: $compiler:literal, $level:literal, $frame_pointers:literal;)*) => {
        $(#[test]
        fn $name() {
            is_true($compiler, $level, $frame_pointers);
        })*
    };
}

variants! {
    every_frame_is_right_by_gcc_o0: "gcc", "-O0", false;
    every_frame_is_right_by_gcc_o2: "gcc", "-O2", false;
    every_frame_is_right_by_gcc_o3: "gcc", "-O3", false;
    every_frame_is_right_by_clang_o0: "clang", "-O0", false;
    every_frame_is_right_by_clang_o2: "clang", "-O2", false;
    every_frame_is_right_by_clang_o3: "clang", "-O3", false;
    every_frame_is_right_by_gcc_o0_with_frame_pointers: "gcc", "-O0", true;
    every_frame_is_right_by_gcc_o2_with_frame_pointers: "gcc", "-O2", true;
    every_frame_is_right_by_gcc_o3_with_frame_pointers: "gcc", "-O3", true;
    every_frame_is_right_by_clang_o0_with_frame_pointers: "clang", "-O0", true;
    every_frame_is_right_by_clang_o2_with_frame_pointers: "clang", "-O2", true;
    every_frame_is_right_by_clang_o3_with_frame_pointers: "clang", "-O3", true;
}
