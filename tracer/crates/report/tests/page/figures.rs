//! Every figure is the JSON report's.

use serde_json::Value;
use tracer_analysis::refusals::words;
use tracer_analysis::summary::{Before, Kind, Site};
use tracer_analysis::units::{bytes, count, duration, moment, percent};

use tracer_test_traces::refused;

use super::browser::Browser;
use super::made::{gateway, opened, page_of};

/// Exact bytes of a named figure, as text.
#[track_caller]
fn figure(browser: &mut Browser, name: &str) -> String {
    let value = browser.eval(&format!(
        "document.querySelector('[data-figure={name:?}]').dataset.bytes"
    ));
    value.as_str().unwrap().to_owned()
}

fn known(value: Option<u64>) -> String {
    value.map_or_else(|| "?".into(), |value| value.to_string())
}

/// Shows every row of a table.
pub fn show_all(browser: &mut Browser, section: &str) {
    let more = format!("document.querySelector('#{section} .more')");
    browser.eval(&format!("while (!{more}.hidden) {more}.click()"));
}

/// Of every row that is shown the cells of a column: exact bytes, or else the text.
pub fn column(browser: &mut Browser, section: &str, name: &str) -> Vec<String> {
    let cells = browser.eval(&format!(
        "[...document.querySelectorAll('#{section} tbody td[data-column=\"{name}\"]')].map((cell) => \
         cell.querySelector('[data-bytes]')?.dataset.bytes ?? cell.textContent)"
    ));
    serde_json::from_value(cells).unwrap()
}

#[test]
fn every_process_has_the_figures_of_its_report() {
    let (mut browser, made) = opened();
    for (index, process) in made.in_order().into_iter().enumerate() {
        browser.choose("#process", &index.to_string());
        assert_eq!(browser.text("#headline"), process.verdict.headline);
        let hurts = tracer_report::text::harm::of(process).0;
        assert_eq!(browser.text("[data-row=hurts]"), hurts);
        assert_eq!(
            browser.text("#verdict .badge"),
            process.verdict.level.word()
        );
        let touched: Option<u64> = process.sites.iter().map(|site| site.touched_bytes).sum();
        let resident = process.resident_at_work().map(|span| span.end);
        let difference = process.ledger.difference_bytes.unsigned_abs();
        for (name, value) in [
            ("virtual.end", Some(process.virtual_at_work().end)),
            ("touched.end", touched),
            ("resident.end", resident),
            ("ledger.difference", Some(difference)),
            ("flame.total", Some(process.virtual_at_work().end)),
        ] {
            assert_eq!(figure(&mut browser, name), known(value), "{name}");
        }
        for limit in &process.harm {
            if limit.id != "mappings" {
                let name = format!("harm.{}", limit.id);
                assert_eq!(figure(&mut browser, &name), limit.used.to_string());
            }
        }
        let rows = browser.text("#sites .tools [role=status]");
        let sites = process.sites.len() as u64;
        assert!(rows.starts_with(&count(sites)), "{rows}");
    }
    browser.is_quiet();
}

