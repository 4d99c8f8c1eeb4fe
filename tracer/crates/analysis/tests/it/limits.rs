//! Limits by their own figures, and forecasts only where they rest on something.

use tracer_analysis::summary::{Harm, Level, Process};
use tracer_ledger::event::{
    Account, Accounted, Event, ExitStatus, Group, Limits, Mappings, Pid, ResourceLimits, Sample,
    SpaceId, Usage,
};

use tracer_test_traces::attached::{attached, report, within};
use tracer_test_traces::trace::{MIB, MILLISECOND, SECOND, Trace};

/// How a group of 200 MiB stands, of which process 7 is.
fn group(trace: &mut Trace, usage: u64, hits: u64, kills: u64) {
    let group = Group {
        time: trace.time(),
        pid: Pid(7),
        version: 1,
        path: "/jobs/7".into(),
        limit_bytes: Some(200 * MIB),
        usage_bytes: usage,
        oom_kills: kills,
        limit_hits: hits,
        ..Group::default()
    };
    trace.tell(&Event::Group(group), &[]);
}

/// What process 7 has resident, and of that anonymous and of files.
fn uses(trace: &mut Trace, anonymous: u64, file: u64) {
    let (time, pid) = (trace.time(), Pid(7));
    let usage = Usage {
        time,
        pid,
        anonymous_bytes: anonymous,
        file_bytes: file,
        ..Usage::default()
    };
    trace.tell(&Event::Usage(usage), &[]);
    let sample = Sample {
        time,
        pid,
        virtual_bytes: 2_000 * MIB,
        resident_bytes: anonymous + file,
        resident_peak_bytes: anonymous + file,
        maps: None,
    };
    trace.tell(&Event::Sample(sample), &[]);
}

fn harm<'a>(process: &'a Process, id: &str) -> &'a Harm {
    let found = process.harm.iter().find(|harm| harm.id == id);
    found.unwrap_or_else(|| panic!("no {id} in {:?}", process.harm))
}

/// A process found in a machine with 1,000 MiB and at most 1,000 mappings.
fn in_machine() -> Trace {
    let limits = Limits {
        memory_total_bytes: Some(1_000 * MIB),
        max_map_count: Some(1_000),
        ..Limits::default()
    };
    within(limits)
}

#[test]
fn a_group_is_full_of_what_its_process_does_not_map() {
    let mut trace = in_machine();
    for step in 0..20 {
        trace.now = step * SECOND;
        uses(&mut trace, 3 * MIB, 0);
        group(&mut trace, (10 + 9 * step) * MIB, 0, 0);
    }
    let report = report(&trace);
    let process = &report.processes[0];
    let cgroup = harm(process, "cgroup");
    assert_eq!((cgroup.used, cgroup.limit), (181 * MIB, 200 * MIB));
    assert!(cgroup.near && cgroup.reached_in_ns.is_some_and(|time| time < 3 * SECOND));
    let of_group = cgroup.group.as_ref().unwrap();
    assert_eq!(of_group.own_bytes, Some(3 * MIB));
    assert_eq!(of_group.unmapped_bytes, 178 * MIB);
    assert_eq!(process.verdict.level, Level::Watch);
}

#[test]
fn what_the_group_did_to_its_process_is_told_after_the_kill() {
    let mut trace = in_machine();
    group(&mut trace, 50 * MIB, 4, 2);
    trace.now = SECOND;
    trace.exit(7, 1, ExitStatus::Signal(9));
    trace.now += MILLISECOND;
    group(&mut trace, 2 * MIB, 9, 3);
    // Of another time.
    trace.now = 10 * SECOND;
    group(&mut trace, 2 * MIB, 80, 70);
    let report = report(&trace);
    let cgroup = harm(&report.processes[0], "cgroup");
    assert_eq!((cgroup.used, cgroup.peak), (50 * MIB, 200 * MIB));
    assert!(cgroup.near);
    let of_group = cgroup.group.as_ref().unwrap();
    assert_eq!((of_group.limit_hits, of_group.oom_kills), (5, 1));
}

#[test]
fn a_child_is_in_its_parents_group_and_what_both_use_is_no_strangers() {
    let mut trace = in_machine();
    trace.sample(7, 1, 60 * MIB);
    group(&mut trace, 90 * MIB, 0, 0);
    trace.fork((7, 7), 1, 9, 2, "worker");
    trace.sample(9, 2, 40 * MIB);
    trace.now = SECOND;
    group(&mut trace, 170 * MIB, 0, 0);
    let report = report(&trace);
    let of_child = harm(&report.processes[1], "cgroup").group.as_ref().unwrap();
    assert_eq!(of_child.own_bytes, Some(40 * MIB));
    assert_eq!(of_child.unmapped_bytes, 70 * MIB);
}

#[test]
fn what_can_be_taken_back_is_no_growth_towards_a_limit() {
    let forecast = |anonymous: u64, file: u64, ends: bool| {
        let mut trace = in_machine();
        for step in 0..40 {
            trace.now = step * SECOND / 2;
            uses(&mut trace, (5 + step * anonymous) * MIB, step * file * MIB);
        }
        if ends {
            trace.exit(7, 1, ExitStatus::Code(0));
        }
        let report = report(&trace);
        harm(&report.processes[0], "memory").reached_in_ns.is_some()
    };
    assert!(forecast(5, 0, false));
    assert!(!forecast(0, 15, false), "page cache");
    assert!(!forecast(5, 0, true), "it lives no more");
}

#[test]
fn mappings_are_counted_by_whoever_looked_last_and_the_most_is_kept() {
    let mut trace = in_machine();
    let count = |trace: &mut Trace, count: u64| {
        let mappings = Mappings {
            time: trace.time(),
            space: SpaceId(1),
            count,
        };
        trace.tell(&Event::Mappings(mappings), &[]);
    };
    count(&mut trace, 950);
    trace.now = SECOND;
    count(&mut trace, 30);
    let report = report(&trace);
    let process = &report.processes[0];
    let mappings = process.mappings;
    assert_eq!(
        (mappings.end, mappings.peak, mappings.limit),
        (Some(30), Some(950), Some(1_000))
    );
    let harm = harm(process, "mappings");
    assert_eq!((harm.used, harm.peak, harm.near), (30, 950, true));
}

#[test]
fn the_kernels_account_has_the_limits_that_hold_now() {
    let mut trace = attached("each");
    let account = Account {
        data_pages: 90 * MIB / 4096,
        mappings: 12,
        limits: ResourceLimits {
            address_space_bytes: Some(400 * MIB),
            data_bytes: Some(100 * MIB),
            ..ResourceLimits::default()
        },
        ..Account::default()
    };
    let accounted = Accounted {
        time: trace.time(),
        pid: Pid(7),
        space: SpaceId(1),
        account,
    };
    trace.tell(&Event::Accounted(accounted), &[]);
    let report = report(&trace);
    let process = &report.processes[0];
    assert_eq!(process.mappings.end, Some(12));
    assert_eq!(harm(process, "address-space").limit, 400 * MIB);
    let data = harm(process, "data");
    assert_eq!((data.used, data.near), (90 * MIB, true));
}
