//! Golden files of the text report.

use tracer::analysis::summary::Report;
use tracer::report::selection::{By, Selection, Sort};
use tracer::report::text::{Style, write};

use super::{case, golden};

fn text(report: &Report, style: &Style) -> String {
    let mut out = Vec::new();
    write(report, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn at_width(width: usize) -> Style {
    Style {
        width,
        ..Style::default()
    }
}

#[test]
fn the_case_with_a_leak_reads_well_at_every_width() {
    let report = case::report(true);
    for width in [60, 80, 100, 160] {
        let text = text(&report, &at_width(width));
        for line in text.lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
        golden::check(&format!("leak-{width}.txt"), &text);
    }
}

#[test]
fn the_case_itself_is_benign() {
    golden::check("case-100.txt", &text(&case::report(false), &at_width(100)));
}

#[test]
fn colours_mark_and_do_not_move_anything() {
    let report = case::report(true);
    let style = Style {
        color: true,
        ..at_width(100)
    };
    let colored = text(&report, &style);
    golden::check("leak-100-color.txt", &colored);
    let mut plain = String::new();
    let mut rest = colored.as_str();
    while let Some(at) = rest.find("\x1b[") {
        plain.push_str(&rest[..at]);
        rest = &rest[at + rest[at..].find('m').unwrap() + 1..];
    }
    plain.push_str(rest);
    assert_eq!(plain, text(&report, &at_width(100)));
}

#[test]
fn everything_by_thread_and_by_module() {
    let report = case::report(true);
    let style = |selection| Style {
        selection,
        ..at_width(100)
    };
    let all = Selection {
        all: true,
        sort: Sort::Calls,
        ..Selection::default()
    };
    golden::check("leak-all-by-calls.txt", &text(&report, &style(all)));
    for (by, name) in [(By::Thread, "thread"), (By::Module, "module")] {
        let selection = Selection {
            by,
            ..Selection::default()
        };
        let text = text(&report, &style(selection));
        golden::check(&format!("leak-by-{name}.txt"), &text);
    }
}
