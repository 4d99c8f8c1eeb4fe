//! The last two lines: what was lost and what this costs; the keys, or what is being typed or said.

use ratatui::layout::Rect;

use super::paint::{Canvas, painted, put};
use crate::top::state::{MainPart, Prompt, State};
use tracer_analysis::units::{bytes, count, counted, percent};
use tracer_report::text::line::{Line, Paint, cut_end, cut_start, width};

/// ns.
const SECOND: u64 = 1_000_000_000;

pub(super) fn draw(state: &State, canvas: &mut Canvas<'_>, area: Rect) {
    let columns = usize::from(area.width);
    put(
        canvas,
        area,
        &[status(state, columns), keys(state, columns)],
    );
}

fn status(state: &State, columns: usize) -> Line {
    let mut line = Line::new();
    let Some(now) = &state.now else {
        return line;
    };
    let add = |line: &mut Line, paint: Paint, text: &str| {
        let between = if line.width() > 0 { " · " } else { "" };
        if line.width() + width(between) + width(text) <= columns {
            line.add(Paint::Dim, between).add(paint, text);
        }
    };
    // At the end the report knows better.
    let last = state.moment().filter(|_| state.over);
    let (events, lost, cost, elapsed) = match last.map(|moment| &moment.report) {
        Some(report) => (
            report.events,
            report.losses.total(),
            (report.tracer.cpu_ns, report.tracer.peak_bytes),
            report.duration_ns,
        ),
        None => (
            now.progress.events,
            now.progress.lost,
            (now.cpu_ns, now.peak_bytes),
            u64::try_from(now.elapsed.as_nanos()).unwrap_or(u64::MAX),
        ),
    };
    add(&mut line, Paint::Plain, &counted(events, "event", "events"));
    match lost {
        0 => add(&mut line, Paint::Dim, "none lost"),
        lost => add(&mut line, Paint::Bad, &format!("{} LOST", count(lost))),
    }
    if state.age.as_secs() >= 1 && !state.over {
        let text = format!("figures of {} s ago", state.age.as_secs());
        add(&mut line, Paint::Warn, &text);
    }
    if state.behind {
        add(&mut line, Paint::Warn, "the view is behind: fewer frames");
    }
    let (cpu_ns, peak_bytes) = cost;
    let mut cost = format!("tracer {}", bytes(peak_bytes));
    // Of a moment, most is its own start.
    if elapsed >= SECOND {
        cost.push_str(&format!(", {} of a core", percent(cpu_ns, elapsed)));
    }
    add(&mut line, Paint::Dim, &cost);
    if let Some(moment) = state.moment() {
        let resyncs = moment.report.losses.resyncs;
        if resyncs > 0 {
            let text = format!("ledger read anew {}", counted(resyncs, "time", "times"));
            add(&mut line, Paint::Warn, &text);
        }
    }
    if let Some(output) = &state.output {
        add(&mut line, Paint::Dim, output);
    }
    let kept = state.history.moments().count() as u64;
    let kept = format!("{} kept", counted(kept, "moment", "moments"));
    add(&mut line, Paint::Dim, &kept);
    line
}

fn keys(state: &State, columns: usize) -> Line {
    match &state.prompt {
        Some(Prompt::Filter(_)) => {
            let mut line = painted(Paint::Bright, "/");
            line.add(Paint::Plain, &cut_start(state.filter(), columns - 30));
            line.add(Paint::Bright, "▏")
                .add(Paint::Dim, "  Enter: keep  Esc: undo");
            return line;
        }
        Some(Prompt::Save(name)) => {
            let mut line = painted(Paint::Bright, "file (.html .txt .json .md .svg … .vmt): ");
            line.add(Paint::Plain, &cut_start(name, columns.saturating_sub(58)));
            line.add(Paint::Bright, "▏")
                .add(Paint::Dim, "  Enter: write  Esc: no");
            return line;
        }
        None => {}
    }
    if let Some(message) = &state.message {
        return painted(Paint::Bright, &cut_end(message, columns));
    }
    let page: &[(&str, &str)] = match state.page {
        MainPart::List => &[
            ("Enter", "into"),
            ("/", "filter"),
            ("t", "tree"),
            (
                "e",
                if state.list_order.only_alive {
                    "ended too"
                } else {
                    "hide ended"
                },
            ),
        ],
        MainPart::Process => &[
            ("Enter", "details"),
            ("Esc", "processes"),
            ("g", "group"),
            ("/", "filter"),
        ],
    };
    let pause = if state.pinned.is_some() {
        "go on"
    } else {
        "pause"
    };
    let rest = [
        ("s", "sort"),
        ("space", pause),
        ("← →", "time"),
        ("m", "mark"),
        ("w", "save"),
    ];
    let mut line = Line::new();
    let first = [("q", "quit"), ("?", "keys")];
    for (key, what) in first.iter().chain(page).chain(&rest) {
        if line.width() + width(key) + width(what) + 3 > columns {
            break;
        }
        if line.width() > 0 {
            line.add(Paint::Plain, "  ");
        }
        line.add(Paint::Bright, key)
            .add(Paint::Plain, " ")
            .add(Paint::Dim, what);
    }
    line
}
