//! One line a process; below them the answer on the one that is selected.

use ratatui::layout::{Constraint, Layout as Areas, Rect};

use super::{
    answer,
    curves::signed,
    head,
    paint::{Canvas, first, painted, plain, put, select},
    table::since,
};
use crate::top::{
    processes::{List, ListColumn, ProcessLine},
    state::State,
};
use tracer_analysis::{
    signals,
    summary::{Exit, Process, Report},
    units::{bytes, count, counted, duration},
};
use tracer_report::text::{
    line::{Line, Paint, cut_end, width},
    page::level,
    process::command,
    table::{Column, Layout},
};

const COLUMNS: [Column; 5] = [
    Column::new("1 virtual", 0),
    Column::new("2 grown", 2),
    Column::new("3 touched", 4),
    Column::new("4 resident", 1),
    Column::new("5 lived", 3),
];
/// For the sign at the selected line, pid and level.
const INDENT: usize = 20;
/// Figures further from the names than this are hard to follow.
const NARROW: usize = 132;
/// The headline stands beside the figures from so many columns on.
const SENTENCE: usize = 40;
/// Columns that a parent's children stand further in, and the deepest that is shown.
const DEEPER: usize = 2;
const DEEPEST: usize = 8;
/// Lines of the answer below the list, by how many there are.
const ANSWER: u16 = 3;
const ANSWER_TALL: u16 = 8;
/// Lines above the processes.
const ABOVE: usize = 2;

pub(super) fn draw(state: &State, report: &Report, canvas: &mut Canvas<'_>, area: Rect) {
    let said = if area.height >= head::TALL {
        ANSWER_TALL
    } else {
        ANSWER
    };
    let [table, below] =
        Areas::vertical([Constraint::Min(0), Constraint::Length(said + 1)]).areas(area);
    let List { lines, .. } = &state.list;
    let page = usize::from(table.height).saturating_sub(ABOVE);
    let from = first(state.line, page);
    // Only what is on the screen is put into words: there may be very many.
    let shown = &lines[from.min(lines.len())..(from + page).min(lines.len())];
    let cells: Vec<Vec<String>> = shown.iter().map(cells).collect();
    let columns = usize::from(table.width);
    let layout = Layout::new(&COLUMNS, &cells, INDENT, columns.min(NARROW));
    let mut drawn = vec![
        heading(state, columns),
        layout.header(&order(state), &COLUMNS),
    ];
    for (index, (one, cells)) in shown.iter().zip(&cells).enumerate() {
        let process = &report.processes[one.index];
        let selected = from + index == state.line;
        drawn.push(line(one, process, selected, &layout, cells, columns));
    }
    if lines.is_empty() {
        drawn.push(plain(if state.list.left_out > 0 {
            "  nothing that matches the filter; Esc takes it away"
        } else {
            "  all have ended; e shows them"
        }));
    }
    put(canvas, table, &drawn);
    let Some(selected) = lines.get(state.line) else {
        return;
    };
    if let Some(row) = table.rows().nth(ABOVE + state.line - from) {
        select(canvas, row);
    }
    let process = &report.processes[selected.index];
    let mut lines = vec![separator(state, process, columns)];
    lines.extend(answer::lines(process, columns, usize::from(said)));
    put(canvas, below, &lines);
}

fn line(
    one: &ProcessLine,
    process: &Process,
    selected: bool,
    layout: &Layout,
    cells: &[String],
    columns: usize,
) -> Line {
    let ended = one.exit.is_some();
    let dim = |paint| if ended { Paint::Dim } else { paint };
    let mut line = Line::new();
    line.add(Paint::Plain, if selected { "▶" } else { " " });
    line.right(dim(Paint::Plain), &one.pid.to_string(), 9)
        .add(Paint::Plain, "  ");
    match one.level.map(level) {
        Some((word, paint @ (Paint::Bad | Paint::Warn))) => line.add(paint, word),
        Some((word, paint)) => line.add(dim(paint), word),
        None => line.add(Paint::Dim, "–"),
    };
    line.to_column(INDENT);
    line.add(Paint::Plain, &" ".repeat(DEEPER * one.depth.min(DEEPEST)));
    program(&mut line, process, INDENT + layout.title, ended);
    layout.figures(&mut line, cells, dim(Paint::Plain));
    let room = columns.saturating_sub(line.width() + 2);
    if room >= SENTENCE {
        let headline = &process.verdict.headline;
        let text = match one.exit {
            Some(exit) => format!("{}: {headline}", ending(exit)),
            None => headline.clone(),
        };
        line.add(Paint::Plain, "  ")
            .add(Paint::Dim, &cut_end(&text, room));
    }
    line
}

