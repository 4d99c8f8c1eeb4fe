//! Tables, the selected call site, the keyboard, the theme.

use tracer_analysis::summary::{Site, Trend};

use super::browser::Browser;
use super::figures::{column, show_all};
use super::made::opened;

/// The ids of the rows, in the order in which they are shown.
fn shown_ids(browser: &mut Browser) -> Vec<u32> {
    let ids = browser.eval(
        "[...document.querySelectorAll('#sites tbody tr')].map((row) => Number(row.dataset.row))",
    );
    serde_json::from_value(ids).unwrap()
}

type Key = (&'static str, fn(&Site) -> Option<u64>);

const KEYS: [Key; 12] = [
    ("reserved", |site| Some(site.reserved_bytes)),
    ("accessible", |site| Some(site.accessible_bytes)),
    ("touched", |site| site.touched_bytes),
    ("resident", |site| site.resident_bytes),
    ("charged", |site| Some(site.charged_bytes)),
    ("peak", |site| Some(site.peak_bytes)),
    ("released", |site| Some(site.released_bytes)),
    ("live", |site| Some(site.live)),
    ("calls", |site| Some(site.calls)),
    ("first", |site| Some(site.first_ns)),
    ("last", |site| Some(site.last_ns)),
    ("trend", |site| {
        Some(match site.trend {
            Trend::OneOff => 0,
            Trend::Settled => 1,
            Trend::Churn => 2,
            Trend::Growing => 3,
        })
    }),
];

#[test]
fn the_table_can_be_sorted_by_each_column_both_ways() {
    let (mut browser, made) = opened();
    let sites = &made.biggest().sites;
    for (name, key) in KEYS {
        let of = |id: &u32| key(sites.iter().find(|site| site.id == *id).unwrap());
        let head = format!("#sites th button[data-column='{name}']");
        let mut seen = [false, false];
        for _ in 0..2 {
            browser.eval(&format!("document.querySelector({head:?}).click()"));
            show_all(&mut browser, "sites");
            let ids = shown_ids(&mut browser);
            assert_eq!(ids.len(), sites.len());
            let keys: Vec<_> = ids.iter().map(of).collect();
            let said = browser.eval(&format!(
                "document.querySelector({head:?}).parentElement.getAttribute('aria-sort')"
            ));
            let down = said == "descending";
            seen[usize::from(down)] = true;
            let sorted = if down {
                keys.is_sorted_by(|one, other| one >= other)
            } else {
                keys.is_sorted()
            };
            assert!(sorted, "by {name}, {said}");
        }
        assert_eq!(seen, [true, true], "{name}");
    }
    for name in ["id", "kind", "who", "threads"] {
        browser.eval(&format!(
            "document.querySelector(\"#sites th button[data-column='{name}']\").click()"
        ));
        show_all(&mut browser, "sites");
        assert_eq!(shown_ids(&mut browser).len(), sites.len());
        if name == "id" || name == "threads" {
            assert!(column(&mut browser, "sites", name).is_sorted());
        }
    }
    browser.is_quiet();
}

#[test]
fn groups_add_up_to_the_process() {
    let (mut browser, made) = opened();
    let process = made.biggest();
    for by in ["kind", "thread", "module"] {
        browser.choose("#sites-by", by);
        show_all(&mut browser, "sites");
        let reserved = column(&mut browser, "sites", "reserved");
        let sum: u64 = reserved
            .iter()
            .map(|text| text.parse::<u64>().unwrap())
            .sum();
        assert_eq!(sum, process.virtual_at_work().end, "{by}");
        assert!(reserved.len() > 1, "{by}");
    }
    browser.choose("#sites-by", "kind");
    let kinds = column(&mut browser, "sites", "who");
    let cage = kinds
        .iter()
        .position(|kind| kind == "V8 WebAssembly memory");
    let reserved = column(&mut browser, "sites", "reserved");
    let kind = process.verdict.kinds.iter();
    let kind = kind
        .clone()
        .find(|kind| kind.id == "v8-wasm-memory")
        .unwrap();
    assert_eq!(reserved[cage.unwrap()], kind.reserved_bytes.to_string());
    browser.is_quiet();
}

#[test]
fn what_is_searched_for_is_found_and_can_be_copied() {
    let (mut browser, made) = opened();
    // What the page hands to the clipboard.
    browser.eval("Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => { window.copied = text; } } })");
    browser.key("/");
    browser.write("lazyllhttp");
    let found = shown_ids(&mut browser);
    let sites = made.biggest().sites.iter();
    let named = |site: &&Site| {
        let mut frames = site.frames.iter();
        frames.any(|frame| frame.function.as_deref() == Some("lazyllhttp"))
    };
    let expected: Vec<u32> = sites.filter(named).map(|site| site.id).collect();
    assert!(!found.is_empty());
    assert!(found.iter().all(|id| expected.contains(id)), "{found:?}");
    browser.eval("document.querySelector('#sites [data-copy=TSV]').click()");
    browser.until("window.copied");
    let copied = browser.eval("copied");
    let lines: Vec<&str> = copied.as_str().unwrap().lines().collect();
    assert_eq!(lines.len(), found.len() + 1);
    let cells: Vec<&str> = lines[1].split('\t').collect();
    let mut sites = made.biggest().sites.iter();
    let site = sites.find(|site| site.id == found[0]).unwrap();
    assert_eq!(cells[0], site.key);
    assert_eq!(cells[4], site.reserved_bytes.to_string());
    browser
        .eval("window.copied = ''; document.querySelector('#sites [data-copy=Markdown]').click()");
    browser.until("window.copied");
    let copied = browser.eval("copied");
    let lines: Vec<&str> = copied.as_str().unwrap().lines().collect();
    assert_eq!(lines.len(), found.len() + 2);
    assert!(lines[0].starts_with("| site | kind |"), "{}", lines[0]);
    // Escape empties the search, and only then does anything else.
    browser.key("Escape");
    browser.until("document.querySelectorAll('#sites tbody tr').length === 20");
    browser.is_quiet();
}

#[test]
fn a_search_that_finds_nothing_says_so() {
    let (mut browser, _) = opened();
    for (key, words, place) in [
        ("/", "no such site", "#sites tbody"),
        ("f", "no such frame", "#flame-total"),
    ] {
        browser.key(key);
        browser.write(words);
        let said = browser.text(place);
        assert!(said.contains(&format!("“{words}”")), "{said}");
        browser.eval("document.activeElement.blur()");
    }
    browser.is_quiet();
}

#[test]
fn a_call_site_is_shown_in_full_by_mouse_and_by_keyboard() {
    let (mut browser, made) = opened();
    let sites = &made.biggest().sites;
    browser.eval("document.querySelector('#sites tbody tr').focus()");
    browser.key("ArrowDown");
    browser.key("Enter");
    let second = shown_ids(&mut browser)[1];
    let site = sites.iter().find(|site| site.id == second).unwrap();
    assert_eq!(browser.text("#site h2"), format!("Site {}", site.key));
    let figure = browser.eval(
        "[...document.querySelectorAll('#site [data-figure]')].map((one) => [one.dataset.figure, one.dataset.bytes])",
    );
    let figures: Vec<(String, String)> = serde_json::from_value(figure).unwrap();
    let of = |name: &str| {
        let found = figures.iter().find(|(one, _)| one == name);
        found.unwrap().1.clone()
    };
    assert_eq!(of("site.reserved"), site.reserved_bytes.to_string());
    assert_eq!(of("site.touched"), site.touched_bytes.unwrap().to_string());
    assert_eq!(of("site.charged"), site.charged_bytes.to_string());
    let frames = browser.eval("document.querySelectorAll('#stack li').length");
    assert_eq!(frames, site.frames.len());
    let pattern = site.pattern.as_ref().unwrap();
    let text = browser.text("#site");
    for words in pattern
        .evidence
        .iter()
        .chain(&pattern.advice)
        .chain(&pattern.knob)
    {
        assert!(text.contains(words), "{words}");
    }
    let marked = "document.querySelector('#sites tr[aria-selected]')?.dataset.row";
    assert_eq!(browser.eval(marked), second.to_string());
    browser.key("Escape");
    assert_eq!(browser.eval("document.querySelector('#site').hidden"), true);
    let focused = browser.eval("document.activeElement.dataset.row");
    assert_eq!(focused, second.to_string());
    browser.click("#sites tbody tr[data-row='3'] td[data-column='reserved']");
    let site = sites.iter().find(|site| site.id == 3).unwrap();
    assert_eq!(browser.text("#site h2"), format!("Site {}", site.key));
    browser.click("#site-close");
    assert_eq!(browser.eval("document.querySelector('#site').hidden"), true);
    browser.is_quiet();
}

#[test]
fn help_and_theme_and_sections_have_keys() {
    let (mut browser, made) = opened();
    browser.key("?");
    assert_eq!(browser.eval("document.querySelector('#help').open"), true);
    browser.key("Escape");
    browser.until("!document.querySelector('#help').open");
    browser.click("#help-open");
    assert_eq!(browser.eval("document.querySelector('#help').open"), true);
    browser.click("#help button");
    browser.until("!document.querySelector('#help').open");

    let theme = "[document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor].join()";
    let mut seen = vec![browser.eval(theme)];
    for _ in 0..2 {
        browser.key("t");
        seen.push(browser.eval(theme));
    }
    browser.click("#theme");
    assert_eq!(browser.eval(theme), seen[0]);
    assert_eq!(seen[1], "light,rgb(255, 255, 255)");
    assert_eq!(seen[2], "dark,rgb(20, 23, 28)");

    for (key, id) in [
        ("5", "map"),
        ("8", "sites"),
        ("3", "processes"),
        ("1", "verdict"),
    ] {
        browser.key(key);
        assert_eq!(browser.eval("document.activeElement.id"), id);
    }
    // Nothing that can be used is beyond the keyboard, and where the focus is can be seen.
    browser.open(&made.page);
    let mut visited = Vec::new();
    for _ in 0..90 {
        browser.key("Tab");
        let seen = browser.eval("document.activeElement.id || document.activeElement.tagName");
        visited.push(seen.as_str().unwrap().to_owned());
        let outline = browser.eval("getComputedStyle(document.activeElement).outlineStyle");
        assert_ne!(outline, "none", "{visited:?}");
    }
    for id in [
        "process",
        "theme",
        "help-open",
        "stack-by",
        "timeline-log",
        "map-log",
        "map-canvas",
        "flame-mode",
        "flame-invert",
        "flame-all",
        "flame-canvas",
    ] {
        assert!(visited.iter().any(|one| one == id), "{id}: {visited:?}");
    }
    browser.is_quiet();
}
