//! The report to be pasted, and what `--redact` leaves of a report.

use tracer_analysis::summary::{GroupUse, Harm, Next, Refused, Report, Reservation};
use tracer_report::selection::Selection;
use tracer_report::{markdown, redact};

use tracer_test_traces::case;

use tracer_test_traces::golden;

fn written(report: &Report) -> String {
    let mut out = Vec::new();
    markdown::write(report, &Selection::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_case_as_markdown() {
    golden::check("case.md", &written(&case::report(false)));
}

#[test]
fn names_that_a_process_chose_are_no_markup() {
    let mut report = case::report(false);
    let process = &mut report.processes[0];
    process.comm = "`@ann` <script>|\n# x".into();
    process.cmdline = vec!["a|b".into(), "```".into()];
    let written = written(&report);
    let heading = written.lines().next().unwrap();
    assert!(
        heading.starts_with("### `` `@ann` <script>|\\x0a# x ``: "),
        "{heading}"
    );
    assert!(
        written.contains("| command | ```` a\\|b ``` ```` |"),
        "{written}"
    );
}

/// Every string of a JSON value, keys left out.
fn strings(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => found.push(text.clone()),
        serde_json::Value::Array(values) => values.iter().for_each(|value| strings(value, found)),
        serde_json::Value::Object(map) => map.values().for_each(|value| strings(value, found)),
        _ => {}
    }
}

#[test]
fn a_redacted_report_has_no_folder_no_argument_and_no_host() {
    let mut report = case::report(true);
    report.host.name = "db-7.internal".into();
    let process = &mut report.processes[0];
    process.exe = "/opt/secret-place/server".into();
    process.cmdline = vec![
        "/opt/secret-place/server --key=k".into(),
        "--token=t0ken".into(),
    ];
    process.sites[0].name = "/var/secret-place/data file".into();
    process.sites[0].frames[0].module = Some("/opt/secret-place/lib.so".into());
    process.sites[0].frames[0].file = Some("file:///opt/secret-place/a.js".into());
    process.sites[0].frames[0].function = Some("RegExp:x /opt/secret-place/b.js:1:1".into());
    let mut pattern = tracer_analysis::summary::Pattern::default();
    pattern
        .evidence
        .push("named /var/secret-place/data file".into());
    process.sites[0].pattern = Some(pattern);
    let mut caller = process.sites[1].frames[0].clone();
    caller.function = Some("ask".into());
    caller.module = Some("/opt/secret-place/server".into());
    caller.file = Some("/opt/secret-place/src/ask.c".into());
    process.sites[1].frames = vec![caller];
    let by = "ask secret-place/src/ask.c".to_owned();
    process.verdict.text = format!("It was called by {by}.");
    for options in ["", "--js-names "] {
        process.verdict.next.push(Next {
            why: "who asked".into(),
            command: format!("tracer run {options}-- node --key t0ken"),
        });
    }
    process.sites[0].files.push("/var/secret-place/a.db".into());
    let group = GroupUse {
        path: "/secret-place/jobs".into(),
        ..GroupUse::default()
    };
    process.verdict.hurts.push(Harm {
        group: Some(group),
        ..Harm::default()
    });
    process.harm.clone_from(&process.verdict.hurts);
    process.refused.push(Refused {
        site: Some(process.sites[1].id),
        by: Some(by),
        ..Refused::default()
    });
    process.reservations.push(Reservation {
        name: "/var/secret-place/data file".into(),
        ..Reservation::default()
    });
    let hidden = ["secret-place", "t0ken", "--key", "db-7"];
    let text = |report: &Report| serde_json::to_string(report).unwrap();
    for word in hidden {
        assert!(
            text(&report).contains(word),
            "{word} is to be hidden and is not there"
        );
    }
    redact::report(&mut report);
    for word in hidden {
        assert!(
            !text(&report).contains(word),
            "{word} is in {}",
            text(&report)
        );
    }
    let mut found = Vec::new();
    strings(&serde_json::to_value(&report).unwrap(), &mut found);
    let paths: Vec<_> = found
        .iter()
        .filter(|text| text.contains(" /") || text.starts_with('/'))
        .collect();
    assert!(paths.is_empty(), "{paths:?}");
    let who = report.processes[0].refused[0].by.as_deref();
    assert_eq!(who, Some("ask …/ask.c"));
    // What it says of the memory is the same.
    let bytes = |report: &Report| report.processes[0].virtual_bytes;
    assert_eq!(bytes(&report), bytes(&case::report(true)));
}
