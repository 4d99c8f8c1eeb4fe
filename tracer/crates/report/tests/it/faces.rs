//! Every face of one recording says the same of what was refused.

use serde_json::Value;
use tracer_analysis::budget;
use tracer_analysis::diff::diff;
use tracer_analysis::refusals::words;
use tracer_analysis::summary::{Report, SCHEMA};
use tracer_analysis::units::bytes;
use tracer_report::budgets::github;
use tracer_report::budgets::text::{self as budgets, Look};
use tracer_report::export::{csv, pprof};
use tracer_report::leading::leading;
use tracer_report::selection::Selection;
use tracer_report::text::{Style, write};
use tracer_report::{html, json, markdown, text};
use tracer_test_traces::{case, refused};

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

/// The case, a leak beside it, a refusal: what the answer says stands on each face, in the same words.
#[test]
fn every_face_gives_the_same_answer() {
    for report in [
        case::report(false),
        case::report(true),
        refused::by_a_shell(),
    ] {
        let process = leading(&report)[0];
        let verdict = &process.verdict;
        let (level, headline) = (verdict.level.word(), verdict.headline.as_str());
        assert!(!headline.is_empty() && headline.chars().count() <= 160);
        assert!(!verdict.who.is_empty());

        let plain = unwrapped(&written(|out| {
            write(&report, &Style::default(), out).unwrap();
        }));
        let sure = text::answer::sure(verdict);
        // How sure it is stands below the level, where the headline needs two lines.
        let plain = plain.replacen(&format!(" {sure} "), " ", 1);
        let said = format!("{} {headline}", level.to_uppercase());
        assert!(plain.contains(&said), "{said}\n{plain}");

        let pasted = written(|out| markdown::write(&report, &Selection::default(), out).unwrap());
        let pasted = pasted.replace('\\', "");
        assert!(pasted.contains(&format!(": {}", level.to_uppercase())));
        assert!(pasted.contains(&format!("**{headline}**")), "{pasted}");

        let model = serde_json::to_value(&report).unwrap();
        let in_json = model["processes"].as_array().unwrap().iter();
        let mut in_json = in_json.map(|process| &process["verdict"]);
        let in_json = in_json.find(|verdict| verdict["headline"] == headline);
        assert_eq!(in_json.unwrap()["level"], level);

        let over = [budget::parse("level >= benign").unwrap()];
        let outcome = budget::check(&over, &report, None, Vec::new());
        let look = Look {
            width: 200,
            color: false,
            on_github: false,
        };
        let checked = written(|out| budgets::write(&outcome, &report, look, out).unwrap());
        let annotated = written(|out| github::annotations(&outcome, &report, out).unwrap());
        for text in [unwrapped(&checked), annotated.replace("%25", "%")] {
            assert!(text.contains(&format!("{level}; {headline}")), "{text}");
        }

        let page = written(|out| html::write(&report, out).unwrap());
        let in_page = &island(&page)["processes"][0]["verdict"];
        assert_eq!(in_page["level"], level);
        assert_eq!(in_page["headline"], headline);
        assert_eq!(in_page["sure"], sure);
        let of_model = serde_json::to_value(verdict).unwrap();
        for rows in ["who", "because", "change", "next"] {
            let in_page = in_page[rows].as_array().unwrap();
            let of_model = of_model[rows].as_array().unwrap();
            assert_eq!(in_page.len(), of_model.len());
            for (row, expected) in in_page.iter().zip(of_model) {
                let Some(fields) = expected.as_object() else {
                    assert_eq!(row, expected);
                    continue;
                };
                for (name, value) in fields {
                    assert_eq!(&row[name], value, "{rows}: {name}");
                }
            }
        }

        let compared = diff(&report, &report);
        let style = Style {
            selection: Selection {
                all: true,
                ..Selection::default()
            },
            ..Style::default()
        };
        let compared = written(|out| text::diff::write(&compared, &style, out).unwrap());
        let said = format!("new {} {headline}", level.to_uppercase());
        assert!(unwrapped(&compared).contains(&said), "{compared}");

        for one in &verdict.who {
            let size = bytes(one.bytes);
            for face in [&plain, &pasted] {
                assert!(face.contains(&one.site) && face.contains(&size), "{face}");
                assert!(face.contains(&one.name), "{face}");
            }
        }
        for one in &verdict.change {
            assert!(plain.contains(&one.knob) && pasted.contains(&format!("`{}`", one.knob)));
        }
    }
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
            text.contains(&format!("refused; {what}. 3.0 ms later SIGABRT.")),
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
