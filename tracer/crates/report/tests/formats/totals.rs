//! Every total of every format of text is the same number as the report's.

use tracer_analysis::summary::Report;
use tracer_analysis::window::Window;
use tracer_report::export::samples::Value;
use tracer_report::export::{csv, flamegraph, folded};

use tracer_test_traces::kept::{gateway, read};

use crate::figures::{VALUES, sites, total};

pub fn folded_text(report: &Report, value: Value) -> String {
    let mut out = Vec::new();
    folded::write(report, value, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

pub fn drawn(report: &Report, value: Value) -> String {
    let mut out = Vec::new();
    flamegraph::write(report, value, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Stacks and figures.
pub fn lines(text: &str) -> Vec<(&str, u64)> {
    let lines = text.lines();
    lines
        .map(|line| {
            let (stack, figure) = line.rsplit_once(' ').unwrap();
            (stack, figure.parse().unwrap())
        })
        .collect()
}

/// The number in the attribute of that name.
pub fn attribute(svg: &str, name: &str) -> u64 {
    let (_, rest) = svg.split_once(&format!("{name}=\"")).unwrap();
    rest.split('"').next().unwrap().parse().unwrap()
}

#[test]
fn the_sites_of_the_report_are_all_that_was_mapped_while_it_worked() {
    for process in &gateway().processes {
        let sites = process.sites.iter().map(|site| site.reserved_bytes);
        assert_eq!(
            sites.sum::<u64>(),
            process.virtual_at_work().end,
            "{}",
            process.pid
        );
    }
    assert!(total(gateway(), Value::Reserved) > 20 << 30);
}

#[test]
fn folded_stacks_add_up_to_the_report() {
    for value in VALUES {
        let text = folded_text(gateway(), value);
        let sum: u64 = lines(&text).iter().map(|(_, figure)| figure).sum();
        assert_eq!(sum, total(gateway(), value), "{value:?}");
        let stacks: Vec<&str> = lines(&text).iter().map(|(stack, _)| *stack).collect();
        assert!(stacks.is_sorted_by(|one, other| one < other), "{value:?}");
    }
}

#[test]
fn under_each_process_is_what_it_has() {
    let text = folded_text(gateway(), Value::Reserved);
    for process in &gateway().processes {
        let root = format!("{} {};", process.comm, process.pid);
        let own = lines(&text)
            .into_iter()
            .filter(|(stack, _)| stack.starts_with(&root));
        let sum: u64 = own.map(|(_, figure)| figure).sum();
        assert_eq!(sum, process.virtual_at_work().end, "{root}");
    }
}

#[test]
fn what_grew_is_what_the_verdicts_call_grown() {
    let grown = gateway()
        .processes
        .iter()
        .map(|process| process.verdict.grown_bytes);
    assert_eq!(grown.sum::<u64>(), total(gateway(), Value::Grown));
}

#[test]
fn a_flame_graph_is_as_wide_as_the_report_and_says_so_at_its_root() {
    for value in VALUES {
        let svg = drawn(gateway(), value);
        let total = total(gateway(), value);
        assert_eq!(attribute(&svg, "total_samples"), total, "{value:?}");
        let (_, root) = svg.split_once("<title>all (").unwrap();
        let (figure, unit) = root.split_once(' ').unwrap();
        let figure: String = figure.chars().filter(char::is_ascii_digit).collect();
        assert_eq!(figure.parse(), Ok(total), "{value:?}");
        assert!(unit.starts_with(value.unit()), "{unit:.20}");
    }
}

#[test]
fn a_flame_graph_is_the_same_each_time() {
    let draw = || drawn(gateway(), Value::Reserved);
    assert!(draw() == draw());
}

#[test]
fn of_a_window_what_was_brought_in_it_is_what_grew() {
    let window = Window {
        from_ns: 10_000_000_000,
        to_ns: 20_000_000_000,
    };
    let report = read("openclaw.vmt", window);
    let inside = sites(&report).map(|site| site.window.unwrap().inside_outside_bytes);
    let inside: u64 = inside.sum();
    // The two cages come within it.
    assert!(inside > 20 << 30, "{inside}");
    let text = folded_text(&report, Value::Grown);
    let sum: u64 = lines(&text).iter().map(|(_, figure)| figure).sum();
    assert_eq!(sum, inside);
}

#[test]
fn a_table_has_a_row_a_site_and_its_columns_add_up_to_the_report() {
    let mut out = Vec::new();
    csv::write(gateway(), &mut out).unwrap();
    let mut table = ::csv::Reader::from_reader(out.as_slice());
    let header = table.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|cell| cell == name).unwrap();
    let rows: Vec<_> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), sites(gateway()).count());
    for (value, name) in [
        (Value::Reserved, "reserved_bytes"),
        (Value::Accessible, "accessible_bytes"),
        (Value::Touched, "touched_bytes"),
        (Value::Resident, "resident_bytes"),
        (Value::Calls, "calls"),
        (Value::Grown, "grown_bytes"),
    ] {
        let cells = rows.iter().map(|row| &row[column(name)]);
        let known = cells.clone().filter(|cell| !cell.is_empty());
        let sum: u64 = known.map(|cell| cell.parse::<u64>().unwrap()).sum();
        assert_eq!(sum, total(gateway(), value), "{name}");
        // What is not known is an empty cell.
        let empty = cells.filter(|cell| cell.is_empty()).count();
        let unknown = sites(gateway()).filter(|site| value.of(site).is_none());
        assert_eq!(empty, unknown.count(), "{name}");
    }
}
