//! A traced process chooses names; none of them becomes markup, script, or a line of somebody else's.

use tracer_analysis::diff::diff;
use tracer_analysis::summary::{Pattern, Report};
use tracer_ledger::event::Frame;

use super::browser::Browser;
use super::made::{gateway, page_of};

const EVIL: &str = "</script><img src=x onerror=\"window.pwned=1\"><!--<svg/onload=pwned=1>\u{202e}\n| [x](javascript:1) =1+1";

fn evil(text: &mut String) {
    *text = format!("{EVIL}{text}");
}

/// Every text that there is.
fn poisoned() -> Report {
    let mut report = gateway().report.clone();
    for process in &mut report.processes {
        evil(&mut process.comm);
        evil(&mut process.exe);
        evil(&mut process.verdict.headline);
        process.verdict.because.iter_mut().for_each(evil);
        for one in &mut process.verdict.who {
            evil(&mut one.name);
            one.place.as_mut().map(evil);
            one.callers.iter_mut().for_each(evil);
        }
        for one in &mut process.verdict.change {
            evil(&mut one.knob);
            evil(&mut one.effect);
        }
        for one in &mut process.verdict.next {
            evil(&mut one.why);
            evil(&mut one.command);
        }
        process.runtime.as_mut().map(evil);
        process.cmdline.iter_mut().for_each(evil);
        for kind in &mut process.verdict.kinds {
            evil(&mut kind.name);
            kind.knob.as_mut().map(evil);
            kind.knob_effect.as_mut().map(evil);
        }
        process
            .harm
            .iter_mut()
            .for_each(|harm| evil(&mut harm.name));
        for site in &mut process.sites {
            evil(&mut site.name);
            site.thread_names.iter_mut().for_each(evil);
            site.frames.iter_mut().for_each(frame);
            site.pattern.as_mut().map(pattern);
        }
        for reservation in &mut process.reservations {
            evil(&mut reservation.name);
            evil(&mut reservation.protection);
            reservation.flags.iter_mut().for_each(evil);
        }
    }
    evil(&mut report.host.name);
    evil(&mut report.host.kernel);
    evil(&mut report.started_at);
    evil(&mut report.tracer_version);
    report
}

fn frame(frame: &mut Frame) {
    for text in [&mut frame.function, &mut frame.module, &mut frame.file] {
        text.as_mut().map(evil);
    }
}

fn pattern(pattern: &mut Pattern) {
    for text in [&mut pattern.name, &mut pattern.meaning, &mut pattern.source] {
        evil(text);
    }
    pattern.evidence.iter_mut().for_each(evil);
    pattern.advice.iter_mut().for_each(evil);
}

#[track_caller]
fn is_harmless(browser: &mut Browser) {
    assert_eq!(browser.eval("window.pwned === undefined"), true);
    let strangers = browser
        .eval("document.querySelectorAll('img, svg, iframe, object, a[href^=javascript]').length");
    assert_eq!(strangers, 0);
    assert_eq!(browser.eval("document.scripts.length"), 3);
    browser.is_quiet();
}

#[test]
fn no_name_becomes_an_element_or_a_script_wherever_it_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let report = poisoned();
    let (page, _) = page_of(&report, folder.path());
    let mut browser = Browser::start(1280, 1000);
    browser.open(&page);
    is_harmless(&mut browser);
    let text = browser.text("#headline");
    assert!(
        text.starts_with("</script><img src=x"),
        "shown as it is: {text}"
    );
    assert!(!text.contains(['\u{202e}', '\n']), "{text}");
    // Tips, the call site, each view: whatever is made later.
    for by in ["kind", "site"] {
        browser.choose("#stack-by", by);
        let [x, y, width, height] = browser.place("#timeline-canvas");
        browser.drag(
            (x + width / 3.0, y + height / 2.0),
            (x + width / 2.0, y + height / 3.0),
        );
        browser.until("document.querySelector('#window-from').value !== ''");
    }
    // Nothing need have grown in that window.
    browser.choose("#flame-mode", "lives");
    for canvas in ["#map-canvas", "#flame-canvas"] {
        let [x, y, _, _] = browser.place(canvas);
        let tip = format!("document.querySelector('{canvas}').textContent.includes('onerror')");
        for down in [40.0, 60.0, 100.0] {
            browser.call("Input.dispatchMouseEvent", serde_json::json!({ "type": "mouseMoved", "x": x + 300.0, "y": y.max(60.0) + down }));
        }
        browser.until(&tip);
    }
    browser.eval("document.querySelector('#sites tbody tr').click()");
    assert!(browser.text("#site").contains("onerror"));
    is_harmless(&mut browser);
    browser.eval("Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => { window.copied = text; } } })");
    browser.eval("document.querySelector('#sites [data-copy=TSV]').click()");
    browser.until("window.copied");
    let copied = browser.eval("copied");
    let lines: Vec<&str> = copied.as_str().unwrap().lines().collect();
    let columns = lines[0].split('\t').count();
    for line in &lines {
        assert_eq!(line.split('\t').count(), columns, "{line}");
        assert!(
            !line.split('\t').any(|cell| cell.starts_with('=')),
            "{line}"
        );
    }
    is_harmless(&mut browser);
}

#[test]
fn no_name_becomes_an_element_in_a_comparison() {
    let folder = tempfile::tempdir().unwrap();
    let (mut old, mut new) = (gateway().report.clone(), poisoned());
    // Where no name is like any other, to compare them all takes long.
    for report in [&mut old, &mut new] {
        for process in &mut report.processes {
            process.sites.truncate(30);
        }
    }
    let mut page = Vec::new();
    tracer_report::html::write_diff(&diff(&old, &new), (&old, &new), &mut page).unwrap();
    let path = folder.path().join("diff.html");
    std::fs::write(&path, page).unwrap();
    let mut browser = Browser::start(1280, 1000);
    browser.open(&path);
    let processes = browser.eval("document.querySelector('#process').options.length");
    for index in 0..processes.as_u64().unwrap() {
        browser.choose("#process", &index.to_string());
        browser.eval("document.querySelector('#sites tbody tr')?.click()");
    }
    assert!(browser.text("#main").contains("onerror"));
    is_harmless(&mut browser);
}
