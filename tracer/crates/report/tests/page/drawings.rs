//! The curve, the map, the flame graph: what is drawn, and what a click and a key do.

use std::collections::BTreeSet;

use super::browser::Browser;
use super::made::opened;

/// What a chart has drawn last.
fn drawn(browser: &mut Browser, canvas: &str, what: &str) -> serde_json::Value {
    browser.eval(&format!(
        "(() => {{ const option = echarts.getInstanceByDom(document.querySelector('{canvas}')).getOption(); return {what}; }})()"
    ))
}

/// Values of each series over time.
fn series(browser: &mut Browser) -> Vec<(String, Vec<Option<u64>>)> {
    let what = "option.series.map((one) => [one.name, one.data.map((point) => point[1])])";
    serde_json::from_value(drawn(browser, "#timeline-canvas", what)).unwrap()
}

#[test]
fn the_lines_are_the_courses_of_the_report() {
    let (mut browser, made) = opened();
    let timeline = &made.biggest().timeline;
    let lines = series(&mut browser);
    let names: Vec<&str> = lines.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["virtual", "touched", "resident", "steps"]);
    for (index, point) in timeline.iter().enumerate() {
        assert_eq!(lines[0].1[index], Some(point.virtual_bytes));
        assert_eq!(lines[1].1[index], Some(point.touched_bytes));
        // Before the first look nothing is known.
        let resident = lines[2].1[index];
        assert_eq!(resident.unwrap_or(0), point.resident_bytes);
    }
    let peak = timeline.iter().map(|point| point.virtual_bytes).max();
    let most = drawn(&mut browser, "#timeline-canvas", "option.yAxis[0].max");
    assert!(most.as_u64() >= peak, "the curve would leave its frame");
    browser.click("#timeline-log");
    let scale = drawn(&mut browser, "#timeline-canvas", "option.yAxis[0].type");
    assert_eq!(scale, "log");
    browser.is_quiet();
}

#[test]
fn a_stack_is_exactly_as_high_as_the_process_is_large() {
    let (mut browser, made) = opened();
    for (index, process) in made.in_order().into_iter().enumerate().take(3) {
        browser.choose("#process", &index.to_string());
        for by in ["kind", "site"] {
            browser.choose("#stack-by", by);
            let what = "option.series.map((one) => one.data.map((point) => [point[1], point[2]]))";
            let bands = drawn(&mut browser, "#timeline-canvas", what);
            let bands: Vec<Vec<(u64, u64)>> = serde_json::from_value(bands).unwrap();
            assert!(bands.len() > 1);
            for (at, point) in process.timeline.iter().enumerate() {
                let values = bands.iter().map(|band| band[at].1);
                assert_eq!(values.sum::<u64>(), point.virtual_bytes, "by {by} at {at}");
                // Painted from the top down.
                assert_eq!(bands[0][at].0, point.virtual_bytes);
                assert!(bands.is_sorted_by(|upper, lower| upper[at].0 >= lower[at].0));
            }
        }
    }
    browser.is_quiet();
}

#[test]
fn the_map_has_every_reservation_to_scale_and_leads_to_its_site() {
    let (mut browser, made) = opened();
    let process = made.biggest();
    browser.place("#map-canvas");
    let pieces = "option.series[0].data.map(([from, row, width, touched, color, cell]) => [from, row, width, cell])";
    let width = drawn(&mut browser, "#map-canvas", "option.xAxis[0].max");
    let area = |pieces: &serde_json::Value| -> f64 {
        let pieces = pieces.as_array().unwrap().iter();
        pieces.map(|piece| piece[2].as_f64().unwrap()).sum()
    };
    let linear = drawn(&mut browser, "#map-canvas", pieces);
    let room = width.as_f64().unwrap() * 8.0;
    assert!(
        (area(&linear) - room).abs() < 2.0,
        "the whole map is filled"
    );
    // A cage of 10 GiB of 21.5 GiB is as much of the map.
    let cage = process.reservations[0].reserved_bytes as f64 / process.virtual_at_work().end as f64;
    let mut widths = std::collections::HashMap::<u64, f64>::new();
    for piece in linear.as_array().unwrap() {
        *widths.entry(piece[3].as_u64().unwrap()).or_default() += piece[2].as_f64().unwrap();
    }
    let widest = widths.values().copied().fold(0.0, f64::max);
    assert!(
        (widest / room - cage).abs() < 0.001,
        "{} {cage}",
        widest / room
    );
    let note = browser.text("#map-note");
    assert!(note.starts_with("1,050 reservations"), "{note}");
    assert!(note.contains("too narrow to be seen"), "{note}");

    browser.click("#map-log");
    let log = drawn(&mut browser, "#map-canvas", pieces);
    assert!((area(&log) - room).abs() < 2.0);
    assert!(log.as_array().unwrap().len() > linear.as_array().unwrap().len());
    browser.click("#map-log");

    // Into the middle of the widest piece: a cage.
    let cages = made.titles(&[1, 2]);
    let [x, y, _, _] = browser.place("#map-canvas");
    browser.click_at(x + 600.0, y + 2.5 * 26.0);
    browser.until("!document.querySelector('#site').hidden");
    let title = browser.text("#site h2");
    assert!(cages.contains(&title), "{title}");
    browser.key("Escape");

    browser.eval("document.querySelector('#map-canvas').focus()");
    browser.key("ArrowRight");
    browser.key("ArrowRight");
    let said = browser.text("#map-said");
    assert!(said.starts_with("0x"), "{said}");
    browser.key("Enter");
    let title = browser.text("#site h2");
    let id = title.trim_start_matches("Site ");
    assert!(said.contains(&format!("site {id},")), "{said}: {title}");
    browser.is_quiet();
}

