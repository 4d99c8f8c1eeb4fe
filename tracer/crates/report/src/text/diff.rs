//! A comparison as text.

use std::io::{self, Write};

use super::brief;
use super::line::{Line, Paint, cut_end, cut_start, width, wrap};
use super::page::{Page, level};
use super::table::{Column, Layout};
use crate::folding::{Folded, fold};
use crate::selection::By;
use crate::wrappers::Wrappers;
use tracer_analysis::diff::model::{
    Change, Diff, Figures, LevelChange, Matched, Prediction, ProcessChange, Side, SiteChange,
};
use tracer_analysis::units::{bytes, count, counted, duration, percent, signed_bytes};

use super::style::Style;
use tracer_ledger::event::FaultMode;

const COLUMNS: [Column; 7] = [
    Column::new("old", 2),
    Column::new("new", 1),
    Column::new("reserved", 0),
    Column::new("accessible", 6),
    Column::new("touched", 3),
    Column::new("charged", 4),
    Column::new("live, calls", 5),
];
/// Where titles begin: before them stands how a row was matched.
const INDENT: usize = 4;
/// Where a verdict's level stands, and its headline.
const LEVEL: usize = 6;
const HEADLINE: usize = 15;
/// Lines below a title begin here.
const BELOW: usize = 6;
/// Changes below this say nothing, bytes.
const LEAST: u64 = 64 << 10;
/// Rows of a process if nobody asked for more.
const ROWS: usize = 10;
/// Processes, the same.
const PROCESSES: usize = 8;

/// Writes it, the process that has changed most first.
///
/// # Errors
/// Those of `out`.
pub fn write(diff: &Diff, style: &Style, out: &mut impl Write) -> io::Result<()> {
    let style = Style {
        width: style.width.clamp(60, 200),
        ..style.clone()
    };
    let sites = diff.processes.iter().flat_map(|process| &process.sites);
    let all = sites.map(|site| size(&site.figures));
    let all = all.fold(0, u64::saturating_add);
    let mut writer = DiffWriter {
        least: style
            .selection
            .min_size_bytes
            .unwrap_or(LEAST.max(all / 100)),
        style: &style,
        out,
    };
    writer.head(diff)?;
    let chosen_freely = style.selection.all || style.selection.min_size_bytes.is_some();
    let most = if chosen_freely { usize::MAX } else { PROCESSES };
    let (mut shown, mut unchanged) = (0, 0u64);
    for process in &diff.processes {
        if shown < most && writer.process(process)? {
            shown += 1;
        } else {
            unchanged += 1;
        }
    }
    if unchanged > 0 {
        writer.blank()?;
        let text = counted(unchanged, "process", "processes");
        let text = format!("{text} with less or no change: --full shows them");
        writer.text(0, Paint::Dim, &text)?;
    }
    Ok(())
}

struct DiffWriter<'a, W> {
    style: &'a Style,
    /// Changes below this are left out, bytes.
    least: u64,
    out: &'a mut W,
}

/// A row of either table.
struct Shown<'a> {
    mark: &'static str,
    title: String,
    figures: &'a Figures,
    below: Vec<String>,
}

