//! `tracer diff`, resolved.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::{
    output::of_ending,
    screen::{Screen, Stream},
};
use crate::cli;
use tracer_report::{
    export::samples::Value,
    formats::{Comparison, FORMATS, Format},
    selection::Selection,
};

#[derive(Clone, Debug)]
pub enum Diff {
    /// The JSON Schema is wanted.
    Schema,
    Of(Box<Sides>),
}

/// A comparison of two sides.
#[derive(Clone, Debug)]
pub struct Sides {
    /// The earlier recording or JSON report.
    pub old: PathBuf,
    /// The later one.
    pub new: PathBuf,
    /// Where it is printed.
    pub screen: Screen,
    /// How it is printed.
    pub format: Comparison,
    /// The files that it is written to as well.
    pub files: Vec<DiffFile>,
    /// What is shown.
    pub selection: Selection,
    /// The figure of what shows one figure of each call site.
    pub value: Value,
    /// Files of patterns.
    pub patterns: Vec<PathBuf>,
}

/// A comparison to be written to a file.
#[derive(Clone, Debug)]
pub struct DiffFile {
    pub path: PathBuf,
    pub format: Comparison,
}

impl Diff {
    /// As asked.
    ///
    /// # Errors
    /// A file's format is not known.
    pub fn new(asked: cli::Diff) -> Result<Self> {
        if asked.schema {
            return Ok(Self::Schema);
        }
        let (Some(old), Some(new)) = (asked.old, asked.new) else {
            bail!("two recordings or JSON reports are to be named: tracer diff OLD NEW");
        };
        let files = asked.reports.iter().map(|path| file(path));
        Ok(Self::Of(Box::new(Sides {
            old,
            new,
            screen: Screen::new(&asked.look, Stream::Stdout),
            format: asked.format,
            files: files.collect::<Result<_>>()?,
            selection: Selection {
                min_size_bytes: asked.min_size,
                all: asked.full,
                by: asked.by,
                ..Selection::default()
            },
            value: asked.value,
            patterns: asked.patterns,
        })))
    }
}

fn file(path: &Path) -> Result<DiffFile> {
    let comparing = FORMATS.iter().filter(|one| one.comparison().is_some());
    let endings: Vec<&str> = comparing.map(|format| format.ending).collect();
    let find = |name: &[u8]| Format::of_file(name)?.comparison();
    Ok(DiffFile {
        path: path.to_owned(),
        format: of_ending(path, &endings, find)?,
    })
}
