//! The whole report: what is true of all of it, and then process by process.

use std::io::{self, Write};

use super::line::{Line, Paint};
use super::style::Style;
use super::writer::ReportWriter;
use tracer_analysis::summary::{Level, Process, Report};
use tracer_analysis::units::{bytes, counted, duration};

/// Writes the report, the process that it is about first.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, style: &Style, out: &mut impl Write) -> io::Result<()> {
    let style = Style {
        width: style.width.clamp(60, 200),
        ..style.clone()
    };
    let (shown, small) = style.selection.processes(report);
    let mut writer = ReportWriter {
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
        writer.losses()?;
    }
    for (rank, process) in shown.iter().enumerate() {
        if rank > 0 {
            writer.blank()?;
        }
        let aside = rank > 0
            && !matches!(
                process.verdict.level,
                Level::Leak | Level::Refused | Level::Watch
            );
        writer.process(process, aside)?;
    }
    writer.small_processes(&small)?;
    if !writer.alone {
        writer.blank()?;
        writer.overview(report.processes.len())?;
    }
    Ok(())
}

impl<W: Write> ReportWriter<'_, W> {
    /// The last lines of a report on several processes.
    fn overview(&mut self, processes: usize) -> io::Result<()> {
        let text = format!(
            "{} · {} · {}",
            counted(processes as u64, "process", "processes"),
            duration(self.report.duration_ns),
            self.events()
        );
        self.indented(0, Paint::Dim, &text)?;
        self.stacks(false)
    }

    fn trace_summary(&mut self) -> io::Result<()> {
        let text = format!("{} · {}", duration(self.report.duration_ns), self.events());
        self.indented(0, Paint::Dim, &text)?;
        self.losses()
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