impl<W: Write> DiffWriter<'_, W> {
    fn line(&mut self, line: &Line) -> io::Result<()> {
        line.write(self.style.color, self.out)
    }

    fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    fn text(&mut self, indent: usize, paint: Paint, text: &str) -> io::Result<()> {
        let page = Page {
            width: self.style.width,
            color: self.style.color,
        };
        page.indented(indent, paint, text, self.out)
    }

    fn head(&mut self, diff: &Diff) -> io::Result<()> {
        self.text(0, Paint::Bright, &diff.text)?;
        let side = |side: &Side| {
            let mut text = format!("{}, {}", side.started_at, duration(side.duration_ns));
            if side.lost > 0 {
                text.push_str(&format!(", {} lost", counted(side.lost, "event", "events")));
            }
            if side.faults != Some(FaultMode::Each) {
                text.push_str(", touched unknown");
            }
            text
        };
        let text = format!("old: {} · new: {}", side(&diff.old), side(&diff.new));
        self.text(0, Paint::Dim, &text)?;
        for prediction in &diff.predictions {
            self.text(0, Paint::Plain, &foretold(prediction))?;
        }
        Ok(())
    }

    /// Whether there was anything to say.
    fn process(&mut self, process: &ProcessChange) -> io::Result<bool> {
        let (shown, hidden) = match self.style.selection.by {
            By::Pattern => self.kinds(process),
            By::Site | By::Thread | By::Module => self.sites(process),
        };
        let full = self.style.selection.all;
        let alone = matches!(process.matched, Matched::OnlyOld | Matched::OnlyNew);
        let refused = process.refused.size() > 0;
        let alone = alone && hidden.bytes >= self.least;
        if shown.is_empty() && !(full || refused || alone) {
            return Ok(false);
        }
        self.blank()?;
        self.heading(process)?;
        self.headlines(process)?;
        let cells: Vec<Vec<String>> = shown.iter().map(|row| cells(row.figures)).collect();
        let layout = Layout::new(&COLUMNS, &cells, INDENT, self.style.width);
        if shown.is_empty() {
            self.text(INDENT, Paint::Plain, "nothing that is worth a line")?;
        } else {
            self.line(&layout.header("what has changed", &COLUMNS))?;
        }
        for (row, cells) in shown.iter().zip(&cells) {
            let mut line = Line::new();
            line.add(Paint::Dim, row.mark)
                .to_column(INDENT)
                .add(Paint::Bright, &fitted(&row.title, layout.title));
            let grown = row.figures.touched_bytes.change.unwrap_or(0) >= 1 << 20;
            let paint = if grown { Paint::Warn } else { Paint::Plain };
            layout.figures(&mut line, cells, paint);
            self.line(&line)?;
            for below in &row.below {
                let mut line = Line::new();
                line.to_column(BELOW).add(Paint::Dim, below);
                self.line(&line)?;
            }
        }
        if hidden.rows > 0 {
            let more = counted(hidden.rows, "more change", "more changes");
            let text = format!("and {more}, {}: --full shows them", bytes(hidden.bytes));
            self.text(INDENT, Paint::Dim, &text)?;
        }
        Ok(true)
    }

    /// What either report says of it; what has not changed once.
    fn headlines(&mut self, process: &ProcessChange) -> io::Result<()> {
        let LevelChange { old, new } = process.level;
        let both = [
            ("old", old, &process.old_headline),
            ("new", new, &process.new_headline),
        ];
        let same = old == new && process.old_headline == process.new_headline;
        for (side, found, headline) in both.into_iter().skip(usize::from(same)) {
            let Some(found) = found.filter(|_| !headline.is_empty()) else {
                continue;
            };
            let (word, paint) = level(found);
            let mut line = Line::new();
            line.to_column(2).add(Paint::Dim, side);
            line.to_column(LEVEL).add(paint, word);
            for (at, part) in wrap(headline, self.style.width - HEADLINE)
                .iter()
                .enumerate()
            {
                if at > 0 {
                    line = Line::new();
                }
                line.to_column(HEADLINE).add(Paint::Plain, part);
                self.line(&line)?;
            }
        }
        Ok(())
    }

    fn heading(&mut self, process: &ProcessChange) -> io::Result<()> {
        let pid = |pid: Option<u32>| pid.map_or_else(|| "?".into(), |pid| pid.to_string());
        let mut parts = vec![match process.matched {
            Matched::OnlyOld => format!("pid {}, only in old", pid(process.old_pid)),
            Matched::OnlyNew => format!("pid {}, only in new", pid(process.new_pid)),
            Matched::Exact | Matched::Similar => {
                format!("pid {} → {}", pid(process.old_pid), pid(process.new_pid))
            }
        }];
        let size = |of: Change| of.change.map_or_else(|| "?".into(), signed_bytes);
        parts.push(format!("virtual {}", size(process.virtual_bytes)));
        parts.push(format!("resident {}", size(process.resident_bytes)));
        if process.refused.size() > 0 {
            let number = |of: Option<u64>| of.map_or_else(|| "?".into(), count);
            let (old, new) = (number(process.refused.old), number(process.refused.new));
            parts.push(format!("refused {old} → {new}"));
        }
        if let Some((old, new)) = process.level.old.zip(process.level.new)
            && old != new
        {
            parts.push(format!("{} → {}", old.word(), new.word()));
        }
        let matches = process.matches;
        if !matches!(process.matched, Matched::OnlyOld | Matched::OnlyNew) {
            let mut sites = vec![format!("{} the same", count(matches.exact))];
            for (number, what) in [
                (matches.similar, "similar"),
                (matches.only_old, "only in old"),
                (matches.only_new, "only in new"),
            ] {
                if number > 0 {
                    sites.push(format!("{} {what}", count(number)));
                }
            }
            parts.push(format!("sites: {}", sites.join(", ")));
        }
        let mut line = Line::new();
        line.add(Paint::Bright, &cut_end(&process.comm, 32));
        for part in parts {
            if line.width() + 3 + width(&part) > self.style.width {
                self.line(&line)?;
                line = Line::new();
                line.to_column(2).add(Paint::Plain, &part);
            } else {
                line.add(Paint::Plain, " · ").add(Paint::Plain, &part);
            }
        }
        self.line(&line)
    }

    fn kinds<'a>(&self, process: &'a ProcessChange) -> (Vec<Shown<'a>>, Hidden) {
        let rows = process.patterns.iter().map(|kind| (kind, &kind.figures));
        let (chosen, hidden) = self.chosen(rows.collect());
        let shown = chosen.into_iter().map(|kind| Shown {
            mark: "",
            title: kind.name.clone(),
            figures: &kind.figures,
            below: Vec::new(),
        });
        (shown.collect(), hidden)
    }

    fn sites<'a>(&self, process: &'a ProcessChange) -> (Vec<Shown<'a>>, Hidden) {
        let wrappers = Wrappers::of(process.sites.iter().map(|site| site.frames.as_slice()));
        let rows = process.sites.iter().map(|site| (site, &site.figures));
        let (chosen, hidden) = self.chosen(rows.collect());
        let shown = chosen.into_iter().map(|site| self.site(site, &wrappers));
        (shown.collect(), hidden)
    }

    fn site<'a>(&self, site: &'a SiteChange, wrappers: &Wrappers) -> Shown<'a> {
        let folded = if site.frames.is_empty() {
            Folded::default()
        } else {
            fold(&site.frames, wrappers)
        };
        let called = !site.frames.is_empty();
        let room = self.style.width - BELOW;
        Shown {
            mark: match site.matched {
                Matched::Exact => "",
                Matched::Similar => "≈",
                Matched::OnlyOld => "−",
                Matched::OnlyNew => "+",
            },
            title: match &site.pattern_name {
                Some(name) => name.clone(),
                None => brief::title(&folded, &site.name, called, 64),
            },
            figures: &site.figures,
            below: brief::below(&folded, site.pattern_name.is_some(), room),
        }
    }

    /// What has changed enough, in the order of the model; and what is not shown.
    fn chosen<'a, T>(&self, rows: Vec<(&'a T, &'a Figures)>) -> (Vec<&'a T>, Hidden) {
        let selection = &self.style.selection;
        let most = match selection.min_size_bytes {
            None if !selection.all => ROWS,
            _ => usize::MAX,
        };
        let mut hidden = Hidden::default();
        let mut chosen = Vec::new();
        for (row, figures) in rows {
            let size = size(figures);
            let is_shown = selection.all || size >= self.least;
            if !figures.has_changed() {
                continue;
            }
            if is_shown && chosen.len() < most {
                chosen.push(row);
            } else {
                hidden.rows += 1;
                hidden.bytes = hidden.bytes.saturating_add(size);
            }
        }
        (chosen, hidden)
    }
}

