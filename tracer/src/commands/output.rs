//! Reports to the screen and to files.

use std::{
    io::{self, BufWriter, Write},
    path::Path,
};

use anyhow::{Context as _, Result};

use super::{progress::Work, whole_file::WholeFile};
use crate::settings::{Output, ReportFile, Screen, Stream};
use tracer_analysis::{summary::Report, units::counted};
use tracer_report::{export::samples::Value, formats::Format, redact, selection::Selection, text};

/// Columns of a text in a file.
const FILE_WIDTH: usize = 120;

/// Files that reports will be written to: opened before the trace, so that a name that cannot be
/// written fails at once, and put in their place only when whole.
#[derive(Debug)]
pub struct Files<'a> {
    output: &'a Output,
    begun: Vec<WholeFile>,
}

impl<'a> Files<'a> {
    /// Begins every file of the output.
    pub fn create(output: &'a Output) -> Result<Self> {
        let files = output.files.iter();
        let begun = files.map(|file| WholeFile::begin(&file.path));
        Ok(Self {
            output,
            begun: begun.collect::<Result<_>>()?,
        })
    }

    /// Writes every one, and says so; nothing of what was to be left out may be in the report any more.
    pub fn write(self, report: &Report, work: &Work) -> Result<()> {
        self.put(report, work)?
            .into_iter()
            .for_each(|path| work.wrote(path));
        Ok(())
    }

    fn put(self, report: &Report, work: &Work) -> Result<Vec<&'a Path>> {
        let Output {
            selection, value, ..
        } = self.output;
        for (file, begun) in self.output.files.iter().zip(self.begun) {
            work.doing(&format!("writing {}", file.path.display()));
            into(report, file.format, begun, selection, *value)?;
        }
        Ok(self
            .output
            .files
            .iter()
            .map(|file| file.path.as_path())
            .collect())
    }

    /// Writes the report to every file and to the screen.
    pub fn give(self, report: &Report, work: Work) -> Result<()> {
        let output = self.output;
        let mut redacted = None;
        let report = shown(report, output.redact, &mut redacted);
        let written = self.put(report, &work)?;
        // Nothing may run through the report; what was written is said where it is not overlooked.
        let work = work.done();
        to_screen(report, output)?;
        written.into_iter().for_each(|path| work.wrote(path));
        Ok(())
    }
}

/// Writes the report to one file, whole or not at all.
pub fn to_file(
    report: &Report,
    file: &ReportFile,
    selection: &Selection,
    value: Value,
) -> Result<()> {
    let begun = WholeFile::begin(&file.path)?;
    into(report, file.format, begun, selection, value)
}

fn into(
    report: &Report,
    format: Format,
    begun: WholeFile,
    selection: &Selection,
    value: Value,
) -> Result<()> {
    let style = in_file(selection);
    begun.write(|out| write(report, format, value, &style, out))
}

/// How a text looks in a file.
pub fn in_file(selection: &Selection) -> text::Style {
    text::Style {
        width: FILE_WIDTH,
        color: false,
        selection: selection.clone(),
    }
}

/// How a text looks on a screen.
pub fn on_screen(screen: Screen, selection: &Selection) -> text::Style {
    text::Style {
        width: screen.width(),
        color: screen.color,
        selection: selection.clone(),
    }
}

/// The report as it may be shown.
pub fn shown<'a>(report: &'a Report, redact: bool, redacted: &'a mut Option<Report>) -> &'a Report {
    if !redact {
        return report;
    }
    let report = redacted.insert(report.clone());
    redact::report(report);
    report
}

/// Writes the report on the screen.
fn to_screen(report: &Report, output: &Output) -> Result<()> {
    let style = on_screen(output.screen, &output.selection);
    printed(output.screen.stream, |out| {
        write(report, output.format, output.value, &style, out)
    })
    .context("cannot write the report")
}

/// Writes to a stream, all of it.
pub fn printed(
    stream: Stream,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut out: BufWriter<Box<dyn Write>> = BufWriter::new(match stream {
        Stream::Stdout => Box::new(io::stdout().lock()),
        Stream::Stderr => Box::new(io::stderr().lock()),
    });
    write(&mut out)?;
    out.flush()
}

fn write(
    report: &Report,
    format: Format,
    value: Value,
    style: &text::Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let left_out = format.write(report, style, value, out)?;
    if left_out > 0 {
        let sites = counted(left_out, "call site", "call sites");
        eprintln!(
            "tracer: {} is unknown of {sites}: they are left out",
            value.word()
        );
    }
    Ok(())
}
