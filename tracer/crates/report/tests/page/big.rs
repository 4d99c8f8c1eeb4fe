//! A page of 10,000 call sites and 100,000 reservations can be used.

use tracer_analysis::summary::{
    Losses, Process, Report, Reservation, Site, SitePoint, Span, TimelinePoint,
};
use tracer_ledger::event::{FaultMode, Frame, StackQuality};

use super::browser::Browser;
use super::made::page_of;

const SITES: u32 = 10_000;
const RESERVATIONS: u64 = 100_000;
const PAGE: u64 = 4096;
const MIB: u64 = 1 << 20;

fn report() -> Report {
    // Stacks part from each other on the way in; a program has some thousand functions.
    let name = |depth: u32, id: u32| {
        let branch = id >> 14u32.saturating_sub(depth / 2);
        Frame {
            function: Some(format!(
                "server::storage::module_{depth}::Table<Row>::function_{}",
                branch.wrapping_mul(2_654_435_761) % 200
            )),
            module: Some(format!("/opt/server/lib/libstorage_{}.so", depth % 5)),
            file: Some(format!("src/storage/module_{depth}.cc")),
            line: Some(depth * 100 + branch % 7),
            offset: 0x1000,
            ..Frame::default()
        }
    };
    let sites: Vec<Site> = (1..=SITES)
        .map(|id| {
            let reserved = u64::from(id) * PAGE + RESERVATIONS / u64::from(SITES) * PAGE;
            let course = [
                (u64::from(id) * 1_000_000, reserved / 2),
                (u64::from(id) * 3_000_000, reserved),
            ];
            Site {
                id,
                frames: (0..32).rev().map(|depth| name(depth, id)).collect(),
                stack: StackQuality::Complete,
                thread_names: vec![format!("worker-{}", id % 32)],
                calls: 10,
                live: 10,
                reserved_bytes: reserved,
                accessible_bytes: reserved,
                touched_bytes: Some(reserved / 3),
                resident_bytes: Some(reserved / 4),
                peak_bytes: reserved,
                first_ns: course[0].0,
                last_ns: course[1].0,
                timeline: course
                    .map(|(t_ns, reserved_bytes)| SitePoint {
                        t_ns,
                        reserved_bytes,
                        accessible_bytes: reserved_bytes,
                        touched_bytes: reserved_bytes / 3,
                    })
                    .to_vec(),
                ..Site::default()
            }
        })
        .collect();
    let all: u64 = sites.iter().map(|site| site.reserved_bytes).sum();
    let reservations = (0..RESERVATIONS).map(|n| {
        let id = n as u32 % SITES + 1;
        let length = sites[id as usize - 1].reserved_bytes / 10 / PAGE * PAGE;
        Reservation {
            start: 0x7f00_0000_0000 + n * 64 * MIB,
            length,
            protection: "rw-".into(),
            flags: vec!["PRIVATE".into(), "ANONYMOUS".into()],
            site: id,
            born_ns: Some(n * 300_000),
            age_ns: 1,
            reserved_bytes: length,
            accessible_bytes: length,
            touched_bytes: Some(length / 3),
            resident_bytes: Some(length / 4),
            ..Reservation::default()
        }
    });
    let timeline = (0..600).map(|step| TimelinePoint {
        t_ns: step * 50_000_000,
        virtual_bytes: all * (step + 1) / 600,
        resident_bytes: all * (step + 1) / 2400,
        touched_bytes: all * (step + 1) / 1800,
    });
    let mut process = Process {
        pid: 1,
        comm: "big".into(),
        last_ns: 30_000_000_000,
        virtual_bytes: Span {
            start: 0,
            peak: all,
            end: all,
        },
        samples: 1,
        reservations: reservations.collect(),
        timeline: timeline.collect(),
        sites,
        ..Process::default()
    };
    process.ledger.bytes = all;
    process.sites.reverse();
    process
        .reservations
        .sort_by_key(|one| std::cmp::Reverse(one.reserved_bytes));
    Report {
        duration_ns: 30_000_000_000,
        faults: Some(FaultMode::Each),
        losses: Losses {
            events: 7,
            since_ns: Some(5),
            ..Losses::default()
        },
        processes: vec![process],
        ..Report::default()
    }
}

#[test]
fn ten_thousand_sites_and_a_hundred_thousand_reservations_are_a_page_that_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let report = report();
    let (page, length) = page_of(&report, folder.path());
    assert!(length < 10 << 20, "{length} bytes");
    let mut browser = Browser::start(1280, 1000);
    let ready = browser.open(&page);
    // How long it may take depends on what else the machine does: it is told, not asserted.
    eprintln!("{length} bytes, drawn {ready} ms after it was asked for");
    let total =
        browser.eval("document.querySelector('[data-figure=\"flame.total\"]').dataset.bytes");
    assert_eq!(total, report.processes[0].ledger.bytes.to_string());
    let note = browser.text("#map-note");
    assert!(note.starts_with("100,000 reservations"), "{note}");
    assert!(note.contains("too narrow to be seen"), "{note}");
    assert!(note.contains("were put together in the page"), "{note}");
    let note = browser.text("#reservations-note");
    assert!(note.contains("Of 100,000, small neighbours"), "{note}");
    let losses = browser.text("#losses");
    assert!(losses.contains("7 calls or process events"), "{losses}");
    let reserved = browser.eval(
        "JSON.parse(document.querySelector('#data').textContent).processes[0].reservations.reserved.reduce((one, other) => one + other)",
    );
    let expected = report.processes[0].reservations.iter();
    assert_eq!(
        reserved,
        expected.map(|one| one.reserved_bytes).sum::<u64>()
    );
    browser.key("/");
    browser.write("worker-31");
    assert_eq!(
        browser.text("#sites .tools [role=status]"),
        "312 of 10,000 rows"
    );
    browser.is_quiet();
}
