//! The tables by call site: what was never released, and what was.

use std::io;
use std::io::Write;

use super::before::Before;
use super::line::{Line, Paint, cut_end, cut_middle, cut_start, escape, width};
use super::table::{Column, Layout};
use super::writer::ReportWriter;
use crate::figures::Figures;
use crate::folding::Folded;
use crate::placeholders::without_frames;
use crate::rows::{Common, SiteRow, folded, point_out, rows};
use crate::selection::{By, Candidate, Chosen};
use tracer_analysis::summary::{Level, Pattern, Process, Site};
use tracer_analysis::units::{bytes, count, counted, duration, moment};
use tracer_ledger::event::FaultMode;

pub(super) const LIVING: [Column; 6] = [
    Column::new("reserved", 0),
    Column::new("accessible", 3),
    Column::new("touched", 1),
    Column::new("resident", 5),
    Column::new("live/calls", 2),
    Column::new("since", 4),
];
const GONE: [Column; 4] = [
    Column::new("released", 0),
    Column::new("calls", 1),
    Column::new("peak", 2),
    Column::new("lived", 3),
];
/// Lines below a title begin this much further in.
const FURTHER: usize = 2;
/// Rows that a process has at most if nobody asked for more.
const ROWS: usize = 8;
/// The same for one that is not the report's subject.
const ROWS_ASIDE: usize = 5;
/// Lines that the way to the kernel may take.
const WAY: usize = 2;
/// The same of what has been released.
const WAY_GONE: usize = 1;
/// Rows of what has been released.
const ROWS_GONE: usize = 5;

