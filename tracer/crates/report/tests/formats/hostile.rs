//! Whatever a traced process calls itself, its files and its functions: the formats hold, and their totals.

use std::process::Command;

use tracer_analysis::summary::{Process, Report, Site};
use tracer_ledger::event::{FaultMode, Frame, FrameKind, StackQuality};
use tracer_report::export::{csv, samples::Value};

use crate::figures::{sites, total};
use crate::perfetto::decoded;
use crate::pprof::{said, sums};
use crate::totals::{attribute, drawn, folded_text, lines};

const NAMES: [&str; 14] = [
    "a;b;c",
    "x 5 7",
    "# comment",
    "line\nbreak 12\n",
    "\u{1b}[31m\u{1b}]0;title\u{7}",
    "]]></text><script>alert(1)</script>&amp;<!-- --",
    "\" onload=\"alert(1)",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd",
    "q\"u,o\"te\r\n",
    "\u{202e}txt.exe\u{2066}",
    "nul\u{0}byte \u{fffd}\u{ffff}\u{fffe}",
    " \t ",
    "",
];

fn frame(name: &str) -> Frame {
    Frame {
        function: Some(name.into()),
        module: Some(name.into()),
        file: Some(name.into()),
        line: Some(7),
        kind: FrameKind::Jit,
        ..Frame::default()
    }
}

fn site(id: u32, name: &str, frames: Vec<Frame>) -> Site {
    Site {
        id,
        frames,
        name: name.into(),
        stack: StackQuality::Broken,
        thread_names: vec![name.into()],
        pattern: Some(tracer_analysis::summary::Pattern {
            id: name.into(),
            name: name.into(),
            ..Default::default()
        }),
        pre_existing: id.is_multiple_of(3),
        calls: u64::from(id % 2),
        reserved_bytes: 4096 * u64::from(id),
        touched_bytes: Some(u64::from(id)),
        ..Site::default()
    }
}

fn report() -> Report {
    let long = "n".repeat(10_000);
    let process = |(index, name): (usize, &str)| {
        let id = u32::try_from(index * 10).unwrap();
        let frames: Vec<Frame> = NAMES.iter().map(|name| frame(name)).collect();
        Process {
            pid: id + 1,
            comm: name.into(),
            exe: name.into(),
            cmdline: vec![name.into()],
            sites: vec![
                site(id + 1, name, vec![frame(name)]),
                site(id + 2, name, frames.into_iter().rev().collect()),
                site(id + 3, name, vec![]),
                site(id + 4, name, vec![]),
            ],
            ..Process::default()
        }
    };
    let mut processes: Vec<Process> = NAMES.into_iter().enumerate().map(process).collect();
    let deep = (0..10_000).map(|_| frame("deep")).collect();
    processes[0]
        .sites
        .push(site(9_001, &long, vec![frame(&long)]));
    processes[0].sites.push(site(9_002, "deep", deep));
    Report {
        faults: Some(FaultMode::Each),
        processes,
        ..Report::default()
    }
}

#[test]
fn a_folded_stack_is_one_line_with_one_figure() {
    let report = report();
    let text = folded_text(&report, Value::Reserved);
    let sum: u64 = lines(&text).iter().map(|(_, figure)| figure).sum();
    assert_eq!(sum, total(&report, Value::Reserved));
    for (stack, _) in lines(&text) {
        assert!(!stack.starts_with('#'), "{stack:.80}");
        assert!(!stack.contains(char::is_control), "{stack:.80}");
        let last = stack.rsplit(' ').next().unwrap();
        assert!(last == stack || last.parse::<f64>().is_err(), "{stack:.80}");
        assert!(stack.split(';').all(|frame| !frame.trim().is_empty()));
    }
    let deepest = lines(&text)
        .iter()
        .map(|(stack, _)| stack.split(';').count())
        .max();
    // The process, that it is broken, and the frames.
    assert_eq!(deepest, Some(10_002));
}

#[test]
fn a_flame_graph_is_xml_without_code_of_theirs() {
    let report = report();
    let svg = drawn(&report, Value::Reserved);
    assert_eq!(
        attribute(&svg, "total_samples"),
        total(&report, Value::Reserved)
    );
    assert_eq!(svg.matches("<script").count(), 1, "inferno's own");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.svg");
    std::fs::write(&file, svg).unwrap();
    let program = "import sys, xml.etree.ElementTree as E\n\
                   for one in E.parse(sys.argv[1]).iter():\n    \
                       assert not any(\"alert\" in value for value in one.attrib.values()), one.attrib";
    let output = Command::new("python3")
        .args(["-c", program])
        .arg(&file)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}

#[test]
fn a_table_keeps_its_columns_and_has_no_formula() {
    let report = report();
    let mut out = Vec::new();
    csv::write(&report, &mut out).unwrap();
    let mut table = ::csv::Reader::from_reader(out.as_slice());
    // A row of another length is an error.
    let rows: Vec<_> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), sites(&report).count());
    for cell in rows.iter().flat_map(::csv::StringRecord::iter) {
        assert!(!cell.contains(char::is_control), "{cell:.80}");
        assert!(!cell.trim().starts_with(['=', '+', '-', '@']), "{cell:.80}");
    }
}

#[test]
fn pprof_reads_it() {
    let report = report();
    let raw = said(&report, &["-raw"]);
    assert_eq!(
        sums(&raw)["reserved/bytes[dflt]"],
        total(&report, Value::Reserved)
    );
    assert!(!raw.contains('\u{1b}'));
}

#[test]
fn perfettos_schema_reads_it() {
    let report = report();
    let trace = decoded(&report);
    let processes = trace["processes"].as_array().unwrap();
    for (read, process) in processes.iter().zip(&report.processes) {
        let counters = read["counters"].as_object().unwrap();
        let kinds = counters
            .iter()
            .filter(|(name, _)| !["virtual", "touched"].contains(&name.as_str()));
        let sum: u64 = kinds.map(|(_, bytes)| bytes.as_u64().unwrap()).sum();
        let sites = process.sites.iter().map(|site| site.reserved_bytes);
        assert_eq!(sum, sites.sum::<u64>());
    }
}
