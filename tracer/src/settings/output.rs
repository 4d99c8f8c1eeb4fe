//! How a report is given: on which screen, in which files, and what of it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::screen::{Screen, Stream};
use crate::cli;
use tracer_report::{
    export::samples::Value,
    formats::{FORMATS, Format},
    selection::Selection,
};

/// A report to be written to a file.
#[derive(Clone, Debug)]
pub struct ReportFile {
    pub path: PathBuf,
    /// In which format.
    pub format: Format,
}

impl ReportFile {
    /// A file with its format by its ending.
    ///
    /// # Errors
    /// No format's files end like this.
    pub fn new(path: &Path) -> Result<Self> {
        let endings = FORMATS.map(|format| format.ending);
        let format = of_ending(path, &endings, Format::of_file)?;
        Ok(Self {
            path: path.to_owned(),
            format,
        })
    }
}

/// What a file is by the ending of its name.
pub(super) fn of_ending<T>(
    path: &Path,
    endings: &[&str],
    find: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<T> {
    let name = path.file_name().unwrap_or_default();
    find(name.as_encoded_bytes()).with_context(|| {
        format!(
            "cannot tell the format of {} by its ending: use one of {}",
            path.display(),
            endings.join(" ")
        )
    })
}

/// How a report is given.
#[derive(Clone, Debug)]
pub struct Output {
    /// Where it is printed.
    pub screen: Screen,
    /// In which format it is printed.
    pub format: Format,
    /// The files that it is written to as well.
    pub files: Vec<ReportFile>,
    /// What is shown, and in which order.
    pub selection: Selection,
    /// The figure of what shows one figure of each call site.
    pub value: Value,
    /// What strangers need not know is taken out.
    pub redact: bool,
}

impl Output {
    /// As asked, for the stream that it is printed on.
    ///
    /// # Errors
    /// The format cannot go there; a file's format is not known.
    pub fn new(asked: &cli::Output, stream: Stream) -> Result<Self> {
        check_format(asked.format, stream)?;
        let files = asked.reports.iter().map(|path| ReportFile::new(path));
        Ok(Self {
            screen: Screen::new(&asked.look, stream),
            format: asked.format,
            files: files.collect::<Result<_>>()?,
            selection: Selection {
                min_size_bytes: asked.min_size,
                all: asked.full,
                sort: asked.sort,
                by: asked.by,
            },
            value: asked.value,
            redact: asked.redact,
        })
    }

    /// Whether one of the reports shows one figure of each call site.
    pub(super) fn shows_value(&self) -> bool {
        let of_files = self.files.iter().map(|file| file.format);
        of_files
            .chain([self.format])
            .any(|format| format.shows_value)
    }
}

/// What of a format can be known before anything is traced: whether it can go where it is to go.
fn check_format(format: Format, stream: Stream) -> Result<()> {
    let Format { name, ending, .. } = format;
    match stream {
        _ if !format.is_binary => Ok(()),
        Stream::Stdout if stream.is_terminal() => bail!(
            "{name} is binary, and standard output is a terminal: redirect it, or give --report FILE{ending}"
        ),
        Stream::Stdout => Ok(()),
        Stream::Stderr => bail!(
            "{name} is binary, and standard error is the command's too: give --report FILE{ending}"
        ),
    }
}
