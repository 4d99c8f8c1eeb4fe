//! `tracer report`, resolved.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::{output::Output, screen::Stream};
use crate::cli;
use tracer_analysis::window::Window;

#[derive(Clone, Debug)]
pub enum Report {
    /// The JSON Schema is wanted.
    Schema,
    /// A report on a recording.
    Of(Box<Replay>),
}

/// A report on a recording.
#[derive(Clone, Debug)]
pub struct Replay {
    pub file: PathBuf,
    /// The part of the trace that the report is on.
    pub window: Window,
    /// Files of patterns.
    pub patterns: Vec<PathBuf>,
    /// How the report is given.
    pub output: Output,
}

impl Report {
    /// As asked.
    ///
    /// # Errors
    /// Those of [`Output::new`].
    pub fn new(asked: cli::Report) -> Result<Self> {
        if asked.schema {
            return Ok(Self::Schema);
        }
        let window = match asked.at {
            Some(to_ns) => Window { from_ns: 0, to_ns },
            None => asked.output.window.unwrap_or_default(),
        };
        Ok(Self::Of(Box::new(Replay {
            file: asked.file.context("no recording was named")?,
            window,
            output: Output::new(&asked.output, Stream::Stdout)?,
            patterns: asked.output.patterns,
        })))
    }
}
