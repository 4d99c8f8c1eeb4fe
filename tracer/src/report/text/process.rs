//! The block of one process: who it is, the verdict, harm, the courses, the tables.

use std::io::{self, Write};

use super::line::{Line, Paint, cut_end};
use super::sparkline::sparkline;
use super::{LABEL, Writer, harm};
use crate::analysis::summary::{Exit, Level, Process, Span, TimelinePoint};
use crate::analysis::units::{bytes, duration, moment, signed_bytes};

/// Below this there is no room beside the courses.
const ROOM_BESIDE: usize = 90;
/// Columns of a size beside its course.
const VALUE: usize = 10;

impl<W: Write> Writer<'_, W> {
    pub(super) fn process(&mut self, process: &Process) -> io::Result<()> {
        self.heading(process)?;
        let (word, paint) = match process.verdict.level {
            Level::Benign => ("BENIGN", Paint::Good),
            Level::Watch => ("WATCH", Paint::Warn),
            Level::Leak => ("LEAK", Paint::Bad),
            Level::Unknown => ("UNKNOWN", Paint::Bright),
        };
        self.labelled(word, paint, &process.verdict.text, Paint::Plain)?;
        let (text, near) = harm::harm(process);
        let paint = if near { Paint::Warn } else { Paint::Bright };
        self.labelled("Harm", paint, &text, Paint::Plain)?;
        if self.alone {
            self.losses()?;
        }
        self.blank()?;
        self.courses(process)?;
        self.blank()?;
        self.tables(process)
    }

    fn heading(&mut self, process: &Process) -> io::Result<()> {
        let mut line = Line::new();
        let name = if process.comm.is_empty() {
            "?"
        } else {
            &process.comm
        };
        line.add(Paint::Bright, &cut_end(name, 32));
        let mut rest = format!(" · pid {}", process.pid);
        if let Some(runtime) = &process.runtime {
            rest.push_str(&format!(" · {}", cut_end(runtime, 24)));
        }
        let lasted = duration(process.last_ns.saturating_sub(process.first_ns));
        rest.push_str(&if process.from_start {
            format!(" · {lasted} from its first instruction")
        } else {
            format!(" · attached for {lasted}")
        });
        match process.exit {
            Some(Exit::Code(code)) => rest.push_str(&format!(", exited with {code}")),
            Some(Exit::Signal(signal)) => {
                rest.push_str(&format!(", killed by {}", name_of(signal)))
            }
            None if process.last_ns < self.report.duration_ns => {
                rest.push_str(", then began another program");
            }
            None => {}
        }
        let room = self.style.width.saturating_sub(line.width());
        line.add(Paint::Plain, &cut_end(&rest, room));
        self.line(&line)?;
        if self.alone || process.cmdline.is_empty() {
            return Ok(());
        }
        // Several processes may have one name.
        let mut line = Line::new();
        let mut text = process.cmdline.join(" ");
        if process.first_ns > 0 {
            text = format!("began at {} · {text}", moment(process.first_ns));
        }
        line.add(Paint::Dim, &cut_end(&text, self.style.width));
        self.line(&line)
    }

    /// Two courses with their last values; beside them, or below, what the figures can be held to.
    fn courses(&mut self, process: &Process) -> io::Result<()> {
        let trust = trust(process);
        let events = if self.alone {
            self.events()
        } else {
            String::new()
        };
        let resident = if process.samples == 0 {
            "?".into()
        } else {
            bytes(process.resident_bytes.end)
        };
        let courses: [(&str, String, Span, fn(&TimelinePoint) -> u64, String); 2] = [
            (
                "virtual",
                bytes(process.virtual_bytes.end),
                process.virtual_bytes,
                |point| point.virtual_bytes,
                trust,
            ),
            (
                "resident",
                resident,
                process.resident_bytes,
                |point| point.resident_bytes,
                events,
            ),
        ];
        let beside = self.style.width >= ROOM_BESIDE;
        let right = if beside { 4 + 40 } else { 0 };
        let columns = (self.style.width - LABEL - VALUE - 1 - right).min(60);
        let mut below = Vec::new();
        for (label, value, span, figure, text) in courses {
            let mut line = Line::new();
            line.add(Paint::Bright, label).to_column(LABEL);
            let drawn = sparkline(
                &process.timeline,
                process.first_ns,
                process.last_ns,
                columns,
                figure,
            );
            line.add(Paint::Plain, &drawn);
            let end = LABEL + columns + 1 + VALUE;
            line.right(Paint::Bright, &value, end);
            // A peak that the end does not show.
            let mut text = text;
            if span.peak > span.end + span.end / 20 {
                let peak = format!("peak {}", bytes(span.peak));
                text = if text.is_empty() {
                    peak
                } else {
                    format!("{peak} · {text}")
                };
            }
            let fits = beside && end + 4 + super::line::width(&text) <= self.style.width;
            if fits {
                line.to_column(end + 4).add(Paint::Dim, &text);
            } else if !text.is_empty() {
                below.push((label, text));
            }
            self.line(&line)?;
        }
        for (_, text) in below {
            self.indented(LABEL, Paint::Dim, &text)?;
        }
        Ok(())
    }
}

/// The ledger against the kernel, in words.
fn trust(process: &Process) -> String {
    let check = process.ledger;
    if !check.kernel_known {
        "not compared: the kernel's total is unknown".into()
    } else if check.difference_bytes == 0 {
        "exact: ledger = kernel, 0 B unexplained".into()
    } else {
        format!(
            "{} unexplained (kernel − ledger)",
            signed_bytes(check.difference_bytes)
        )
    }
}

/// The signals that end processes, by their numbers on Linux (the same on x86 and arm64).
fn name_of(signal: u8) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        10 => "SIGUSR1",
        11 => "SIGSEGV",
        12 => "SIGUSR2",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        _ => return format!("signal {signal}"),
    };
    name.into()
}
