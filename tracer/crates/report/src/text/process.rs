//! The block of one process: who it is, the verdict, harm, the courses, the tables.

use std::io::{self, Write};

use super::harm;
use super::line::{Line, Paint, cut_end, width};
use super::page::LABEL;
use super::sparkline::sparkline;
use super::writer::ReportWriter;
use crate::names::last_part;
use tracer_analysis::signals;
use tracer_analysis::summary::{Exit, Process, Span, TimelinePoint};
use tracer_analysis::units::{bytes, count, duration, moment, signed_bytes};
use tracer_analysis::why_resident;

/// A course narrower than this says too little: what could stand beside it goes below.
const COURSE_LEAST: usize = 24;
/// Wider ones say no more.
const COURSE_MOST: usize = 60;
/// A life shorter than this (ns) has too few points to be drawn.
const DRAWN: u64 = 50_000_000;
/// Between a course's value and what stands beside it.
const GAP: usize = 4;
/// A process that began by then (ns) began with the trace.
const SOON: u64 = 50_000_000;
/// Columns of a size beside its course.
const VALUE: usize = 10;

impl<W: Write> ReportWriter<'_, W> {
    /// `aside`: another process is what the report is about.
    pub(super) fn process(&mut self, process: &Process, aside: bool) -> io::Result<()> {
        self.heading(process)?;
        if let Some(why) = process.unmeasured() {
            let text = format!("NOT IN FULL: {why}. The figures may be wrong; no budget passes.");
            self.labelled("Measured", Paint::Bad, &text, Paint::Bad)?;
        }
        let (text, near) = harm::of(process);
        let page = self.page();
        page.answer(&process.verdict, (&text, near), self.out)?;
        self.refused(process)?;
        if self.alone {
            self.losses()?;
        }
        self.blank()?;
        self.courses(process)?;
        self.blank()?;
        self.tables(process, aside)?;
        self.window(process)?;
        if self.alone {
            self.stacks(true)?;
        }
        Ok(())
    }

    fn heading(&mut self, process: &Process) -> io::Result<()> {
        let name = if process.comm.is_empty() {
            "?"
        } else {
            &process.comm
        };
        let parts = about(process, self.report.duration_ns);
        let mut line = Line::new();
        line.add(Paint::Bright, &cut_end(name, 32));
        for part in parts {
            if line.width() + 3 + width(&part) > self.style.width {
                self.line(&line)?;
                line = Line::new();
                line.to_column(LABEL).add(Paint::Plain, &part);
            } else {
                line.add(Paint::Plain, " · ").add(Paint::Plain, &part);
            }
        }
        self.line(&line)?;
        if self.alone || process.cmdline.is_empty() {
            return Ok(());
        }
        // Several processes may have one name.
        let mut line = Line::new();
        let mut text = command(&process.cmdline);
        if process.first_ns > SOON {
            text = format!("began at {} · {text}", moment(process.first_ns));
        }
        line.add(Paint::Dim, &cut_end(&text, self.style.width));
        self.line(&line)
    }

    /// Two courses with their last values; beside them, or below, what the figures can be held to.
    fn courses(&mut self, process: &Process) -> io::Result<()> {
        let (trust, paint) = trust(process);
        let (worked, resident) = (process.virtual_at_work(), process.resident_at_work());
        let mut of_resident = Vec::new();
        if self.alone {
            of_resident.push(self.events());
        }
        let beside = [
            (with_peak(worked, trust), paint),
            (
                with_peak(resident.unwrap_or_default(), of_resident.join(" · ")),
                Paint::Dim,
            ),
        ];
        let courses = [
            ("virtual", bytes(worked.end)),
            (
                "resident",
                resident.map_or_else(|| "?".into(), |span| bytes(span.end)),
            ),
        ];
        let figures: [fn(&TimelinePoint) -> u64; 2] =
            [|point| point.virtual_bytes, |point| point.resident_bytes];

        let room = self.style.width - LABEL - 1 - VALUE;
        let widest = beside.iter().map(|(text, _)| width(text)).max();
        let left = room.saturating_sub(GAP + widest.unwrap_or(0));
        let fits = left >= COURSE_LEAST;
        let (from, to) = (process.first_ns, process.last_ns);
        let is_drawn = to.saturating_sub(from) >= DRAWN;
        let columns = match (is_drawn, fits) {
            (false, _) => 0,
            (true, true) => left.min(COURSE_MOST),
            (true, false) => room.min(COURSE_MOST),
        };
        for (index, (label, value)) in courses.iter().enumerate() {
            let mut line = Line::new();
            line.add(Paint::Bright, label).to_column(LABEL);
            if is_drawn {
                let drawn = sparkline(&process.timeline, from, to, columns, figures[index]);
                line.add(Paint::Plain, &drawn);
            }
            let end = LABEL + columns + 1 + VALUE;
            line.right(Paint::Bright, value, end);
            let (text, paint) = &beside[index];
            if fits && !text.is_empty() {
                line.to_column(end + GAP).add(*paint, text);
            }
            self.line(&line)?;
        }
        for (text, paint) in &beside {
            if !fits && !text.is_empty() {
                self.indented(LABEL, *paint, text)?;
            }
        }
        for text in why_resident(process) {
            self.indented(LABEL, Paint::Plain, &text)?;
        }
        Ok(())
    }
}

