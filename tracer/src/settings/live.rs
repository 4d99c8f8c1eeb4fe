//! `tracer attach`, `tracer run` and `tracer top`, resolved.

use std::{ffi::OsString, path::PathBuf};

use anyhow::Result;

use super::{
    output::Output,
    screen::{Screen, Stream},
    tracing::{Tracing, environment},
};
use crate::cli;
use tracer_analysis::window::Window;
use tracer_ledger::event::Pid;

/// Which processes that run already are wanted, as they are named: which of them there are is not known yet.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub pids: Vec<Pid>,
    /// Those of these names.
    pub names: Vec<String>,
    /// Those of these names, or that run programs of these names.
    pub programs: Vec<String>,
    /// Those in these control groups, now and later.
    pub cgroups: Vec<PathBuf>,
    pub all: bool,
}

impl From<cli::Selecting> for Wanted {
    fn from(asked: cli::Selecting) -> Self {
        let mut pids: Vec<Pid> = asked.pids.into_iter().map(Pid).collect();
        let mut programs = Vec::new();
        for word in asked.processes {
            match word.parse() {
                Ok(pid) => pids.push(Pid(pid)),
                Err(_) => programs.push(word),
            }
        }
        Self {
            pids,
            names: asked.comm,
            programs,
            cgroups: asked.cgroup,
            all: asked.all,
        }
    }
}

/// A command to be started, with what is added to its environment.
#[derive(Clone, Debug)]
pub struct Program {
    /// The command and its arguments.
    pub command: Vec<OsString>,
    /// Names and values.
    pub environment: Vec<(OsString, OsString)>,
}

#[derive(Clone, Debug)]
pub struct Attach {
    /// What is traced.
    pub wanted: Wanted,
    pub tracing: Tracing,
    /// The part of the trace that the report is on.
    pub window: Window,
    /// Files of patterns.
    pub patterns: Vec<PathBuf>,
    /// How the report is given.
    pub output: Output,
}

impl Attach {
    /// As asked.
    ///
    /// # Errors
    /// Those of [`Output::new`] and [`Tracing::new`].
    pub fn new(asked: cli::Attach) -> Result<Self> {
        let output = Output::new(&asked.output, Stream::Stdout)?;
        Ok(Self {
            wanted: asked.who.into(),
            tracing: Tracing::new(&asked.tracing, &output)?,
            window: asked.output.window.unwrap_or_default(),
            patterns: asked.output.patterns,
            output,
        })
    }
}

#[derive(Clone, Debug)]
pub struct Run {
    /// What is traced.
    pub program: Program,
    pub tracing: Tracing,
    /// The part of the trace that the report is on.
    pub window: Window,
    /// Files of patterns.
    pub patterns: Vec<PathBuf>,
    /// How the report is given.
    pub output: Output,
}

impl Run {
    /// As asked. The command has standard output for itself.
    ///
    /// # Errors
    /// Those of [`Output::new`] and [`Tracing::new`].
    pub fn new(asked: cli::Run) -> Result<Self> {
        let output = Output::new(&asked.output, Stream::Stderr)?;
        Ok(Self {
            program: Program {
                command: asked.command,
                environment: environment(&asked.tracing),
            },
            tracing: Tracing::new(&asked.tracing.tracing, &output)?,
            window: asked.output.window.unwrap_or_default(),
            patterns: asked.output.patterns,
            output,
        })
    }
}

#[derive(Clone, Debug)]
pub struct Top {
    /// What is traced.
    pub target: TopTarget,
    /// How much memory the past takes that can be stepped back into, bytes.
    pub history_bytes: u64,
    /// How large a recording in memory may get, bytes; 0: there is none.
    pub keep_recording_bytes: u64,
    /// How it is traced.
    pub tracing: Tracing,
    /// The part of the trace that the report is on.
    pub window: Window,
    /// Files of patterns.
    pub patterns: Vec<PathBuf>,
    /// What the view is drawn on.
    pub view: Screen,
    /// How the report is given at the end; its order is the view's at first.
    pub output: Output,
}

impl Top {
    /// As asked, for the stream that the view is drawn on. A command has standard output for itself.
    ///
    /// # Errors
    /// Those of [`Output::new`] and [`Tracing::new`].
    pub fn new(asked: cli::Top, view: Stream) -> Result<Self> {
        let environment = environment(&asked.tracing);
        let (target, stream) = if asked.command.is_empty() {
            (TopTarget::Processes(asked.who.into()), Stream::Stdout)
        } else {
            let program = Program {
                command: asked.command,
                environment,
            };
            let output = asked.output_of_command;
            (TopTarget::Command { program, output }, Stream::Stderr)
        };
        let output = Output::new(&asked.output, stream)?;
        Ok(Self {
            target,
            history_bytes: asked.history,
            keep_recording_bytes: asked.keep_recording,
            tracing: Tracing::new(&asked.tracing.tracing, &output)?,
            window: asked.output.window.unwrap_or_default(),
            patterns: asked.output.patterns,
            view: Screen::new(&asked.output.look, view),
            output,
        })
    }
}

/// What `tracer top` traces.
#[derive(Clone, Debug)]
pub enum TopTarget {
    /// Processes that run already.
    Processes(Wanted),
    Command {
        program: Program,
        /// Where its output goes; else it is thrown away.
        output: Option<PathBuf>,
    },
}