/// How much has changed.
fn size(figures: &Figures) -> u64 {
    let touched = figures.touched_bytes.size();
    figures.reserved_bytes.size().max(touched)
}

/// Changes that are not shown.
#[derive(Default)]
struct Hidden {
    rows: u64,
    bytes: u64,
}

/// Of a path the end says more.
fn fitted(title: &str, room: usize) -> String {
    if title.starts_with('/') {
        cut_start(title, room)
    } else {
        cut_end(title, room)
    }
}

fn cells(figures: &Figures) -> Vec<String> {
    let size = |size: Option<u64>| size.map_or_else(|| "?".into(), bytes);
    let by = |change: Change| change.change.map_or_else(|| "?".into(), signed_bytes);
    let number = |change: Change| match change.change {
        None => "?".into(),
        Some(by) if by > 0 => format!("+{}", count(by.unsigned_abs())),
        Some(by) if by < 0 => format!("−{}", count(by.unsigned_abs())),
        Some(_) => "0".to_owned(),
    };
    vec![
        size(figures.reserved_bytes.old),
        size(figures.reserved_bytes.new),
        by(figures.reserved_bytes),
        by(figures.accessible_bytes),
        by(figures.touched_bytes),
        by(figures.charged_bytes),
        format!("{}, {}", number(figures.live), number(figures.calls)),
    ]
}

/// `foretold for A=1: 21.5 GiB → 9.5 GiB virtual; come to 9.6 GiB, 1.1 % more`.
fn foretold(one: &Prediction) -> String {
    let off = one.new_bytes.abs_diff(one.predicted_bytes);
    let share = percent(off.min(one.predicted_bytes), one.predicted_bytes);
    let deviation = match one.new_bytes.cmp(&one.predicted_bytes) {
        std::cmp::Ordering::Equal => "0 % off".to_owned(),
        std::cmp::Ordering::Greater if off > one.predicted_bytes => {
            format!("{:.0} % more", one.deviation_percent)
        }
        std::cmp::Ordering::Greater => format!("{share} more"),
        std::cmp::Ordering::Less => format!("{share} less"),
    };
    format!(
        "{}: {} was foretold to take {} of virtual size to {}; it has become {}, {deviation}.",
        one.comm,
        one.knob,
        bytes(one.old_bytes),
        bytes(one.predicted_bytes),
        bytes(one.new_bytes),
    )
}
