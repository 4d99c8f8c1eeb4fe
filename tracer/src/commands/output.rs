//! Reports to the screen and to files.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use anyhow::{Context as _, Result};

use crate::{
    analysis::summary::Report,
    cli::{Format, Output},
    report::{Selection, json, text},
    settings::{self, ReportFile, Screen},
};

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
                    .tempfile_in(folder.unwrap_or(&PathBuf::from(".")))
                    .with_context(|| format!("cannot write {}", file.path.display()))?;
                Ok((file, begun))
            })
            .collect::<Result<_>>()?;
        Ok(Self { files })
    }

    /// Writes every one.
    pub fn write(self, report: &Report, selection: &Selection) -> Result<()> {
        for (file, begun) in self.files {
            let failed = || format!("cannot write {}", file.path.display());
            let style = text::Style {
                width: 120,
                color: false,
            };
            let mut out = BufWriter::new(begun);
            write(report, file.format, selection, &style, &mut out).with_context(failed)?;
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

/// Writes the report on the screen.
pub fn to_screen(
    report: &Report,
    options: &Output,
    selection: &Selection,
    screen: Screen,
) -> Result<()> {
    let style = text::Style {
        width: screen.width(options.width),
        color: screen.color(options.color),
    };
    let done = match screen {
        Screen::Stdout => {
            let mut out = BufWriter::new(io::stdout().lock());
            write(report, options.format, selection, &style, &mut out).and_then(|()| out.flush())
        }
        Screen::Stderr => {
            let mut out = BufWriter::new(io::stderr().lock());
            write(report, options.format, selection, &style, &mut out).and_then(|()| out.flush())
        }
    };
    done.context("cannot write the report")
}

fn write(
    report: &Report,
    format: Format,
    selection: &Selection,
    style: &text::Style,
    out: &mut impl Write,
) -> io::Result<()> {
    let selected = selection.apply(report);
    match format {
        Format::Text => text::write(&selected, style, out),
        Format::Json => json::write(&selected, out),
    }
}
