//! What the kernel refused: the rows, the level, the first sentence.

use tracer_analysis::budget::{self, model::State};
use tracer_analysis::summary::{Level, OomKill, Process, RefusalCause, Refused};
use tracer_ledger::event::{
    Account, Address, Event, ExitStatus, Frame, Limits, RefusedCall, ResourceLimits, StackId,
    StackQuality, Thread, Tid, Totals,
};
use tracer_ledger::event::{Action, Call};

use tracer_test_traces::attached::{ME, attached, report, site, stack, within};
use tracer_test_traces::refused::{EAGAIN, by_a_shell, mmap, mmap_under};
use tracer_test_traces::trace::{Ask, GIB, KIB, MIB, MILLISECOND, SECOND, Trace};

const ABORTED: ExitStatus = ExitStatus::Signal(6);

/// A process of little, at 1 s, and the stack of what it is to be refused.
fn asking() -> (Trace, StackId) {
    let mut trace = attached("each");
    let ask = stack(&mut trace, 1, "ask");
    trace.now = SECOND;
    (trace, ask)
}

fn process(trace: &Trace) -> Process {
    report(trace).processes.remove(0)
}

fn only(process: &Process) -> &Refused {
    assert_eq!(process.refused.len(), 1, "{:?}", process.refused);
    &process.refused[0]
}

#[test]
fn who_dies_of_a_refusal_is_refused_with_size_errno_limit_place_and_what_followed() {
    let (mut trace, ask) = asking();
    trace.refuse(ME, 1, &mmap_under(8 * GIB, ask, 64 * GIB));
    trace.now += 3 * MILLISECOND;
    trace.exit(ME.0, 1, ABORTED);
    let process = process(&trace);
    let row = only(&process);
    let expected = Refused {
        call: "mmap".into(),
        requested_bytes: 64 * GIB,
        errno: "ENOMEM".into(),
        cause: RefusalCause::RlimitAs,
        limit: Some(8 * GIB),
        used: Some(10 * MIB),
        site: Some(site(&process, "ask").id),
        by: Some("ask in server".into()),
        count: 1,
        first_ns: SECOND,
        last_ns: SECOND,
        had_instead_bytes: None,
        ended_after: true,
    };
    assert_eq!(*row, expected);
    let verdict = &process.verdict;
    assert_eq!((verdict.level, verdict.confidence), (Level::Refused, 1.0));
    let begin = "mmap of 64.0 GiB failed (ENOMEM): RLIMIT_AS is 8.0 GiB, 10 MiB used. \
                 3.0 ms later SIGABRT. It was called by ask in server. ulimit -v sets that limit.";
    assert!(verdict.text.starts_with(begin), "{}", verdict.text);
    // The site is there to be found, and adds nothing.
    let site = site(&process, "ask");
    assert_eq!((site.calls, site.live, site.reserved_bytes), (0, 0, 0));
    let ending = process.ending.unwrap();
    assert_eq!((ending.signal, ending.code), (Some(6), None));
    assert_eq!(ending.began_ns, SECOND + 3 * MILLISECOND);
}

#[test]
fn of_two_ways_to_the_same_memory_the_last_one_counts() {
    let (mut trace, ask) = asking();
    let mut huge = mmap_under(2 * GIB, ask, 4 * GIB + 2 * MIB);
    huge.flags |= 0x40000;
    huge.around.huge_pool_bytes = Some(0);
    trace.refuse(ME, 1, &huge);
    trace.now += MILLISECOND;
    trace.refuse(ME, 1, &mmap_under(2 * GIB, ask, 4 * GIB));
    trace.exit(ME.0, 1, ExitStatus::Code(1));
    let process = process(&trace);
    let causes: Vec<_> = process.refused.iter().map(|row| row.cause).collect();
    assert_eq!(causes, [RefusalCause::RlimitAs, RefusalCause::HugetlbPool]);
    let text = &process.verdict.text;
    assert!(text.contains(": RLIMIT_AS is 2.0 GiB,"), "{text}");
}

