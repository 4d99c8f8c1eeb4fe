//! What all parts of the report are written with, and what several of them say.

use std::io::{self, Write};

use super::line::{Line, Paint};
use super::page::Page;
use super::style::Style;
use tracer_analysis::summary::Report;
use tracer_analysis::units::{bytes, count, counted, moment, percent};

/// ns.
const SECOND: u64 = 1_000_000_000;

/// What all parts of the report need.
pub(super) struct ReportWriter<'a, W> {
    pub(super) report: &'a Report,
    pub(super) style: &'a Style,
    pub(super) out: &'a mut W,
    /// Only one process is shown in full: what is true of the trace stands with it.
    pub(super) alone: bool,
}

impl<W: Write> ReportWriter<'_, W> {
    pub(super) fn line(&mut self, line: &Line) -> io::Result<()> {
        line.write(self.style.color, self.out)
    }

    pub(super) fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// A label and a text beside it, wrapped.
    pub(super) fn labelled(
        &mut self,
        label: &str,
        paint: Paint,
        text: &str,
        body: Paint,
    ) -> io::Result<()> {
        self.page().labelled(label, paint, text, body, self.out)
    }

    /// Wrapped text, indented.
    pub(super) fn indented(&mut self, indent: usize, paint: Paint, text: &str) -> io::Result<()> {
        self.page().indented(indent, paint, text, self.out)
    }

    pub(super) fn page(&self) -> Page {
        Page {
            width: self.style.width,
            color: self.style.color,
        }
    }

    /// `61,204 events, none lost · 0.4 % of a core, 38 MiB`: what was seen, and what that cost.
    pub(super) fn events(&self) -> String {
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
    pub(super) fn losses(&mut self) -> io::Result<()> {
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
}
