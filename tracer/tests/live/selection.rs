//! Whom to trace: by control group, everybody, again and again.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use serde_json::Value;

use crate::{
    command::{Attached, chosen, example, folder, json, process, tracer},
    target::Target,
};

fn churn(what: &str) -> Target {
    Target::start(example("churn").to_str().unwrap(), &["2", what])
}

/// A control group of this test's own.
struct Group(PathBuf);

impl Group {
    fn new(name: &str) -> Self {
        let path = cgroup2().join(format!("{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn take(&self, target: &Target) {
        fs::write(self.0.join("cgroup.procs"), target.pid().to_string()).unwrap();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

/// Where version 2 of the control groups is mounted; it is, if need be.
fn cgroup2() -> PathBuf {
    let root = Path::new("/sys/fs/cgroup");
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    for line in mounts.lines() {
        let words: Vec<_> = line.split(' ').collect();
        if words[2] == "cgroup2" && words[1].starts_with("/sys/fs/cgroup") {
            return words[1].into();
        }
    }
    rustix::mount::mount(
        c"cgroup2",
        root,
        c"cgroup2",
        rustix::mount::MountFlags::empty(),
        None,
    )
    .unwrap();
    root.into()
}

#[test]
fn a_control_group_is_traced_with_those_who_join_it_later() {
    let folder = folder();
    let path = folder.path().join("report.json");
    let group = Group::new("tracer-selection");
    let (mut first, mut second) = (churn("10"), churn("20"));
    group.take(&first);
    let arguments = [
        "--cgroup",
        group.0.to_str().unwrap(),
        "--report",
        path.to_str().unwrap(),
    ];
    let mut attached = Attached::with(&arguments);
    first.act();
    group.take(&second);
    attached.wait_until_it_says(&format!("process {} is traced", second.pid()));
    second.act();
    attached.interrupt();

    let report = json(&path);
    for (target, calls) in [(&first, 2 * 10), (&second, 2 * 20)] {
        let process = process(&report, u64::from(target.pid()));
        assert_eq!(process["ledger"]["difference_bytes"], 0);
        assert_eq!(process["virtual_bytes"]["end"], target.vm_size());
        let sites = process["sites"].as_array().unwrap();
        let of_pairs = sites
            .iter()
            .filter(|site| site["released_bytes"] == calls * 5 * 4096)
            .count();
        assert_eq!(of_pairs, 1, "{sites:?}");
    }
    drop((first, second));
}

#[test]
fn a_control_group_that_is_not_there_is_refused() {
    let output = tracer()
        .args(["attach", "--cgroup", "no-such-group"])
        .output()
        .unwrap();
    crate::command::refused(&output, &["no-such-group", "cgroup.procs"]);
}

#[test]
fn everybody_is_everybody_but_the_tracer() {
    let folder = folder();
    let path = folder.path().join("report.json");
    let mut churn = churn("10");
    let attached = Attached::with(&["--all", "--report", path.to_str().unwrap()]);
    let own = u64::from(attached.pid());
    churn.act();
    attached.interrupt();

    let report = json(&path);
    process(&report, u64::from(churn.pid()));
    process(&report, u64::from(std::process::id()));
    let processes = report["processes"].as_array().unwrap();
    assert!(processes.iter().all(|process| process["pid"] != own));
}

/// How often a process in churn is attached to, unless `ATTACHES` says otherwise.
const ATTACHES: u64 = 50;
/// How many at once: the kernel takes a second or two to detach.
const AT_ONCE: usize = 6;

#[test]
fn every_attach_to_a_process_in_churn_is_exact_from_the_first_comparison_on() {
    let folder = folder();
    let churn = churn("endless");
    let attaches = chosen("ATTACHES", ATTACHES);
    let (next, compared) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= attaches {
                        return;
                    }
                    let path = folder.path().join(format!("{number}.json"));
                    attach_for_a_moment(churn.pid(), &path);
                    let comparisons = exact(&json(&path), churn.pid());
                    compared.fetch_add(comparisons, Ordering::Relaxed);
                }
            });
        }
    });
    // One of a moment in which a machine under load did not let the churn run may have none.
    let compared = compared.load(Ordering::Relaxed);
    assert!(compared > 2 * attaches, "{compared} comparisons");
}

fn attach_for_a_moment(pid: u32, report: &Path) {
    let output = tracer()
        .args(["attach", "--faults", "off", "--verify", "10ms"])
        .args([
            "--ring-size",
            "64MiB",
            "--duration",
            "200ms",
            "--pid",
            &pid.to_string(),
            "--report",
        ])
        .arg(report)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// How many comparisons there were, all of which found nothing.
#[track_caller]
fn exact(report: &Value, pid: u32) -> u64 {
    let losses = &report["losses"];
    for kind in ["events", "late", "resyncs"] {
        assert_eq!(losses[kind], 0, "{losses}");
    }
    let ledger = &process(report, u64::from(pid))["ledger"];
    for kind in [
        "checks_differing",
        "verifications_differing",
        "difference_bytes",
    ] {
        assert_eq!(ledger[kind], 0, "{ledger}");
    }
    let count = |kind: &str| ledger[kind].as_u64().unwrap();
    count("checks") + count("verifications_count")
}
