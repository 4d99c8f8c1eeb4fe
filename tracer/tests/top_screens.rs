//! The live view's frames, from the real gateway's kept recording, without colours; and what its keys do.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test fails as its test does"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tracer::top::feed::Now;
use tracer::top::history::Moment;
use tracer::top::rows::{Column, Order};
use tracer::top::state::{Action, MainPart, State};
use tracer::top::view;
use tracer_analysis::Progress;
use tracer_analysis::summary::{Before, Process, Remedy, Report, Site, TimelinePoint, Who};
use tracer_analysis::window::Window;
use tracer_ledger::event::{FaultMode, Frame, StackQuality};
use tracer_report::selection::By;
use tracer_test_traces::{golden, kept};

/// The gateway as it stood at so many seconds: each read once.
fn gateway(seconds: u64) -> Arc<Report> {
    static READ: Mutex<BTreeMap<u64, Arc<Report>>> = Mutex::new(BTreeMap::new());
    let mut read = READ.lock().unwrap();
    let report = read.entry(seconds).or_insert_with(|| {
        let window = Window {
            to_ns: seconds * 1_000_000_000,
            ..Window::default()
        };
        let mut report = kept::read("openclaw.vmt", window);
        report.window = None;
        Arc::new(report)
    });
    report.clone()
}

fn state(reports: impl IntoIterator<Item = Arc<Report>>) -> State {
    let mut state = State::new(u64::MAX, Order::default());
    for report in reports {
        state.now = Some(Now {
            progress: Progress {
                events: report.events,
                lost: report.losses.total(),
                ..Progress::default()
            },
            elapsed: Duration::from_nanos(report.duration_ns),
            cpu_ns: report.duration_ns / 250,
            peak_bytes: 38 << 20,
        });
        state.take(report);
    }
    state
}

fn press(state: &mut State, keys: &str) -> Option<Action> {
    let mut asked = None;
    for letter in keys.chars() {
        let code = match letter {
            '\n' => KeyCode::Enter,
            '\x1b' => KeyCode::Esc,
            '\x08' => KeyCode::Backspace,
            letter => KeyCode::Char(letter),
        };
        asked = state.key(KeyEvent::new(code, KeyModifiers::NONE));
    }
    asked
}

fn drawn(state: &State, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| view::draw(state, false, frame.area(), frame.buffer_mut()))
        .unwrap();
    let buffer = terminal.backend().buffer();
    let rows = (0..height).map(|y| {
        let row: String = (0..width).map(|x| buffer[(x, y)].symbol()).collect();
        format!("{}\n", row.trim_end())
    });
    rows.collect()
}

#[test]
fn the_gateway_at_three_sizes() {
    let mut state = state([10, 20, 60].map(gateway));
    assert_eq!(
        state.page,
        MainPart::List,
        "the gateway starts other processes"
    );
    press(&mut state, "\n");
    golden::check("top-80x24.txt", &drawn(&state, 80, 24));
    golden::check("top-120x40.txt", &drawn(&state, 120, 40));
    golden::check("top-200x60.txt", &drawn(&state, 200, 60));
}

#[test]
fn the_list_the_help_and_the_details_of_the_gateway() {
    let mut state = state([20, 60].map(gateway));
    golden::check("top-list-120x24.txt", &drawn(&state, 120, 24));
    press(&mut state, "\n\n");
    golden::check("top-details-80x24.txt", &drawn(&state, 80, 24));
    press(&mut state, "\n?");
    golden::check("top-help-80x24.txt", &drawn(&state, 80, 24));
}

#[test]
fn paused_marked_and_filtered_the_gateway_says_so() {
    let mut state = state([10, 20, 60].map(gateway));
    press(&mut state, "\n,,m");
    assert!(
        state
            .message
            .as_deref()
            .unwrap()
            .starts_with("marked at 7.5 s")
    );
    press(&mut state, "./wasm\n");
    let text = drawn(&state, 100, 24);
    assert!(
        text.lines()
            .next()
            .unwrap()
            .ends_with("PAUSED at 17.5 s, 2 of 3 kept"),
        "{text}"
    );
    assert!(text.contains("grown since the mark at 7.5 s"), "{text}");
    assert!(text.contains("/wasm"), "{text}");
    let kinds = state
        .rows
        .iter()
        .filter_map(|row| Some(&row.pattern.as_ref()?.id));
    assert!(kinds.into_iter().any(|id| id == "v8-wasm-memory"), "{text}");
    assert!(state.left_out > 10, "{text}");
}

