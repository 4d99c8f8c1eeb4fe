//! `go tool pprof` reads a profile, and its totals are the report's.

use std::collections::HashMap;
use std::process::Command;

use tracer_analysis::summary::Report;
use tracer_report::export::{pprof, samples::Value};

use tracer_test_traces::kept::gateway;

use crate::figures::{sites, total};

/// What `go tool pprof` says of a profile of the report.
pub fn said(report: &Report, options: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.pb.gz");
    let mut out = Vec::new();
    pprof::write(report, &mut out).unwrap();
    std::fs::write(&file, out).unwrap();
    let output = Command::new("go")
        .args(["tool", "pprof"])
        .args(options)
        .arg(&file)
        .env("HOME", folder.path())
        .env("TZ", "UTC")
        .output()
        .expect("go is installed: cargo xtask test sees to it");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// The sample types of `-raw`, and the sum of each.
pub fn sums(raw: &str) -> HashMap<String, u64> {
    let (_, samples) = raw.split_once("Samples:\n").unwrap();
    let (samples, _) = samples.split_once("Locations\n").unwrap();
    let mut lines = samples.lines();
    let kinds: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    let mut sums: HashMap<String, u64> = HashMap::new();
    for line in lines {
        // Labels stand in lines of their own, without figures.
        let Some((figures, _)) = line.split_once(':') else {
            continue;
        };
        let figures: Vec<u64> = figures
            .split_whitespace()
            .map_while(|figure| figure.parse().ok())
            .collect();
        if figures.len() != kinds.len() {
            continue;
        }
        for (kind, figure) in kinds.iter().zip(figures) {
            *sums.entry((*kind).to_owned()).or_default() += figure;
        }
    }
    sums
}

#[test]
fn its_raw_samples_add_up_to_the_report() {
    let raw = said(gateway(), &["-raw"]);
    let expected = [
        ("reserved/bytes[dflt]", Value::Reserved),
        ("accessible/bytes", Value::Accessible),
        ("touched/bytes", Value::Touched),
        ("resident/bytes", Value::Resident),
        ("calls/count", Value::Calls),
    ];
    let expected = expected.map(|(kind, value)| (kind.to_owned(), total(gateway(), value)));
    assert_eq!(sums(&raw), HashMap::from(expected));
    let started = "Time: 2026-11-23 17:46:32.084 +0000 UTC";
    assert!(raw.contains(started), "{raw:.3000}");
}

#[test]
fn its_table_shows_the_total_and_who_reserved_it() {
    let top = said(gateway(), &["-top", "-unit=B", "-nodefraction=0"]);
    let total = total(gateway(), Value::Reserved);
    assert!(
        top.contains(&format!("Total samples = {total}B")),
        "{top:.2000}"
    );
    assert!(top.contains("File: node"), "{top:.2000}");
    // The sum of a process is what is under its own node.
    for process in &gateway().processes {
        let root = format!(" {} {}", process.comm, process.pid);
        let line = top.lines().find(|line| line.ends_with(&root));
        let cumulative = line.and_then(|line| line.split_whitespace().nth(3));
        let expected = format!("{}B", process.virtual_at_work().end);
        assert_eq!(cumulative, Some(expected.as_str()), "{root}");
    }
}

#[test]
fn its_labels_choose_processes_kinds_and_threads() {
    let of = |focus: &str| {
        let top = said(gateway(), &["-top", "-unit=B", focus]);
        let (_, rest) = top.split_once("accounting for ").unwrap();
        rest.split("B,").next().unwrap().parse::<u64>().unwrap()
    };
    let process = gateway()
        .processes
        .iter()
        .find(|process| process.pid == 9110)
        .unwrap();
    // Small nodes are dropped from what is shown, not from the total that it accounts for.
    let shown = of("-tagfocus=pid=9110");
    assert!(shown.abs_diff(process.virtual_at_work().end) < process.virtual_at_work().end / 100);
    let cages: u64 = sites(gateway())
        .filter(|site| {
            let pattern = site.pattern.as_ref();
            pattern.is_some_and(|pattern| pattern.id == "v8-wasm-memory")
        })
        .map(|site| site.reserved_bytes)
        .sum();
    assert_eq!(of("-tagfocus=pattern=v8-wasm-memory"), cages);
}
