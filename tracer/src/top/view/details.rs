//! The selected row: what it is, what to do, the stack from the caller to the kernel, what speaks for it.

use ratatui::layout::{Constraint, Layout, Rect};

use super::{
    paint::{Canvas, painted, put},
    table::since,
};
use crate::top::{rows::TableRow, state::State};
use tracer_analysis::{
    summary::{Process, Site, Trend},
    units::{bytes, counted, duration, moment},
};
use tracer_report::{
    names::{full_name, last_part, location, short_name},
    noise::{Rank, rank},
    placeholders::doubt,
    text::{
        level_word,
        line::{Line, Paint, cut_end, width as columns, wrap},
    },
    touched::touched_by,
};

/// From so many columns on the stack stands beside the words.
const WIDE: u16 = 140;
/// The most callers that are told in words.
const CALLERS: usize = 3;

pub(super) fn draw(state: &State, process: &Process, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(row) = state.row() else {
        return;
    };
    let sites: Vec<&Site> = row
        .sites
        .iter()
        .map(|index| &process.sites[*index])
        .collect();
    let [head, body] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    put(canvas, head, &[separator(row, state, head.width)]);
    if area.width >= WIDE {
        let [words, _, frames] = Layout::horizontal([
            Constraint::Fill(1),
            Constraint::Length(2),
            Constraint::Fill(1),
        ])
        .areas(body);
        let mut said = facts(row, process, &sites, words.width);
        said.extend(advice(row, words.width));
        said.extend(evidence(row, words.width));
        page(state, canvas, words, &said);
        let room = if state.large {
            usize::MAX
        } else {
            frames.height.into()
        };
        let called = stack(row, &sites, room, frames.width);
        page(state, canvas, frames, &called);
    } else {
        let mut said = facts(row, process, &sites, body.width);
        let room = if state.large {
            usize::MAX
        } else {
            usize::from(body.height).saturating_sub(said.len())
        };
        said.extend(stack(row, &sites, room, body.width));
        said.extend(advice(row, body.width));
        said.extend(evidence(row, body.width));
        page(state, canvas, body, &said);
    }
}

/// As far as it is scrolled; the last line says if there is more.
fn page(state: &State, canvas: &mut Canvas<'_>, area: Rect, lines: &[Line]) {
    let height = usize::from(area.height);
    let from = state.scroll.min(lines.len().saturating_sub(height));
    put(canvas, area, &lines[from..]);
    let hidden = lines.len() - from;
    if let Some(last) = area.rows().next_back()
        && hidden > height
    {
        let more = counted((hidden - height + 1) as u64, "more line", "more lines");
        let keys = if state.large {
            "PgDn"
        } else {
            "PgDn, or Enter for the whole screen"
        };
        let mut line = painted(Paint::Dim, &format!("… {more}: {keys}"));
        line.to_column(usize::from(area.width));
        put(canvas, last, &[line]);
    }
}

fn separator(row: &TableRow, state: &State, width: u16) -> Line {
    let width = usize::from(width);
    let since = since(state);
    let room = width.saturating_sub(columns(&since) + 8);
    let mut line = painted(Paint::Dim, "── ");
    if let Some(id) = &row.id {
        line.add(Paint::Dim, id).add(Paint::Plain, " ");
    }
    let name = row
        .pattern
        .as_ref()
        .map_or(&row.name, |pattern| &pattern.name);
    line.add(Paint::Bright, &cut_end(name, room));
    if let Some(pattern) = &row.pattern {
        let word = format!(" {}", level_word(pattern));
        if line.width() + columns(&word) <= room {
            line.add(Paint::Plain, &word);
        }
    }
    line.add(Paint::Dim, " ");
    let dashes = width.saturating_sub(line.width() + columns(&since) + 1);
    line.add(Paint::Dim, &"─".repeat(dashes))
        .add(Paint::Dim, " ");
    line.add(Paint::Dim, &since);
    line
}

fn facts(row: &TableRow, process: &Process, sites: &[&Site], width: u16) -> Vec<Line> {
    let figures = &row.figures;
    let mut parts = Vec::new();
    if row.before {
        parts.push(match &process.before {
            Some(before) if !before.text.is_empty() => {
                format!("as it was when tracing began: {}", before.text)
            }
            _ => "mapped before tracing began, or by the kernel: whose doing it is is not known"
                .into(),
        });
    } else {
        if row.pattern.is_some() {
            parts.push(row.name.clone());
        }
        if !row.callers.is_empty() {
            let callers = &row.callers[..row.callers.len().min(CALLERS)];
            parts.push(format!("called by {}", callers.join(" ← ")));
        }
        if figures.first_ns < u64::MAX {
            parts.push(format!(
                "first at {}, last at {}",
                moment(figures.first_ns.saturating_sub(process.first_ns)),
                moment(figures.last_ns.saturating_sub(process.first_ns))
            ));
        }
    }
    match sites {
        [site] => parts.push(match site.trend {
            Trend::OneOff => "made at one time".into(),
            Trend::Settled => "settled".into(),
            Trend::Growing => "still growing".into(),
            Trend::Churn => "comes and goes".into(),
        }),
        _ if figures.is_growing() => parts.push("still growing".into()),
        _ => {}
    }
    let rates: Vec<u64> = sites
        .iter()
        .filter_map(|site| site.growth_per_hour.map(|rate| rate.median))
        .collect();
    if !rates.is_empty() {
        parts.push(format!("{} an hour at present", bytes(rates.iter().sum())));
    }
    if figures.released > 0 {
        let mut text = format!("{} given back", bytes(figures.released));
        if let Some((_, median)) = figures.median_lifetime {
            text.push_str(&format!(", half within {}", duration(median)));
        }
        parts.push(text);
    }
    if figures.peak > figures.reserved && sites.len() == 1 {
        parts.push(format!("peak {}", bytes(figures.peak)));
    }
    let mut threads: Vec<&str> = sites
        .iter()
        .flat_map(|site| site.thread_names.iter().map(String::as_str))
        .collect();
    threads.sort_unstable();
    threads.dedup();
    if !threads.is_empty() && !row.before {
        let more = if threads.len() > 4 { ", …" } else { "" };
        threads.truncate(4);
        parts.push(format!("by {}{more}", threads.join(", ")));
    }
    if let Some(text) = touched_by(sites) {
        parts.push(text);
    }
    wrapped(Paint::Plain, "", &parts.join(" · "), width)
}

