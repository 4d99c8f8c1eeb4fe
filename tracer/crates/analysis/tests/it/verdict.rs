//! What the analysis says of a process in one word and one sentence.

use tracer_analysis::summary::{Level, Trend, Verdict};
use tracer_ledger::event::{
    Event, ExitStatus, Frame, FrameKind, Identity, Limits, Machine, StackId, StackQuality,
};
use tracer_ledger::ledger::change::{Difference, ReservationId};

use tracer_test_traces::attached::{ME, attached, named, report, stack, within};
use tracer_test_traces::case;
use tracer_test_traces::trace::{Ask, KIB, MIB, SECOND, Trace};

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
    let mut trace = within(limits);
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
fn no_more_is_resident_than_is_mapped_at_the_same_moment() {
    let mut trace = attached("each");
    let sentence = |trace: &Trace| report(trace).processes[0].verdict.text.clone();
    trace.sample(7, 1, 2 * MIB);
    assert!(sentence(&trace).contains("2 MiB resident. "));
    trace.sample(7, 1, 9 * MIB);
    assert!(sentence(&trace).contains("3 MiB virtual, 3 MiB resident. "));
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

#[test]
fn what_has_exited_was_small_beside_the_memory_there_is() {
    let level = |memory_mib: u64, status: Option<ExitStatus>| {
        let mut trace = attached("each");
        let limits = Limits {
            memory_total_bytes: Some(memory_mib * MIB),
            ..Limits::default()
        };
        let identity = Identity {
            limits,
            ..named("cc1")
        };
        trace.exec(8, None, 2, 2 * MIB, identity);
        trace.seed(8, 2, &[("/bin/cc1", 2 * MIB)]);
        let grow = stack(&mut trace, 1, "grow");
        trace.reserve((8, 8), 2, Ask::memory(grow, 58 * MIB, 58 * MIB));
        trace.now = SECOND;
        if let Some(status) = status {
            trace.exit(8, 2, status);
        }
        let report = report(&trace);
        let process = report.processes.iter().find(|process| process.pid == 8);
        process.unwrap().verdict.level
    };
    let exited = Some(ExitStatus::Code(0));
    assert_eq!(level(16 * 1024, exited), Level::Benign);
    assert_eq!(level(8 * 1024, exited), Level::Unknown);
    assert_eq!(level(16 * 1024, None), Level::Unknown);
    let killed = Some(ExitStatus::Signal(15));
    assert_eq!(level(16 * 1024, killed), Level::Unknown);
}

/// A process with 20 GiB that it never touches and a heap of V8's, for 60 s: each second `steps` says at
/// which of its sites how many pages of 256 KiB are taken, and how many at another are given back.
fn verdict_on_heap(steps: impl Fn(u64) -> Vec<(usize, usize, usize, usize)>) -> Verdict {
    let mut trace = attached("each");
    let space = stack(&mut trace, 1, "reserve");
    trace.reserve(ME, 1, Ask::space(space, 20 * 1024 * MIB));
    let heap: Vec<_> = (0..4)
        .map(|at| {
            let caller = format!("caller_{at}");
            let frames = ["v8::internal::MemoryAllocator::AllocatePage", &caller].map(native);
            trace.stack(10 + at, StackQuality::Complete, frames.into())
        })
        .collect();
    let mut living: Vec<Vec<ReservationId>> = vec![Vec::new(); 4];
    for second in 0..60 {
        trace.now = second * SECOND;
        for (taken_at, taken, given_at, given) in steps(second) {
            for _ in 0..taken {
                let page = Ask::memory(heap[taken_at], 256 * KIB, 256 * KIB);
                let id = trace.reserve(ME, 1, page);
                living[taken_at].push(id);
            }
            for _ in 0..given.min(living[given_at].len()) {
                trace.release(ME, 1, living[given_at].remove(0));
            }
        }
    }
    trace.now = 60 * SECOND;
    report(&trace).processes[0].verdict.clone()
}

fn native(function: &str) -> Frame {
    Frame {
        function: Some(function.into()),
        module: Some("/srv/server".into()),
        offset: 0x1000 + function.len() as u64,
        ..Frame::default()
    }
}

#[test]
fn a_heap_whose_sites_grow_and_shrink_by_turns_is_benign() {
    // 120 pages at one site, of which another gets more and more as the first loses them.
    let verdict = verdict_on_heap(|second| match second {
        0 => vec![(0, 120, 0, 0)],
        _ => vec![(1, 2, 0, 2)],
    });
    assert_eq!(verdict.level, Level::Benign, "{}", verdict.text);
}

#[test]
fn a_heap_that_the_collector_empties_now_and_then_is_benign() {
    let verdict = verdict_on_heap(|second| match second % 16 {
        15 => vec![(0, 0, 0, 75), (1, 0, 1, 75)],
        _ => vec![(0, 5, 0, 0), (1, 5, 0, 0)],
    });
    assert_eq!(verdict.level, Level::Benign, "{}", verdict.text);
}

#[test]
fn a_heap_that_warms_up_and_calms_down_is_benign() {
    let verdict = verdict_on_heap(|second| vec![(0, 60 / (second as usize + 1), 0, 0)]);
    assert_eq!(verdict.level, Level::Benign, "{}", verdict.text);
}

#[test]
fn a_leak_in_a_heap_is_one_however_many_sites_share_it_and_also_under_churn() {
    let spread = verdict_on_heap(|second| vec![((second % 4) as usize, 1, 0, 0)]);
    assert_eq!(spread.level, Level::Leak, "{}", spread.text);
    let churning = verdict_on_heap(|_| vec![(0, 8, 0, 7), (1, 8, 1, 7)]);
    assert_eq!(churning.level, Level::Watch, "{}", churning.text);
}

/// The verdict on a process with one reservation of 1 GiB, for 60 s: each second `steps` says how many MiB of it are
/// made accessible, and how many are touched.
fn verdict_on_one(
    ask: impl Fn(StackId) -> Ask,
    name: &str,
    steps: impl Fn(u64) -> (i64, i64),
) -> Verdict {
    let mut trace = attached("each");
    let grow = stack(&mut trace, 1, "grow");
    let id = trace.reserve_named(ME, 1, ask(grow), name);
    for second in 1..60 {
        trace.now = second * SECOND;
        let (accessible, touched) = steps(second);
        let difference = Difference {
            accessible: accessible << 20,
            touched: touched << 20,
            ..Difference::default()
        };
        trace.adjust(ME, 1, id, difference);
    }
    trace.now = 60 * SECOND;
    report(&trace).processes[0].verdict.clone()
}

fn pool(stack: StackId) -> Ask {
    Ask::space(stack, 1024 * MIB)
}

#[test]
fn a_reservation_that_is_committed_and_touched_more_and_more_is_watched_not_benign() {
    let without_end = verdict_on_one(pool, "", |_| (1, 1));
    assert_eq!(without_end.level, Level::Watch, "{}", without_end.text);
    let to_a_limit = verdict_on_one(pool, "", |second| if second < 30 { (1, 1) } else { (0, 0) });
    assert_eq!(to_a_limit.level, Level::Benign, "{}", to_a_limit.text);
}

#[test]
fn one_that_is_touched_more_and_more_within_what_was_accessible_at_once_is_not_clear() {
    let charged = |stack| Ask {
        accessible: 400 * MIB,
        charged: 400 * MIB,
        ..pool(stack)
    };
    let slow = verdict_on_one(charged, "", |_| (0, 1));
    assert_eq!(slow.level, Level::Unknown, "{}", slow.text);
    let fast = verdict_on_one(charged, "", |_| (0, 5));
    assert_eq!(fast.level, Level::Watch, "{}", fast.text);
}

#[test]
fn a_file_that_is_read_on_and_on_is_page_cache_and_nothing_to_be_watched() {
    let file = |stack| Ask {
        accessible: 1024 * MIB,
        flags: 0x2,
        ..pool(stack)
    };
    let read = verdict_on_one(file, "/srv/data", |_| (0, 3));
    assert_eq!(read.level, Level::Benign, "{}", read.text);
    let most = verdict_on_one(file, "/srv/data", |_| (0, 10));
    assert_eq!(most.level, Level::Benign, "{}", most.text);
    let in_memory = verdict_on_one(file, "/memfd:data (deleted)", |_| (0, 3));
    assert_eq!(in_memory.level, Level::Watch, "{}", in_memory.text);
}

#[test]
fn a_child_that_takes_nothing_of_its_own_is_benign_whatever_its_parent_had() {
    let mut trace = attached("each");
    let grow = stack(&mut trace, 1, "grow");
    trace.reserve(ME, 1, Ask::memory(grow, 400 * MIB, 400 * MIB));
    trace.now = SECOND;
    trace.fork(ME, 1, 8, 2, "child");
    trace.now = 2 * SECOND;
    trace.exit(8, 2, ExitStatus::Code(0));
    let report = report(&trace);
    let child = report.processes.iter().find(|process| process.pid == 8);
    let verdict = &child.unwrap().verdict;
    assert_eq!(verdict.level, Level::Benign, "{}", verdict.text);
}

#[test]
fn a_leak_after_a_start_up_is_one_though_most_was_taken_at_the_start() {
    let taken = |second| if second < 4 { 120 } else { 3 };
    let mut trace = attached("each");
    let grow = stack(&mut trace, 1, "grow");
    for second in 0..60 {
        trace.now = second * SECOND;
        for _ in 0..taken(second) {
            trace.reserve(ME, 1, Ask::memory(grow, 256 * KIB, 256 * KIB));
        }
    }
    trace.now = 60 * SECOND;
    let verdict = &report(&trace).processes[0].verdict;
    assert_eq!(verdict.level, Level::Leak, "{}", verdict.text);
}

/// So many malloc arenas on two CPUs, each with so much of its 64 MiB accessible.
fn with_arenas(count: u64, accessible: u64) -> Verdict {
    let mut trace = attached("each");
    let two = Machine {
        cpus: 2,
        ..Machine::default()
    };
    trace.tell(&Event::Machine(two), &[]);
    let frames = ["mmap", "alloc_new_heap", "_int_new_arena", "arena_get2"].map(|function| Frame {
        function: Some(function.into()),
        module: Some("/usr/lib/libc.so.6".into()),
        ..Frame::default()
    });
    let arena = trace.stack(1, StackQuality::Complete, frames.into());
    for _ in 0..count {
        let ask = Ask {
            accessible,
            ..Ask::space(arena, 64 * MIB)
        };
        trace.reserve(ME, 1, ask);
    }
    trace.now = 60 * SECOND;
    report(&trace).processes[0].verdict.clone()
}

#[test]
fn more_arenas_than_malloc_makes_are_to_be_watched_and_full_heaps_are_no_more_of_them() {
    assert_eq!(with_arenas(16, MIB).level, Level::Benign);
    let many = with_arenas(17, MIB);
    assert_eq!(many.level, Level::Watch);
    let said =
        "Unusually many: glibc malloc arena, 17 at a time: more than 16 are unusual on 2 CPUs.";
    assert!(many.text.contains(said), "{}", many.text);
    assert!(!with_arenas(40, 64 * MIB).text.contains("Unusually"));
}

#[test]
fn a_sawtooth_that_ends_at_its_peak_does_not_grow_however_its_teeth_lie() {
    const MS: u64 = 1_000_000;
    for period in (300..3_000).step_by(130) {
        let mut trace = attached("each");
        let grow = stack(&mut trace, 1, "grow");
        // The last tooth is whole at the end.
        let mut living = Vec::new();
        for at in (0..8_000).step_by(20) {
            trace.now = at * MS;
            if (8_000 - at) % period < 20 {
                for id in living.drain(..) {
                    trace.release(ME, 1, id);
                }
            }
            let block = Ask::memory(grow, 512 * KIB, 512 * KIB);
            living.push(trace.reserve(ME, 1, block));
        }
        trace.now = 8_000 * MS;
        let verdict = &report(&trace).processes[0].verdict;
        assert!(
            !matches!(verdict.level, Level::Watch | Level::Leak),
            "{period}: {}",
            verdict.text
        );
    }
}

/// One more reservation a second from one place; `gone` of them are given back again, a second later.
fn piling_up(ask: impl Fn(StackId) -> Ask, name: &str, gone: impl Fn(u64) -> bool) -> Verdict {
    let mut trace = attached("each");
    let grow = stack(&mut trace, 1, "serve");
    let mut going = None;
    for second in 1..60 {
        trace.now = second * SECOND;
        if let Some(id) = going.take() {
            trace.release(ME, 1, id);
        }
        let id = trace.reserve_named(ME, 1, ask(grow), name);
        going = gone(second).then_some(id);
    }
    trace.now = 60 * SECOND;
    report(&trace).processes[0].verdict.clone()
}

#[test]
fn what_is_reserved_again_and_again_and_never_given_back_is_a_leak_also_if_one_is_harmless() {
    let cage = |stack| Ask::space(stack, 10 << 30);
    let cages = piling_up(cage, "", |_| false);
    assert_eq!(cages.level, Level::Leak, "{}", cages.text);
    assert!(
        cages.text.starts_with("A leak of address space: "),
        "{}",
        cages.text
    );
    // Its pages are the file's: the maps are what is never given back.
    let file = |stack| Ask {
        charged: 0,
        flags: 2,
        ..Ask::memory(stack, MIB, MIB)
    };
    let files = piling_up(file, "/srv/data", |_| false);
    assert_eq!(files.level, Level::Leak, "{}", files.text);
    assert!(
        files.text.starts_with("A leak of mappings: "),
        "{}",
        files.text
    );
    // Some of them are given back: it may be a cache that fills.
    let kept_now_and_then = piling_up(cage, "", |second| second % 4 != 0);
    assert_eq!(
        kept_now_and_then.level,
        Level::Watch,
        "{}",
        kept_now_and_then.text
    );
    let small = piling_up(|stack| Ask::space(stack, 4 * KIB), "", |_| false);
    assert_eq!(small.level, Level::Unknown, "{}", small.text);
}

#[test]
fn who_ends_itself_at_its_largest_may_have_come_to_a_limit_of_its_own() {
    let level = |status: ExitStatus, resident: u64| {
        let mut trace = attached("each");
        let grow = stack(&mut trace, 1, "grow");
        trace.reserve(ME, 1, Ask::space(grow, 512 * MIB));
        trace.sample(7, 1, 200 * MIB);
        trace.now = 5 * SECOND;
        trace.sample(7, 1, resident);
        trace.now = 10 * SECOND;
        trace.exit(7, 1, status);
        let verdict = report(&trace).processes[0].verdict.clone();
        (verdict.level, verdict.headline)
    };
    let (found, headline) = level(ExitStatus::Signal(6), 190 * MIB);
    assert_eq!(found, Level::Unknown);
    let said = "Ended by SIGABRT at its largest, 190 MiB resident, with nothing refused: a limit of its own heap?";
    assert!(headline.starts_with(said), "{headline}");
    assert_eq!(level(ExitStatus::Signal(6), 20 * MIB).0, Level::Benign);
    assert_eq!(level(ExitStatus::Signal(11), 190 * MIB).0, Level::Benign);
    assert_eq!(level(ExitStatus::Code(0), 190 * MIB).0, Level::Benign);
}

#[test]
fn of_scripts_without_names_the_run_that_has_them_is_told() {
    let next = |function: Option<&str>| {
        let mut trace = Trace::begin("each");
        let identity = Identity {
            runtime: Some("node v22.22.0".into()),
            cmdline: vec!["node".into(), "a b.js".into()],
            ..named("node")
        };
        trace.exec(7, None, 1, 2 * MIB, identity);
        trace.seed(7, 1, &[("/bin/node", 2 * MIB)]);
        let script = Frame {
            function: function.map(str::to_owned),
            kind: FrameKind::Jit,
            ..Frame::default()
        };
        let frames = vec![native("node::Buffer::New"), script];
        let stack = trace.stack(9, StackQuality::Complete, frames);
        trace.reserve(ME, 1, Ask::memory(stack, 64 * MIB, 64 * MIB));
        trace.now = 10 * SECOND;
        report(&trace).processes[0].verdict.next.clone()
    };
    let told = next(None);
    assert_eq!(told[0].command, "tracer run --js-names -- node 'a b.js'");
    let told = next(Some("handle"));
    assert!(!told.iter().any(|one| one.command.contains("--js-names")));
}
