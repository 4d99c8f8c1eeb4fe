//! The text report: for a person, at a terminal or in a file, 60 to 200 columns wide.
//!
//! Every string that comes from a traced process goes through [`line::escape`]: it cannot move the
//! cursor, set a title or hide text.

pub mod line;

pub mod page;

pub mod explain;

pub mod diff;

pub(super) mod brief;

pub mod harm;

pub mod process;

mod before;

mod grades;

mod grouped;

mod notes;

mod sites;

pub mod sparkline;

mod stack;

pub mod table;

mod window;

use std::io::{self, Write};

pub use grouped::{kind, module, threads};
pub use sites::level_word;

use line::{Line, Paint};
use page::{LABEL, Page};

use super::selection::Selection;
use tracer_analysis::summary::{Level, Process, Report};
use tracer_analysis::units::{bytes, count, counted, duration, moment, percent};

/// How the text looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal; taken as 60 at least and 200 at most.
    pub width: usize,
    /// Whether colours are allowed.
    pub color: bool,
    /// What is shown.
    pub selection: Selection,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            width: 100,
            color: false,
            selection: Selection::default(),
        }
    }
}

/// ns.
const SECOND: u64 = 1_000_000_000;

/// Writes the report, the biggest process first.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, style: &Style, out: &mut impl Write) -> io::Result<()> {
    let style = Style {
        width: style.width.clamp(60, 200),
        ..style.clone()
    };
    let (shown, small) = style.selection.processes(report);
    let mut writer = Writer {
        report,
        style: &style,
        out,
        alone: shown.len() == 1,
    };
    if report.processes.is_empty() {
        let mut line = Line::new();
        line.add(Paint::Plain, "Nothing was traced.");
        writer.line(&line)?;
        return writer.trace_summary();
    }
    if !writer.alone {
        writer.overview(report.processes.len())?;
    }
    for (rank, process) in shown.iter().enumerate() {
        if rank > 0 || !writer.alone {
            writer.blank()?;
        }
        let aside = rank > 0 && !matches!(process.verdict.level, Level::Leak | Level::Watch);
        writer.process(process, aside)?;
    }
    writer.small_processes(&small)
}

/// What all parts of the report need.
struct Writer<'a, W> {
    report: &'a Report,
    style: &'a Style,
    out: &'a mut W,
    /// Only one process is shown in full: what is true of the trace stands with it.
    alone: bool,
}

impl<W: Write> Writer<'_, W> {
    fn line(&mut self, line: &Line) -> io::Result<()> {
        line.write(self.style.color, self.out)
    }

    fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// A label and a text beside it, wrapped.
    fn labelled(&mut self, label: &str, paint: Paint, text: &str, body: Paint) -> io::Result<()> {
        self.page().labelled(label, paint, text, body, self.out)
    }

    /// Wrapped text, indented.
    fn indented(&mut self, indent: usize, paint: Paint, text: &str) -> io::Result<()> {
        self.page().indented(indent, paint, text, self.out)
    }

    fn page(&self) -> Page {
        Page {
            width: self.style.width,
            color: self.style.color,
        }
    }

    /// The first lines of a report on several processes.
    fn overview(&mut self, processes: usize) -> io::Result<()> {
        let text = format!(
            "{} · {} · {}",
            counted(processes as u64, "process", "processes"),
            duration(self.report.duration_ns),
            self.events()
        );
        self.indented(0, Paint::Bright, &text)?;
        self.losses()?;
        self.stacks()
    }

    fn trace_summary(&mut self) -> io::Result<()> {
        let text = format!("{} · {}", duration(self.report.duration_ns), self.events());
        self.indented(0, Paint::Dim, &text)?;
        self.losses()
    }

    /// `61,204 events, none lost · 0.4 % of a core, 38 MiB`: what was seen, and what that cost.
    fn events(&self) -> String {
        let Report {
            events,
            losses,
            tracer,
            duration_ns,
            ..
        } = self.report;
        let mut text = counted(*events, "event", "events");
        match losses.total() {
            0 => text.push_str(", none lost"),
            lost => text.push_str(&format!(", {} lost", count(lost))),
        }
        if tracer.peak_bytes > 0 {
            text.push_str(" · tracer ");
            // Of a moment, most is the start of the tracer itself.
            if *duration_ns >= SECOND {
                let share = percent(tracer.cpu_ns, *duration_ns);
                text.push_str(&format!("{share} of a core, "));
            }
            text.push_str(&bytes(tracer.peak_bytes));
        }
        text
    }

    /// What was lost, and what that means for the figures; nothing if nothing was.
    fn losses(&mut self) -> io::Result<()> {
        let losses = &self.report.losses;
        let mut lost = Vec::new();
        for (number, singular, plural) in [
            (
                losses.events,
                "call or process event",
                "calls or process events",
            ),
            (losses.stacks, "stack", "stacks"),
            (
                losses.faults,
                "page fault (touched is at least what is shown)",
                "page faults (touched is at least what is shown)",
            ),
            (
                losses.late,
                "event too late to be put in order",
                "events too late to be put in order",
            ),
        ] {
            if number > 0 {
                lost.push(counted(number, singular, plural));
            }
        }
        let mut text = lost.join(", ");
        if let Some(since) = losses.since_ns
            && !text.is_empty()
        {
            text.push_str(&format!(", first noticed at {}", moment(since)));
        }
        if losses.resyncs > 0 {
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(&format!(
                "the ledger was read anew from the kernel's maps {}",
                counted(losses.resyncs, "time", "times")
            ));
        }
        if text.is_empty() {
            return Ok(());
        }
        self.labelled("Lost", Paint::Warn, &text, Paint::Plain)
    }

    /// One line for all processes that are not shown.
    fn small_processes(&mut self, small: &[&Process]) -> io::Result<()> {
        if small.is_empty() {
            return Ok(());
        }
        const NAMED: usize = 8;
        // Largest first, those of one name together: a shell's children come by the dozen.
        let mut by_name: Vec<(&str, Vec<&Process>)> = Vec::new();
        for process in small {
            match by_name.iter_mut().find(|(name, _)| *name == process.comm) {
                Some((_, processes)) => processes.push(process),
                None => by_name.push((&process.comm, vec![process])),
            }
        }
        let mut names: Vec<String> = by_name
            .iter()
            .take(NAMED)
            .map(|(name, processes)| {
                let peak = bytes(processes[0].virtual_bytes.peak);
                match processes.len() {
                    1 => format!("{name} (pid {}, {peak})", processes[0].pid),
                    many => format!("{many} × {name} (up to {peak})"),
                }
            })
            .collect();
        if by_name.len() > NAMED {
            let more = by_name[NAMED..].iter();
            let more: usize = more.map(|(_, processes)| processes.len()).sum();
            names.push(format!("{more} more"));
        }
        let text = format!(
            "and {}: {}",
            counted(small.len() as u64, "small process", "small processes"),
            names.join(", ")
        );
        self.blank()?;
        self.indented(0, Paint::Dim, &text)
    }
}
