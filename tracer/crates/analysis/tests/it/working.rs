//! Levels, budgets and comparisons are about the moment before a process's ending began.

use tracer_analysis::budget::{self, model::State};
use tracer_analysis::diff::diff;
use tracer_analysis::summary::{Level, Process, Report, Trend};
use tracer_ledger::event::{Event, ExitStatus, Pid, Usage};

use tracer_test_traces::attached::{ME, attached, report, site, stack};
use tracer_test_traces::trace::{Ask, GIB, MIB, MILLISECOND, SECOND, Trace};

/// Maps a MiB a second for a minute, and works for it.
fn leaking(trace: &mut Trace) -> Vec<tracer_ledger::ledger::change::ReservationId> {
    let leak = stack(trace, 1, "leak");
    let ids = (1..60).map(|second| {
        trace.now = second * SECOND;
        let id = trace.reserve(ME, 1, Ask::memory(leak, MIB, MIB));
        trace.sample(7, 1, second * MIB);
        used(trace, second * SECOND / 10);
        id
    });
    ids.collect()
}

fn used(trace: &mut Trace, cpu_ns: u64) {
    let usage = Usage {
        time: trace.time(),
        pid: Pid(7),
        cpu_ns: Some(cpu_ns),
        ..Usage::default()
    };
    trace.tell(&Event::Usage(usage), &[]);
}

fn leak_that_frees_at_exit() -> Report {
    let mut trace = attached("each");
    for id in leaking(&mut trace) {
        trace.now += MILLISECOND;
        trace.release(ME, 1, id);
    }
    trace.exit(7, 1, ExitStatus::Code(0));
    report(&trace)
}

fn leak_that_keeps_all() -> Report {
    let mut trace = attached("each");
    leaking(&mut trace);
    trace.now += 59 * MILLISECOND;
    trace.exit(7, 1, ExitStatus::Code(0));
    report(&trace)
}

fn only(report: &Report) -> &Process {
    &report.processes[0]
}

#[test]
fn freeing_at_the_exit_changes_the_words_and_not_the_level() {
    let (frees, keeps) = (leak_that_frees_at_exit(), leak_that_keeps_all());
    assert_eq!(only(&keeps).verdict.level, Level::Leak);
    let process = only(&frees);
    assert_eq!(
        process.verdict.level,
        Level::Leak,
        "{}",
        process.verdict.text
    );
    assert!(process.verdict.confidence <= 0.8);
    let text = &process.verdict.text;
    assert!(
        text.starts_with("As it stood at 59.0 s, before it freed 5"),
        "{text}"
    );
    assert!(
        text.contains("until it began to end; freed as it ended"),
        "{text}"
    );
    assert!(!text.contains("never released"), "{text}");
    let leak = site(process, "leak");
    assert_eq!(
        (leak.trend, leak.live, leak.calls),
        (Trend::Growing, 59, 59)
    );
    assert_eq!((leak.reserved_bytes, leak.released_bytes), (59 * MIB, 0));
    assert_eq!(
        (leak.touched_bytes, leak.charged_bytes),
        (Some(59 * MIB), 59 * MIB)
    );
    // Its course is told to the end.
    assert_eq!(leak.timeline.last().unwrap().reserved_bytes, 0);
}

#[test]
fn the_ending_and_what_was_before_it_are_told() {
    let frees = leak_that_frees_at_exit();
    let process = only(&frees);
    let (working, ending) = (process.working.unwrap(), process.ending.unwrap());
    assert_eq!(working.until_ns, ending.began_ns);
    assert!((59 * SECOND..59 * SECOND + 20 * MILLISECOND).contains(&working.until_ns));
    assert_eq!(working.virtual_bytes, 62 * MIB);
    assert_eq!(process.virtual_bytes.end, 3 * MIB);
    assert_eq!(working.resident_bytes, Some(59 * MIB));
    assert!(
        (44 * MIB..=54 * MIB).contains(&ending.freed_bytes),
        "{ending:?}"
    );
    assert_eq!((ending.code, ending.signal), (Some(0), None));
    let keeps = leak_that_keeps_all();
    let (working, ending) = (only(&keeps).working.unwrap(), only(&keeps).ending.unwrap());
    assert_eq!(working.until_ns, only(&keeps).last_ns);
    assert_eq!((working.virtual_bytes, ending.freed_bytes), (62 * MIB, 0));
}

#[test]
fn budgets_and_comparisons_are_about_the_working_life() {
    let (frees, keeps) = (leak_that_frees_at_exit(), leak_that_keeps_all());
    for text in [
        "virtual > 60MiB",
        "never-released > 58MiB",
        "resident > 58MiB",
        "level >= watch",
    ] {
        let budgets = [budget::parse(text).unwrap()];
        for report in [&frees, &keeps] {
            let judged = budget::check(&budgets, report, None, Vec::new());
            assert_eq!(judged.state, State::Over, "{text}");
        }
    }
    let diff = diff(&keeps, &frees);
    assert_eq!(diff.virtual_bytes.size(), 0);
    assert_eq!(diff.level.old, diff.level.new);
}

