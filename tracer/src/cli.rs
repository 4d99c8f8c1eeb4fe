//! The command line as it is typed: names and help, no meaning. [`crate::settings`] resolves it.

mod check;

mod diff;

mod examples;

mod options;

mod top;

mod trial;

use std::{ffi::OsString, path::PathBuf};

pub use check::Check;
use clap::{ArgGroup, Args, Parser, Subcommand};
pub use diff::Diff;
use options::moment;
pub use options::{Color, CommandTracing, Look, Output, Selecting, Tracing};
pub use top::Top;
use tracer_report::formats::Format;
pub use trial::Try;

/// Know, for every byte of a process's virtual memory, who reserved it, whether it is used, and
/// whether it comes back.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, propagate_version = true)]
#[command(after_help = examples::TRACER)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Say more on stderr: -v what is done, -vv in detail (RUST_LOG is respected).
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// No progress line and no notes on stderr.
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Trace running processes; Ctrl-C, --duration or their exit ends it, then the report is printed.
    Attach(Attach),
    /// Trace a command from its first instruction; its exit code is passed on.
    Run(Run),
    /// Watch processes, or a command, live: who reserves what, now; what grew since a mark.
    Top(Top),
    /// Print a report from a recording.
    Report(Report),
    /// Without tracing: say what the mappings of a running process are, as they are now.
    Explain(Explain),
    /// Tell what grew and what went between two recordings or JSON reports, by call site and by kind.
    Diff(Diff),
    /// Hold a command, a recording or a JSON report against memory budgets: exit code 0 within, 1 over
    /// budget, 2 not measured.
    Check(Check),
    /// Run a command as it is, then with each knob that its report offers: what was foretold beside what came.
    Try(Try),
    /// Tell what this kernel and these privileges allow, each missing thing with its remedy.
    #[command(after_help = examples::DOCTOR)]
    Doctor,
    /// Print the completions of commands and options for a shell.
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff), or write one for each command into a folder.
    #[command(after_help = examples::MAN)]
    Man {
        /// Write tracer.1, tracer-attach.1 and so on into this folder instead.
        #[arg(value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
}

/// `tracer attach`.
#[derive(Debug, Args)]
#[command(after_help = examples::ATTACH)]
#[command(group = ArgGroup::new("selection")
    .args(["processes", "pids", "comm", "cgroup", "all"])
    .required(true)
    .multiple(true))]
pub struct Attach {
    /// Whom to trace.
    #[command(flatten)]
    pub who: Selecting,
    /// How to trace.
    #[command(flatten)]
    pub tracing: Tracing,
    /// How to report.
    #[command(flatten)]
    pub output: Output,
}

/// `tracer run`.
#[derive(Debug, Args)]
#[command(after_help = examples::RUN)]
pub struct Run {
    /// How to trace.
    #[command(flatten)]
    pub tracing: CommandTracing,
    /// How to report.
    #[command(flatten)]
    pub output: Output,
    /// The command and its arguments. Its output stays its own: the report goes to stderr.
    #[arg(trailing_var_arg = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

/// `tracer report`.
#[derive(Debug, Args)]
#[command(after_help = examples::REPORT)]
pub struct Report {
    /// The recording.
    #[arg(required_unless_present = "schema")]
    pub file: Option<PathBuf>,
    /// Print the JSON Schema of the JSON report instead.
    #[arg(long, conflicts_with = "file")]
    pub schema: bool,
    /// How things stood at this moment of the trace (30s): the same as --window ..30s.
    #[arg(long, value_name = "TIME", value_parser = moment, conflicts_with = "window")]
    pub at: Option<u64>,
    /// How to report.
    #[command(flatten)]
    pub output: Output,
}

/// `tracer explain`.
#[derive(Debug, Args)]
#[command(after_help = examples::EXPLAIN)]
pub struct Explain {
    /// The process.
    #[arg(short, long, value_name = "PID")]
    pub pid: u32,
    /// Format.
    #[arg(short, long, value_enum, default_value_t = Format::TEXT)]
    pub format: Format,
    /// Show every kind, and every larger range of no known kind.
    #[arg(long)]
    pub full: bool,
    /// Take out what strangers need not know: folders, arguments, the host's name.
    #[arg(long)]
    pub redact: bool,
    /// Also recognise the kinds of reservation in this file (TOML; see tracer/crates/analysis/patterns); may be repeated.
    #[arg(long, value_name = "FILE")]
    pub patterns: Vec<PathBuf>,
    /// How the text looks.
    #[command(flatten)]
    pub look: Look,
}
