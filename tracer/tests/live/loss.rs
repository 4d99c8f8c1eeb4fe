//! A ring too small for what happens: the loss is counted and shown, and the ledger comes back to the
//! kernel's truth.

use crate::{
    command::{Attached, folder, json, process},
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
