//! What was there before tracing: its kinds by their shapes, and the verdict on it.

use tracer_analysis::summary::{Level, Process};
use tracer_ledger::event::{
    Address, Event, Identity, Mapped, Mapping, Pid, Shown, SpaceId, VmFlags,
};

use tracer_test_traces::attached::{ME, found, report, stack};
use tracer_test_traces::trace::{Ask, KIB, MIB, SECOND, Trace};

const GIB: u64 = 1 << 30;

/// A node with one WebAssembly memory of 10 GiB that was there before, and 60 s of tracing.
fn node() -> Trace {
    let mut trace = Trace::begin("each");
    let identity = Identity {
        comm: "node".into(),
        exe: "/usr/bin/node".into(),
        runtime: Some("node v22.22.0".into()),
        ..Identity::default()
    };
    found(&mut trace, 7, 1, identity);
    trace.seed(7, 1, &[("", 10 * GIB)]);
    let mut at = 0x1000_0000_0000;
    let mut mapped = |length: u64, protection: u8| {
        at += length;
        Mapped {
            mapping: Mapping {
                start: Address(at - length),
                end: Address(at),
                protection,
                ..Mapping::default()
            },
            flags: ["nr", "dc"].into_iter().collect::<VmFlags>(),
            ..Mapped::default()
        }
    };
    let maps = vec![
        mapped(2 * GIB, 0),
        mapped(128 * KIB, 3),
        mapped(8 * GIB - 128 * KIB, 0),
    ];
    let shown = Shown {
        time: trace.time(),
        pid: Pid(7),
        space: SpaceId(1),
        maps,
        stack_pointers: Vec::new(),
    };
    trace.tell(&Event::Shown(shown), &[]);
    trace
}

fn process(mut trace: Trace) -> Process {
    trace.now = 60 * SECOND;
    report(&trace).processes.remove(0)
}

#[test]
fn where_nothing_grows_the_verdict_is_on_what_was_there() {
    let process = process(node());
    let before = process.before.unwrap();
    assert_eq!(before.virtual_bytes, 10 * GIB);
    assert_eq!(before.unexplained_bytes, 0);
    assert_eq!(before.kinds[0].id, "v8-wasm-memory");
    let verdict = process.verdict;
    assert_eq!(verdict.level, Level::Benign, "{}", verdict.text);
    assert!((verdict.confidence - before.confidence).abs() < f64::EPSILON);
    let said =
        "As it was when tracing began: 10.0 GiB of it is 1 reservation of the kind V8 WebAssembly";
    assert!(verdict.text.contains(said), "{}", verdict.text);
    assert!(verdict.text.contains("then about 4.0 GiB virtual"));
}

#[test]
fn a_leak_is_none_the_less_one() {
    let mut trace = node();
    let grow = stack(&mut trace, 1, "grow");
    for second in 0..60 {
        trace.now = second * SECOND;
        trace.reserve(ME, 1, Ask::memory(grow, MIB, MIB));
    }
    let verdict = process(trace).verdict;
    assert_eq!(verdict.level, Level::Leak, "{}", verdict.text);
    assert!(verdict.text.starts_with("A leak"), "{}", verdict.text);
    assert!(verdict.text.contains("As it was when tracing began"));
}

#[test]
fn much_memory_that_came_since_is_not_judged_by_what_was_there() {
    let mut trace = node();
    let grow = stack(&mut trace, 1, "grow");
    trace.reserve(ME, 1, Ask::memory(grow, GIB, GIB));
    let verdict = process(trace).verdict;
    assert_eq!(verdict.level, Level::Unknown, "{}", verdict.text);
}

#[test]
fn what_nobody_looked_at_is_not_made_up() {
    let trace = tracer_test_traces::attached::attached("each");
    let process = process(trace);
    assert_eq!(process.before, None);
    assert_eq!(process.verdict.level, Level::Unknown);
}
