//! A report that takes what had ended from an earlier one.

use std::collections::HashMap;

use tracer_analysis::{
    book::Book,
    known,
    summary::{Process, Report},
    window::Window,
};
use tracer_ledger::event::Event;
use tracer_test_traces::kept;

/// The gateway's reports: as it stood when half of its children had ended, and at the end by both ways.
fn reports() -> (Report, Report, Report) {
    let mut events = kept::events("openclaw.vmt");
    let Some(Event::Started(started)) = events.next() else {
        panic!("a recording begins with its start");
    };
    let mut book = Book::new(started.page_bytes, known::patterns(), Window::default());
    let half = started.time.0 + 40_000_000_000;
    book.apply(&Event::Started(started));
    let mut earlier = None;
    for event in events {
        book.apply(&event);
        if earlier.is_none() && event.time().is_some_and(|time| time.0 > half) {
            earlier = Some(book.report());
        }
    }
    let earlier = earlier.unwrap();
    let after = book.report_after(Some(&earlier));
    (earlier, after, book.report())
}

/// Without the numbers that sites have within one report, and without what the machine's memory was at its moment.
fn without_numbers(process: &Process) -> serde_json::Value {
    let mut process = process.clone();
    let keys: HashMap<u32, String> = process
        .sites
        .iter()
        .map(|site| (site.id, site.key.clone()))
        .collect();
    let mut whose: Vec<Option<&String>> = Vec::new();
    for reservation in &mut process.reservations {
        whose.push(keys.get(&reservation.site));
        reservation.site = 0;
    }
    let whose = format!("{whose:?}");
    for site in &mut process.sites {
        site.id = 0;
    }
    for refused in &mut process.refused {
        refused.site = None;
    }
    for kind in &mut process.verdict.kinds {
        kind.sites.clear();
    }
    process.limits.committed_bytes = None;
    // It names sites by these numbers.
    process.verdict.text.clear();
    serde_json::json!([process, whose])
}

#[test]
fn what_had_ended_before_an_earlier_report_is_as_it_would_be_made_anew() {
    let (earlier, after, anew) = reports();
    let settled = |process: &&Process| {
        process.exit.is_some() && process.last_ns + 5_000_000_000 < earlier.duration_ns
    };
    let taken = earlier.processes.iter().filter(settled).count();
    assert!(taken > 2, "{taken} have ended by then");
    assert!(taken < anew.processes.len());
    assert_eq!(after.processes.len(), anew.processes.len());
    for (one, other) in after.processes.iter().zip(&anew.processes) {
        let (one, other) = (without_numbers(one), without_numbers(other));
        assert!(one == other, "{} is another", one[0]["pid"]);
    }
    let ids: Vec<u32> = after
        .processes
        .iter()
        .flat_map(|process| process.sites.iter().map(|site| site.id))
        .collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "no number twice");
}