/// Its name, and its command line without it.
fn program(line: &mut Line, process: &Process, until: usize, ended: bool) {
    let name = if process.comm.is_empty() {
        "?"
    } else {
        &process.comm
    };
    let left = |line: &Line| until.saturating_sub(line.width());
    let paint = if ended { Paint::Dim } else { Paint::Bright };
    line.add(paint, &cut_end(name, left(line)));
    let whole = command(&process.cmdline);
    let rest = whole.strip_prefix(name).unwrap_or(&whole);
    let rest = if rest.starts_with(' ') || rest.is_empty() {
        rest.to_owned()
    } else {
        format!(" {whole}")
    };
    if left(line) > 4 {
        line.add(Paint::Dim, &cut_end(&rest, left(line)));
    }
}

fn cells(line: &ProcessLine) -> Vec<String> {
    let unknown = || "?".to_owned();
    let grown = match line.exit {
        Some(_) => "–".into(),
        None => line.grown.map_or_else(unknown, signed),
    };
    vec![
        bytes(line.totals.mapped),
        grown,
        line.totals.touched.map_or_else(unknown, bytes),
        line.totals.resident.map_or_else(unknown, bytes),
        duration(line.lived_ns),
    ]
}

/// How it ended.
fn ending(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exited with {code}"),
        Exit::Signal(signal) => format!("killed by {}", signals::name(signal)),
    }
}

/// How many there are, and what is not shown of them.
fn heading(state: &State, columns: usize) -> Line {
    let list = &state.list;
    let mut line = painted(
        Paint::Bright,
        &format!(
            "{}, {} alive",
            counted(list.all as u64, "process", "processes"),
            count(list.alive as u64)
        ),
    );
    let ended = list.all - list.alive;
    if state.list_order.only_alive && ended > 0 {
        let text = format!(" · {} ended, not shown", count(ended as u64));
        line.add(Paint::Dim, &text);
    }
    if let Some((worst, how_many)) = list.worst_ended {
        let (word, paint) = level(worst);
        line.add(Paint::Dim, " · ")
            .add(paint, &format!("{how_many} ended as {word}"));
    }
    match state.pinned {
        Some(_) => line.add(Paint::Warn, " · PAUSED"),
        None if state.over => line.add(Paint::Warn, " · ENDED: q quits"),
        None => &mut line,
    };
    let since = since(state);
    if line.width() + 2 + width(&since) <= columns {
        line.right(Paint::Dim, &since, columns);
    }
    line
}

/// What a line is sorted by, and which are shown.
fn order(state: &State) -> String {
    let order = &state.list_order;
    let way = if order.reverse { "▲" } else { "▼" };
    let mut text = format!("      pid  by {} {way}", order.column.word());
    if order.column == ListColumn::Verdict && !order.reverse {
        text = format!("      pid  worst first {way}");
    }
    if order.tree {
        text.push_str(", tree");
    }
    if !order.filter.is_empty() {
        text.push_str(&format!(" /{}", order.filter));
    }
    cut_end(&text, INDENT + 22)
}

/// Of the selected process: who that is, and how it ended.
fn separator(state: &State, process: &Process, columns: usize) -> Line {
    let mut line = painted(Paint::Dim, "── ");
    let title = head::name(process);
    line.add(Paint::Bright, &cut_end(&title, columns / 3));
    for part in head::parts(state, process) {
        let part = format!(" · {part}");
        if line.width() + width(&part) + 4 <= columns {
            line.add(Paint::Plain, &part);
        }
    }
    line.add(Paint::Plain, " ");
    let left = columns.saturating_sub(line.width());
    line.add(Paint::Dim, &"─".repeat(left));
    line
}
