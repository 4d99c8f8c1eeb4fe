//! How it came to that: the courses of its figures, each with the scale that it is drawn to.

use ratatui::{
    layout::Rect,
    style::{Modifier, Style},
    widgets::{Sparkline, Widget as _},
};

use super::paint::{Canvas, put};
use crate::top::{
    processes::{self, Totals},
    rows::difference,
    state::State,
};
use tracer_analysis::{
    summary::{Level, Process, Report, Site, TimelinePoint},
    units::{bytes, duration, signed_bytes},
};
use tracer_report::text::{
    line::{Line, Paint, width as columns},
    page::LABEL,
    sparkline::values,
};

/// Columns of a value beside its curve, of its growth, of the scale on a line of its own.
const VALUE: u16 = 11;
const GROWN: u16 = 12;
const SCALE: u16 = 13;
/// How many there are.
pub(super) const COUNT: u16 = 3;

/// One curve.
struct Curve<'p> {
    label: &'p str,
    points: Vec<TimelinePoint>,
    value: Option<u64>,
    was: Option<u64>,
    figure: fn(&TimelinePoint) -> u64,
    paint: Paint,
}

/// The site that the verdict says grows: its bytes are lost on a scale of all of them.
fn growing(process: &Process) -> Option<&Site> {
    if !matches!(process.verdict.level, Level::Leak | Level::Watch) {
        return None;
    }
    let who = process.verdict.who.first()?;
    let site = process.sites.iter().find(|site| site.key == who.site)?;
    (site.timeline.len() > 1).then_some(site)
}

/// Virtual, touched, resident, or the site that grows, virtual, resident; the present value and what it grew beside
/// each.
fn curves<'p>(state: &State, report: &Report, process: &'p Process) -> Vec<Curve<'p>> {
    let now = Totals::of(process, report);
    let earlier = state
        .baseline()
        .map(|was| (was, processes::same(&was.report, process)));
    let was = earlier.map(|(was, earlier)| match earlier {
        Some(earlier) => Totals::of(earlier, &was.report),
        // It began since.
        None => Totals::first(process, report),
    });
    let curve =
        |label, value: fn(&Totals) -> Option<u64>, figure: fn(&TimelinePoint) -> u64| Curve {
            label,
            points: process.timeline.clone(),
            value: value(&now),
            was: was.as_ref().and_then(value),
            figure,
            paint: Paint::Plain,
        };
    let of_virtual = curve(
        "virtual",
        |totals| Some(totals.mapped),
        |point| point.virtual_bytes,
    );
    let of_resident = curve(
        "resident",
        |totals| totals.resident,
        |point| point.resident_bytes,
    );
    let Some(site) = growing(process) else {
        let of_touched = curve(
            "touched",
            |totals| totals.touched,
            |point| point.touched_bytes,
        );
        return vec![of_virtual, of_touched, of_resident];
    };
    let points = site.timeline.iter().map(|point| TimelinePoint {
        t_ns: point.t_ns,
        virtual_bytes: point.reserved_bytes,
        ..TimelinePoint::default()
    });
    let before = earlier.map(|(_, earlier)| {
        let sites = earlier.iter().flat_map(|earlier| &earlier.sites);
        let of_key = sites.filter(|one| one.key == site.key);
        of_key.map(|one| one.reserved_bytes).sum()
    });
    let of_site = Curve {
        label: &site.key,
        points: points.collect(),
        value: Some(site.reserved_bytes),
        was: before,
        figure: |point| point.virtual_bytes,
        paint: match process.verdict.level {
            Level::Leak => Paint::Bad,
            _ => Paint::Warn,
        },
    };
    vec![of_site, of_virtual, of_resident]
}