#[test]
fn what_loads_works_and_frees_at_its_exit_is_benign_whatever_its_size() {
    let mut trace = attached("each");
    let load = stack(&mut trace, 1, "load");
    let ids: Vec<_> = (0..200)
        .map(|n| {
            trace.now = n * 10 * MILLISECOND;
            trace.reserve(ME, 1, Ask::memory(load, MIB, MIB))
        })
        .collect();
    for second in 2..60 {
        trace.now = second * SECOND;
        trace.sample(7, 1, 200 * MIB);
        used(&mut trace, second * SECOND);
    }
    for id in ids {
        trace.release(ME, 1, id);
    }
    trace.exit(7, 1, ExitStatus::Code(0));
    let report = report(&trace);
    let verdict = &only(&report).verdict;
    assert_eq!(verdict.level, Level::Benign, "{}", verdict.text);
    assert!(
        verdict
            .text
            .contains("Peak 203 MiB, given back as it ended."),
        "{}",
        verdict.text
    );
}

#[test]
fn a_kind_is_recognised_though_its_reservations_died_with_the_exit() {
    let mut trace = attached("each");
    let frames = ["__GI___mmap64", "sysmalloc_mmap"].map(|function| tracer_ledger::event::Frame {
        function: Some(function.into()),
        module: Some("/usr/lib/libc.so.6".into()),
        ..Default::default()
    });
    let stack = trace.stack(
        9,
        tracer_ledger::event::StackQuality::Complete,
        frames.to_vec(),
    );
    let ids: Vec<_> = (0..7)
        .map(|_| trace.reserve(ME, 1, Ask::memory(stack, GIB, 0)))
        .collect();
    trace.now = 50 * MILLISECOND;
    for id in ids {
        trace.release(ME, 1, id);
    }
    trace.exit(7, 1, ExitStatus::Code(0));
    let report = report(&trace);
    let process = only(&report);
    let kind = &process.verdict.kinds[0];
    assert_eq!(
        (kind.id.as_str(), kind.live, kind.reserved_bytes),
        ("glibc-mmap", 7, 7 * GIB)
    );
    // They are listed as they were.
    let big = process
        .reservations
        .iter()
        .filter(|one| one.reserved_bytes == GIB);
    assert_eq!(big.count(), 7);
}

/// Leaks for 20 s, and does nothing for `tail` s.
fn idle_for(tail: u64, cpu: bool) -> Level {
    let mut trace = attached("each");
    let leak = stack(&mut trace, 1, "leak");
    for tick in 1..=(20 + tail) * 5 {
        trace.now = tick * SECOND / 5;
        if tick <= 100 {
            trace.reserve(ME, 1, Ask::memory(leak, MIB, MIB));
        }
        trace.sample(7, 1, tick.min(100) * MIB);
        if cpu {
            used(&mut trace, tick.min(100) * SECOND / 50);
        }
    }
    trace.exit(7, 1, ExitStatus::Code(0));
    let report = report(&trace);
    let verdict = &only(&report).verdict;
    let idle = verdict.text.contains("idle since 20.0 s");
    assert_eq!(idle, cpu && tail > 5, "{}", verdict.text);
    verdict.level
}

#[test]
fn an_idle_tail_changes_no_level_and_is_told() {
    for tail in [0, 20, 60] {
        assert_eq!(idle_for(tail, true), Level::Leak, "{tail}");
    }
}

#[test]
fn where_nobody_knows_the_work_silence_does_not_settle_a_leak() {
    assert_eq!(idle_for(0, false), Level::Leak);
    assert_eq!(idle_for(60, false), Level::Unknown);
}

#[test]
fn work_that_goes_on_without_growth_settles() {
    let mut trace = attached("each");
    let load = stack(&mut trace, 1, "load");
    for second in 1..=60 {
        trace.now = second * SECOND;
        if second <= 20 {
            trace.reserve(ME, 1, Ask::memory(load, MIB, MIB));
        }
        trace.sample(7, 1, second.min(20) * MIB);
        used(&mut trace, second * SECOND / 10);
    }
    let report = report(&trace);
    assert_eq!(site(only(&report), "load").trend, Trend::Settled);
}

#[test]
fn after_an_ending_that_was_none_the_life_goes_on() {
    let mut trace = attached("each");
    let ids = leaking(&mut trace);
    for id in ids {
        trace.release(ME, 1, id);
    }
    // Long ago, when it ends.
    trace.now = 200 * SECOND;
    trace.exit(7, 1, ExitStatus::Code(0));
    let report = report(&trace);
    let process = only(&report);
    assert_eq!(process.working.unwrap().virtual_bytes, 3 * MIB);
    assert_eq!(site(process, "leak").released_bytes, 59 * MIB);
    assert_ne!(process.verdict.level, Level::Leak);
}

#[test]
fn what_came_to_be_touched_after_the_tide_was_touched() {
    let mut trace = attached("each");
    let (heap, other) = (stack(&mut trace, 1, "heap"), stack(&mut trace, 2, "other"));
    let small = trace.reserve(ME, 1, Ask::memory(other, MIB, MIB));
    let id = trace.reserve(ME, 1, Ask::memory(heap, 100 * MIB, 0));
    for second in 1..=50 {
        trace.now = second * SECOND;
        let touched = tracer_ledger::ledger::change::Difference {
            touched: MIB as i64,
            ..Default::default()
        };
        trace.adjust(ME, 1, id, touched);
    }
    trace.release(ME, 1, id);
    trace.release(ME, 1, small);
    trace.exit(7, 1, ExitStatus::Code(0));
    let report = report(&trace);
    let heap = site(only(&report), "heap");
    assert_eq!(
        (heap.reserved_bytes, heap.touched_bytes),
        (100 * MIB, Some(50 * MIB))
    );
}
