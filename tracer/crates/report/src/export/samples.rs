//! The call sites of a report, each with its figures under its stack: what every format is made of.

use std::io;

use clap::ValueEnum;

use crate::leading::leading;
use crate::names::{full_name, is_script, location};
use crate::placeholders::{before, doubt, mapping, without_frames};
use tracer_analysis::summary::{Process, Report, Site};
use tracer_ledger::event::{Frame, StackQuality};

/// A figure of a call site at the end of the trace, or of the window. The words on its values are the help of
/// `--value`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Value {
    /// Bytes mapped.
    #[default]
    Reserved,
    /// Of these, accessible.
    Accessible,
    /// Of these, ever touched.
    Touched,
    /// Of these, in memory at the last look.
    Resident,
    /// Calls that reserved.
    Calls,
    /// Bytes mapped that were not there when the process was first seen; with --window, when the window
    /// began.
    Grown,
}

impl Value {
    /// As on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Accessible => "accessible",
            Self::Touched => "touched",
            Self::Resident => "resident",
            Self::Calls => "calls",
            Self::Grown => "grown",
        }
    }

    /// What it counts.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            _ => "bytes",
        }
    }

    /// Of a site; `None`: not known.
    #[must_use]
    pub fn of(self, site: &Site) -> Option<u64> {
        match self {
            Self::Reserved => Some(site.reserved_bytes),
            Self::Accessible => Some(site.accessible_bytes),
            Self::Touched => site.touched_bytes,
            Self::Resident => site.resident_bytes,
            Self::Calls => Some(site.calls),
            Self::Grown => Some(match site.window {
                Some(sets) => sets.inside_outside_bytes,
                None if site.pre_existing => 0,
                None => site.reserved_bytes,
            }),
        }
    }

    /// Why nothing is known of it.
    pub(super) fn unknown(self) -> io::Error {
        let why = match self {
            Self::Touched => "page faults were not followed one by one (--faults each does it)",
            Self::Resident => "nobody looked which pages were in memory while the processes lived",
            _ => "the trace does not tell it",
        };
        io::Error::other(format!("{} is unknown: {why}", self.word()))
    }
}

/// A call site and whose it is.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// The process.
    pub process: &'a Process,
    /// The site.
    pub site: &'a Site,
}

/// Every call site of every process.
pub fn samples(report: &Report) -> impl Iterator<Item = Sample<'_>> {
    report.processes.iter().flat_map(|process| {
        let sites = process.sites.iter();
        sites.map(move |site| Sample { process, site })
    })
}

/// The process that people read first.
#[must_use]
pub fn subject(report: &Report) -> Option<&Process> {
    leading(report).first().copied()
}

/// A figure of every sample of which it is known, and of how many it is not.
///
/// # Errors
/// It is known of none, or the figures are more than can be added up.
pub fn measured(report: &Report, value: Value) -> io::Result<(Vec<(Sample<'_>, u64)>, u64)> {
    let mut unknown = 0;
    let mut known = Vec::new();
    for sample in samples(report) {
        match value.of(sample.site) {
            Some(figure) => known.push((sample, figure)),
            None => unknown += 1,
        }
    }
    if known.is_empty() && unknown > 0 {
        return Err(value.unknown());
    }
    add_up(known.iter().map(|(_, figure)| *figure))?;
    Ok((known, unknown))
}

/// The sum: what the formats' readers can hold, which is more than any machine has.
///
/// # Errors
/// It is more.
pub fn add_up(figures: impl IntoIterator<Item = u64>) -> io::Result<u64> {
    figures
        .into_iter()
        .try_fold(0, u64::checked_add)
        .filter(|sum| i64::try_from(*sum).is_ok())
        .ok_or_else(|| {
            let text =
                "the figures of the call sites add up to more than 8 EiB: no machine has that";
            io::Error::new(io::ErrorKind::InvalidData, text)
        })
}

/// One step of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step<'a> {
    /// No code: a process, or what is said in place of code that is not known.
    Said(String),
    /// Code.
    Frame(&'a Frame),
}

impl Sample<'_> {
    /// Outermost first: the process, then what is to be said of the stack, then its frames.
    #[must_use]
    pub fn steps(&self) -> Vec<Step<'_>> {
        Stack {
            process: format!("{} {}", self.process.comm, self.process.pid),
            before: self
                .site
                .pre_existing
                .then(|| before(self.process.from_start)),
            calls: self.site.calls,
            name: &self.site.name,
            frames: &self.site.frames,
            quality: self.site.stack,
        }
        .steps()
    }
}