fn advice(row: &TableRow, width: u16) -> Vec<Line> {
    let Some(pattern) = &row.pattern else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    if let Some(knob) = &pattern.knob {
        let effect = pattern.knob_effect.as_ref();
        let effect = effect.map_or_else(String::new, |effect| format!(" ({effect})"));
        lines.extend(wrapped(
            Paint::Bright,
            "→ ",
            &format!("turned off by {knob}{effect}"),
            width,
        ));
    }
    for text in &pattern.advice {
        lines.extend(wrapped(Paint::Plain, "→ ", text, width));
    }
    lines
}

fn evidence(row: &TableRow, width: u16) -> Vec<Line> {
    let Some(pattern) = &row.pattern else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    if !pattern.meaning.is_empty() {
        lines.extend(wrapped(Paint::Plain, "", &pattern.meaning, width));
    }
    for text in &pattern.evidence {
        lines.extend(wrapped(Paint::Dim, "· ", text, width));
    }
    lines
}

fn wrapped(paint: Paint, sign: &str, text: &str, width: u16) -> Vec<Line> {
    let indent = columns(sign);
    let parts = wrap(text, usize::from(width).saturating_sub(indent));
    let lines = parts.iter().enumerate().map(|(index, part)| {
        let mut line = Line::new();
        line.add(Paint::Dim, if index == 0 { sign } else { "" });
        line.to_column(indent).add(paint, part);
        line
    });
    lines.collect()
}

/// Of the largest site, whoever called first, the way into the kernel last. Where there is no room for so many lines, from
/// the function on whose doing it is.
fn stack(row: &TableRow, sites: &[&Site], room: usize, width: u16) -> Vec<Line> {
    let Some(site) = sites.iter().find(|site| !site.frames.is_empty()) else {
        return Vec::new();
    };
    let width = usize::from(width);
    let mut lines = Vec::new();
    if sites.len() > 1 {
        let text = format!(
            "the largest of {}, {}:",
            counted(sites.len() as u64, "stack", "stacks"),
            site.key
        );
        lines.push(painted(Paint::Dim, &text));
    }
    if let Some(doubt) = doubt(site.stack) {
        lines.push(painted(Paint::Warn, &format!("    {doubt}")));
    }
    let title = title(row, site);
    let outermost = site.frames.len() - 1;
    let fit = room.saturating_sub(lines.len());
    let from = if site.frames.len() > fit {
        // One line says that there are more.
        let fitting = fit.saturating_sub(2);
        outermost.min(title.unwrap_or(0).max(fitting))
    } else {
        outermost
    };
    if from < outermost {
        let more = counted((outermost - from) as u64, "caller", "callers");
        let text = format!("    … {more} above: Enter shows them");
        lines.push(painted(Paint::Dim, &text));
    }
    for (index, frame) in site.frames.iter().enumerate().take(from + 1).rev() {
        let paint = match rank(frame) {
            _ if Some(index) == title => Paint::Bright,
            Rank::User | Rank::Runtime => Paint::Plain,
            Rank::Start | Rank::Edge | Rank::Glue => Paint::Dim,
        };
        let mut line = Line::new();
        line.right(Paint::Dim, &index.to_string(), 3)
            .add(Paint::Plain, " ");
        line.add(paint, &cut_end(&full_name(frame), width.saturating_sub(4)));
        let module = frame.module.as_deref().map(last_part);
        // `in libc.so.6` is the place of what has no line.
        let place = location(frame).or_else(|| module.map(|module| format!("in {module}")));
        let left = width.saturating_sub(line.width() + 2);
        if let Some(place) = place
            && left > 8
            && frame.function.is_some()
        {
            line.add(Paint::Plain, "  ");
            line.add(Paint::Dim, &cut_end(&place, left));
        }
        if frame.inlined && line.width() + 9 <= width {
            line.add(Paint::Dim, " inlined");
        }
        lines.push(line);
    }
    lines
}

/// The innermost frame of the function that the row is called by.
fn title(row: &TableRow, site: &Site) -> Option<usize> {
    site.frames.iter().position(|frame| {
        let whole = full_name(frame);
        whole == row.name || whole == site.name || short_name(frame) == site.name
    })
}
