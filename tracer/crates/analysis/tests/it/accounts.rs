//! What the analysis makes of a trace.

use tracer_analysis::summary::Exit;
use tracer_ledger::event::{
    Action, Address, Event, ExitStatus, FaultMode, Loss, Pid, Rename, StackId,
};
use tracer_ledger::ledger::change::Difference;

use tracer_test_traces::attached::{ME, attached, found, named, report, site, stack};
use tracer_test_traces::trace::{Ask, KIB, MIB, SECOND};

#[test]
fn what_was_there_before_is_grouped_by_name_and_has_no_calls() {
    let report = report(&attached("each"));
    let process = &report.processes[0];
    let names: Vec<_> = process
        .sites
        .iter()
        .map(|site| (site.name.as_str(), site.live, site.calls, site.pre_existing))
        .collect();
    assert_eq!(names, [("[heap]", 2, 0, true), ("/srv/server", 1, 0, true)]);
    assert_eq!(process.virtual_bytes.start, 3 * MIB);
    assert!(!process.from_start);
    assert!(process.reservations.iter().all(|one| one.born_ns.is_none()));
}

#[test]
fn two_stacks_that_read_the_same_are_one_site() {
    let mut trace = attached("each");
    for id in [1, 2] {
        // Named only after its first call, as a live trace does.
        trace.reserve(ME, 1, Ask::space(StackId(id), MIB));
        stack(&mut trace, id, "grow");
    }
    let report = report(&trace);
    let site = site(&report.processes[0], "grow");
    assert_eq!((site.calls, site.live), (2, 2));
    assert_eq!((site.reserved_bytes, site.peak_bytes), (2 * MIB, 2 * MIB));
    let own = report.processes[0].reservations.iter();
    assert_eq!(own.filter(|one| one.site == site.id).count(), 2);
}

#[test]
fn an_exit_gives_nothing_back() {
    let mut trace = attached("each");
    let grow = stack(&mut trace, 1, "grow");
    trace.reserve(ME, 1, Ask::memory(grow, 2 * MIB, MIB));
    trace.now = SECOND;
    trace.exit(7, 1, ExitStatus::Code(3));
    trace.now = 2 * SECOND;
    let report = report(&trace);
    let process = &report.processes[0];
    let site = site(process, "grow");
    assert_eq!((site.live, site.reserved_bytes), (1, 2 * MIB));
    assert_eq!((site.released_bytes, site.lifetime_ns), (0, None));
    assert_eq!(site.touched_bytes, Some(MIB));
    assert_eq!(process.exit, Some(Exit::Code(3)));
    assert_eq!(process.last_ns, SECOND);
    assert_eq!(process.virtual_bytes.end, 5 * MIB);
    assert_eq!(process.ledger.difference_bytes, 0);
    let one = process.reservations.iter().find(|one| one.site == site.id);
    assert_eq!(one.unwrap().age_ns, SECOND);
}

#[test]
fn growth_noticed_only_at_the_exit_still_counts() {
    let mut trace = attached("each");
    let grow = stack(&mut trace, 1, "grow");
    let id = trace.reserve(ME, 1, Ask::space(grow, MIB));
    trace.exit_after(7, 1, ExitStatus::Signal(11), Some((id, 64 * KIB)));
    let report = report(&trace);
    let process = &report.processes[0];
    assert_eq!(process.exit, Some(Exit::Signal(11)));
    assert_eq!(process.ledger.difference_bytes, 0);
    assert_eq!(process.virtual_bytes.end, 4 * MIB + 64 * KIB);
    let site = site(process, "grow");
    assert_eq!(site.reserved_bytes, MIB + 64 * KIB);
    let one = process.reservations.iter().find(|one| one.site == site.id);
    assert_eq!(one.unwrap().reserved_bytes, site.reserved_bytes);
}

#[test]
fn what_the_kernel_has_and_the_ledger_has_not_is_shown() {
    let mut trace = attached("each");
    trace.unexplained = 64 * KIB;
    trace.exit(7, 1, ExitStatus::Code(0));
    let check = report(&trace).processes[0].ledger.clone();
    assert_eq!(check.difference_bytes, 64 << 10);
    assert_eq!(check.kernel_bytes, check.bytes + 64 * KIB);
}