impl<W: Write> ReportWriter<'_, W> {
    /// `aside`: another process is what the report is about.
    pub(super) fn tables(&mut self, process: &Process, aside: bool) -> io::Result<()> {
        let apart = self.style.selection.all;
        let own = folded(process);
        let is_living = |site: &Site| site.reserved_bytes > 0;
        let (living, gone): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|(site, _)| is_living(site));
        let most = if aside { ROWS_ASIDE } else { ROWS };
        match self.style.selection.by {
            By::Site => self.living(process, rows(living, apart), most)?,
            by => self.grouped(process, &living, by, most)?,
        }
        let gone = gone
            .into_iter()
            .filter(|(site, _)| site.calls > 0 || site.released_bytes > 0);
        let most = if aside { 0 } else { ROWS_GONE };
        self.gone(rows(gone.collect(), apart), most)
    }

    fn living(
        &mut self,
        process: &Process,
        mut rows: Vec<SiteRow<'_>>,
        most: usize,
    ) -> io::Result<()> {
        point_out(&mut rows, &process.verdict);
        let selection = &self.style.selection;
        let chosen = selection.choose(rows, most, |figures| figures.reserved);
        let shown = chosen.shown.iter();
        let mut cells: Vec<Vec<String>> = shown.map(|row| self.cells(row.figures())).collect();
        let before = Before::of(process);
        cells.push(self.before_cells(&before));
        let indent = indent(&chosen);
        let layout = Layout::new(&LIVING, &cells, indent, self.style.width);
        self.line(&layout.header("never released", &LIVING))?;
        if chosen.shown.is_empty() && chosen.hidden == 0 {
            self.indented(
                indent,
                Paint::Plain,
                if process.from_start {
                    "nothing that it has reserved itself"
                } else {
                    "nothing of what it has reserved since"
                },
            )?;
        }
        for (row, cells) in chosen.shown.iter().zip(&cells) {
            let (in_title, level) = self.title(&layout, row, cells)?;
            let below = indent + FURTHER;
            if let Common::Stack(folded) = &row.common {
                let location = folded.location.as_deref().filter(|_| !in_title);
                let whose = row.sites[0].pattern.as_ref().and(folded.title.as_deref());
                self.callers(below, (level, whose), location, &folded.callers)?;
                self.way(below, folded, WAY)?;
            }
            self.notes(below, process, row)?;
        }
        self.hidden(indent, &chosen)?;
        if self.report.faults != Some(FaultMode::Each) {
            self.indented(
                indent,
                Paint::Dim,
                "touched is unknown: page faults were not followed one by one",
            )?;
        }
        self.before(&layout, &before, cells.last().map_or(&[], Vec::as_slice))
    }

    fn gone(&mut self, rows: Vec<SiteRow<'_>>, most: usize) -> io::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let selection = &self.style.selection;
        let chosen = selection.choose(rows, most, |figures| figures.released);
        self.blank()?;
        if chosen.shown.is_empty() {
            // Too little for a table.
            let mut line = Line::new();
            let text = format!(
                "{} from {}",
                bytes(chosen.hidden_bytes),
                counted(chosen.hidden, "site", "sites")
            );
            line.add(Paint::Bright, "released, all of it")
                .add(Paint::Plain, "  ")
                .add(Paint::Dim, &text);
            return self.line(&line);
        }
        let cells: Vec<Vec<String>> = chosen.shown.iter().map(gone_cells).collect();
        let indent = indent(&chosen);
        let layout = Layout::new(&GONE, &cells, indent, self.style.width);
        self.line(&layout.header("released, all of it", &GONE))?;
        for (row, cells) in chosen.shown.iter().zip(&cells) {
            let (in_title, level) = self.title(&layout, row, cells)?;
            if let Common::Stack(folded) = &row.common {
                let location = folded.location.as_deref().filter(|_| !in_title);
                let whose = row.sites[0].pattern.as_ref().and(folded.title.as_deref());
                self.callers(indent + FURTHER, (level, whose), location, &folded.callers)?;
                self.way(indent + FURTHER, folded, WAY_GONE)?;
            }
        }
        self.hidden(indent, &chosen)
    }

    /// The first line of a row; whether the location found room on it, and the level if that did not.
    fn title(
        &mut self,
        layout: &Layout,
        row: &SiteRow<'_>,
        cells: &[String],
    ) -> io::Result<(bool, Option<(Paint, String)>)> {
        let site = row.sites[0];
        let mut line = Line::new();
        // A pool's sites are many: none of their ids is the row's.
        if let Common::Stack(_) = row.common {
            line.add(Paint::Dim, &site.key);
        }
        line.to_column(layout.indent);
        let mut in_title = false;
        let mut level = None;
        match (&row.common, &site.pattern) {
            (Common::Pool(pool), _) => {
                let sites = counted(row.sites.len() as u64, "site", "sites");
                line.add(Paint::Bright, &cut_end(pool, layout.title));
                let same = |one: &&Site| {
                    let level = |site: &Site| site.pattern.as_ref().map(|pattern| pattern.level);
                    level(one) == level(site)
                };
                if let Some(pattern) = &site.pattern
                    && row.sites.iter().all(same)
                {
                    let _ = add_level(&mut line, pattern, layout);
                }
                if line.width() + 2 + width(&sites) <= layout.indent + layout.title {
                    line.add(Paint::Plain, "  ").add(Paint::Plain, &sites);
                }
            }
            (Common::Stack(_), Some(pattern)) => {
                let fitted = cut_end(&pattern.name, layout.title);
                line.add(Paint::Bright, &fitted);
                level = add_level(&mut line, pattern, layout);
            }
            (Common::Stack(folded), None) => {
                let fitted = fitted(folded, site, layout.title);
                let paint = if site.frames.is_empty() {
                    Paint::Plain
                } else {
                    Paint::Bright
                };
                line.add(paint, &fitted);
                if let Some(location) = &folded.location {
                    in_title = width(&fitted) + 2 + width(&escape(location)) <= layout.title;
                    if in_title {
                        line.add(Paint::Plain, "  ").add(Paint::Plain, location);
                    }
                }
            }
        }
        let paint = if row.figures().is_growing() {
            Paint::Warn
        } else {
            Paint::Plain
        };
        layout.figures(&mut line, cells, paint);
        self.line(&line)?;
        Ok((in_title, level))
    }

    pub(super) fn cells(&self, figures: &Figures) -> Vec<String> {
        let calls = if figures.calls == 0 {
            "?".into()
        } else {
            count(figures.calls)
        };
        vec![
            bytes(figures.reserved),
            bytes(figures.accessible),
            self.touched(figures.touched),
            figures.resident.map_or_else(|| "?".into(), bytes),
            format!("{}/{calls}", count(figures.live)),
            moment(figures.first_ns),
        ]
    }

    /// A lower bound is marked as one.
    pub(super) fn touched(&self, touched: Option<u64>) -> String {
        match touched {
            None => "?".into(),
            Some(touched) if self.report.losses.faults > 0 => format!("≥ {}", bytes(touched)),
            Some(touched) => bytes(touched),
        }
    }

    pub(super) fn hidden<R>(&mut self, indent: usize, chosen: &Chosen<R>) -> io::Result<()> {
        if chosen.hidden == 0 {
            return Ok(());
        }
        let mut text = format!(
            "and {}, {}",
            counted(chosen.hidden, "more site", "more sites"),
            bytes(chosen.hidden_bytes)
        );
        if let Some(touched) = chosen.hidden_touched.filter(|touched| *touched > 0) {
            text.push_str(&format!(" ({} touched)", self.touched(Some(touched))));
        }
        text.push_str(": --full shows them");
        self.indented(indent, Paint::Dim, &text)
    }
}

