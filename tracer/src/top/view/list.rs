//! One line a process.

use ratatui::layout::Rect;

use super::{
    head::signed,
    paint::{Canvas, first, painted, put, select},
    table::since,
};
use crate::top::{rows, state::State};
use tracer_analysis::{
    summary::{Exit, Level, Report},
    units::{bytes, counted},
};
use tracer_report::text::{
    line::{Line, Paint, cut_end},
    page::level,
    table::{Column, Layout},
};

const COLUMNS: [Column; 4] = [
    Column::new("1 virtual", 0),
    Column::new("2 grown", 1),
    Column::new("3 touched", 3),
    Column::new("4 resident", 2),
];
/// For the sign at the selected line, pid and level.
const INDENT: usize = 20;
/// The sentence stands beside the figures from so many columns on.
const SENTENCE: usize = 24;

pub(super) fn draw(state: &State, report: &Report, canvas: &mut Canvas<'_>, area: Rect) {
    let unknown = || "?".to_owned();
    let cells: Vec<Vec<String>> = state
        .lines
        .iter()
        .map(|line| {
            vec![
                bytes(line.totals.mapped),
                line.grown.map_or_else(unknown, signed),
                line.totals.touched.map_or_else(unknown, bytes),
                line.totals.resident.map_or_else(unknown, bytes),
            ]
        })
        .collect();
    let columns = usize::from(area.width);
    let narrow = columns.min(INDENT + 24 + 4 * 12);
    let layout = Layout::new(&COLUMNS, &cells, INDENT, narrow);
    let alive = state
        .lines
        .iter()
        .filter(|line| line.exit.is_none())
        .count();
    let paused = match state.pinned {
        Some(_) => " · PAUSED",
        None if state.over => " · ENDED: q quits",
        None => "",
    };
    let mut heading = painted(
        Paint::Bright,
        &format!(
            "{}, {alive} alive{paused}",
            counted(state.lines.len() as u64, "process", "processes")
        ),
    );
    heading.right(Paint::Dim, &since(state), columns);
    let order = if state.order.reverse { "▲" } else { "▼" };
    let at = rows::Column::ALL
        .iter()
        .position(|one| *one == state.order.column);
    let by = at
        .and_then(|at| COLUMNS.get(at))
        .map_or("virtual", |column| column.header);
    let by = by.split_once(' ').map_or(by, |(_, name)| name);
    let mut lines = vec![
        heading,
        layout.header(&format!("      pid  by {by} {order}"), &COLUMNS),
    ];
    let page = usize::from(area.height).saturating_sub(lines.len());
    let from = first(state.line, page);
    for (index, (one, cells)) in state
        .lines
        .iter()
        .zip(&cells)
        .enumerate()
        .skip(from)
        .take(page)
    {
        let process = &report.processes[one.index];
        let mut line = Line::new();
        line.add(Paint::Plain, if index == state.line { "▶" } else { " " });
        line.right(Paint::Plain, &one.pid.to_string(), 9);
        let (word, paint) = level(one.level);
        line.add(Paint::Plain, "  ").add(paint, word);
        line.to_column(INDENT);
        let paint = if one.exit.is_some() {
            Paint::Dim
        } else {
            Paint::Bright
        };
        let comm = if process.comm.is_empty() {
            "?"
        } else {
            &process.comm
        };
        line.add(paint, &cut_end(comm, layout.title));
        layout.figures(&mut line, cells, Paint::Plain);
        let room = columns.saturating_sub(line.width() + 2);
        if room >= SENTENCE {
            let text = match one.exit {
                // What it died of says more than that it did.
                Some(_) if one.level == Level::Refused => process.verdict.text.clone(),
                Some(Exit::Code(code)) => format!("exited with {code}"),
                Some(Exit::Signal(signal)) => format!("killed by signal {signal}"),
                None => process.verdict.text.clone(),
            };
            line.add(Paint::Plain, "  ")
                .add(Paint::Dim, &cut_end(&text, room));
        }
        lines.push(line);
    }
    let above = 2;
    put(canvas, area, &lines);
    if !state.lines.is_empty()
        && let Some(row) = area.rows().nth(above + state.line - from)
    {
        select(canvas, row);
    }
}
