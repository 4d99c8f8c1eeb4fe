//! Whether all that a process did was measured.

use tracer_analysis::summary::Process;
use tracer_ledger::event::{Blind, Event, ExitStatus, Unseen};

use tracer_test_traces::attached::{ME, attached, report};
use tracer_test_traces::trace::{KIB, SECOND, Trace};

/// What is said of the first process, and of the last.
fn of_both(trace: &Trace) -> (Process, Process) {
    let mut processes = report(trace).processes;
    let last = processes.pop().unwrap();
    (processes.into_iter().next().unwrap_or(last.clone()), last)
}

fn unseen(trace: &mut Trace, who: (u32, u32), space: u32) {
    let event = Event::Unseen(Unseen {
        stamp: trace.stamp(who, space),
        why: Blind::ThirtyTwoBits,
    });
    trace.tell(&event, &[]);
}

#[test]
fn a_process_whose_calls_are_all_seen_is_measured() {
    let mut trace = attached("each");
    trace.now = SECOND;
    trace.exit(7, 1, ExitStatus::Code(0));
    let (process, _) = of_both(&trace);
    assert_eq!((process.measured, process.why), (true, None));
}

#[test]
fn one_that_makes_32_bit_calls_is_not_and_neither_is_its_child() {
    let mut trace = attached("each");
    unseen(&mut trace, ME, 1);
    trace.fork(ME, 1, 8, 2, "child");
    let (parent, child) = of_both(&trace);
    for process in [parent, child] {
        assert!(!process.measured);
        let why = process.unmeasured().unwrap();
        assert!(why.contains("32-bit"), "{why}");
    }
}

#[test]
fn a_child_that_makes_32_bit_calls_says_nothing_of_its_parent() {
    let mut trace = attached("each");
    trace.fork(ME, 1, 8, 2, "child");
    unseen(&mut trace, (8, 8), 2);
    let (parent, child) = of_both(&trace);
    assert!(parent.measured && !child.measured);
}

#[test]
fn one_whose_ledger_differs_in_the_end_is_not() {
    let mut trace = attached("each");
    trace.unexplained = 64 * KIB;
    trace.exit(7, 1, ExitStatus::Code(0));
    let (process, _) = of_both(&trace);
    let why = process.unmeasured().unwrap();
    assert_eq!(why, "the kernel has +64 KiB that no traced call explains");
}

#[test]
fn one_that_is_in_doubt_to_the_end_is_not() {
    let mut trace = attached("each");
    trace.is_in_doubt = true;
    let (process, _) = of_both(&trace);
    assert!(process.ledger.in_doubt);
    assert!(process.unmeasured().unwrap().contains("in doubt"));
}
