//! Every face of one recording says the same of what was refused.

use serde_json::Value;
use tracer_analysis::budget;
use tracer_analysis::diff::diff;
use tracer_analysis::refusals::words;
use tracer_analysis::summary::{Report, SCHEMA};
use tracer_report::budgets::github;
use tracer_report::budgets::text::{self as budgets, Look};
use tracer_report::export::{csv, pprof};
use tracer_report::selection::Selection;
use tracer_report::text::{Style, write};
use tracer_report::{html, json, markdown};
use tracer_test_traces::refused;

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

/// Lines that were wrapped, as one.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The data in the page.
fn island(page: &str) -> Value {
    let (_, rest) = page
        .split_once("<script type=\"application/json\" id=\"data\">")
        .unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn every_face_says_the_same_level_and_the_same_refused_figures() {
    let report = refused::by_a_shell();
    let process = &report.processes[1];
    let row = &process.refused[0];
    let what = "mmap of 64.0 GiB failed (ENOMEM): RLIMIT_AS is 8.0 GiB, 10 MiB used";
    let by = "main refused.c:4";
    assert_eq!(words::what(row), what);

    let plain = written(|out| write(&report, &Style::default(), out).unwrap());
    let one_line = unwrapped(&plain);
    assert!(plain.starts_with("refused · pid 700"), "{plain}");
    assert!(
        one_line.contains(&format!("REFUSED {what}. 3.0 ms later SIGABRT.")),
        "{plain}"
    );
    assert!(
        one_line.contains(&format!("Refused {what} {by}")),
        "{plain}"
    );

    let pasted = written(|out| markdown::write(&report, &Selection::default(), out).unwrap());
    assert!(
        pasted.starts_with("### `refused`: REFUSED, 100 % sure"),
        "{pasted}"
    );
    let unescaped = pasted.replace('\\', "");
    assert!(unescaped.contains(&format!("| {what} | {by}")), "{pasted}");

    let model: Value =
        serde_json::from_str(&written(|out| json::write(&report, out).unwrap())).unwrap();
    assert_eq!(model["schema"], SCHEMA);
    let in_json = &model["processes"][1];
    assert_eq!(in_json["verdict"]["level"], "refused");
    assert_eq!(in_json["refused"][0]["requested_bytes"], 64_u64 << 30);
    assert_eq!(in_json["refused"][0]["cause"], "rlimit-as");
    assert_eq!(in_json["refused"][0]["by"], by);

    let page = written(|out| html::write(&report, out).unwrap());
    let first = &island(&page)["processes"][0];
    assert_eq!(first["verdict"]["level"], "refused");
    assert_eq!(first["refused"][0]["what"], what);
    assert_eq!(first["refused"][0]["parts"][0], by);
    assert_eq!(first["refused"][0]["count"], 1);

    let failing = [
        "level >= refused",
        "refused > 0",
        "site(\"refused.c:4\").refused > 0",
    ];
    let failing = failing.map(|text| budget::parse(text).unwrap());
    let outcome = budget::check(&failing, &report, None, Vec::new());
    for judged in &outcome.budgets {
        assert_eq!(
            judged.state,
            budget::model::State::Over,
            "{}",
            judged.expression
        );
    }
    let look = Look {
        width: 200,
        color: false,
        on_github: false,
    };
    let checked = written(|out| budgets::write(&outcome, &report, look, out).unwrap());
    let annotated = written(|out| github::annotations(&outcome, &report, out).unwrap());
    for text in [&unwrapped(&checked), &annotated] {
        assert!(
            text.contains(&format!("refused; {what}, by {by}")),
            "{text}"
        );
    }

    let before = Report::default();
    let compared = diff(&before, &report);
    assert!(
        compared
            .text
            .starts_with(&format!("Refused now: {what}, by {by}. "))
    );

    let table = written(|out| csv::write(&report, out).unwrap());
    let counts = table.lines().skip(1).filter(|line| line.ends_with(",1"));
    assert_eq!(counts.count(), 1, "{table}");
    let mut profile = Vec::new();
    pprof::write(&report, &mut profile).unwrap();
}
