//! What grew and what went, by stack: both sides add up to the reports compared.

use tracer_analysis::diff::{diff, model::Diff};
use tracer_analysis::window::Window;
use tracer_report::export::{differential, samples::Value};

use tracer_test_traces::kept::{gateway, read};

use crate::figures::total;
use crate::totals::attribute;

fn folded(diff: &Diff, value: Value) -> Vec<(String, u64, u64)> {
    let mut out = Vec::new();
    differential::write_folded(diff, value, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    text.lines()
        .map(|line| {
            let mut parts = line.rsplitn(3, ' ');
            let new = parts.next().unwrap().parse().unwrap();
            let old = parts.next().unwrap().parse().unwrap();
            (parts.next().unwrap().to_owned(), old, new)
        })
        .collect()
}

#[test]
fn both_columns_add_up_and_the_graph_is_as_wide_as_the_later_trace() {
    let knob = read("openclaw-knob.vmt", Window::default());
    let diff = diff(gateway(), &knob);
    for value in [Value::Reserved, Value::Accessible, Value::Calls] {
        let lines = folded(&diff, value);
        let old: u64 = lines.iter().map(|(_, old, _)| old).sum();
        let new: u64 = lines.iter().map(|(_, _, new)| new).sum();
        assert_eq!(
            (old, new),
            (total(gateway(), value), total(&knob, value)),
            "{value:?}"
        );
        let mut out = Vec::new();
        differential::write_flamegraph(&diff, value, &mut out).unwrap();
        let svg = String::from_utf8(out).unwrap();
        assert_eq!(attribute(&svg, "total_samples"), new, "{value:?}");
    }
    // The cages have become smaller: their stacks are there with both figures.
    let cages = folded(&diff, Value::Reserved)
        .into_iter()
        .filter(|(_, old, new)| *old > 9 << 30 && *new < 5 << 30 && *new > 0);
    assert_eq!(cages.count(), 2);
}

#[test]
fn of_a_figure_that_is_not_known_of_both_nothing_is_drawn() {
    let mut other = gateway().clone();
    for process in &mut other.processes {
        for site in &mut process.sites {
            site.touched_bytes = None;
        }
    }
    let diff = diff(gateway(), &other);
    let error = differential::write_folded(&diff, Value::Touched, &mut Vec::new()).unwrap_err();
    assert!(
        error.to_string().starts_with("touched is unknown"),
        "{error}"
    );
}