#[test]
fn the_flame_graph_adds_up_zooms_and_is_searched() {
    let (mut browser, made) = opened();
    let process = made.biggest();
    let total = |browser: &mut Browser| -> u64 {
        let total =
            browser.eval("document.querySelector('[data-figure=\"flame.total\"]').dataset.bytes");
        total.as_str().unwrap().parse().unwrap()
    };
    let sum = |figure: fn(&tracer_analysis::summary::Site) -> Option<u64>| -> u64 {
        process.sites.iter().map(|site| figure(site).unwrap()).sum()
    };
    assert_eq!(total(&mut browser), process.virtual_at_work().end);
    browser.choose("#flame-mode", "touched");
    assert_eq!(total(&mut browser), sum(|site| site.touched_bytes));
    // What no site is known of has a name of its own.
    browser.choose("#flame-mode", "resident");
    assert_eq!(total(&mut browser), process.resident_bytes.end);
    browser.choose("#flame-mode", "lives");

    // Zoomed to the widest branch, and what leads nowhere else is folded, until all is asked for.
    let wide = "option.series[0].data.filter(([from, to]) => from === 0 && to === 1).length";
    assert_eq!(
        browser.eval("document.querySelector('#flame-reset').disabled"),
        false
    );
    let said = browser.text("#flame-total");
    assert!(said.contains("zoomed to uv__io_poll: 20.0 GiB"), "{said}");
    let boxes = "option.series[0].data.length";
    let folded = drawn(&mut browser, "#flame-canvas", boxes);
    browser.click("#flame-all");
    let every = drawn(&mut browser, "#flame-canvas", boxes);
    assert!(every.as_u64() > folded.as_u64(), "{folded} {every}");
    assert_eq!(total(&mut browser), process.virtual_at_work().end);
    // From the innermost frame on it adds up to the same.
    browser.click("#flame-invert");
    assert_eq!(total(&mut browser), process.virtual_at_work().end);
    let inner = browser.text("#flame-total");
    assert!(
        inner.contains("zoomed to WasmEngine::SyncInstantiate: 20.0 GiB"),
        "{inner}"
    );
    browser.click("#flame-invert");
    browser.click("#flame-reset");
    assert_eq!(
        browser.eval("document.querySelector('#flame-reset').disabled"),
        true
    );

    let roots =
        "option.series[0].data.filter(([, , depth]) => depth === 1).map(([, , , value]) => value)";
    let roots = drawn(&mut browser, "#flame-canvas", roots);
    let roots: Vec<u64> = serde_json::from_value(roots).unwrap();
    let pre_existing = process.sites.iter().filter(|site| site.pre_existing);
    let pre_existing: u64 = pre_existing.map(|site| site.reserved_bytes).sum();
    assert!(roots.contains(&pre_existing), "{roots:?}");
    // Besides those that are narrower than a pixel.
    let drawn_bytes: u64 = roots.iter().sum();
    let narrow = process.virtual_at_work().end - drawn_bytes;
    assert!(narrow < process.virtual_at_work().end / 400, "{roots:?}");

    browser.key("f");
    browser.write("AllocateWasmMemory");
    let through = process.sites.iter().filter(|site| {
        let mut names = site
            .frames
            .iter()
            .filter_map(|frame| frame.function.as_deref());
        names.any(|name| name.contains("AllocateWasmMemory"))
    });
    let through: u64 = through.map(|site| site.reserved_bytes).sum();
    let matched =
        browser.eval("document.querySelector('[data-figure=\"flame.matched\"]').dataset.bytes");
    assert_eq!(matched, through.to_string());
    browser.eval("const search = document.querySelector('#flame-search'); search.value = ''; search.dispatchEvent(new Event('input')); search.blur()");

    // The second box of the left stack: a click makes it as wide as all.
    let before = drawn(&mut browser, "#flame-canvas", wide);
    let [x, y, _, _] = browser.place("#flame-mode");
    assert!(x > 0.0 && y > 0.0);
    let canvas = browser.eval("(() => { const box = document.querySelector('#flame-canvas').getBoundingClientRect(); return [box.x, box.y]; })()");
    let (left, top) = (canvas[0].as_f64().unwrap(), canvas[1].as_f64().unwrap());
    browser.click_at(left + 100.0, top + 9.5 * 18.0);
    browser.until("!document.querySelector('#flame-reset').disabled");
    let after = drawn(&mut browser, "#flame-canvas", wide);
    assert!(after.as_u64() > before.as_u64(), "{before} {after}");
    browser.click("#flame-reset");
    assert_eq!(drawn(&mut browser, "#flame-canvas", wide), before);

    let cages = made.titles(&[1, 2]);
    // Down the keyboard to the kernel: the innermost frame leads to the site.
    browser.eval("document.querySelector('#flame-canvas').focus()");
    let mut said = BTreeSet::new();
    loop {
        browser.key("ArrowDown");
        if !said.insert(browser.text("#flame-said")) {
            break;
        }
    }
    assert!(said.len() > 30, "{said:?}");
    browser.key("Enter");
    browser.until("!document.querySelector('#site').hidden");
    let title = browser.text("#site h2");
    assert!(cages.contains(&title), "{title}");
    browser.key("Escape");
    browser.key("ArrowUp");
    browser.key("Enter");
    browser.until("!document.querySelector('#flame-reset').disabled");
    browser.key("Escape");
    browser.until("document.querySelector('#flame-reset').disabled");
    browser.is_quiet();
}
