//! The table of call sites, or of what they are grouped by.

use ratatui::layout::Rect;

use super::{
    curves::signed,
    paint::{Canvas, first, plain, put, select},
    space,
};
use crate::top::{
    history::Moment,
    rows::{Column, TableRow},
    state::State,
};
use tracer_analysis::{
    summary::{Level, Process, Report},
    units::{bytes, count, duration, moment},
};
use tracer_report::text::{
    line::{Line, Paint, cut_end, cut_start, escape, width},
    page::level,
    table::{Column as Shown, Layout},
};

/// In the order of [`Column::ALL`].
const COLUMNS: [Shown; 7] = [
    Shown::new("1 reserved", 0),
    Shown::new("2 grown", 1),
    Shown::new("3 touched", 2),
    Shown::new("4 resident", 3),
    Shown::new("5 accessible", 6),
    Shown::new("6 live/calls", 4),
    Shown::new("7 since", 5),
];
/// For the sign at the selected row, and the letter on the bar.
const SIGN: usize = 4;
/// Between a site's id and its name.
const GAP: usize = 1;
/// A second name stands beside the first from so many columns on.
const BESIDE: usize = 10;

pub(super) fn draw(
    state: &State,
    report: &Report,
    process: &Process,
    canvas: &mut Canvas<'_>,
    area: Rect,
) {
    let rows = state.rows.iter();
    let cells: Vec<Vec<String>> = rows.map(|row| cells(row, report, process)).collect();
    let columns = usize::from(area.width);
    let ids = state.rows.iter().filter_map(|row| row.id.as_deref());
    let ids = ids.map(width).max().map_or(0, |width| width + GAP);
    let indent = SIGN + ids;
    let layout = Layout::new(&COLUMNS, &cells, indent, columns);
    let page = usize::from(area.height.saturating_sub(1));
    let from = first(state.cursor, page);
    let mut lines = vec![layout.header(&cut_end(&heading(state), layout.title + indent), &COLUMNS)];
    for (index, (row, cells)) in state
        .rows
        .iter()
        .zip(&cells)
        .enumerate()
        .skip(from)
        .take(page)
    {
        let mut line = Line::new();
        line.add(
            Paint::Plain,
            if index == state.cursor { "▶ " } else { "  " },
        );
        line.to_column(SIGN);
        if let Some(id) = &row.id {
            line.add(Paint::Dim, id);
        }
        line.to_column(indent);
        name(&mut line, row, layout.title, process.verdict.level);
        let paint = match row {
            row if row.figures.is_growing() => Paint::Warn,
            row if row.before => Paint::Dim,
            _ => Paint::Plain,
        };
        layout.figures(&mut line, cells, paint);
        lines.push(line);
    }
    if state.rows.is_empty() {
        lines.push(plain(if state.left_out > 0 {
            "  nothing that matches the filter; Esc takes it away"
        } else {
            "  nothing yet"
        }));
    }
    put(canvas, area, &lines);
    for (row, y) in state.rows.iter().skip(from).zip(area.y + 1..area.bottom()) {
        let site = &process.sites[row.sites[0]];
        let given = state.letters.of_site(process, site);
        if let Some((letter, rank)) = given.filter(|_| row.is_of_one_kind(process))
            && let Some(cell) = canvas.buffer.cell_mut((area.x + 2, y))
        {
            cell.set_char(letter)
                .set_style(space::style(rank, canvas.color));
        }
    }
    if !state.rows.is_empty() {
        let row = area.rows().nth(1 + state.cursor - from);
        if let Some(row) = row {
            select(canvas, row);
        }
    }
}

/// What a row is, and the order.
fn heading(state: &State) -> String {
    let by = state.order.by.word();
    let column = COLUMNS
        .iter()
        .zip(Column::ALL)
        .find(|(_, column)| *column == state.order.column)
        .and_then(|(shown, _)| shown.header.split_once(' '))
        .map_or("", |(_, name)| name);
    let way = if state.order.reverse { "▲" } else { "▼" };
    let mut text = format!("{} by {by}, {column} {way}", state.rows.len());
    if !state.order.filter.is_empty() {
        text.push_str(&format!(" /{}", state.order.filter));
    }
    text
}

/// With the verdict's level where it is about this row.
fn name(line: &mut Line, row: &TableRow, room: usize, verdict: Level) {
    let (word, badge) = level(verdict);
    let mut room = room;
    if row.pointed_out {
        line.add(badge, word).add(Paint::Plain, " ");
        room = room.saturating_sub(width(word) + 1);
    }
    let paint = match &row.pattern {
        Some(pattern) => match pattern.level {
            Level::Benign => Paint::Good,
            Level::Watch => Paint::Warn,
            Level::Leak | Level::Refused => Paint::Bad,
            Level::Unknown => Paint::Bright,
        },
        None if row.before => Paint::Dim,
        None => Paint::Bright,
    };
    let begin = line.width();
    let left = |line: &Line| room.saturating_sub(line.width() - begin);
    match &row.pattern {
        Some(pattern) if row.is_own => {
            line.add(paint, &cut_start(&row.short, room));
            if left(line) > BESIDE {
                let room = left(line) - 3;
                line.add(Paint::Plain, " · ")
                    .add(Paint::Plain, &cut_end(&pattern.name, room));
            }
        }
        Some(pattern) if pattern.name != row.name && row.id.is_some() => {
            line.add(paint, &cut_end(&pattern.name, room));
            if left(line) > BESIDE {
                let room = left(line) - 3;
                line.add(Paint::Plain, " · ")
                    .add(Paint::Plain, &cut_start(&row.short, room));
            }
        }
        _ => {
            let name = if width(&escape(&row.name)) <= room {
                &row.name
            } else {
                &row.short
            };
            line.add(paint, &cut_start(name, room));
            if let Some(place) = &row.place
                && width(&escape(place)) + 2 <= left(line)
            {
                line.add(Paint::Plain, "  ");
                line.add(Paint::Plain, place);
            }
        }
    }
}

fn cells(row: &TableRow, report: &Report, process: &Process) -> Vec<String> {
    let figures = &row.figures;
    let unknown = || "?".to_owned();
    let least = if report.losses.faults > 0 { "≥ " } else { "" };
    let calls = match figures.calls {
        0 => unknown(),
        calls => count(calls),
    };
    let since = match row.before {
        true => "before".into(),
        false if figures.first_ns == u64::MAX => unknown(),
        false => moment(figures.first_ns.saturating_sub(process.first_ns)),
    };
    vec![
        bytes(figures.reserved),
        row.grown.map_or_else(unknown, signed),
        figures
            .touched
            .map_or_else(unknown, |touched| format!("{least}{}", bytes(touched))),
        figures.resident.map_or_else(unknown, bytes),
        bytes(figures.accessible),
        format!("{}/{calls}", count(figures.live)),
        since,
    ]
}

/// Since when growth is told.
pub(super) fn since(state: &State) -> String {
    let Some(was) = state.baseline() else {
        return "grown: nothing to compare with yet".into();
    };
    let t_ns = was.t_ns();
    match &state.mark {
        Some(_) => format!("grown since the mark at {}", duration(state.clock(t_ns))),
        None => {
            let shown = state.moment().map_or(0, Moment::t_ns);
            format!("grown in the last {}", duration(shown.saturating_sub(t_ns)))
        }
    }
}
