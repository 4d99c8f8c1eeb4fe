//! `tracer try`, resolved.

use std::{ffi::OsString, path::PathBuf};

use anyhow::{Context as _, Result};

use super::{
    screen::{Screen, Stream},
    tracing::Tracing,
};
use crate::cli;
use tracer_common::settings::FaultMode;
use tracer_report::formats::{FORMATS, WriteTrial};

/// Size of the ring, bytes: the one that `tracer run` takes.
const RING: u32 = 16 << 20;

#[derive(Clone, Debug)]
pub struct Try {
    /// The command and its arguments.
    pub command: Vec<OsString>,
    /// Knobs to try; none: those that are offered.
    pub knobs: Vec<String>,
    /// How each run is traced.
    pub tracing: Tracing,
    /// Writes what came of it in the format that is wanted.
    pub write: WriteTrial,
    /// Where it is printed.
    pub screen: Screen,
    /// Files of patterns.
    pub patterns: Vec<PathBuf>,
}

impl Try {
    /// As asked.
    ///
    /// # Errors
    /// A trial is not written in that format.
    pub fn new(asked: cli::Try) -> Result<Self> {
        let write = asked.format.trial().with_context(|| {
            let writing = FORMATS.iter().filter(|one| one.trial().is_some());
            let names: Vec<&str> = writing.map(|format| format.name).collect();
            format!("tracer try writes {}", names.join(" and "))
        })?;
        Ok(Self {
            command: asked.command,
            knobs: asked.knob,
            tracing: Tracing {
                follow: true,
                faults: FaultMode::Each,
                fault_stacks: 0,
                ring_bytes: RING,
                duration: asked.duration,
                verify: None,
                recording: None,
            },
            write,
            screen: Screen::new(&asked.look, Stream::Stdout),
            patterns: asked.patterns,
        })
    }
}
