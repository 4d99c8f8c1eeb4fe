//! Brushing the curve sets the window, and everything below follows it.

use super::browser::Browser;
use super::figures::{column, show_all};
use super::made::{Made, at, opened};

const SECOND: u64 = 1_000_000_000;

fn nanoseconds(browser: &mut Browser, id: &str) -> u64 {
    let value = browser.eval(&format!("document.querySelector('#{id}').value"));
    let seconds: f64 = value.as_str().unwrap().parse().unwrap();
    (seconds * 1e9).round() as u64
}

/// The table as of a window that was typed, so that its ends are known exactly.
fn table_follows(browser: &mut Browser, made: &Made, from: u64, to: u64) {
    let process = made.biggest();
    show_all(browser, "sites");
    let ids = browser.eval(
        "[...document.querySelectorAll('#sites tbody tr')].map((row) => Number(row.dataset.row))",
    );
    let ids: Vec<u32> = serde_json::from_value(ids).unwrap();
    let alive = column(browser, "sites", "alive");
    let grew = column(browser, "sites", "grew");
    let touched = column(browser, "sites", "touched-then");
    assert_eq!(ids.len(), process.sites.len());
    for (row, id) in ids.iter().enumerate() {
        let site = process.sites.iter().find(|site| site.id == *id).unwrap();
        let text =
            |value: Option<i128>| value.map_or_else(|| "?".into(), |value| value.to_string());
        let (before, after) = (at(site, from), at(site, to));
        assert_eq!(alive[row], text(after.map(|then| then.0.into())), "{id}");
        let change = after.zip(before);
        let change = change.map(|(after, before)| i128::from(after.0) - i128::from(before.0));
        assert_eq!(grew[row], text(change), "{id}");
        assert_eq!(touched[row], text(after.map(|then| then.1.into())), "{id}");
    }
}

#[test]
fn the_window_sets_tables_map_and_flame_graph_and_can_be_cleared() {
    let (mut browser, made) = opened();
    let process = made.biggest();
    let (from, to) = (15 * SECOND, 20 * SECOND);
    browser.eval(
        "for (const [id, value] of [['window-from', 15], ['window-to', 20]]) { const one = document.getElementById(id); \
         one.value = value; one.dispatchEvent(new Event('change')); }",
    );
    assert_eq!(nanoseconds(&mut browser, "window-from"), from);
    assert_eq!(nanoseconds(&mut browser, "window-to"), to);
    let chip = browser.text("#window-chip");
    assert!(chip.starts_with("15.0 s – 20.0 s"), "{chip}");
    table_follows(&mut browser, made, from, to);
    // What grew most stands first, and is named in the window's summary.
    let grew = column(&mut browser, "sites", "grew");
    assert!(made.biggest().verdict.who.len() == 2 && grew.len() > 3);
    let grew: Vec<i64> = grew[2..]
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    assert!(grew.is_sorted_by(|one, other| one >= other));
    let said = browser.text("#window-summary");
    assert!(said.starts_with("From 15.0 s to 20.0 s"), "{said}");
    for one in &process.verdict.who {
        assert!(said.contains(&one.site), "{}: {said}", one.site);
    }
    assert_eq!(browser.eval("location.hash"), "#window=15-20");
    let mode = browser.eval("document.querySelector('#flame-mode').value");
    assert_eq!(mode, "grew");

    let born = process.reservations.iter();
    let born = born
        .filter(|one| one.born_ns.is_none_or(|born| born <= to))
        .count();
    let rows = browser.text("#reservations .tools [role=status]");
    let said = tracer_analysis::units::counted(born as u64, "row", "rows");
    assert_eq!(rows, said);
    let note = browser.text("#map-note");
    let said = tracer_analysis::units::counted(born as u64, "reservation", "reservations");
    assert!(note.starts_with(&said), "{note}");

    // Both cages were reserved in it.
    browser.choose("#flame-mode", "grew");
    let total =
        browser.eval("document.querySelector('[data-figure=\"flame.total\"]').dataset.bytes");
    let grew: u64 = process
        .sites
        .iter()
        .filter_map(|site| {
            let (before, after) = at(site, from).zip(at(site, to))?;
            Some(after.0.saturating_sub(before.0))
        })
        .sum();
    assert_eq!(total, grew.to_string());
    assert!(grew > 20 << 30, "{grew}");
    browser.choose("#flame-mode", "lives");
    let total =
        browser.eval("document.querySelector('[data-figure=\"flame.total\"]').dataset.bytes");
    let then = process
        .timeline
        .iter()
        .take_while(|point| point.t_ns <= to)
        .last();
    let total: u64 = total.as_str().unwrap().parse().unwrap();
    let sites: u64 = process
        .sites
        .iter()
        .filter_map(|site| at(site, to))
        .map(|then| then.0)
        .sum();
    assert_eq!(total, then.unwrap().virtual_bytes.max(sites));
    let modes =
        browser.eval("[...document.querySelector('#flame-mode').options].map((one) => one.value)");
    assert_eq!(modes, serde_json::json!(["lives", "grew", "touched"]));

    browser.key("Escape");
    assert_eq!(
        browser.eval("document.querySelector('#window-chip').hidden"),
        true
    );
    assert_eq!(
        browser.eval("document.querySelector('#window-from').value"),
        ""
    );
    show_all(&mut browser, "sites");
    let reserved = column(&mut browser, "sites", "reserved");
    let sum: u64 = reserved
        .iter()
        .map(|text| text.parse::<u64>().unwrap())
        .sum();
    assert_eq!(sum, process.virtual_at_work().end);
    browser.is_quiet();
}

