//! The answer, and what else says what it is about.

use crate::frames::*;
use std::sync::Arc;

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};
use tracer::top::state::State;
use tracer_analysis::summary::{Before, Level, Report, Reservation, Site, SitePoint, Verdict, Who};
use tracer_ledger::event::Frame;

/// One that leaks a little beside a large reservation; it began 100 s after the trace.
fn leaking() -> Arc<Report> {
    const BEGAN: u64 = 100_000_000_000;
    let mut report = Arc::unwrap_or_clone(made(
        120,
        vec![
            site(1, "reserve", "main", 8 << 30),
            site(2, "keep", "main", 60 << 20),
        ],
    ));
    let process = &mut report.processes[0];
    process.first_ns = BEGAN;
    process.verdict = Verdict {
        level: Level::Leak,
        confidence: 0.95,
        headline: "keep keeps all it maps: +3.0 MiB/s, 60 MiB so far, all in use.".into(),
        who: vec![Who {
            site: "k3f1".into(),
            name: "keep".into(),
            bytes: 60 << 20,
            ..Who::default()
        }],
        ..Verdict::default()
    };
    for (site, key) in process.sites.iter_mut().zip(["aaaa", "k3f1"]) {
        site.key = key.into();
        site.name = site.frames[0].function.clone().unwrap();
        site.first_ns = BEGAN + 1_500_000_000;
        site.frames.insert(
            0,
            Frame {
                function: Some("mmap".into()),
                ..Frame::default()
            },
        );
        site.frames.push(Frame {
            function: Some("run".into()),
            ..Frame::default()
        });
    }
    process.sites[1].timeline = [(101, 1), (110, 30), (119, 60)]
        .map(|(second, size)| SitePoint {
            t_ns: second * 1_000_000_000,
            reserved_bytes: size << 20,
            accessible_bytes: 0,
            touched_bytes: 0,
        })
        .into();
    process.reservations = [(1, 8 << 30), (2, 60 << 20)]
        .map(|(site, size)| Reservation {
            start: u64::from(site) << 40,
            site,
            reserved_bytes: size,
            ..Reservation::default()
        })
        .into();
    Arc::new(report)
}

#[test]
fn what_the_verdict_is_about_is_first_selected_and_has_its_level_and_its_curve() {
    let mut state = state([leaking()]);
    assert_eq!(names(&state), ["keep", "reserve"], "however little it is");
    assert_eq!(state.row().unwrap().name, "keep");
    let text = drawn(&state, 120, 40);
    let line = |words: &str| {
        let found = text.lines().find(|line| line.contains(words));
        found.unwrap_or_else(|| panic!("{words}: {text}"))
    };
    assert!(line("▶").contains("k3f1 LEAK keep"), "{text}");
    assert!(line("▕     ").contains("60 MiB▕"), "the scale: {text}");
    assert!(text.contains("k3f1     ▕"), "the site's curve: {text}");
    assert!(
        line(" aaaa ").ends_with("1.5 s"),
        "the process's clock: {text}"
    );
    let place = |words: &str| {
        text.find(words)
            .unwrap_or_else(|| panic!("{words}: {text}"))
    };
    assert!(place("  2 run") < place("  1 keep") && place("  1 keep") < place("  0 mmap"));
    press(&mut state, "11");
    assert_eq!(names(&state), ["keep", "reserve"], "the smallest first");
    press(&mut state, "1");
    press(&mut state, "/aaaa\n");
    assert_eq!(names(&state), ["reserve"], "by its id");
}

#[test]
fn the_verdict_is_what_is_coloured_and_the_selection_has_one_colour() {
    let buffer = painted(&state([leaking()]), 120, 40);
    let (y, headline) = line_with(&buffer, "keep keeps all it maps");
    assert_eq!(y, 1);
    let words = &headline[10..20];
    assert!(words.iter().all(|cell| cell.fg == Color::Red), "{words:?}");
    let (_, selected) = line_with(&buffer, "▶");
    let looks: Vec<_> = selected
        .iter()
        .map(|cell| (cell.fg, cell.bg, cell.modifier))
        .collect();
    assert!(
        looks
            .iter()
            .all(|look| *look == (Color::Reset, Color::Reset, Modifier::REVERSED))
    );
    let has_background = |cell: &Cell| cell.bg != Color::Reset;
    assert!(
        !buffer.content.iter().any(has_background),
        "the bar is not the loudest"
    );
}

#[test]
fn letters_and_colours_of_the_bar_stay_whatever_the_filter() {
    let mut state = state([leaking()]);
    let bar = |state: &State| {
        let buffer = painted(state, 120, 40);
        let (legend, _) = line_with(&buffer, "a reserve 8");
        let row = (0..120).map(|x| buffer[(x, legend - 1)].symbol().to_owned());
        let colour = buffer[(0, legend)].fg;
        (row.collect::<String>(), colour)
    };
    let before = bar(&state);
    assert!(
        before.0.starts_with("aaaa") && before.0.ends_with('b'),
        "{before:?}"
    );
    press(&mut state, "/keep\n");
    assert_eq!(bar(&state), before);
    press(&mut state, "gg");
    assert_eq!(bar(&state), before);
}

#[test]
fn what_was_there_before_is_told_by_its_kinds() {
    let there = Site {
        pre_existing: true,
        calls: 0,
        frames: Vec::new(),
        ..site(1, "", "", 300)
    };
    let mut report = Arc::unwrap_or_clone(made(1, vec![there]));
    let unknown = drawn(&state([Arc::new(report.clone())]), 120, 40);
    assert!(
        unknown.contains("whose doing it is is not known"),
        "{unknown}"
    );
    report.processes[0].before = Some(Before {
        text: "By kind, of 21.0 GiB: cages 20.0 GiB.".into(),
        ..Before::default()
    });
    let known = drawn(&state([Arc::new(report)]), 120, 40);
    assert!(
        known.contains("as it was when tracing began: By kind, of 21.0 GiB: cages"),
        "{known}"
    );
}