#[test]
fn who_asks_for_less_by_halves_until_it_has_it_is_judged_by_the_rest() {
    let (mut trace, ask) = asking();
    for size in [64, 32, 16] {
        trace.refuse(ME, 1, &mmap_under(10 * GIB, ask, size * GIB));
        trace.now += MILLISECOND;
    }
    map(&mut trace, ask, 8 * GIB, 3, 0x22);
    trace.now = 10 * SECOND;
    let process = process(&trace);
    let row = only(&process);
    assert_eq!((row.count, row.requested_bytes), (3, 64 * GIB));
    assert_eq!(row.had_instead_bytes, Some(8 * GIB));
    let verdict = &process.verdict;
    assert_eq!(verdict.level, Level::Unknown, "{}", verdict.text);
    let told = "mmap of up to 64.0 GiB failed 3 times (ENOMEM): RLIMIT_AS is 10.0 GiB, 10 MiB used; \
                it asked again and had 8.0 GiB.";
    assert!(verdict.text.contains(told), "{}", verdict.text);
}

/// A call that works; what it reserves is of no interest here.
fn map(trace: &mut Trace, stack: StackId, length: u64, protection: u8, flags: u32) {
    let call = Call {
        stamp: trace.stamp(ME, 1),
        stack,
        action: Action::Map {
            address: Address(0),
            length,
            protection,
            flags,
            file_offset: None,
        },
        totals: None,
        took_ns: 0,
    };
    trace.tell(&Event::Call(call), &[]);
}

/// What it had instead of 64 GiB if this works a millisecond later, from another line.
fn had_by(length: u64, protection: u8, flags: u32, later: u64) -> Option<u64> {
    let (mut trace, ask) = asking();
    let other = stack(&mut trace, 2, "other");
    trace.refuse(ME, 1, &mmap_under(8 * GIB, ask, 64 * GIB));
    trace.now += later;
    map(&mut trace, other, length, protection, flags);
    only(&process(&trace)).had_instead_bytes
}

#[test]
fn what_a_program_does_with_its_last_breath_is_no_other_attempt() {
    // The next line tries with less, or in another way.
    assert_eq!(had_by(7 * GIB, 3, 0x22, MILLISECOND), Some(7 * GIB));
    assert_eq!(had_by(7 * GIB, 3, 0x4022, MILLISECOND), Some(7 * GIB));
    // A buffer for the message, an arena, a library that is loaded, or much later.
    assert_eq!(had_by(132 * KIB, 3, 0x22, MILLISECOND), None);
    assert_eq!(had_by(7 * GIB, 0, 0x4022, MILLISECOND), None);
    assert_eq!(had_by(7 * GIB, 3, 0x02, MILLISECOND), None);
    assert_eq!(had_by(7 * GIB, 3, 0x22, 2 * SECOND), None);
}

#[test]
fn what_only_looks_like_another_attempt_has_not_saved_one_that_died() {
    let (mut trace, ask) = asking();
    let other = stack(&mut trace, 2, "message");
    trace.refuse(ME, 1, &mmap_under(11 * MIB, ask, 2 * MIB));
    map(&mut trace, other, 256 * KIB, 3, 0x22);
    trace.now += 100 * MILLISECOND;
    trace.exit(ME.0, 1, ExitStatus::Code(1));
    let process = process(&trace);
    assert_eq!(only(&process).had_instead_bytes, None);
    assert_eq!(process.verdict.level, Level::Refused);
    let text = &process.verdict.text;
    assert!(text.contains("100 ms later it exited with 1."), "{text}");
}

#[test]
fn who_gives_up_and_goes_on_is_refused_too() {
    let (mut trace, ask) = asking();
    trace.refuse(ME, 1, &mmap_under(8 * GIB, ask, 64 * GIB));
    trace.now += 5 * SECOND;
    let alive = process(&trace).verdict;
    assert_eq!(alive.level, Level::Refused);
    assert!(
        alive.text.contains("It has not had it since."),
        "{}",
        alive.text
    );
    trace.exit(ME.0, 1, ExitStatus::Code(0));
    let ended = process(&trace);
    assert_eq!(ended.verdict.level, Level::Refused);
    assert!(!only(&ended).ended_after);
}

#[test]
fn a_refusal_of_unknown_cause_is_one_and_a_hole_in_a_range_is_none() {
    let (mut trace, ask) = asking();
    trace.refuse(ME, 1, &mmap(ask, MIB));
    let mut hole = mmap(ask, MIB);
    hole.call = RefusedCall::Mprotect;
    trace.refuse(ME, 1, &hole);
    let process = process(&trace);
    assert_eq!(only(&process).cause, RefusalCause::Unknown);
    assert_eq!(process.verdict.level, Level::Refused);
    assert!(process.verdict.confidence < 1.0);
}