/// What steps are made of.
#[derive(Clone, Debug)]
pub struct Stack<'a> {
    /// The outermost step.
    pub process: String,
    /// What to call it, if it was there before the first traced call.
    pub before: Option<&'static str>,
    /// See [`Site::calls`].
    pub calls: u64,
    /// See [`Site::name`].
    pub name: &'a str,
    /// See [`Site::frames`].
    pub frames: &'a [Frame],
    /// See [`Site::stack`].
    pub quality: StackQuality,
}

impl<'a> Stack<'a> {
    /// Outermost first.
    #[must_use]
    pub fn steps(self) -> Vec<Step<'a>> {
        let mut steps = Vec::with_capacity(self.frames.len() + 3);
        steps.push(Step::Said(self.process));
        if let Some(before) = self.before {
            steps.push(Step::Said(before.into()));
        }
        // Of what no call was seen to make, no stack is missing.
        let doubt = doubt(self.quality).filter(|_| !self.frames.is_empty() || self.calls > 0);
        if let Some(doubt) = doubt {
            steps.push(Step::Said(doubt.into()));
        }
        if self.frames.is_empty() {
            steps.push(Step::Said(if self.before.is_some() {
                mapping(self.name).into()
            } else {
                without_frames(self.calls, self.name)
            }));
        }
        steps.extend(self.frames.iter().rev().map(Step::Frame));
        steps
    }
}

/// A frame in words: a script's function with its place, for many of them have one name or none.
#[must_use]
pub fn label(frame: &Frame) -> String {
    let name = full_name(frame);
    match location(frame) {
        Some(place) if is_script(frame) && name.trim().is_empty() => place,
        Some(place) if is_script(frame) => format!("{name} {place}"),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(site: &Site, from_start: bool) -> Vec<String> {
        let process = Process {
            comm: "app".into(),
            pid: 7,
            from_start,
            ..Process::default()
        };
        let sample = Sample {
            process: &process,
            site,
        };
        let steps = sample.steps().into_iter().map(|step| match step {
            Step::Said(text) => format!("[{text}]"),
            Step::Frame(frame) => label(frame),
        });
        steps.collect()
    }

    #[test]
    fn what_is_not_known_of_a_stack_is_said_at_its_outer_end() {
        let frames = ["mmap", "malloc"].map(|name| Frame {
            function: Some(name.into()),
            ..Frame::default()
        });
        let site = |stack| Site {
            frames: frames.to_vec(),
            calls: 1,
            stack,
            ..Site::default()
        };
        assert_eq!(
            said(&site(StackQuality::Complete), true),
            ["[app 7]", "malloc", "mmap"]
        );
        assert_eq!(
            said(&site(StackQuality::Cut), true)[1],
            "[stack cut: outer callers unknown]"
        );
        assert_eq!(
            said(&site(StackQuality::Broken), true)[1],
            "[stack broken: outer callers missing or wrong]"
        );
    }

    #[test]
    fn what_has_no_frames_stands_under_words() {
        let mut site = Site {
            name: "/usr/lib/libc.so.6".into(),
            pre_existing: true,
            ..Site::default()
        };
        assert_eq!(
            said(&site, false),
            ["[app 7]", "[before tracing]", "[libc.so.6]"]
        );
        assert_eq!(said(&site, true)[1], "[there at its start]");
        site.pre_existing = false;
        site.name = "[stack]".into();
        assert_eq!(
            said(&site, true),
            ["[app 7]", "[[stack], grown without a call]"]
        );
        site.calls = 3;
        assert_eq!(
            said(&site, true)[1..],
            ["[no stack: lost, or none could be taken]", "[unknown code]"]
        );
    }

    #[test]
    fn a_figure_is_called_what_it_is_called_on_the_command_line() {
        for value in Value::value_variants() {
            let typed = value.to_possible_value().unwrap();
            assert_eq!(value.word(), typed.get_name());
        }
    }

    #[test]
    fn what_grew_was_not_there_at_the_start_or_before_the_window() {
        let mut site = Site {
            reserved_bytes: 10,
            ..Site::default()
        };
        assert_eq!(Value::Grown.of(&site), Some(10));
        site.pre_existing = true;
        assert_eq!(Value::Grown.of(&site), Some(0));
        site.window = Some(tracer_analysis::window::Sets {
            inside_outside_bytes: 4,
            outside_outside_bytes: 6,
            ..Default::default()
        });
        assert_eq!(Value::Grown.of(&site), Some(4));
    }

    #[test]
    fn figures_that_no_machine_has_are_refused() {
        assert_eq!(add_up([1, 2]).ok(), Some(3));
        assert!(add_up([u64::MAX, 1]).is_err());
        assert!(add_up([1 << 62, 1 << 62]).is_err());
    }
}
