//! A ring too small for what happens: the loss is counted and shown, and the ledger comes back to the
//! kernel's truth.

use tracer_ledger::event::{Action, Event};
use tracer_recording::Reader;

use crate::{
    command::{Attached, example, folder, json, process},
    target::Target,
};

/// Maps and unmaps as fast as it can until it is told to act; then makes one map more and rests.
const CHURN: &str = "
import mmap, sys, threading
kept = []
stop = False
def work():
    n = 0
    while not stop:
        m = mmap.mmap(-1, 65536)
        n += 1
        if n % 1000 == 0:
            kept.append(m)
thread = threading.Thread(target=work)
thread.start()
print('ready', flush=True)
sys.stdin.readline()
stop = True
thread.join()
kept.append(mmap.mmap(-1, 1 << 20))
print('done', flush=True)
sys.stdin.readline()
";

#[test]
fn a_loss_is_told_and_mended() {
    let folder = folder();
    let path = folder.path().join("report.json");
    let mut python = Target::start("python3", &["-c", CHURN]);
    let options = ["--ring-size", "8KiB", "--report", path.to_str().unwrap()];
    let mut attached = Attached::to(python.pid(), &options);
    attached.wait_until_it_says("lost");
    python.act();
    attached.interrupt();

    let report = json(&path);
    let losses = &report["losses"];
    assert!(losses["events"].as_u64().unwrap() > 0, "{losses}");
    assert!(losses["resyncs"].as_u64().unwrap() > 0, "{losses}");
    assert!(losses["since_ns"].is_u64(), "{losses}");
    let process = process(&report, u64::from(python.pid()));
    assert_eq!(process["ledger"]["difference_bytes"], 0);
    assert_eq!(process["virtual_bytes"]["end"], python.vm_size());
}

/// Mappings that each of the threads makes and unmaps again.
const PAIRS: u64 = 20_000;
const THREADS: u64 = 3;
/// Bytes of each (`examples/churn.rs`).
const LENGTH: u64 = 5 * 4096;

#[test]
fn what_came_and_what_was_lost_is_what_was_made() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let churn = example("churn");
    let arguments = [THREADS.to_string(), PAIRS.to_string()];
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let mut churn = Target::start(churn.to_str().unwrap(), &arguments);
    let (recording, report) = (path("trace.vmt"), path("report.json"));
    let attached = Attached::to(
        churn.pid(),
        &[
            "--faults",
            "off",
            "--ring-size",
            "16KiB",
            "-o",
            recording.to_str().unwrap(),
            "--report",
            report.to_str().unwrap(),
        ],
    );
    churn.act();
    attached.interrupt();

    let mut came = 0;
    let mut reader = Reader::open(&recording).unwrap();
    while let Some(event) = reader.read().unwrap() {
        if let Event::Call(call) = event
            && matches!(
                call.action,
                Action::Map { length: LENGTH, .. }
                    | Action::Unmap { length: LENGTH, .. }
                    | Action::Protect { length: 4096, .. }
            )
        {
            came += 1;
        }
    }
    let report = json(&report);
    let losses = &report["losses"];
    let lost = losses["events"].as_u64().unwrap();
    assert!(lost > 0, "the ring was large enough");
    // Those that came too late are counted among the lost, and are not in the recording.
    let made = 3 * PAIRS * THREADS;
    assert_eq!(came + lost, made, "{came} came, {losses}");
    let process = process(&report, u64::from(churn.pid()));
    assert_eq!(process["ledger"]["difference_bytes"], 0);
    assert_eq!(process["virtual_bytes"]["end"], churn.vm_size());
}