#[test]
fn what_is_refused_again_and_again_is_counted_by_its_place() {
    let (mut trace, ask) = asking();
    let mut split = mmap(ask, 4 * KIB);
    split.call = RefusedCall::Mprotect;
    split.account.mappings = 65_530;
    split.place = 9;
    for _ in 0..3 {
        trace.refuse(ME, 1, &split);
    }
    trace.split(ME, 1, ask, 64_000);
    trace.now += MILLISECOND;
    trace.refuse_again(9, 1_000);
    trace.now += MILLISECOND;
    trace.refuse_again(9, 1_500);
    // Nobody knows this one.
    trace.refuse_again(10, 50);
    let process = process(&trace);
    let row = only(&process);
    assert_eq!((row.count, row.cause), (1_500, RefusalCause::MaxMapCount));
    assert_eq!(row.last_ns, SECOND + 2 * MILLISECOND);
    let text = &process.verdict.text;
    let made = "64,000 of the mappings were made by ask in server. sysctl vm.max_map_count sets that limit.";
    assert!(text.contains(made), "{text}");
}

#[test]
fn a_target_that_is_refused_from_very_many_stacks_fills_no_memory() {
    let (mut trace, _) = asking();
    for id in 1..2_000 {
        let ask = stack(&mut trace, id, &format!("ask_{id}"));
        trace.refuse(ME, 1, &mmap_under(8 * GIB, ask, 64 * GIB));
    }
    let process = process(&trace);
    assert_eq!(process.refused.len(), 65);
    let all: u64 = process.refused.iter().map(|row| row.count).sum();
    assert_eq!(all, 1_999);
}

#[test]
fn stacks_that_read_the_same_are_one_row() {
    let (mut trace, ask) = asking();
    let again = stack(&mut trace, 2, "ask");
    trace.refuse(ME, 1, &mmap_under(8 * GIB, ask, 16 * GIB));
    trace.refuse(ME, 1, &mmap_under(8 * GIB, again, 64 * GIB));
    let process = process(&trace);
    let row = only(&process);
    assert_eq!((row.count, row.requested_bytes), (2, 64 * GIB));
}

#[test]
fn a_thread_that_could_be_made_at_last_is_no_refusal_that_lasts() {
    let (mut trace, ask) = asking();
    let mut clone = mmap(ask, 0);
    clone.call = RefusedCall::Clone;
    clone.flags = 0x3d_0f00;
    clone.error = EAGAIN;
    clone.account.limits.processes = Some(100);
    clone.around.user_processes = Some(100);
    trace.refuse(ME, 1, &clone);
    let refused = process(&trace);
    assert_eq!(only(&refused).cause, RefusalCause::RlimitNproc);
    assert_eq!(refused.verdict.level, Level::Refused);
    trace.now += MILLISECOND;
    let thread = Thread {
        stamp: trace.stamp(ME, 1),
        child: Tid(8),
        comm: "server".into(),
    };
    trace.tell(&Event::Thread(thread), &[]);
    let had = process(&trace);
    assert_eq!(only(&had).had_instead_bytes, Some(0));
    assert_ne!(had.verdict.level, Level::Refused);
}

#[test]
fn memory_that_may_not_be_locked_is_to_be_watched_unless_the_process_minds() {
    let (mut trace, ask) = asking();
    let mut lock = mmap(ask, MIB);
    lock.call = RefusedCall::Mlock;
    lock.account.limits.locked_bytes = Some(64 * KIB);
    trace.refuse(ME, 1, &lock);
    assert_eq!(process(&trace).verdict.level, Level::Watch);
    trace.exit(ME.0, 1, ExitStatus::Code(2));
    assert_eq!(process(&trace).verdict.level, Level::Refused);
}

#[test]
fn who_is_killed_for_want_of_memory_is_never_benign() {
    for (by_group, limit, whose, text) in [
        (
            Some(true),
            Some(200 * MIB),
            OomKill::Cgroup,
            "Killed by the kernel's OOM killer: its cgroup's limit of 200 MiB was reached.",
        ),
        (
            Some(false),
            Some(200 * MIB),
            OomKill::Machine,
            "Killed by the kernel's OOM killer: the end of the machine's memory of 16.0 GiB was reached.",
        ),
        (
            None,
            None,
            OomKill::Machine,
            "Killed by the kernel's OOM killer: the end of the machine's memory of 16.0 GiB was reached.",
        ),
    ] {
        let limits = Limits {
            cgroup_memory_max_bytes: limit,
            memory_total_bytes: Some(16 * GIB),
            ..Limits::default()
        };
        let mut trace = within(limits);
        trace.now = SECOND;
        trace.kill_for_want_of_memory(7, by_group);
        trace.exit(7, 1, ExitStatus::Signal(9));
        let process = process(&trace);
        assert_eq!(process.ending.unwrap().oom_kill, Some(whose));
        assert_eq!(process.verdict.level, Level::Refused);
        assert_eq!(process.verdict.confidence, 1.0);
        let said = &process.verdict.text;
        assert!(said.starts_with(text), "{said}");
    }
}

