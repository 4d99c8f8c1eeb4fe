//! The embedded reproducer keeps its own books; the report is held against them, byte for byte.

use std::process::Stdio;

use serde_json::Value;

use crate::command::{example, folder, json, process, sites_with, sum, tracer};

/// Runs the reproducer for 5 s under the tracer: its truth, and the report.
fn run() -> (Value, Value) {
    let folder = folder();
    let path = folder.path().join("report.json");
    let output = tracer()
        .args(["run", "--report"])
        .arg(&path)
        .arg("--")
        .arg(example("startup_growth"))
        .args(["--seconds", "5", "--added-cages", "2"])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let truth = serde_json::from_slice(&output.stdout).unwrap();
    (truth, json(&path))
}

#[test]
fn every_byte_and_every_call_site_is_what_the_program_says_of_itself() {
    let (truth, report) = run();
    assert_eq!(truth["agrees_with_kernel"], true, "the reproducer is wrong");
    let process = process(&report, truth["pid"].as_u64().unwrap());

    for group in truth["groups"].as_array().unwrap() {
        let function = group["function"].as_str().unwrap();
        let sites = sites_with(process, function);
        assert!(!sites.is_empty(), "no call site is named {function}");
        for (figure, own) in [
            ("reserved_bytes", "reserved_bytes"),
            ("accessible_bytes", "accessible_bytes"),
            ("touched_bytes", "touched_bytes"),
            ("charged_bytes", "charged_bytes"),
            ("released_bytes", "released_bytes"),
            ("live", "live"),
            ("calls", "reserving_calls"),
        ] {
            // What glibc does on its own behalf, the program cannot know.
            if let Some(expected) = group[own].as_u64() {
                assert_eq!(sum(&sites, figure), expected, "{figure} of {function}");
            }
        }
        for site in &sites {
            assert_eq!(site["stack"], "complete", "stack of {function}");
        }
        let ranges = living(process, &sites);
        for range in group["ranges"].as_array().unwrap() {
            assert!(
                ranges.contains(range),
                "{function}: {range} is not among {ranges:?}"
            );
        }
    }

    // Also those of the dynamic loader, from the first instruction on.
    for site in process["sites"].as_array().unwrap() {
        let made_here = site["calls"].as_u64() != Some(0);
        assert!(!made_here || site["stack"] == "complete", "{site}");
    }

    let end = truth["end"]["vm_size_bytes"].as_u64();
    assert_eq!(process["virtual_bytes"]["end"].as_u64(), end);
    assert_eq!(process["ledger"]["kernel_bytes"].as_u64(), end);
    assert_eq!(process["ledger"]["difference_bytes"], 0);
    assert_eq!(report["losses"]["events"], 0);
    assert_eq!(process["exit"]["code"], 0);
}

/// `[start, length]` of what lives of these sites; neighbours are one in the program's books.
fn living(process: &Value, sites: &[&Value]) -> Vec<Value> {
    let ids: Vec<_> = sites.iter().map(|site| &site["id"]).collect();
    let mut ranges: Vec<(u64, u64)> = process["reservations"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|reservation| ids.contains(&&reservation["site"]))
        .map(|reservation| {
            let start = reservation["start"].as_u64().unwrap();
            (start, start + reservation["length"].as_u64().unwrap())
        })
        .collect();
    ranges.sort_unstable();
    let as_value = |(start, end): (u64, u64)| Value::from(vec![start, end - start]);
    let mut all: Vec<_> = ranges.iter().copied().map(as_value).collect();
    // Joined as far as they touch, from each beginning.
    for (index, (start, end)) in ranges.iter().copied().enumerate() {
        let mut end = end;
        for (next, next_end) in &ranges[index + 1..] {
            if *next != end {
                break;
            }
            end = *next_end;
            all.push(as_value((start, end)));
        }
    }
    all
}
