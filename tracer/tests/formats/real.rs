//! The kept recordings: a gateway on Node, and the same with its knob turned.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tracer::analysis::summary::{Report, Site};
use tracer::analysis::window::Window;
use tracer::report::export::samples::Value;
use tracer::session::{known, replay::replay};

/// Every figure.
pub const VALUES: [Value; 6] = [
    Value::Reserved,
    Value::Accessible,
    Value::Touched,
    Value::Resident,
    Value::Calls,
    Value::Grown,
];

pub fn recording(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

pub fn read(name: &str, window: Window) -> Report {
    let patterns = known::with(&[]).unwrap();
    replay(&recording(name), patterns, window, &|_| ())
        .unwrap()
        .0
}

/// The gateway.
pub fn gateway() -> &'static Report {
    static REPORT: OnceLock<Report> = OnceLock::new();
    REPORT.get_or_init(|| read("openclaw.vmt", Window::default()))
}

/// A total by the JSON report: the sum over all sites of which the figure is known.
pub fn total(report: &Report, value: Value) -> u64 {
    let json = serde_json::to_value(report).unwrap();
    let key = match value {
        Value::Reserved | Value::Grown => "reserved_bytes",
        Value::Accessible => "accessible_bytes",
        Value::Touched => "touched_bytes",
        Value::Resident => "resident_bytes",
        Value::Calls => "calls",
    };
    let mut total = 0;
    for process in json["processes"].as_array().unwrap() {
        for site in process["sites"].as_array().unwrap() {
            if value == Value::Grown && site["pre_existing"] == true {
                continue;
            }
            total += site[key].as_u64().unwrap_or(0);
        }
    }
    total
}

/// Every site of every process.
pub fn sites(report: &Report) -> impl Iterator<Item = &Site> {
    report.processes.iter().flat_map(|process| &process.sites)
}
