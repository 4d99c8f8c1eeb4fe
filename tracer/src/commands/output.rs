//! Reports to the screen and to files.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::Path,
};

use anyhow::{Context as _, Result};

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
    files: Vec<(ReportFile, tempfile::NamedTempFile)>,
}

impl Files {
    /// Begins every file that the options name.
    pub fn create(options: &Output) -> Result<Self> {
        let files = settings::report_files(options)?
            .into_iter()
            .map(|file| {
                let folder = file
                    .path
                    .parent()
                    .filter(|folder| !folder.as_os_str().is_empty());
                let begun = tempfile::Builder::new()
                    .prefix(".tracer-report-")
                    .tempfile_in(folder.unwrap_or(Path::new(".")))
                    .with_context(|| format!("cannot write {}", file.path.display()))?;
                Ok((file, begun))
            })
            .collect::<Result<_>>()?;
        Ok(Self { files })
    }

    /// Writes every one.
    fn write(self, report: &Report, selection: &Selection) -> Result<()> {
        for (file, begun) in self.files {
            let failed = || format!("cannot write {}", file.path.display());
            let style = text::Style {
                width: FILE_WIDTH,
                color: false,
                selection: selection.clone(),
            };
            let mut out = BufWriter::new(begun);
            write(report, file.format, &style, &mut out).with_context(failed)?;
            let begun = out.into_inner().map_err(io::IntoInnerError::into_error);
            let begun = begun.with_context(failed)?;
            // NamedTempFile is readable by its owner only; a report is an ordinary file.
            fs::set_permissions(begun.path(), ordinary()).with_context(failed)?;
            begun.persist(&file.path).with_context(failed)?;
        }
        Ok(())
    }
}

fn ordinary() -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o644)
}

/// Writes the report to every file and to the screen, as the options say.
pub fn give(report: &Report, options: &Output, files: Files, screen: Screen) -> Result<()> {
    let mut redacted = None;
    if options.redact {
        let report = redacted.insert(report.clone());
        redact::report(report);
    }
    let report = redacted.as_ref().unwrap_or(report);
    let selection = settings::selection(options);
    files.write(report, &selection)?;
    to_screen(report, options, &selection, screen)
}

/// Writes the report on the screen.
fn to_screen(
    report: &Report,
    options: &Output,
    selection: &Selection,
    screen: Screen,
) -> Result<()> {
    let style = text::Style {
        width: screen.width(options.width),
        color: screen.color(options.color),
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
