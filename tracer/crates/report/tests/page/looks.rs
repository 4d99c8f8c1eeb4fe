//! On a narrow screen and on paper.

use serde_json::json;

use super::browser::Browser;
use super::made::gateway;

#[test]
fn on_a_narrow_screen_nothing_is_wider_than_the_screen() {
    let made = gateway();
    let mut browser = Browser::start(1280, 1000);
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        json!({ "width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": true }),
    );
    browser.open(&made.page);
    let wide = "document.documentElement.scrollWidth";
    assert_eq!(browser.eval(wide), 400);
    browser.eval("document.querySelector('#sites tbody tr').click()");
    assert_eq!(browser.eval(wide), 400);
    assert_eq!(
        browser.eval("document.querySelector('#site').getBoundingClientRect().width"),
        400
    );
    browser.is_quiet();
}

#[test]
fn nothing_scrolls_inside_the_page_and_tables_fit_their_box() {
    let made = gateway();
    for width in [1440u64, 1024, 400] {
        let mut browser = Browser::start(1440, 900);
        browser.call(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500 }),
        );
        browser.open(&made.page);
        let scrolled = "[...document.querySelectorAll('main *')].filter((one) => \
             ['auto', 'scroll'].includes(getComputedStyle(one).overflowY) || \
             (one.matches('.box') && one.scrollWidth > one.clientWidth)) \
             .map((one) => one.closest('section').id + ' ' + one.className)";
        assert_eq!(browser.eval(scrolled), json!([]), "at {width}");
        let wide = browser.eval("document.documentElement.scrollWidth");
        assert!(wide.as_u64() <= Some(width), "{wide} at {width}");
    }
}

#[test]
fn on_paper_it_is_light_and_without_controls() {
    let made = gateway();
    let mut browser = Browser::start(1280, 1000);
    browser.call(
        "Emulation.setEmulatedMedia",
        json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] }),
    );
    browser.open(&made.page);
    assert_eq!(
        browser.eval("document.documentElement.dataset.theme"),
        "dark"
    );
    browser.eval("addEventListener('beforeprint', () => { window.printed = document.documentElement.dataset.theme; \
         window.wide = Math.max(...[...document.querySelectorAll('canvas')].map((one) => one.clientWidth)); })");
    browser.call("Page.printToPDF", json!({ "printBackground": true }));
    assert_eq!(browser.eval("window.printed"), "light");
    // A4 between the margins that Chromium gives it, at 96 pixels an inch.
    let wide = browser.eval("window.wide").as_u64().unwrap();
    assert!((600..=718).contains(&wide), "{wide}");
    browser.until("document.documentElement.dataset.theme === 'dark'");
    browser.call("Emulation.setEmulatedMedia", json!({ "media": "print" }));
    assert_eq!(
        browser.eval("getComputedStyle(document.querySelector('.bar')).display"),
        "none"
    );
    browser.is_quiet();
}
