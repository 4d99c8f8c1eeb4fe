//! Every frame of every stack, against a program that knows its own chain of calls at each of its memory
//! calls (`fixtures/chains`), as each compiler makes it.
//!
//! `TRACER_TRUTH_EVENTS` sets how many memory calls each variant makes; with 10000 of each, the tests
//! compare well over 100,000 stacks. `TRACER_TRUTH_SEED` replays a failure, whose message has it.

mod compare;

mod log;

mod program;

use std::collections::{HashMap, VecDeque};

use tracer::{
    capture::recording::Reader,
    event::{Action, Event, Stack, StackId},
};

use crate::command::{chosen, folder, tracer};
use compare::{Verdict, compare};
use log::Log;
use program::Variant;

/// Threads besides the first: each makes as many events.
const THREADS: u64 = 1;

/// What has come of a variant.
#[derive(Debug, Default)]
struct Sum {
    events: usize,
    frames: usize,
    cut: usize,
    /// What is wrong, in words.
    wrong: Vec<String>,
}

/// The stacks of a recording that lost nothing.
struct Recorded {
    stacks: HashMap<StackId, Stack>,
    /// Of each thread the calls that took memory, by address and length, in order.
    calls: HashMap<(u64, u64, u64), VecDeque<StackId>>,
}

fn read(path: &std::path::Path) -> Recorded {
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

fn run(variant: &Variant, seed: u64, events: u64) -> Sum {
    let folder = folder();
    let program = variant.build(folder.path());
    let (log, recording) = (folder.path().join("log"), folder.path().join("chains.vmt"));
    let output = tracer()
        .args(["--quiet", "run", "--faults", "off", "-o"])
        .arg(&recording)
        .arg("--")
        .arg(&program.program)
        .args([seed, events, THREADS].map(|number| number.to_string()))
        .arg(&log)
        .args(&program.libraries)
        .output()
        .unwrap();
    assert!(output.status.success(), "seed {seed}: {output:?}");

    let log = Log::read(&log);
    let mut recorded = read(&recording);
    let mut sum = Sum {
        events: log.events.len(),
        ..Sum::default()
    };
    let none = Stack::default();
    for (number, event) in log.events.iter().enumerate() {
        let calls = recorded.calls.get_mut(&event.key());
        let id = calls.and_then(VecDeque::pop_front);
        let stack = id.map_or(&none, |id| recorded.stacks.get(&id).unwrap_or(&none));
        match compare(event, &log.maps[event.maps], stack) {
            Ok(Verdict { frames, cut }) => {
                sum.frames += frames;
                sum.cut += usize::from(cut);
            }
            Err(difference) => sum.wrong.push(format!("event {number}: {difference}")),
        }
    }
    sum
}

/// Asserts that nothing is wrong.
#[track_caller]
fn is_true(compiler: &'static str, level: &'static str, frame_pointers: bool) {
    let variant = Variant {
        compiler,
        level,
        frame_pointers,
    };
    let seed = chosen("TRACER_TRUTH_SEED", 1);
    let events = chosen("TRACER_TRUTH_EVENTS", 850);
    let sum = run(&variant, seed, events);
    println!(
        "{variant}: {} events, {} frames, {} wrong, {} cut",
        sum.events,
        sum.frames,
        sum.wrong.len(),
        sum.cut
    );
    assert!(
        sum.wrong.is_empty(),
        "{variant}, TRACER_TRUTH_SEED={seed} TRACER_TRUTH_EVENTS={events}: {} of {} wrong; first {}",
        sum.wrong.len(),
        sum.events,
        sum.wrong[..sum.wrong.len().min(3)].join("\n")
    );
    assert_eq!(sum.events as u64, events / (THREADS + 1) * (THREADS + 1));
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
