//! Who it is, what to think of it, how it came to that.

use ratatui::{
    layout::Rect,
    widgets::{Sparkline, Widget as _},
};

use super::paint::{Canvas, put};
use crate::top::{
    history::Moment,
    processes::{self, Totals},
    rows::difference,
    state::State,
};
use tracer_analysis::{
    summary::{Level, Process, Report, TimelinePoint},
    units::{bytes, duration, signed_bytes},
};
use tracer_report::text::{
    harm,
    line::{Line, Paint, cut_end, width as columns, wrap},
    page::{LABEL, level},
    process::about,
    sparkline::values,
};

/// From so many lines on there is room for larger curves.
pub(super) const TALL: u16 = 40;
/// Lines of the sentence on a small screen.
const SENTENCE: usize = 3;
/// Columns of a value beside its curve, and of its growth.
const VALUE: u16 = 11;
const GROWN: u16 = 24;

/// Name, pid, runtime, how long; at the right whether this is the present.
pub(super) fn title(state: &State, process: &Process, width: u16) -> Line {
    let width = usize::from(width);
    let moment = state.moment();
    let (paint, when) = match &state.pinned {
        Some(pinned) => {
            let kept = state.history.moments().count();
            let at = state
                .history
                .moments()
                .position(|(number, _)| number == pinned.number);
            let at = at.map_or(0, |at| at + 1);
            let of = duration(pinned.t_ns());
            (Paint::Warn, format!("PAUSED at {of}, {at} of {kept} kept"))
        }
        _ if state.over => (Paint::Warn, "ENDED: q quits".into()),
        _ => (Paint::Dim, "live".into()),
    };
    let name = if process.comm.is_empty() {
        "?"
    } else {
        &process.comm
    };
    let mut line = Line::new();
    line.add(Paint::Bright, &cut_end(name, 20));
    let room = width.saturating_sub(columns(&when) + 2);
    let mut parts = about(process, moment.map_or(0, Moment::t_ns));
    if process.exit.is_some() {
        // How it ended says more than how long it lived.
        parts[1..].rotate_right(1);
    }
    for part in parts {
        let part = format!(" · {part}");
        let left = room.saturating_sub(line.width());
        if left > 6 {
            line.add(Paint::Plain, &cut_end(&part, left));
        }
    }
    line.right(paint, &when, width);
    line
}

/// The verdict's level and sentence, and on a tall screen what could do harm.
pub(super) fn verdict(process: &Process, area: Rect) -> Vec<Line> {
    let width = usize::from(area.width);
    let tall = area.height >= TALL;
    let verdict = &process.verdict;
    let (word, paint) = level(verdict.level);
    let mut parts = wrap(&verdict.text, width - LABEL);
    let most = if tall { 2 * SENTENCE } else { SENTENCE };
    if parts.len() > most {
        // The rest is in the report.
        let rest = parts.split_off(most - 1).join(" ");
        parts.push(cut_end(&rest, width - LABEL));
    }
    let sure = match verdict.level {
        Level::Unknown => String::new(),
        _ if verdict.confidence >= 0.995 => "certain".into(),
        _ => format!("{:.0} % sure", verdict.confidence * 100.0),
    };
    let mut lines = labelled(&[(paint, word), (Paint::Dim, &sure)], &parts);
    let (text, near) = harm::of(process);
    if tall || near {
        let paint = if near { Paint::Warn } else { Paint::Bright };
        let parts = wrap(&text, width - LABEL);
        let most = if tall { 2 } else { 1 };
        lines.extend(labelled(
            &[(paint, "Harm")],
            &parts[..parts.len().min(most)],
        ));
    }
    lines
}

fn labelled(labels: &[(Paint, &str)], parts: &[String]) -> Vec<Line> {
    let lines = parts.iter().enumerate().map(|(index, part)| {
        let mut line = Line::new();
        if let Some((paint, label)) = labels.get(index) {
            line.add(*paint, label);
        }
        line.to_column(LABEL).add(Paint::Plain, part);
        line
    });
    lines.collect()
}

struct Curve {
    label: &'static str,
    value: fn(&Totals) -> Option<u64>,
    figure: fn(&TimelinePoint) -> u64,
}

/// Virtual, touched, resident since the start, the present value and what it grew beside each.
pub(super) fn curves(
    state: &State,
    report: &Report,
    process: &Process,
    canvas: &mut Canvas<'_>,
    area: Rect,
) {
    let now = Totals::of(process, report);
    let was = state
        .baseline()
        .map(|was| match processes::same(&was.report, process) {
            Some(earlier) => Totals::of(earlier, &was.report),
            // It began since.
            None => Totals::first(process, report),
        });
    let shown_ns = state.moment().map_or(0, Moment::t_ns);
    let since = state
        .baseline()
        .map(|was| shown_ns.saturating_sub(was.t_ns()));
    let curves = [
        Curve {
            label: "virtual",
            value: |totals| Some(totals.mapped),
            figure: |point| point.virtual_bytes,
        },
        Curve {
            label: "touched",
            value: |totals| totals.touched,
            figure: |point| point.touched_bytes,
        },
        Curve {
            label: "resident",
            value: |totals| totals.resident,
            figure: |point| point.resident_bytes,
        },
    ];
    let height = area.height / 3;
    for (curve, y) in curves
        .into_iter()
        .zip((area.y..).step_by(height.max(1).into()))
    {
        if y + height > area.bottom() {
            return;
        }
        let drawn = Rect {
            x: area.x + LABEL as u16,
            y,
            width: area.width.saturating_sub(LABEL as u16 + 1 + VALUE + GROWN),
            height,
        };
        let mut line = Line::new();
        line.add(Paint::Bright, curve.label);
        let value = (curve.value)(&now);
        let was = was.as_ref().and_then(curve.value);
        let column = usize::from(drawn.right() - area.x + VALUE);
        let known = value.map_or_else(|| "?".into(), bytes);
        line.right(Paint::Plain, &known, column);
        if let (Some(value), Some(was), Some(since)) = (value, was, since) {
            let grown = difference(value, was);
            let paint = if grown > 0 { Paint::Bright } else { Paint::Dim };
            line.add(Paint::Plain, "  ");
            line.add(paint, &format!("{} in {}", signed(grown), duration(since)));
        }
        let row = Rect {
            y: y + height - 1,
            height: 1,
            ..area
        };
        put(canvas, row, &[line]);
        if value.is_some() {
            let (from, to) = (process.first_ns, process.last_ns);
            let columns = usize::from(drawn.width);
            let mut values = values(&process.timeline, from, to, columns, curve.figure);
            let most = values.iter().copied().max().unwrap_or(0);
            // What is little beside the most is not nothing.
            let least = most.div_ceil(8 * u64::from(height));
            for value in values.iter_mut().filter(|value| **value > 0) {
                *value = least.max(*value);
            }
            Sparkline::default()
                .data(values)
                .render(drawn, canvas.buffer);
        }
    }
}

/// `+1.2 MiB`, `−3 KiB`, `±0`.
pub(super) fn signed(value: i64) -> String {
    if value == 0 {
        return "±0".into();
    }
    signed_bytes(value)
}