#[test]
fn a_launch_stub_is_left_out_and_a_process_that_grew_before_exec_is_not() {
    for grows in [false, true] {
        let mut trace = attached("each");
        trace.fork(ME, 1, 8, 2, "server");
        if grows {
            let grow = stack(&mut trace, 1, "grow");
            trace.reserve((8, 8), 2, Ask::space(grow, MIB));
        }
        trace.now = SECOND;
        trace.exec(8, Some(2), 3, MIB, named("child"));
        trace.seed(8, 3, &[("/bin/child", MIB)]);
        let report = report(&trace);
        let runs: Vec<_> = report
            .processes
            .iter()
            .map(|one| (one.pid, one.comm.as_str(), one.ppid))
            .collect();
        if grows {
            assert_eq!(runs, [(7, "server", 1), (8, "server", 7), (8, "child", 7)]);
            assert_eq!(report.processes[1].exit, None);
            assert_eq!(report.processes[1].last_ns, SECOND);
        } else {
            assert_eq!(runs, [(7, "server", 1), (8, "child", 7)]);
        }
        let child = report.processes.last().unwrap();
        assert!(child.from_start);
        assert_eq!(child.virtual_bytes.start, MIB);
        assert_eq!(child.virtual_bytes.peak, MIB);
    }
}

#[test]
fn of_very_many_processes_the_biggest_keep_their_sites() {
    let mut trace = attached("each");
    let grow = stack(&mut trace, 1, "grow");
    for pid in 100..1_102 {
        trace.now += SECOND;
        trace.fork(ME, 1, pid, 2, "worker");
        let size = if pid < 102 { 2 * MIB } else { 3 * MIB };
        trace.reserve((pid, pid), 2, Ask::space(grow, size));
        trace.exit(pid, 2, ExitStatus::Code(0));
    }
    let report = report(&trace);
    assert_eq!(report.processes.len(), 1_003);
    let sites: Vec<bool> = report
        .processes
        .iter()
        .map(|one| one.sites.is_empty())
        .collect();
    assert_eq!(sites[..4], [false, true, true, false]);
    assert_eq!(report.processes[1].virtual_bytes.end, 5 * MIB);
    assert!(report.processes[1].verdict.text.contains("not kept"));
}

#[test]
fn what_a_child_inherits_keeps_its_site_and_is_not_its_own_doing() {
    let mut trace = attached("each");
    let grow = stack(&mut trace, 1, "grow");
    trace.reserve(ME, 1, Ask::space(grow, MIB));
    trace.now = SECOND;
    trace.fork(ME, 1, 8, 2, "server");
    trace.reserve((8, 8), 2, Ask::space(grow, 2 * MIB));
    let report = report(&trace);
    let child = &report.processes[1];
    assert_eq!((child.pid, child.virtual_bytes.start), (8, 4 * MIB));
    let of_grow: Vec<_> = child
        .sites
        .iter()
        .filter(|site| !site.frames.is_empty())
        .map(|site| (site.pre_existing, site.calls, site.reserved_bytes))
        .collect();
    assert_eq!(of_grow, [(false, 1, 2 * MIB), (true, 0, MIB)]);
    let parents = site(&report.processes[0], "grow");
    assert_eq!((parents.calls, parents.reserved_bytes), (1, MIB));
}

#[test]
fn what_a_vforked_child_reserves_is_its_parents() {
    let mut trace = attached("each");
    let grow = stack(&mut trace, 1, "grow");
    trace.fork(ME, 1, 8, 1, "server");
    trace.reserve((8, 8), 1, Ask::space(grow, MIB));
    trace.exec(8, None, 3, MIB, named("child"));
    trace.seed(8, 3, &[("/bin/child", MIB)]);
    let report = report(&trace);
    assert_eq!(report.processes.len(), 2);
    assert_eq!(site(&report.processes[0], "grow").reserved_bytes, MIB);
    assert_eq!(report.processes[0].virtual_bytes.end, 4 * MIB);
}

#[test]
fn the_total_of_a_shared_space_is_not_held_against_one_that_ends() {
    let mut trace = attached("each");
    trace.fork(ME, 1, 8, 1, "server");
    // Its parent maps meanwhile: of that call nothing is known yet.
    trace.exit_of_guest(8, 1, 64 * KIB);
    let ledger = &report(&trace).processes[1].ledger;
    assert_eq!((ledger.difference_bytes, ledger.checks), (0, 0));
}

#[test]
fn a_move_gives_back_only_what_it_drops() {
    let mut trace = attached("each");
    let grow = stack(&mut trace, 1, "grow");
    let id = trace.reserve(ME, 1, Ask::space(grow, 4 * MIB));
    let by = |bytes| Difference {
        reserved: bytes,
        ..Difference::default()
    };
    let moves = Action::Remap {
        old_address: Address(0),
        old_length: 4 * MIB,
        new_address: Address(4096),
        new_length: 3 * MIB,
        flags: 1,
    };
    trace.adjust_by(ME, 1, id, by(-(1 << 20)), moves);
    let report = report(&trace);
    let site = site(&report.processes[0], "grow");
    assert_eq!((site.released_bytes, site.reserved_bytes), (MIB, 3 * MIB));
    assert_eq!(site.lifetime_ns, None);
}