fn gone_cells(row: &SiteRow<'_>) -> Vec<String> {
    let figures = row.figures();
    // Several sites need not have peaked at one time.
    let peak = if row.sites.len() > 1 { "≤ " } else { "" };
    let lived = match figures.median_lifetime {
        None => "?".into(),
        Some((least, greatest)) if least == greatest => duration(least),
        Some((least, greatest)) => format!("{}–{}", duration(least), duration(greatest)),
    };
    vec![
        bytes(figures.released),
        count(figures.calls),
        format!("{peak}{}", bytes(figures.peak)),
        lived,
    ]
}

/// A title that fits: whole, or short, or cut.
fn fitted(folded: &Folded, site: &Site, room: usize) -> String {
    match &folded.title {
        Some(title) if width(&escape(title)) <= room => title.clone(),
        // Of an address within a module both ends say something.
        Some(_) if folded.short.contains("+0x") => cut_middle(&folded.short, room),
        Some(_) => cut_start(&folded.short, room),
        None => cut_end(&without_frames(site.calls, &site.name), room),
    }
}

/// Room for the ids of sites.
fn indent(chosen: &Chosen<SiteRow<'_>>) -> usize {
    let keys = chosen.shown.iter().map(|row| row.sites[0].key.len());
    keys.max().unwrap_or(0).max(2) + 2
}

/// `benign, sure`, if there is room; else it comes back.
fn add_level(line: &mut Line, pattern: &Pattern, layout: &Layout) -> Option<(Paint, String)> {
    let paint = match pattern.level {
        Level::Benign => Paint::Good,
        Level::Watch => Paint::Warn,
        Level::Leak | Level::Refused => Paint::Bad,
        Level::Unknown => Paint::Dim,
    };
    let word = level_word(pattern);
    if line.width() + 2 + width(&word) <= layout.indent + layout.title {
        line.add(Paint::Plain, "  ").add(paint, &word);
        return None;
    }
    Some((paint, word))
}

/// `benign, sure`: what a pattern means, and how sure it is.
#[must_use]
pub fn level_word(pattern: &Pattern) -> String {
    // Memory of a known kind, of which the kind says neither good nor bad, has only the certainty.
    let level = match pattern.level {
        Level::Benign => "benign, ",
        Level::Watch => "to be watched, ",
        Level::Leak => "leak, ",
        Level::Refused => "refused, ",
        Level::Unknown => "",
    };
    let sure = match pattern.confidence {
        _ if pattern.is_sure() => "sure",
        likely if likely >= 0.6 => "likely",
        _ => "perhaps",
    };
    format!("{level}{sure}")
}
