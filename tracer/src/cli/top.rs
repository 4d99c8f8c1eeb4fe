//! The arguments of `tracer top`.

use std::{ffi::OsString, path::PathBuf};

use clap::{ArgGroup, Args};

use super::{
    examples,
    options::{CommandTracing, Output, Selecting, size},
};

/// `tracer top`.
#[derive(Debug, Args)]
#[command(after_help = examples::TOP)]
#[command(group = ArgGroup::new("target")
    .args(["processes", "pids", "comm", "cgroup", "all", "command"])
    .required(true)
    .multiple(true))]
pub struct Top {
    /// Whom to trace.
    #[command(flatten)]
    pub who: Selecting,
    /// Where the command's output goes; else it is thrown away, for the view has the terminal.
    #[arg(long, value_name = "FILE", requires = "command")]
    pub output_of_command: Option<PathBuf>,
    /// The past that is kept to step back into takes at most so much memory.
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = size)]
    pub history: u64,
    /// Keep a recording in memory, up to this size, that `w FILE.vmt` saves; 0: none. (With -o all is recorded
    /// to that file.)
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = size)]
    pub keep_recording: u64,
    /// How to trace.
    #[command(flatten)]
    pub tracing: CommandTracing,
    /// How to report: at the end, on the screen and to files.
    #[command(flatten)]
    pub output: Output,
    /// The command to trace from its first instruction, and its arguments; it is ended with the view.
    #[arg(last = true, value_name = "CMD", conflicts_with_all = ["processes", "pids", "comm", "cgroup", "all"])]
    pub command: Vec<OsString>,
}