#[test]
fn a_stack_that_could_not_grow_is_refused_by_its_limit() {
    let overflowed = |stack_bytes: u64, signal| {
        let (mut trace, _) = asking();
        let account = Account {
            totals: Totals {
                total_pages: 5_000,
                stack_pages: stack_bytes / 4096,
            },
            limits: ResourceLimits {
                stack_bytes: Some(8 * MIB),
                ..ResourceLimits::default()
            },
            ..Account::default()
        };
        trace.account(7, 1, account);
        trace.exit(7, 1, ExitStatus::Signal(signal));
        process(&trace)
    };
    let process = overflowed(8 * MIB - 8 * KIB, 11);
    let row = only(&process);
    assert_eq!(
        (row.call.as_str(), row.cause),
        ("stack growth", RefusalCause::RlimitStack)
    );
    let text = &process.verdict.text;
    assert_eq!(process.verdict.level, Level::Refused);
    assert!(
        text.contains("At once SIGSEGV.")
            && text.starts_with("The stack could not grow: RLIMIT_STACK is 8 MiB"),
        "{text}"
    );
    assert!(overflowed(132 * KIB, 11).refused.is_empty());
    assert!(overflowed(8 * MIB, 6).refused.is_empty());
}

#[test]
fn each_program_of_one_process_is_a_stage_with_its_own_ending() {
    let report = by_a_shell();
    let stages: Vec<_> = report
        .processes
        .iter()
        .map(|one| {
            (
                one.stage,
                one.comm.as_str(),
                one.ending.is_some(),
                one.verdict.level,
            )
        })
        .collect();
    assert_eq!(
        stages,
        [
            (0, "bash", false, Level::Benign),
            (1, "refused", true, Level::Refused)
        ]
    );
    let by = report.processes[1].refused[0].by.as_deref();
    assert_eq!(by, Some("main refused.c:4"));
}

#[test]
fn a_site_that_splits_mappings_has_those_that_it_made() {
    let (mut trace, ask) = asking();
    let split = stack(&mut trace, 2, "split");
    trace.reserve(ME, 1, Ask::space(ask, 64 * MIB));
    for _ in 0..3 {
        trace.split(ME, 1, split, 100);
    }
    let process = process(&trace);
    assert_eq!(site(&process, "split").mappings, Some(300));
    assert_eq!(site(&process, "ask").mappings, None);
}

#[test]
fn a_refusal_without_a_stack_is_told_without_a_site() {
    let (mut trace, _) = asking();
    trace.refuse(ME, 1, &mmap_under(8 * GIB, StackId::NONE, 64 * GIB));
    let nameless = trace.stack(5, StackQuality::Broken, vec![Frame::default()]);
    trace.refuse(ME, 1, &mmap_under(8 * GIB, nameless, 64 * GIB));
    let process = process(&trace);
    let sites: Vec<_> = process
        .refused
        .iter()
        .map(|row| (row.site.is_some(), &row.by))
        .collect();
    assert!(
        sites.contains(&(false, &None)) && sites.contains(&(true, &None)),
        "{sites:?}"
    );
}

#[test]
fn a_refused_level_is_told_with_what_was_refused_and_where() {
    let report = by_a_shell();
    let held = |text: &str| {
        let budget = budget::parse(text).unwrap();
        budget::check(&[budget], &report, None, Vec::new())
            .budgets
            .remove(0)
    };
    assert_ne!(held("level >= leak").state, State::Over);
    let judged = held("level >= refused");
    assert_eq!(judged.state, State::Over);
    let note = judged.note.unwrap();
    assert!(
        note.starts_with("mmap of 64.0 GiB failed (ENOMEM)"),
        "{note}"
    );
    let site = report.processes[1].refused[0].site.unwrap();
    let parts: Vec<_> = judged
        .sites
        .iter()
        .map(|one| (one.site, one.amount))
        .collect();
    assert_eq!(parts, [(site, 64 << 30)]);
}
