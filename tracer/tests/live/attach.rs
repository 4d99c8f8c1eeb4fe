//! Attaching to a process that already runs.

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    command::{Attached, folder, json, process, tracer},
    explain,
    target::Target,
};

/// Reserves 64 MiB before, and again for each line on stdin; says when it has.
const PYTHON: &str = "
import mmap, sys
held = [mmap.mmap(-1, 64 << 20)]
print('ready', flush=True)
for line in sys.stdin:
    held.append(mmap.mmap(-1, 32 << 20))
    held[-1][0] = 1
    print('done', flush=True)
";

/// A node that makes a WebAssembly memory, and for each line on stdin a Worker that makes another.
const NODE: &str = "
const { Worker } = require('node:worker_threads');
const readline = require('node:readline');
globalThis.first = new WebAssembly.Memory({ initial: 1 });
console.log('ready');
readline.createInterface({ input: process.stdin }).on('line', () => {
  const source = `
    globalThis.second = new WebAssembly.Memory({ initial: 1 });
    require('node:worker_threads').parentPort.postMessage('made');
    setInterval(() => {}, 1000);`;
  new Worker(source, { eval: true }).on('message', () => console.log('done'));
});
";

/// Sites of at least this size, by whether they were there before.
fn big_sites(process: &Value, at_least: u64, pre_existing: bool) -> Vec<&Value> {
    let sites = process["sites"].as_array().unwrap();
    sites
        .iter()
        .filter(|site| site["reserved_bytes"].as_u64().unwrap() >= at_least)
        .filter(|site| site["pre_existing"] == pre_existing)
        .collect()
}

#[test]
fn what_was_there_before_is_pre_existing_and_what_comes_after_has_its_call_site() {
    let folder = folder();
    let path = folder.path().join("report.json");
    let mut python = Target::start("python3", &["-c", PYTHON]);
    let attached = Attached::to(python.pid(), &["--report", path.to_str().unwrap()]);
    python.act();
    python.act();
    attached.interrupt();

    let report = json(&path);
    let process = process(&report, u64::from(python.pid()));
    assert_eq!(process["ledger"]["difference_bytes"], 0);
    assert_eq!(process["virtual_bytes"]["end"], python.vm_size());
    assert_eq!(process["exit"], Value::Null);
    let before = big_sites(process, 64 << 20, true);
    assert!(!before.is_empty(), "the first map is not there");
    assert!(before.iter().all(|site| site["calls"] == 0));
    let after = big_sites(process, 64 << 20, false);
    let [site] = after[..] else {
        panic!("not one call site: {after:?}")
    };
    assert_eq!((&site["calls"], &site["live"]), (&2.into(), &2.into()));
    assert_eq!(site["reserved_bytes"], 64 << 20);
    assert_eq!(site["touched_bytes"], 2 * 4096);
    assert_eq!(site["stack"], "complete");
}

#[test]
fn what_was_there_before_is_known_by_its_shape_and_judged_where_nothing_has_grown() {
    let folder = folder();
    let path = folder.path().join("report.json");
    let recording = folder.path().join("trace.vmt");
    let node = Target::start("node", &["-e", explain::NODE]);
    let attached = Attached::to(
        node.pid(),
        &[
            "--report",
            path.to_str().unwrap(),
            "-o",
            recording.to_str().unwrap(),
        ],
    );
    attached.interrupt();
    let report = json(&path);
    let process = process(&report, node.pid().into());
    let before = &process["before"];
    let bytes = |value: &Value| value["reserved_bytes"].as_u64().unwrap();
    let kinds = before["kinds"].as_array().unwrap();
    let cages = kinds.iter().find(|kind| kind["id"] == "v8-wasm-memory");
    let cages = cages.unwrap();
    assert_eq!(cages["live"], 2);
    assert!(bytes(cages) == 20 << 30 || bytes(cages) == 16 << 30);
    // It may change its size by a little between the readings.
    let then = before["virtual_bytes"].as_u64().unwrap();
    assert!(then.abs_diff(node.vm_size()) < then / 100);
    assert!(kinds.iter().map(bytes).sum::<u64>() > then - then / 100);
    assert_eq!(process["verdict"]["level"], "benign");
    let text = process["verdict"]["text"].as_str().unwrap();
    assert!(text.contains("--disable-wasm-trap-handler"), "{text}");

    // Of the recording the same is known, and no part of it before it was looked at.
    let again = folder.path().join("again.json");
    let mut replay = tracer();
    replay.args(["report", recording.to_str().unwrap(), "--report"]);
    let output = replay.arg(&again).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(json(&again)["processes"][0]["before"], *before);
}

