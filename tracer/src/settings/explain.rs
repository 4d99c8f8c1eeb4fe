//! `tracer explain`, resolved.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::screen::{Screen, Stream};
use crate::cli;
use tracer_ledger::event::Pid;
use tracer_report::formats::{FORMATS, WriteExplanation};

#[derive(Clone, Debug)]
pub struct Explain {
    pub pid: Pid,
    /// Writes it in the format that is wanted.
    pub write: WriteExplanation,
    /// Where it is printed.
    pub screen: Screen,
    /// Every kind is shown, and every range.
    pub full: bool,
    /// What strangers need not know is taken out.
    pub redact: bool,
    /// Files of patterns.
    pub patterns: Vec<PathBuf>,
}

impl Explain {
    /// As asked.
    ///
    /// # Errors
    /// There is no explanation in that format.
    pub fn new(asked: cli::Explain) -> Result<Self> {
        let write = asked.format.explanation().with_context(|| {
            let explaining = FORMATS.iter().filter(|one| one.explanation().is_some());
            let names: Vec<&str> = explaining.map(|format| format.name).collect();
            format!(
                "tracer explain writes {}; a trace can be written in every format",
                names.join(" and ")
            )
        })?;
        Ok(Self {
            pid: Pid(asked.pid),
            write,
            screen: Screen::new(&asked.look, Stream::Stdout),
            full: asked.full,
            redact: asked.redact,
            patterns: asked.patterns,
        })
    }
}
