//! A Perfetto trace decodes by the schema that Perfetto publishes (in its Python package), and what its
//! counters end with is what the report has.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value as Json;
use tracer_analysis::summary::Report;
use tracer_report::export::perfetto;

use tracer_test_traces::kept::gateway;

/// Perfetto's own decoder, and what it is made with.
const PACKAGES: [&str; 2] = ["perfetto==0.59.1", "protobuf==6.33.0"];

/// Where the packages are; installed once, below `target`.
fn packages() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = target.join(PACKAGES.join("-"));
        if folder.is_dir() {
            return folder;
        }
        let begun = tempfile::tempdir_in(target).unwrap();
        let output = Command::new("python3")
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"])
            .arg(begun.path())
            .args(PACKAGES)
            .output()
            .expect("python3 is installed: cargo xtask test sees to it");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        // Whole or not there; another test may have been quicker.
        if std::fs::rename(begun.path(), &folder).is_err() {
            assert!(folder.is_dir(), "{} is not there", folder.display());
        }
        folder
    })
}

/// What the published schema makes of the trace: the end of each counter by process and name, the counts of events by
/// category, the clocks.
pub fn decoded(report: &Report) -> Json {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.pftrace");
    let mut out = Vec::new();
    perfetto::write(report, &mut out).unwrap();
    std::fs::write(&file, out).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats/decode.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(&file)
        .env("PYTHONPATH", packages())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn its_counters_end_with_what_the_report_has() {
    let trace = decoded(gateway());
    let processes = trace["processes"].as_array().unwrap();
    assert_eq!(processes.len(), gateway().processes.len());
    for (read, process) in processes.iter().zip(&gateway().processes) {
        assert_eq!(read["pid"], process.pid);
        assert_eq!(read["name"], process.comm.as_str());
        let counters = read["counters"].as_object().unwrap();
        let end = |name: &str| counters.get(name).and_then(Json::as_u64);
        assert_eq!(end("virtual"), Some(process.virtual_bytes.end));
        let touched = process.timeline.last().map(|point| point.touched_bytes);
        assert_eq!(end("touched"), touched);
        let resident = (process.samples > 0).then_some(process.resident_bytes.end);
        assert_eq!(end("resident"), resident);
        // The kinds are the rest, and together all that is mapped.
        let whole = ["virtual", "touched", "resident"];
        let kinds = counters
            .iter()
            .filter(|(name, _)| !whole.contains(&name.as_str()))
            .map(|(_, bytes)| bytes.as_u64().unwrap());
        let ends = process.sites.iter().map(|site| {
            let last = site.timeline.last();
            last.map_or(site.reserved_bytes, |point| point.reserved_bytes)
        });
        assert_eq!(kinds.sum::<u64>(), ends.sum::<u64>(), "{counters:?}");
    }
}

#[test]
fn each_call_site_is_told_once_at_its_first_call_with_its_figures() {
    let trace = decoded(gateway());
    let told = trace["sites"].as_array().unwrap();
    let called = gateway()
        .processes
        .iter()
        .flat_map(|process| &process.sites)
        .filter(|site| site.calls > 0);
    let start = gateway().started_monotonic_ns.unwrap();
    let mut count = 0;
    for (read, site) in told.iter().zip(called.clone()) {
        assert_eq!(read["time"], start + site.first_ns);
        assert_eq!(read["site"], site.id);
        assert_eq!(read["reserved"], site.reserved_bytes);
        assert_eq!(read["calls"], site.calls);
        let frames = read["stack"].as_array().unwrap().len();
        assert!(frames >= site.frames.len(), "{read}");
        count += 1;
    }
    assert_eq!((count, told.len()), (called.count(), told.len()));
    assert!(count > 500, "{count}");
}

#[test]
fn its_times_are_the_monotonic_clocks_and_the_time_of_day_is_known() {
    let trace = decoded(gateway());
    assert_eq!(trace["primary"], "BUILTIN_CLOCK_MONOTONIC");
    let started = gateway().started_monotonic_ns.unwrap();
    // 1 is CLOCK_REALTIME, 3 is CLOCK_MONOTONIC.
    let clocks = serde_json::json!({ "1": 1_795_455_992_084_000_000_u64, "3": started });
    assert_eq!(trace["clocks"], clocks);
    let verdicts = trace["verdicts"].as_array().unwrap();
    assert_eq!(verdicts.len(), gateway().processes.len());
    assert_eq!(
        verdicts[1]["headline"],
        gateway().processes[1].verdict.headline.as_str()
    );
}