#[test]
fn too_small_a_screen_says_so_in_one_line() {
    let state = state([gateway(10)]);
    let text = drawn(&state, 50, 10);
    assert_eq!(
        text.trim_end(),
        "too small: 60 × 16 needed, 50 × 10 here (q: quit)"
    );
}

/// Every size from nothing to large, in every state: nothing panics.
#[test]
fn no_size_is_too_odd() {
    let mut state = state([gateway(60)]);
    for keys in ["", "\n", "\n", "?", "x", "/abc", "\x1b", "w", "\x1b"] {
        press(&mut state, keys);
        for (width, height) in [(1, 1), (60, 16), (61, 17), (80, 24), (300, 16), (60, 100)] {
            drawn(&state, width, height);
        }
    }
}

fn site(id: u32, function: &str, thread: &str, reserved: u64) -> Site {
    Site {
        id,
        frames: vec![Frame {
            function: Some(function.into()),
            module: Some("/srv/bin/server".into()),
            ..Frame::default()
        }],
        stack: StackQuality::Complete,
        thread_names: vec![thread.into()],
        calls: u64::from(id),
        live: 1,
        reserved_bytes: reserved,
        touched_bytes: (id != 2).then_some(reserved / 2),
        ..Site::default()
    }
}

fn made(seconds: u64, sites: Vec<Site>) -> Arc<Report> {
    let all = sites.iter().map(|site| site.reserved_bytes).sum();
    let mut process = Process {
        pid: 7,
        comm: "server".into(),
        last_ns: seconds * 1_000_000_000,
        sites,
        timeline: vec![TimelinePoint::default()],
        ..Process::default()
    };
    process.virtual_bytes.end = all;
    Arc::new(Report {
        duration_ns: seconds * 1_000_000_000,
        faults: Some(FaultMode::Each),
        processes: vec![process],
        ..Report::default()
    })
}

fn names(state: &State) -> Vec<&str> {
    state.rows.iter().map(|row| row.name.as_str()).collect()
}

fn server() -> State {
    state([made(
        1,
        vec![
            site(1, "big", "main", 300),
            site(2, "middle", "worker", 200),
            site(3, "small", "worker", 100),
        ],
    )])
}

#[test]
fn keys_sort_and_turn_the_order_round_and_what_is_unknown_stays_last() {
    let mut state = server();
    assert_eq!((state.page, state.pid), (MainPart::Process, Some(7)));
    assert_eq!(names(&state), ["big", "middle", "small"]);
    press(&mut state, "6");
    assert_eq!(
        (names(&state), state.order.column),
        (vec!["small", "middle", "big"], Column::Calls)
    );
    press(&mut state, "6");
    assert_eq!(names(&state), ["big", "middle", "small"]);
    press(&mut state, "3");
    assert_eq!(names(&state), ["big", "small", "middle"]);
    press(&mut state, "r");
    assert_eq!(names(&state), ["small", "big", "middle"]);
    press(&mut state, "s");
    assert_eq!(state.order.column, Column::Resident);
}

#[test]
fn the_filter_acts_while_it_is_typed_and_escape_takes_it_back() {
    let mut state = server();
    press(&mut state, "/MID");
    assert_eq!((names(&state), state.left_out), (vec!["middle"], 2));
    press(&mut state, "\x08\x08\x08work\n");
    assert_eq!(names(&state), ["middle", "small"], "by the thread's name");
    press(&mut state, "/x");
    assert!(names(&state).is_empty());
    press(&mut state, "\x1b");
    assert_eq!(state.order.filter, "work", "as it was before");
    press(&mut state, "\x1b");
    assert_eq!(names(&state).len(), 3);
}

#[test]
fn g_groups_by_kind_thread_module_and_site_again() {
    let mut state = server();
    press(&mut state, "g");
    assert_eq!(
        (names(&state), state.order.by),
        (vec!["of no known kind"], By::Pattern)
    );
    press(&mut state, "g");
    assert_eq!(names(&state), ["main", "worker"]);
    press(&mut state, "g");
    assert_eq!(names(&state), ["server"]);
    press(&mut state, "g");
    assert_eq!(state.order.by, By::Site);
}

