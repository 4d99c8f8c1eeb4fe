//! The answer on a process: its level and headline, then who, why, whether it hurts, what changes it, what comes next.

use std::io::{self, Write};

use super::line::{Line, Paint, cut_end, cut_start, width, wrap};
use super::page::{LABEL, Page, level};
use tracer_analysis::summary::{Level, Remedy, Verdict, Who};
use tracer_analysis::units::{bytes, rate};

/// ns.
const HOUR: u64 = 3_600_000_000_000;
/// Between two columns.
const GAP: usize = 2;
/// Columns of a size, a rate, a site's id.
const SIZE: usize = 10;
const KEY: usize = 5;
/// A place is cut to so much before it goes below.
const PLACE: usize = 40;

impl Page {
    /// All of it. `hurts`: how the process stands to its limits, and whether one of them is near.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn answer(
        &self,
        verdict: &Verdict,
        hurts: (&str, bool),
        out: &mut impl Write,
    ) -> io::Result<()> {
        self.headline(verdict, out)?;
        self.who(&verdict.who, out)?;
        self.part("because", &verdict.because.join(" "), Paint::Plain, out)?;
        let (text, near) = hurts;
        self.part(
            "hurts",
            text,
            if near { Paint::Warn } else { Paint::Plain },
            out,
        )?;
        for (rank, one) in verdict.change.iter().enumerate() {
            self.remedy(if rank == 0 { "change" } else { "" }, one, out)?;
        }
        for one in &verdict.next {
            let text = format!("{}: {}", one.why, one.command);
            self.part("next", &text, Paint::Plain, out)?;
        }
        Ok(())
    }

    /// The level, the headline, and how sure that is at the end of the line, or below the level.
    fn headline(&self, verdict: &Verdict, out: &mut impl Write) -> io::Result<()> {
        let (word, paint) = level(verdict.level);
        let sure = sure(verdict);
        let mut parts = wrap(&verdict.headline, self.width - LABEL);
        let beside = parts.len() <= 1
            && parts.first().map_or(0, |part| width(part)) + LABEL + GAP + width(&sure)
                <= self.width;
        let lines = if beside || sure.is_empty() { 1 } else { 2 };
        parts.resize(parts.len().max(lines), String::new());
        for (index, part) in parts.iter().enumerate() {
            let mut line = Line::new();
            match index {
                0 => line.add(paint, word),
                1 if !beside => line.add(Paint::Dim, &sure),
                _ => &mut line,
            };
            line.to_column(LABEL).add(Paint::Bright, part);
            if index == 0 && beside {
                line.right(Paint::Dim, &sure, self.width);
            }
            self.line(&line, out)?;
        }
        Ok(())
    }

    /// A line for each call site: its name, where that is, bytes, rate, id.
    fn who(&self, all: &[Who], out: &mut impl Write) -> io::Result<()> {
        let speed = |one: &Who| one.rate.map(|by_hour| format!("+{}", rate(by_hour, HOUR)));
        let speeds = all.iter().any(|one| one.rate.is_some());
        let right = self.width - GAP - KEY;
        let room = right - SIZE - if speeds { SIZE + GAP + GAP } else { 0 } - LABEL - GAP;
        let called = |one: &Who| {
            let names: Vec<&str> = std::iter::once(&one.name)
                .chain(&one.callers)
                .map(String::as_str)
                .collect();
            names.join(" ← ")
        };
        let widest = |width_of: &dyn Fn(&Who) -> usize| all.iter().map(width_of).max().unwrap_or(0);
        let names = widest(&|one| width(&called(one)));
        let places = widest(&|one| one.place.as_deref().map_or(0, width));
        let beside = names + GAP + places.min(PLACE) <= room;
        for (rank, one) in all.iter().enumerate() {
            let mut line = Line::new();
            self.label(&mut line, if rank == 0 { "who" } else { "" });
            line.add(Paint::Bright, &cut_end(&called(one), room));
            let place = one.place.as_deref().filter(|place| !place.is_empty());
            if let Some(place) = place.filter(|_| beside) {
                line.to_column(LABEL + names + GAP)
                    .add(Paint::Plain, &cut_start(place, room - names - GAP));
            }
            let of_rate = if speeds { SIZE + GAP + GAP } else { 0 };
            line.right(Paint::Plain, &bytes(one.bytes), right - of_rate);
            if let Some(speed) = speed(one) {
                line.right(Paint::Warn, &speed, right);
            }
            line.right(Paint::Dim, &one.site, self.width);
            self.line(&line, out)?;
            if let Some(place) = place.filter(|_| !beside) {
                let place = cut_start(place, self.width - LABEL - GAP);
                self.indented(LABEL + GAP, Paint::Plain, &place, out)?;
            }
        }
        Ok(())
    }

    /// The knob is never broken: it is there to be copied.
    fn remedy(&self, label: &str, one: &Remedy, out: &mut impl Write) -> io::Result<()> {
        let mut line = Line::new();
        self.label(&mut line, label);
        line.add(Paint::Bright, &one.knob);
        let text = format!("→ {}", one.comes_to());
        let left = self.width.saturating_sub(line.width() + GAP);
        if width(&text) <= left {
            line.add(Paint::Plain, "  ").add(Paint::Plain, &text);
            return self.line(&line, out);
        }
        self.line(&line, out)?;
        self.indented(LABEL + GAP, Paint::Plain, &text, out)
    }

    fn part(&self, label: &str, text: &str, paint: Paint, out: &mut impl Write) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        for (index, part) in wrap(text, self.width - LABEL).iter().enumerate() {
            let mut line = Line::new();
            self.label(&mut line, if index == 0 { label } else { "" });
            line.add(paint, part);
            self.line(&line, out)?;
        }
        Ok(())
    }

    fn label(&self, line: &mut Line, label: &str) {
        line.to_column(GAP).add(Paint::Dim, label).to_column(LABEL);
    }
}

/// How sure a level is, in words; nothing of one that is not known.
#[must_use]
pub fn sure(verdict: &Verdict) -> String {
    match verdict.level {
        Level::Unknown => String::new(),
        _ if verdict.confidence >= 0.995 => "certain".into(),
        _ => format!("{:.0} % sure", verdict.confidence * 100.0),
    }
}
