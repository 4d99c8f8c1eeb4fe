//! Figures of a report, by its JSON.

use tracer_analysis::summary::{Report, Site};
use tracer_report::export::samples::Value;

/// Every figure.
pub const VALUES: [Value; 6] = [
    Value::Reserved,
    Value::Accessible,
    Value::Touched,
    Value::Resident,
    Value::Calls,
    Value::Grown,
];

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
