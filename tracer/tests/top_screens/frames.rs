//! Reports, keys and frames.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tracer::top::feed::Now;
use tracer::top::rows::Order;
use tracer::top::state::{Action, State};
use tracer::top::view;
use tracer_analysis::Progress;
use tracer_analysis::summary::{Process, Report, Site, TimelinePoint};
use tracer_analysis::window::Window;
use tracer_ledger::event::{FaultMode, Frame, StackQuality};
use tracer_test_traces::kept;

/// The gateway as it stood at so many seconds: each read once.
pub fn gateway(seconds: u64) -> Arc<Report> {
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

pub fn state(reports: impl IntoIterator<Item = Arc<Report>>) -> State {
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

pub fn press(state: &mut State, keys: &str) -> Option<Action> {
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

pub fn drawn(state: &State, width: u16, height: u16) -> String {
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

pub fn painted(state: &State, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| view::draw(state, true, frame.area(), frame.buffer_mut()))
        .unwrap();
    terminal.backend().buffer().clone()
}

/// The line that has these words, and its cells.
pub fn line_with<'b>(buffer: &'b Buffer, words: &str) -> (u16, Vec<&'b Cell>) {
    let width = buffer.area.width;
    let line = |y| (0..width).map(move |x| &buffer[(x, y)]).collect::<Vec<_>>();
    let text = |cells: &[&Cell]| cells.iter().map(|cell| cell.symbol()).collect::<String>();
    let mut lines = (0..buffer.area.height).map(|y| (y, line(y)));
    let found = lines.find(|(_, cells)| text(cells).contains(words));
    found.unwrap_or_else(|| panic!("no line with {words}"))
}

pub fn site(id: u32, function: &str, thread: &str, reserved: u64) -> Site {
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

pub fn made(seconds: u64, sites: Vec<Site>) -> Arc<Report> {
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

pub fn names(state: &State) -> Vec<&str> {
    state.rows.iter().map(|row| row.name.as_str()).collect()
}