#[test]
fn a_thread_has_the_name_it_had_when_it_called() {
    let mut trace = attached("each");
    let grow = stack(&mut trace, 1, "grow");
    trace.reserve(ME, 1, Ask::space(grow, MIB));
    let rename = Rename {
        stamp: trace.stamp(ME, 1),
        comm: "gateway".into(),
    };
    trace.tell(&Event::Rename(rename), &[]);
    trace.reserve(ME, 1, Ask::space(grow, MIB));
    let report = report(&trace);
    let process = &report.processes[0];
    assert_eq!(process.comm, "gateway");
    assert_eq!(site(process, "grow").thread_names, ["server", "gateway"]);
}

#[test]
fn touched_is_unknown_unless_each_fault_was_followed() {
    for (faults, known) in [("each", true), ("count", false), ("off", false)] {
        let mut trace = attached(faults);
        let grow = stack(&mut trace, 1, "grow");
        trace.reserve(ME, 1, Ask::memory(grow, MIB, KIB));
        let report = report(&trace);
        let touched = site(&report.processes[0], "grow").touched_bytes;
        assert_eq!(touched.is_some(), known, "{faults}");
        assert_eq!(report.faults, FaultMode::of_word(faults));
    }
}

#[test]
fn growth_without_a_call_is_a_site_of_its_own_and_not_pre_existing() {
    let mut trace = attached("each");
    trace.unseen(ME, 1, Ask::memory(StackId::NONE, MIB, MIB), "[stack]");
    let report = report(&trace);
    let sites = &report.processes[0].sites;
    let unseen = sites.iter().find(|site| site.name == "[stack]").unwrap();
    assert_eq!((unseen.calls, unseen.pre_existing), (0, false));
    assert_eq!(unseen.reserved_bytes, MIB);
}

#[test]
fn losses_add_up_and_say_since_when() {
    let mut trace = attached("each");
    for second in [3, 5] {
        let loss = Loss {
            time: tracer_ledger::event::Nanoseconds(trace.time().0 + second * SECOND),
            events: 2,
            ..Loss::default()
        };
        trace.tell(&Event::Loss(loss), &[]);
    }
    let losses = report(&trace).losses;
    assert_eq!((losses.events, losses.since_ns), (4, Some(3 * SECOND)));
}

#[test]
fn the_timeline_is_bounded_ascending_and_ends_with_the_end() {
    let mut trace = attached("each");
    let grow = stack(&mut trace, 1, "grow");
    for step in 1..5_000 {
        trace.now = step * 10_000_000;
        trace.reserve(ME, 1, Ask::space(grow, 4 * KIB));
    }
    let report = report(&trace);
    let process = &report.processes[0];
    let timeline = &process.timeline;
    assert!(timeline.len() <= 242 && timeline.len() >= 100);
    assert!(timeline.is_sorted_by_key(|point| point.t_ns));
    let last = timeline.last().unwrap();
    assert_eq!(last.virtual_bytes, process.virtual_bytes.end);
}

#[test]
fn sites_are_numbered_from_the_biggest_process_on() {
    let mut trace = attached("each");
    found(&mut trace, 8, 2, named("bigger"));
    trace.seed(8, 2, &[("/srv/bigger", 64 * MIB)]);
    let small = stack(&mut trace, 1, "small");
    let big = stack(&mut trace, 2, "big");
    trace.reserve(ME, 1, Ask::space(small, MIB));
    trace.reserve((8, 8), 2, Ask::space(big, MIB));
    let report = report(&trace);
    assert_eq!(report.processes[0].pid, 7);
    assert_eq!(site(&report.processes[1], "big").id, 1);
    assert_eq!(site(&report.processes[0], "small").id, 3);
}

#[test]
fn progress_tells_of_the_biggest_process() {
    let mut trace = attached("each");
    assert_eq!(trace.analysis.progress().resident_bytes, None);
    trace.sample(7, 1, 2 * MIB);
    trace.fork(ME, 1, 8, 2, "child");
    let grow = stack(&mut trace, 1, "grow");
    trace.reserve((8, 8), 2, Ask::space(grow, MIB));
    let progress = trace.analysis.progress();
    assert_eq!((progress.pid, progress.processes), (Pid(8), 2));
    assert_eq!(progress.comm, "child");
    assert_eq!(progress.virtual_bytes, Some(4 * MIB));
    assert_eq!(progress.events, 2);
}