#[test]
fn a_window_is_in_the_address_and_comes_back_from_it() {
    let made = super::made::gateway();
    let mut browser = Browser::start(1280, 1000);
    browser.open(&made.page);
    browser.eval("location.hash = '#process=1&window=5-9'");
    browser.until("document.querySelector('#window-from').value === '5.000'");
    assert_eq!(
        browser.eval("document.querySelector('#process').value"),
        "1"
    );
    assert_eq!(nanoseconds(&mut browser, "window-to"), 9 * SECOND);
    browser.click("#window-clear");
    assert_eq!(browser.eval("location.hash"), "#process=1");
    // What cannot be is no window and no process.
    browser.eval("location.hash = '#process=99&window=9-x'");
    browser.until("document.querySelector('#process').value === '0'");
    assert_eq!(
        browser.eval("document.querySelector('#window-from').value"),
        ""
    );
    browser.is_quiet();
}

#[test]
fn a_window_is_brushed_with_the_mouse_and_cleared_by_its_button() {
    let (mut browser, made) = opened();
    let process = made.biggest();
    let [x, y, width, height] = browser.place("#timeline-canvas");
    // The frame of the curve: 64 pixels to the left of it, 16 to its right.
    let place = |t_ns: u64| {
        let part = (t_ns - process.first_ns) as f64 / (process.last_ns - process.first_ns) as f64;
        (x + 64.0 + part * (width - 80.0), y + height / 2.0)
    };
    browser.drag(place(15 * SECOND), place(30 * SECOND));
    browser.until("document.querySelector('#window-from').value !== ''");
    let (from, to) = (
        nanoseconds(&mut browser, "window-from"),
        nanoseconds(&mut browser, "window-to"),
    );
    let pixel = (process.last_ns - process.first_ns) / width as u64;
    assert!(from.abs_diff(15 * SECOND) < 2 * pixel, "{from}");
    assert!(to.abs_diff(30 * SECOND) < 2 * pixel, "{to}");
    browser.click("#window-clear");
    browser.until("document.querySelector('#window-from').value === ''");
    // A window that ends before it begins is refused, in words.
    browser.eval(
        "for (const [id, value] of [['window-to', 5], ['window-from', 50]]) { const one = document.getElementById(id); \
         one.value = value; one.dispatchEvent(new Event('change')); }",
    );
    assert_eq!(browser.text("#toast"), "The window ends before it begins.");
    browser.is_quiet();
}