#[test]
fn growth_and_selection_follow_the_stack_when_sites_are_numbered_anew() {
    let mut state = server();
    press(&mut state, "mj");
    assert_eq!(state.row().unwrap().name, "middle");
    // The same stacks under other numbers, and one that is new.
    state.take(made(
        2,
        vec![
            site(1, "middle", "worker", 900),
            site(2, "new", "worker", 400),
            site(3, "big", "main", 250),
        ],
    ));
    assert_eq!(names(&state), ["middle", "new", "big"]);
    let grown: Vec<_> = state.rows.iter().map(|row| row.grown).collect();
    assert_eq!(grown, [Some(700), Some(400), Some(-50)]);
    assert_eq!(state.row().unwrap().name, "middle");
    press(&mut state, "2");
    assert_eq!(names(&state), ["middle", "new", "big"]);
    press(&mut state, "M");
    assert_eq!(state.baseline().map(Moment::t_ns), Some(1_000_000_000));
}

#[test]
fn a_pause_holds_what_is_shown_and_steps_go_through_what_is_kept() {
    let mut state = server();
    press(&mut state, " ");
    state.take(made(2, vec![site(1, "later", "main", 1)]));
    state.take(made(3, vec![site(1, "last", "main", 1)]));
    assert_eq!(names(&state), ["big", "middle", "small"]);
    press(&mut state, ".");
    assert_eq!(names(&state), ["later"]);
    press(&mut state, "...");
    assert_eq!(names(&state), ["last"]);
    assert!(state.pinned.is_some());
    press(&mut state, " ");
    state.take(made(4, vec![site(1, "newest", "main", 1)]));
    assert_eq!(names(&state), ["newest"]);
}

#[test]
fn saving_asks_for_a_name_and_quitting_for_nothing() {
    let mut state = server();
    assert_eq!(press(&mut state, "w"), None);
    assert_eq!(
        press(&mut state, "q.json\n"),
        Some(Action::Save("q.json".into()))
    );
    assert_eq!(press(&mut state, "w\n"), None, "no name");
    assert_eq!(press(&mut state, "q"), Some(Action::Quit));
    let control = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    press(&mut state, "/");
    assert_eq!(state.key(control), Some(Action::Quit), "also while typing");
}

#[test]
fn names_of_a_hostile_process_move_nothing_on_the_screen() {
    const EVIL: &str = "e\x1b[2J\u{202e}\r\n\tvil";
    let mut evil = site(1, EVIL, EVIL, 300);
    evil.frames[0].module = Some(format!("/{EVIL}"));
    evil.frames[0].file = Some(EVIL.into());
    let mut report = Report::clone(&made(1, vec![evil]));
    let process = &mut report.processes[0];
    process.comm = EVIL.into();
    process.runtime = Some(EVIL.into());
    process.verdict.headline = EVIL.into();
    process.verdict.because = vec![EVIL.into()];
    process.verdict.who = vec![Who {
        site: EVIL.into(),
        name: EVIL.into(),
        place: Some(EVIL.into()),
        callers: vec![EVIL.into()],
        ..Who::default()
    }];
    process.verdict.change = vec![Remedy {
        knob: EVIL.into(),
        effect: EVIL.into(),
        ..Remedy::default()
    }];
    process.cmdline = vec![EVIL.into(), EVIL.into()];
    process.sites[0].key = EVIL.into();
    let other = Process {
        pid: 8,
        ..process.clone()
    };
    report.processes.push(other);
    let mut state = state([Arc::new(report)]);
    state.message = Some(EVIL.into());
    for keys in ["", "\n", "g", "gg", "g\n", "/\x1b]0;x"] {
        press(&mut state, keys);
        let text = drawn(&state, 120, 40);
        let bad = |letter: char| (letter.is_control() && letter != '\n') || letter == '\u{202e}';
        assert!(!text.contains(bad), "{text:?}");
    }
    let text = drawn(&state, 120, 40);
    assert!(text.contains("e\\x1b[2J"), "{text}");
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
