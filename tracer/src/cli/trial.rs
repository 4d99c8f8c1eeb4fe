//! `tracer try`, as it is typed.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::Args;

use super::options::Look;
use tracer_report::formats::Format;

const REST: &str = "\
    The command runs as it is, then once with each knob that its report offers under `change`, alone, three at the most. \
    A variable that holds a list is added to, one that holds one value is replaced; options for java, node and Erlang go \
    into their variables (JAVA_TOOL_OPTIONS, NODE_OPTIONS, ERL_FLAGS), others behind the program's name; where a \
    knob has SIZE, twice of what is used is taken. What was set is printed. Limits of the system or the shell (sysctl, \
    ulimit) are left alone. Standard input is empty, the command's output goes to stderr. When a run is over, all that \
    it has started is ended.\n\n\
    Exit codes: 0 what was tried works as before and came within 10 % of what was foretold; 1 something did not; \
    2 nothing was tried, or not measured; 126, 127 the command cannot be run, there is none.\n\n\
    Examples:\n  \
    sudo tracer try -- node app.js              the proof that the advice is true\n  \
    sudo tracer try --duration 30s -- ./service half a minute for each run\n  \
    sudo tracer try --knob MALLOC_ARENA_MAX=1 --knob MALLOC_ARENA_MAX=4 -f json -- ./service\n                                              \
    others than those that are offered, for programs";

/// `tracer try`.
#[derive(Debug, Args)]
#[command(after_help = REST)]
pub struct Try {
    /// End each run after this time (60s, 5m).
    #[arg(short, long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub duration: Option<Duration>,
    /// Try this instead of what is offered (NAME=VALUE, or an option); may be repeated.
    #[arg(long, value_name = "KNOB", allow_hyphen_values = true)]
    pub knob: Vec<String>,
    /// Format.
    #[arg(short, long, value_enum, default_value_t = Format::TEXT)]
    pub format: Format,
    /// Also recognise the kinds of reservation in this file (TOML; see tracer/crates/analysis/patterns); may be repeated.
    #[arg(long, value_name = "FILE")]
    pub patterns: Vec<PathBuf>,
    /// How the text looks.
    #[command(flatten)]
    pub look: Look,
    /// The command and its arguments.
    #[arg(trailing_var_arg = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}