#[test]
fn a_worker_of_a_node_that_already_runs_is_attributed() {
    let folder = folder();
    let path = folder.path().join("report.json");
    let mut node = Target::start("node", &["-e", NODE]);
    let attached = Attached::to(node.pid(), &["--report", path.to_str().unwrap()]);
    node.act();
    let printed = attached.interrupt();
    assert!(printed.contains("attached"), "{printed}");

    let report = json(&path);
    let process = process(&report, u64::from(node.pid()));
    assert_eq!(process["ledger"]["difference_bytes"], 0);
    let gib = 1 << 30;
    assert!(
        !big_sites(process, 7 * gib, true).is_empty(),
        "no cage from before"
    );
    let after = big_sites(process, 7 * gib, false);
    let [cage] = after[..] else {
        panic!("not one new cage: {after:?}")
    };
    assert_eq!(cage["live"], 1);
    assert!(cage["touched_bytes"].as_u64().unwrap() < 1 << 20);
    let named = |frame: &Value| {
        let name = frame["function"].as_str().unwrap_or_default();
        name.contains("AllocateWasmMemory")
    };
    assert!(
        cage["frames"].as_array().unwrap().iter().any(named),
        "{cage}"
    );
}

#[test]
fn the_end_of_the_process_ends_the_trace() {
    let mut python = Target::start("python3", &["-c", PYTHON]);
    let mut attached = Attached::to(python.pid(), &[]);
    python.act();
    drop(python);
    let printed = attached.end();
    assert!(
        printed.contains("32.0 MiB") || printed.contains("32 MiB"),
        "{printed}"
    );
}

#[test]
fn the_time_ends_the_trace_of_a_process_that_does_nothing() {
    let python = Target::start("python3", &["-c", PYTHON]);
    let output = tracer()
        .args(["attach", "--duration", "300ms", "--pid"])
        .arg(python.pid().to_string())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(!output.stdout.is_empty());
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn nothing_stays_attached() {
    let python = Target::start("python3", &["-c", PYTHON]);
    let attached = Attached::to(python.pid(), &[]);
    let own = programs_of(attached.pid());
    assert!(own.len() > 10, "{own:?}");
    assert!(own.is_subset(&loaded_programs()));
    attached.interrupt();
    // The kernel frees programs a grace period after their last descriptor is closed.
    let limit = Instant::now() + Duration::from_secs(10);
    while !own.is_disjoint(&loaded_programs()) {
        assert!(Instant::now() < limit, "still loaded: {own:?}");
        std::thread::yield_now();
    }
}

/// The ids of the eBPF programs that a process holds descriptors of.
fn programs_of(pid: u32) -> BTreeSet<u32> {
    fs::read_dir(format!("/proc/{pid}/fdinfo"))
        .unwrap()
        .filter_map(|entry| fs::read_to_string(entry.unwrap().path()).ok())
        .filter_map(|info| {
            let line = info
                .lines()
                .find_map(|line| line.strip_prefix("prog_id:"))?;
            line.trim().parse().ok()
        })
        .collect()
}

fn loaded_programs() -> BTreeSet<u32> {
    aya::programs::loaded_programs()
        .filter_map(Result::ok)
        .map(|program| program.id())
        .collect()
}