/// In three parts of the area, each of one line or more; what is left below is the time.
pub(super) fn draw(
    state: &State,
    report: &Report,
    process: &Process,
    canvas: &mut Canvas<'_>,
    area: Rect,
) {
    let height = (area.height / COUNT).max(1);
    let scale = if height > 1 { 0 } else { SCALE };
    let drawn = Rect {
        x: area.x + LABEL as u16,
        width: area
            .width
            .saturating_sub(LABEL as u16 + VALUE + GROWN + scale),
        height,
        ..area
    };
    let all = curves(state, report, process);
    for (curve, y) in all.iter().zip((area.y..).step_by(height.into())) {
        if y + height > area.bottom() {
            return;
        }
        one(
            curve,
            process,
            canvas,
            Rect { y, ..area },
            Rect { y, ..drawn },
        );
    }
    let below = area.y + height * COUNT;
    if below < area.bottom() {
        let row = Rect {
            y: below,
            height: 1,
            ..area
        };
        put(canvas, row, &[times(process, usize::from(drawn.width))]);
    }
}

fn one(curve: &Curve<'_>, process: &Process, canvas: &mut Canvas<'_>, row: Rect, drawn: Rect) {
    let (from, to) = (process.first_ns, process.last_ns);
    let width = usize::from(drawn.width);
    let mut values = values(&curve.points, from, to, width, curve.figure);
    let most = values.iter().copied().max().unwrap_or(0);
    let top = if most == 0 || curve.value.is_none() {
        String::new()
    } else {
        bytes(most)
    };
    let mut lines = vec![Line::new(); usize::from(drawn.height)];
    let middle = lines.len() / 2;
    if let [first, .., last] = lines.as_mut_slice()
        && !top.is_empty()
    {
        first
            .right(Paint::Dim, &top, LABEL - 1)
            .add(Paint::Dim, "▕");
        if drawn.height > 2 {
            last.right(Paint::Dim, "0", LABEL - 1).add(Paint::Dim, "▕");
        }
    }
    let line = &mut lines[middle];
    line.add(
        if curve.paint == Paint::Plain {
            Paint::Bright
        } else {
            curve.paint
        },
        curve.label,
    );
    if drawn.height > 1 {
        line.to_column(LABEL - 1).add(Paint::Dim, "▕");
    }
    let right = LABEL + width + usize::from(VALUE);
    let known = curve.value.map_or_else(|| "?".into(), bytes);
    line.right(Paint::Plain, &known, right);
    if let Some((value, was)) = curve.value.zip(curve.was) {
        let grown = difference(value, was);
        let paint = if grown > 0 { Paint::Bright } else { Paint::Dim };
        line.right(paint, &signed(grown), right + usize::from(GROWN));
    }
    if drawn.height == 1 && !top.is_empty() {
        let text = format!("0…{top}");
        line.right(Paint::Dim, &text, right + usize::from(GROWN + SCALE));
    }
    let area = Rect {
        height: drawn.height,
        ..row
    };
    put(canvas, area, &lines);
    if curve.value.is_none() {
        return;
    }
    // What is little beside the most is not nothing.
    let least = most.div_ceil(8 * u64::from(drawn.height));
    for value in values.iter_mut().filter(|value| **value > 0) {
        *value = least.max(*value);
    }
    let style = canvas.style(curve.paint).remove_modifier(Modifier::BOLD);
    let style = if curve.paint == Paint::Plain {
        Style::new()
    } else {
        style
    };
    Sparkline::default()
        .data(values)
        .style(style)
        .render(drawn, canvas.buffer);
}

/// From when to when, by the process's clock.
fn times(process: &Process, width: usize) -> Line {
    let lasted = process.last_ns.saturating_sub(process.first_ns);
    let mut line = Line::new();
    line.to_column(LABEL).add(Paint::Dim, "0 s");
    let (half, end) = (duration(lasted / 2), duration(lasted));
    let middle = LABEL + width / 2 + columns(&half) / 2;
    if width > 40 {
        line.right(Paint::Dim, &half, middle);
    }
    line.right(Paint::Dim, &end, LABEL + width);
    line
}

/// `+1.2 MiB`, `−3 KiB`, `±0`.
pub(super) fn signed(value: i64) -> String {
    if value == 0 {
        return "±0".into();
    }
    signed_bytes(value)
}
