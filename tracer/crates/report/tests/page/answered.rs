//! The first screen: the answer, and the curve of what it is about.

use serde_json::json;
use tracer_analysis::summary::{Process, Report, Span};
use tracer_analysis::units::bytes;
use tracer_report::leading::leading;
use tracer_report::text::answer::sure;
use tracer_test_traces::case;

use super::browser::Browser;
use super::figures::column;
use super::made::{gateway, page_of};

fn open(report: &Report) -> Browser {
    let folder = tempfile::tempdir().unwrap();
    let (page, _) = page_of(report, folder.path());
    let mut browser = Browser::start(1440, 900);
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        json!({ "width": 1440, "height": 900, "deviceScaleFactor": 1, "mobile": false }),
    );
    browser.open(&page);
    browser
}

/// Something of what the curve shows.
fn curve(browser: &mut Browser, what: &str) -> serde_json::Value {
    browser.eval(&format!(
        "(() => {{ const option = echarts.getInstanceByDom(document.querySelector('#timeline-canvas')).getOption(); \
         return {what}; }})()"
    ))
}

/// Names and greatest values of its lines.
fn lines(browser: &mut Browser) -> Vec<(String, u64)> {
    let most = "option.series.map((one) => [one.name, Math.max(0, ...one.data.map((point) => point[1] ?? 0))])";
    serde_json::from_value(curve(browser, most)).unwrap()
}

#[test]
fn the_first_screen_has_the_whole_answer_and_its_curve() {
    for report in [
        case::report(false),
        case::report(true),
        gateway().report.clone(),
    ] {
        let verdict = &leading(&report)[0].verdict;
        let mut browser = open(&report);
        assert_eq!(browser.text("h1 .badge"), verdict.level.word());
        assert_eq!(browser.text("#headline"), verdict.headline);
        assert_eq!(browser.text("h1 .sure"), sure(verdict));
        let who = browser.text("[data-row=who]");
        for one in &verdict.who {
            for part in [&one.site, &one.name, &bytes(one.bytes)] {
                assert!(who.contains(part.as_str()), "{part}: {who}");
            }
        }
        let because = browser.text("[data-row=because]");
        assert_eq!(because, verdict.because.join(" "));
        for one in &verdict.change {
            let change = browser.text("[data-row=change]");
            assert!(change.contains(&one.knob), "{change}");
            let lines = "document.querySelector('.word').getClientRects().length";
            assert_eq!(browser.eval(lines), 1, "one word to copy");
        }
        for one in &verdict.next {
            let next = browser.text("[data-row=next]");
            assert!(next.contains(&one.command), "{next}");
        }
        for part in ["#headline", ".answer", "#timeline-canvas"] {
            let bottom = browser.eval(&format!(
                "document.querySelector('{part}').getBoundingClientRect().bottom"
            ));
            assert!(bottom.as_f64().unwrap() < 900.0, "{part}: {bottom}");
        }
        browser.is_quiet();
    }
}

#[test]
fn of_a_leak_the_curve_is_its_sites_and_of_what_is_benign_the_processes() {
    let report = case::report(true);
    let process = leading(&report)[0];
    let who = &process.verdict.who[0];
    let site = process.sites.iter().find(|site| site.key == who.site);
    let course = site.unwrap().timeline.iter();
    let most = course.map(|point| point.reserved_bytes).max().unwrap();
    assert!(process.virtual_bytes.peak > 100 * most);
    let mut browser = open(&report);
    let view = "document.querySelector('#stack-by').value";
    assert_eq!(browser.eval(view), "about");
    assert_eq!(
        lines(&mut browser)[0],
        (format!("{}: mapped", who.name), most)
    );
    let top = curve(&mut browser, "option.yAxis[0].max");
    assert!(
        top.as_u64().unwrap() <= 2 * most,
        "to its own scale: {top} {most}"
    );
    browser.choose("#stack-by", "lines");
    assert_eq!(lines(&mut browser)[0].0, "virtual");
    browser.is_quiet();

    let mut browser = open(&gateway().report);
    assert_eq!(browser.eval(view), "lines");
    let steps = "option.series.find((one) => one.name === 'steps').data.map((point) => point.label.formatter()).join()";
    let told = curve(&mut browser, steps).to_string();
    for one in &gateway().biggest().verdict.who {
        assert!(told.contains(&one.site), "{told}");
    }
    browser.is_quiet();
}

/// Processes of two programs, none much larger than another.
fn many() -> Report {
    let mut report = gateway().report.clone();
    let first = leading(&report)[0].clone();
    let processes = (0..40).map(|n| Process {
        pid: 100 + n,
        comm: format!("cc{}", n % 2),
        cmdline: vec!["cc".into(), format!("file-{n}.c")],
        virtual_bytes: Span {
            peak: (100 - u64::from(n)) << 20,
            ..first.virtual_bytes
        },
        working: None,
        sites: Vec::new(),
        reservations: Vec::new(),
        ..first.clone()
    });
    report.processes = processes.collect();
    report
}

#[test]
fn of_many_processes_a_table_comes_first_and_leads_to_each() {
    let report = many();
    let mut browser = open(&report);
    let first = "document.querySelector('#main section').id";
    assert_eq!(browser.eval(first), "processes");
    assert_eq!(
        column(&mut browser, "processes", "together"),
        ["20", "20"],
        "by program"
    );
    let head = "document.querySelector(\"#processes th button[data-column='peak']\").click()";
    browser.eval(head);
    browser.eval(head);
    let peaks = [99_u64 << 20, 100 << 20].map(|peak| peak.to_string());
    assert_eq!(column(&mut browser, "processes", "peak"), peaks);

    browser.choose("#processes-by", "process");
    let said = column(&mut browser, "processes", "headline");
    assert_eq!(said[0], report.processes[0].verdict.headline);
    let search = |browser: &mut Browser, text: &str| {
        browser.eval(&format!(
            "(() => {{ const one = document.querySelector('#processes .search'); one.value = '{text}'; \
             one.dispatchEvent(new Event('input')); }})()"
        ));
    };
    search(&mut browser, "file-37.c");
    assert_eq!(column(&mut browser, "processes", "pid"), ["137"]);
    browser.eval("document.querySelector('#processes tbody tr').click()");
    let about = browser.text("#verdict .identity");
    assert!(about.contains("pid 137"), "{about}");
    assert_eq!(
        browser.eval("document.querySelector('#process').value"),
        "37"
    );
    search(&mut browser, "nowhere");
    let said = browser.text("#processes tbody");
    assert_eq!(said, "nothing found of “nowhere”");
    browser.is_quiet();

    // Of few the one that the report is about is told first.
    let mut browser = open(&gateway().report);
    assert_eq!(browser.eval(first), "verdict");
    browser.is_quiet();
}
