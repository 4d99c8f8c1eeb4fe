//! Reports to the screen and to files.

use std::io::{self, BufWriter, Write};

use anyhow::{Context as _, Result};

use super::whole_file::WholeFile;
use crate::{
    analysis::summary::Report,
    cli::{Format, Output},
    report::{json, markdown, redact, selection::Selection, text},
    settings::{self, ReportFile, Screen},
};

/// Columns of a text report in a file.
const FILE_WIDTH: usize = 120;

/// Files that reports will be written to: opened before the trace, so that a name that cannot be
/// written fails at once, and put in their place only when whole.
#[derive(Debug, Default)]
pub struct Files {
    files: Vec<(ReportFile, WholeFile)>,
}

impl Files {
    /// Begins every file that the options name.
    pub fn create(options: &Output) -> Result<Self> {
        let files = settings::report_files(options)?
            .into_iter()
            .map(|file| {
                let begun = WholeFile::begin(&file.path)?;
                Ok((file, begun))
            })
            .collect::<Result<_>>()?;
        Ok(Self { files })
    }

    /// Writes every one.
    pub fn write(self, report: &Report, selection: &Selection) -> Result<()> {
        for (file, begun) in self.files {
            into(report, file.format, begun, selection)?;
        }
        Ok(())
    }
}

/// Writes the report to one file, whole or not at all.
pub fn to_file(report: &Report, file: &ReportFile, selection: &Selection) -> Result<()> {
    let begun = WholeFile::begin(&file.path)?;
    into(report, file.format, begun, selection)
}

fn into(report: &Report, format: Format, begun: WholeFile, selection: &Selection) -> Result<()> {
    let style = text::Style {
        width: FILE_WIDTH,
        color: false,
        selection: selection.clone(),
    };
    begun.write(|out| write(report, format, &style, out))
}

/// Writes the report to every file and to the screen, as the options say.
pub fn give(report: &Report, options: &Output, files: Files, screen: Screen) -> Result<()> {
    let mut redacted = None;
    let report = shown(report, options, &mut redacted);
    let selection = settings::selection(options);
    files.write(report, &selection)?;
    to_screen(report, options, &selection, screen)
}

/// The report as it may be shown.
pub fn shown<'a>(
    report: &'a Report,
    options: &Output,
    redacted: &'a mut Option<Report>,
) -> &'a Report {
    if !options.redact {
        return report;
    }
    let report = redacted.insert(report.clone());
    redact::report(report);
    report
}

/// Writes the report on the screen.
fn to_screen(
    report: &Report,
    options: &Output,
    selection: &Selection,
    screen: Screen,
) -> Result<()> {
    let style = text::Style {
        width: screen.width(options.look.width),
        color: screen.color(options.look.color),
        selection: selection.clone(),
    };
    let done = match screen {
        Screen::Stdout => {
            let mut out = BufWriter::new(io::stdout().lock());
            write(report, options.format, &style, &mut out).and_then(|()| out.flush())
        }
        Screen::Stderr => {
            let mut out = BufWriter::new(io::stderr().lock());
            write(report, options.format, &style, &mut out).and_then(|()| out.flush())
        }
    };
    done.context("cannot write the report")
}

fn write(
    report: &Report,
    format: Format,
    style: &text::Style,
    out: &mut impl Write,
) -> io::Result<()> {
    match format {
        Format::Text => text::write(report, style, out),
        Format::Json => json::write(report, out),
        Format::Markdown => markdown::write(report, &style.selection, out),
    }
}