/// A command line with its paths shortened.
#[must_use]
pub fn command(words: &[String]) -> String {
    const LONG: usize = 40;
    const KEPT: usize = 3;
    let shortened = words.iter().enumerate().map(|(index, word)| {
        let parts: Vec<&str> = word.split('/').collect();
        match index {
            0 => last_part(word).to_owned(),
            _ if word.starts_with('/') && word.len() > LONG && parts.len() > KEPT => {
                format!("…/{}", parts[parts.len() - KEPT..].join("/"))
            }
            _ => word.clone(),
        }
    });
    shortened.collect::<Vec<_>>().join(" ")
}

/// A peak that the end does not show.
fn with_peak(span: Span, text: String) -> String {
    if span.peak <= span.end.saturating_add(span.end / 20) {
        return text;
    }
    let peak = format!("peak {}", bytes(span.peak));
    if text.is_empty() {
        peak
    } else {
        format!("{peak} · {text}")
    }
}

/// What a process is, how long it was traced, and how it ended. `duration_ns`: of the trace.
pub fn about(process: &Process, duration_ns: u64) -> Vec<String> {
    let mut parts = vec![format!("pid {}", process.pid)];
    if let Some(runtime) = &process.runtime {
        parts.push(cut_end(runtime, 24));
    }
    let lasted = duration(process.last_ns.saturating_sub(process.first_ns));
    parts.push(if process.from_start {
        format!("{lasted} from its first instruction")
    } else {
        format!("attached for {lasted}")
    });
    match process.exit {
        Some(Exit::Code(code)) => parts.push(format!("exited with {code}")),
        Some(Exit::Signal(signal)) => parts.push(format!("killed by {}", signals::name(signal))),
        None if process.last_ns < duration_ns => {
            parts.push("then began another program".into());
        }
        None => {}
    }
    parts
}

/// The ledger against the kernel, in words.
pub fn trust(process: &Process) -> (String, Paint) {
    let check = &process.ledger;
    if !check.is_compared() {
        let text = "not compared: the kernel's total is unknown";
        (text.into(), Paint::Warn)
    } else if check.difference_bytes == 0 && check.largest_difference_bytes > 0 {
        let text = format!(
            "ledger = kernel at the end; up to {} apart in {} of {} comparisons",
            bytes(check.largest_difference_bytes),
            count(check.checks_differing + check.verifications_differing),
            count(check.checks + check.verifications_count),
        );
        (text, Paint::Warn)
    } else if check.difference_bytes == 0 {
        let text = "exact: ledger = kernel, 0 B unexplained";
        (text.into(), Paint::Dim)
    } else {
        let difference = signed_bytes(check.difference_bytes);
        let text = format!("{difference} unexplained (kernel − ledger)");
        (text, Paint::Warn)
    }
}
