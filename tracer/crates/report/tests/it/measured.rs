//! What was not all measured is said at the head of its process, on every face.

use tracer_report::selection::Selection;
use tracer_report::text::Style;
use tracer_report::{html, markdown, text};

use tracer_test_traces::case;

const WHY: &str = "it makes 32-bit system calls, which are not traced";

/// Text, Markdown, page.
fn faces(measured: bool) -> [String; 3] {
    let mut report = case::report(true);
    if !measured {
        let process = &mut report.processes[0];
        (process.measured, process.why) = (false, Some(WHY.into()));
    }
    let mut out = [Vec::new(), Vec::new(), Vec::new()];
    let style = Style {
        width: 200,
        ..Style::default()
    };
    text::write(&report, &style, &mut out[0]).unwrap();
    markdown::write(&report, &Selection::default(), &mut out[1]).unwrap();
    html::write(&report, &mut out[2]).unwrap();
    out.map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn what_was_not_measured_stands_before_the_verdict() {
    let verdict = case::report(true).processes[0].verdict.headline.clone();
    let begin = &verdict[..20];
    let [text, markdown, page] = faces(false);
    for (face, said) in [
        (&text, format!("Measured  NOT IN FULL: {WHY}.")),
        (&markdown, format!("> **Not measured in full:** {WHY}.")),
    ] {
        let said = face.find(&said).unwrap_or_else(|| panic!("{face}"));
        assert!(said < face.find(begin).unwrap(), "{face}");
    }
    assert!(page.contains(&format!("\"unmeasured\":\"{WHY}\"")));
    for face in faces(true) {
        assert!(!face.contains(WHY));
        assert!(!face.to_lowercase().contains("> **not measured"));
    }
}
