//! Reports to the screen and to files.

use std::io::{self, BufWriter, Write};

use anyhow::{Context as _, Result};

use super::{progress::Work, whole_file::WholeFile};
use crate::{
    cli::{Format, Output, Value},
    settings::{self, ReportFile, Screen},
};
use tracer_analysis::{summary::Report, units::counted};
use tracer_report::{
    export::{csv, flamegraph, folded, perfetto, pprof},
    html, json, markdown, redact,
    selection::Selection,
    text,
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
    /// Begins every file that the options name, having checked that the screen can take its report.
    pub fn create(options: &Output, screen: Screen) -> Result<Self> {
        settings::check_format(options.format, screen)?;
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
    pub fn write(self, report: &Report, options: &Output, work: &Work) -> Result<()> {
        for (file, begun) in self.files {
            work.doing(&format!("writing {}", file.path.display()));
            let selection = settings::selection(options);
            into(report, file.format, begun, &selection, options.value)?;
        }
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
    let style = text::Style {
        width: FILE_WIDTH,
        color: false,
        selection: selection.clone(),
    };
    begun.write(|out| write(report, format, value, &style, out))
}

/// Writes the report to every file and to the screen, as the options say.
pub fn give(
    report: &Report,
    options: &Output,
    files: Files,
    screen: Screen,
    work: Work,
) -> Result<()> {
    let mut redacted = None;
    let report = shown(report, options, &mut redacted);
    files.write(report, options, &work)?;
    // Nothing may run through the report.
    drop(work);
    to_screen(report, options, screen)
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
fn to_screen(report: &Report, options: &Output, screen: Screen) -> Result<()> {
    let style = text::Style {
        width: screen.width(options.look.width),
        color: screen.color(options.look.color),
        selection: settings::selection(options),
    };
    let (format, value) = (options.format, options.value);
    let done = match screen {
        Screen::Stdout => {
            let mut out = BufWriter::new(io::stdout().lock());
            write(report, format, value, &style, &mut out).and_then(|()| out.flush())
        }
        Screen::Stderr => {
            let mut out = BufWriter::new(io::stderr().lock());
            write(report, format, value, &style, &mut out).and_then(|()| out.flush())
        }
    };
    done.context("cannot write the report")
}

fn write(
    report: &Report,
    format: Format,
    value: Value,
    style: &text::Style,
    out: &mut impl Write,
) -> io::Result<()> {
    match format {
        Format::Text => text::write(report, style, out),
        Format::Json => json::write(report, out),
        Format::Markdown => markdown::write(report, &style.selection, out),
        Format::Html => html::write(report, out),
        Format::Folded => {
            let value = settings::value(value);
            let unknown = folded::write(report, value, out)?;
            // The format has no place for it.
            if unknown > 0 {
                let sites = counted(unknown, "call site", "call sites");
                eprintln!(
                    "tracer: {} is unknown of {sites}: they are left out",
                    value.word()
                );
            }
            Ok(())
        }
        Format::Flamegraph => flamegraph::write(report, settings::value(value), out),
        Format::Pprof => pprof::write(report, out),
        Format::Perfetto => perfetto::write(report, out),
        Format::Csv => csv::write(report, out),
    }
}
