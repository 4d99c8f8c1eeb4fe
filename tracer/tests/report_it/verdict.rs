//! What the analysis says of a process in one word and one sentence.

use tracer::analysis::summary::{Level, Trend, Verdict};
use tracer::event::{ExitStatus, Identity, Limits};

use super::attached::{ME, attached, found, named, report, stack};
use super::case;
use super::ledger::{Ask, MIB, SECOND, Trace};

#[test]
fn the_case_is_benign_and_a_leak_beside_the_cages_is_not_hidden_by_them() {
    let calm = case::report(false);
    let verdict = &calm.processes[0].verdict;
    assert_eq!(verdict.level, Level::Benign, "{}", verdict.text);
    assert!(verdict.text.contains("Address space, not memory."));
    let leaking = case::report(true);
    let process = &leaking.processes[0];
    assert_eq!(process.verdict.level, Level::Leak);
    let leak = process
        .sites
        .iter()
        .find(|site| site.trend == Trend::Growing);
    let named = format!("from site {}", leak.unwrap().id);
    assert!(
        process.verdict.text.contains(&named),
        "{}",
        process.verdict.text
    );
}

#[test]
fn figures_that_do_not_agree_with_the_kernel_are_not_called_benign() {
    let mut trace = attached("each");
    let grow = stack(&mut trace, 1, "grow");
    trace.reserve(ME, 1, Ask::space(grow, 64 * MIB));
    trace.now = 10 * SECOND;
    assert_eq!(report(&trace).processes[0].verdict.level, Level::Benign);
    trace.unexplained = 8 * MIB;
    assert_eq!(report(&trace).processes[0].verdict.level, Level::Unknown);
}

/// A process found with these limits, which reserves 800 MiB and touches nothing, for ten seconds.
fn verdict_under(limits: Limits) -> Verdict {
    let mut trace = Trace::begin("each");
    let identity = Identity {
        limits,
        ..named("server")
    };
    found(&mut trace, 7, 1, identity);
    trace.seed(7, 1, &[("/srv/server", MIB)]);
    let grow = stack(&mut trace, 1, "grow");
    trace.reserve(ME, 1, Ask::space(grow, 800 * MIB));
    trace.now = 10 * SECOND;
    report(&trace).processes[0].verdict.clone()
}

#[test]
fn address_space_is_benign_only_where_there_is_enough_of_it() {
    let limited = |bytes| Limits {
        address_space_bytes: bytes,
        ..Limits::default()
    };
    assert_eq!(verdict_under(limited(None)).level, Level::Benign);
    assert_eq!(
        verdict_under(limited(Some(2_000 * MIB))).level,
        Level::Benign
    );
    let near = verdict_under(limited(Some(900 * MIB)));
    assert_eq!(near.level, Level::Watch);
    assert!(
        near.text.starts_with("Near to RLIMIT_AS. "),
        "{}",
        near.text
    );
}

#[test]
fn the_sentence_names_its_sites_and_says_first_what_to_act_on() {
    let calm = case::report(false);
    let text = &calm.processes[0].verdict.text;
    assert!(
        text.contains("2 reservations of V8 WebAssembly memory from sites 1, 2:"),
        "{text}"
    );
    let leaking = case::report(true);
    let text = &leaking.processes[0].verdict.text;
    assert!(text.starts_with("A leak of memory: "), "{text}");
}

#[test]
fn a_life_of_a_moment_has_no_course_and_no_unknown_resident_size() {
    let sentence = |seconds: u64| {
        let mut trace = attached("each");
        let grow = stack(&mut trace, 1, "grow");
        trace.reserve(ME, 1, Ask::space(grow, 64 * MIB));
        trace.now = seconds * SECOND + 1_000_000;
        trace.exit(7, 1, ExitStatus::Code(0));
        report(&trace).processes[0].verdict.text.clone()
    };
    let moment = sentence(0);
    assert!(!moment.contains("resident") && !moment.contains("since "));
    let longer = sentence(5);
    assert!(longer.contains("resident unknown") && longer.contains("settled since "));
}

#[test]
fn more_resident_than_mapped_is_what_was_last_seen() {
    let mut trace = attached("each");
    let sentence = |trace: &Trace| report(trace).processes[0].verdict.text.clone();
    trace.sample(7, 1, 2 * MIB);
    assert!(sentence(&trace).contains("2 MiB resident. "));
    trace.sample(7, 1, 9 * MIB);
    assert!(sentence(&trace).contains("9 MiB resident when last seen. "));
}

#[test]
fn a_small_process_at_rest_is_benign_and_one_that_was_met_midway_is_unknown() {
    let mut trace = attached("each");
    trace.exec(8, None, 2, 2 * MIB, named("sh"));
    trace.seed(8, 2, &[("/bin/sh", 2 * MIB)]);
    let grow = stack(&mut trace, 1, "grow");
    trace.reserve((8, 8), 2, Ask::memory(grow, 2 * MIB, 2 * MIB));
    trace.reserve(ME, 1, Ask::memory(grow, 2 * MIB, 2 * MIB));
    trace.now = 10 * SECOND;
    let report = report(&trace);
    let level = |pid| {
        let process = report.processes.iter().find(|process| process.pid == pid);
        process.unwrap().verdict.level
    };
    assert_eq!((level(8), level(7)), (Level::Benign, Level::Unknown));
}
