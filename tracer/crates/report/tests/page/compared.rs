//! The page of a comparison: its figures are the JSON comparison's, and both courses are drawn.

use std::fs::File;

use tracer_analysis::diff::{
    diff as compare,
    model::{Diff, Matched},
};
use tracer_analysis::units::{count, signed_bytes};
use tracer_report::html;
use tracer_test_traces::kept;

use super::browser::Browser;
use super::figures::{column, show_all};

#[test]
fn a_comparison_shows_what_its_json_says_and_both_courses() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("diff.html");
    let sides = (kept::gateway(), kept::with_its_knob());
    let diff: Diff = compare(sides.0, sides.1);
    html::write_diff(&diff, sides, &mut File::create(&page).unwrap()).unwrap();
    let mut browser = Browser::start(1280, 1000);
    browser.open(&page);
    assert_eq!(browser.text("#verdict-text"), diff.text);
    // One table; a change that says nothing is not red.
    let red = browser.eval(
        "[...document.querySelectorAll('#kinds .up')].map((one) => Number(one.dataset.bytes))",
    );
    let red: Vec<u64> = serde_json::from_value(red).unwrap();
    assert!(
        !red.is_empty() && red.iter().all(|bytes| *bytes > 100 << 20),
        "{red:?}"
    );
    let change = browser.text("#diff-virtual");
    assert!(
        change.ends_with(&signed_bytes(diff.virtual_bytes.change.unwrap())),
        "{change}"
    );
    for (index, process) in diff.processes.iter().enumerate().take(4) {
        browser.choose("#process", &index.to_string());
        show_all(&mut browser, "sites");
        let mut sites: Vec<_> = process.sites.iter().collect();
        sites.sort_by_key(|site| std::cmp::Reverse(site.figures.reserved_bytes.size()));
        let text =
            |value: Option<i128>| value.map_or_else(|| "?".into(), |value| value.to_string());
        let expected: Vec<[String; 4]> = sites
            .iter()
            .map(|site| {
                let reserved = site.figures.reserved_bytes;
                let mark = match site.matched {
                    Matched::Exact => "",
                    Matched::Similar => "≈",
                    Matched::OnlyOld => "−",
                    Matched::OnlyNew => "+",
                };
                [
                    text(reserved.old.map(Into::into)),
                    text(reserved.new.map(Into::into)),
                    text(reserved.change.map(Into::into)),
                    mark.into(),
                ]
            })
            .collect();
        for (place, name) in [
            "reserved_bytes-old",
            "reserved_bytes-new",
            "reserved_bytes-change",
            "mark",
        ]
        .iter()
        .enumerate()
        {
            let shown = column(&mut browser, "sites", name);
            let expected: Vec<&String> = expected.iter().map(|row| &row[place]).collect();
            assert_eq!(shown.iter().collect::<Vec<_>>(), expected, "{name}");
        }
        let matched = browser.text("#pair-head");
        assert!(
            matched.contains(&format!(
                "{} matched by all frames",
                count(process.matches.exact)
            )),
            "{matched}"
        );
        let names = browser.eval(
            "echarts.getInstanceByDom(document.querySelector('#diff-canvas')).getOption().series.map((one) => one.name)",
        );
        let names: Vec<String> = serde_json::from_value(names).unwrap();
        for (side, there) in [("old", process.old_pid), ("new", process.new_pid)] {
            assert_eq!(names.contains(&format!("virtual, {side}")), there.is_some());
        }
    }
    browser.eval("document.querySelector('#sites tbody tr').click()");
    assert!(browser.text("#diff-detail").contains("reserved"));
    browser.is_quiet();
}