#[test]
fn what_was_there_before_tracing_is_told_by_kinds() {
    let mut report = gateway().report.clone();
    report.processes.truncate(1);
    let process = &mut report.processes[0];
    let kinds = vec![Kind {
        name: "V8 WebAssembly memory".into(),
        live: 2,
        reserved_bytes: 20 << 30,
        knob: Some("A=1".into()),
        predicted_virtual_bytes: Some(9 << 30),
        ..Kind::default()
    }];
    process.before = Some(Before {
        virtual_bytes: 21 << 30,
        unexplained_bytes: 12_345,
        kinds,
        ..Before::default()
    });
    let folder = tempfile::tempdir().unwrap();
    let (page, _) = page_of(&report, folder.path());
    let mut browser = Browser::start(1280, 1000);
    browser.open(&page);
    let said = browser.text("#before");
    for part in [
        "V8 WebAssembly memory",
        "20.0 GiB",
        "2 reservations",
        "A=1",
        "9.0 GiB",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(figure(&mut browser, "before"), (21_u64 << 30).to_string());
    assert_eq!(figure(&mut browser, "before.unexplained"), "12345");
    browser.is_quiet();
}

#[test]
fn every_cell_of_the_table_of_call_sites_is_the_reports() {
    let (mut browser, made) = opened();
    show_all(&mut browser, "sites");
    let mut sites: Vec<&Site> = made.biggest().sites.iter().collect();
    sites.sort_by_key(|site| std::cmp::Reverse(site.reserved_bytes));
    // What the verdict is about stands first.
    let who = &made.biggest().verdict.who;
    let rank = |site: &&Site| who.iter().position(|one| one.site == site.key);
    sites.sort_by_key(|site| rank(site).unwrap_or(who.len()));
    assert!(rank(&sites[0]).is_some());
    type Cell = (&'static str, fn(&Site) -> String);
    let cells: [Cell; 12] = [
        ("id", |site| site.key.clone()),
        ("reserved", |site| site.reserved_bytes.to_string()),
        ("accessible", |site| site.accessible_bytes.to_string()),
        ("touched", |site| known(site.touched_bytes)),
        ("resident", |site| known(site.resident_bytes)),
        ("charged", |site| site.charged_bytes.to_string()),
        ("peak", |site| site.peak_bytes.to_string()),
        ("released", |site| site.released_bytes.to_string()),
        ("live", |site| count(site.live)),
        ("calls", |site| count(site.calls)),
        ("first", |site| moment(site.first_ns)),
        ("threads", |site| site.thread_names.join(", ")),
    ];
    for (name, expected) in cells {
        let shown = column(&mut browser, "sites", name);
        let expected: Vec<String> = sites.iter().map(|site| expected(site)).collect();
        assert_eq!(shown, expected, "{name}");
    }
    browser.is_quiet();
}

#[test]
fn every_cell_of_the_tables_of_reservations_and_lifetimes_is_the_reports() {
    let (mut browser, made) = opened();
    let process = made.biggest();
    show_all(&mut browser, "reservations");
    let mut rows: Vec<_> = process.reservations.iter().collect();
    rows.sort_by_key(|one| one.start);
    rows.sort_by_key(|one| std::cmp::Reverse(one.reserved_bytes));
    let expected = |figure: &dyn Fn(&tracer_analysis::summary::Reservation) -> String| {
        rows.iter().map(|one| figure(one)).collect::<Vec<_>>()
    };
    let section = "reservations";
    let start = expected(&|one| format!("{:#x}", one.start));
    assert_eq!(column(&mut browser, section, "start"), start);
    let end = expected(&|one| format!("{:#x}", one.start + one.length));
    assert_eq!(column(&mut browser, section, "end"), end);
    let touched = expected(&|one| known(one.touched_bytes));
    assert_eq!(column(&mut browser, section, "touched"), touched);
    let born = expected(&|one| one.born_ns.map_or_else(String::new, moment));
    assert_eq!(column(&mut browser, section, "born"), born);

    show_all(&mut browser, "lifetimes");
    let ids = browser.eval(
        "[...document.querySelectorAll('#lifetimes tbody tr')].map((row) => Number(row.dataset.row))",
    );
    let ids: Vec<u32> = serde_json::from_value(ids).unwrap();
    let longest = column(&mut browser, "lifetimes", "max");
    let half = column(&mut browser, "lifetimes", "p50");
    assert!(ids.len() > 50, "{}", ids.len());
    for ((id, longest), half) in ids.iter().zip(longest).zip(half) {
        let site = process.sites.iter().find(|site| site.id == *id);
        let lived = site.unwrap().lifetime_ns;
        assert_eq!(
            longest,
            lived.map_or_else(String::new, |of| duration(of.max))
        );
        assert_eq!(half, lived.map_or_else(String::new, |of| duration(of.p50)));
    }
    browser.is_quiet();
}

#[test]
fn figures_are_written_as_everywhere_else() {
    let (mut browser, _) = opened();
    let shown = browser.eval(
        "[...document.querySelectorAll('.figure')].map((one) => [one.dataset.bytes, one.textContent])",
    );
    let shown: Vec<(String, String)> = serde_json::from_value(shown).unwrap();
    assert!(shown.len() > 200, "{}", shown.len());
    for (exact, text) in shown {
        let expected = exact.parse().map_or_else(|_| "?".into(), bytes);
        assert_eq!(text, expected);
    }
    browser.is_quiet();

    // The page's own functions are in a scope of their own: the module is imported once more, where no policy
    // forbids it.
    let module = Value::from(include_str!("../../assets/page/units.js"));
    let values: Vec<u64> = (0..53)
        .flat_map(|bit| [(1u64 << bit) - 1, 1 << bit, (1 << bit) + 4096, 3 << bit])
        .filter(|value| *value < 1 << 53)
        .collect();
    let mut blank = Browser::start(100, 100);
    let written = blank.eval(&format!(
        "import('data:text/javascript,' + encodeURIComponent({module})).then((units) => {values:?}.map((value) => \
         [units.bytes(value), units.count(value), units.duration(value), units.moment(value), \
         units.percent(value, 123456789)]))"
    ));
    for (value, written) in values.iter().zip(written.as_array().unwrap()) {
        let expected = [
            bytes(*value),
            count(*value),
            duration(*value),
            moment(*value),
            percent(*value, 123_456_789),
        ];
        assert_eq!(*written, Value::from(expected.to_vec()), "{value}");
    }
}

#[test]
fn what_was_refused_stands_below_the_verdict_of_the_program_that_comes_first() {
    let report = refused::by_a_shell();
    let folder = tempfile::tempdir().unwrap();
    let (page, _) = page_of(&report, folder.path());
    let mut browser = Browser::start(1280, 1000);
    browser.open(&page);
    let process = &report.processes[1];
    assert_eq!(browser.text("#verdict .badge"), "refused");
    assert_eq!(browser.text("#headline"), process.verdict.headline);
    let row = &process.refused[0];
    let lines = [words::what(row), words::parts(row).join(" · ")];
    assert_eq!(browser.text("#refused li"), lines.concat());
    browser.choose("#process", "1");
    assert_eq!(browser.text("#verdict .badge"), "benign");
    browser.is_quiet();
}
