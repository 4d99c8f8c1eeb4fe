//! The whole screen: what stands where, and what there is no room for.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
};

use super::{
    answer, curves, details, foot,
    head::{self, TALL},
    help, list,
    paint::{Canvas, plain, put},
    space, table,
};
use crate::top::state::{MainPart, State};
use tracer_analysis::summary::{Process, Report};
use tracer_report::text::line::cut_end;

/// The smallest screen on which the view makes sense: columns and lines.
pub const LEAST: (u16, u16) = (60, 16);

/// Draws the state. `color`: colours are allowed.
pub fn draw(state: &State, color: bool, area: Rect, buffer: &mut Buffer) {
    let mut canvas = Canvas { buffer, color };
    if area.width < LEAST.0 || area.height < LEAST.1 {
        let text = format!(
            "too small: {} × {} needed, {} × {} here (q: quit)",
            LEAST.0, LEAST.1, area.width, area.height
        );
        put(
            &mut canvas,
            area,
            &[plain(&cut_end(&text, usize::from(area.width)))],
        );
        return;
    }
    let [body, foot] = Layout::vertical([Constraint::Min(0), Constraint::Length(2)]).areas(area);
    foot::draw(state, &mut canvas, foot);
    if state.help {
        return help::draw(state, &mut canvas, body);
    }
    let Some(moment) = state.moment() else {
        return put(
            &mut canvas,
            body,
            &[plain("waiting for the first figures …")],
        );
    };
    match (state.page, state.process()) {
        (MainPart::Process, Some(process)) if state.large => {
            let [title, rest] =
                Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(body);
            put(
                &mut canvas,
                title,
                &[head::title(state, process, title.width)],
            );
            details::draw(state, process, &mut canvas, rest);
        }
        (MainPart::Process, Some(process)) => {
            one(state, &moment.report, process, &mut canvas, body);
        }
        _ => list::draw(state, &moment.report, &mut canvas, body),
    }
}

/// Lines of the answer, of each curve.
fn rooms(height: u16) -> (usize, u16) {
    match height {
        ..TALL => (4, 1),
        TALL..50 => (9, 2),
        _ => (12, 3),
    }
}

fn one(state: &State, report: &Report, process: &Process, canvas: &mut Canvas<'_>, area: Rect) {
    let (said, curve) = rooms(area.height);
    let answer = answer::lines(process, usize::from(area.width), said);
    let filtered = !state.order.filter.is_empty();
    let space = space::lines(process, &state.letters, &state.rows, filtered, area.width);
    // Below larger curves their time has a line.
    let curves = curves::COUNT * curve + u16::from(curve > 1);
    let fixed = |lines: usize| Constraint::Length(u16::try_from(lines).unwrap_or(u16::MAX));
    // The table has what it needs, and at most a little more than half of what is left.
    let taken = 1 + answer.len() + usize::from(curves + space::LINES);
    let left = usize::from(area.height).saturating_sub(taken);
    let rows = (1 + state.rows.len().max(1)).min(left * 5 / 9);
    let [title, top, drawn, map, table, details] = Layout::vertical([
        Constraint::Length(1),
        fixed(answer.len()),
        Constraint::Length(curves),
        Constraint::Length(space::LINES),
        fixed(rows),
        Constraint::Min(0),
    ])
    .areas(area);
    put(canvas, title, &[head::title(state, process, area.width)]);
    put(canvas, top, &answer);
    curves::draw(state, report, process, canvas, drawn);
    space::draw(&space, canvas, map);
    table::draw(state, report, process, canvas, table);
    details::draw(state, process, canvas, details);
}
