//! `tracer check`, as it is typed.

use std::{ffi::OsString, path::PathBuf};

use clap::Args;

use super::options::{CommandTracing, Output};
use tracer_analysis::budget::help;

const BUDGET: &str = "A budget says what breaks it: METRIC > LIMIT or METRIC >= LIMIT. Figures are those at the end \
    (of a process that has ended: at its end), summed over every program that ran.";

const REST: &str = "\
    Exit codes: 0 every budget is kept; 1 one is broken; 2 not measured: what is not known never passes, nor \
    does a command that fails (unless --ignore-exit) or a recording that is cut off.\n\n\
    With GITHUB_ACTIONS=true also writes annotations, beside the results, and appends to the file in \
    GITHUB_STEP_SUMMARY. sudo drops both: sudo --preserve-env=GITHUB_ACTIONS,GITHUB_STEP_SUMMARY tracer check …\n\n\
    A budget file:\n  \
    baseline = \"main.json\"             # a recording or JSON report beside this file; only for growth\n  \
    [[budget]]\n  \
    fail-on = \"never-released > 100MiB\"\n  \
    reason = \"the service runs in 512 MiB\"\n\n\
    Examples:\n  \
    sudo tracer check --fail-on \x27never-released > 100MiB\x27 -- ./test\n  \
    sudo tracer check budget.toml --junit memory.xml -- npm test\n  \
    tracer check --fail-on \x27pattern(v8-wasm-memory).reserved > 11GiB\x27 trace.vmt\n  \
    tracer check --fail-on \x27growth(virtual) > 5%\x27 --baseline main.json trace.vmt";

/// What a budget is, its metrics as they are in the table that it is read by, and the rest.
fn after_help() -> String {
    [BUDGET, &help::metrics(), REST].join("\n\n")
}

/// `tracer check`.
#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub struct Check {
    /// Budget files (by their ending, .toml), and a recording or JSON report if no command is given.
    #[arg(value_name = "BUDGET.toml|FILE")]
    pub inputs: Vec<PathBuf>,
    /// A budget: what breaks it; may be repeated.
    #[arg(long, value_name = "EXPR")]
    pub fail_on: Vec<String>,
    /// The recording or JSON report to hold growth against; before those in budget files.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Judge the budgets of a command that fails too.
    #[arg(long)]
    pub ignore_exit: bool,
    /// Write the results as JUnit XML.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// How to trace.
    #[command(flatten)]
    pub tracing: CommandTracing,
    /// How to report: the whole report goes to the files of --report; -f json writes the results as JSON.
    #[command(flatten)]
    pub output: Output,
    /// The command and its arguments. Its output stays its own: the results go to stderr.
    #[arg(last = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}
