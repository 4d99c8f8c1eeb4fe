//! Options that several commands have, and how what is typed for them is read.

use std::path::PathBuf;

use clap::{
    Args, ValueEnum,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use tracer_analysis::units::parse_bytes;
use tracer_analysis::window::Window;
use tracer_common::settings::FaultMode;
use tracer_report::{
    export::samples::Value,
    formats::Format,
    selection::{By, Sort},
};

/// Which processes that run already.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which processes")]
pub struct Selecting {
    /// Processes to trace, by number or by name of process or program.
    #[arg(value_name = "PID|NAME")]
    pub processes: Vec<String>,
    /// Process to trace; may be repeated.
    #[arg(short, long = "pid", value_name = "PID")]
    pub pids: Vec<u32>,
    /// Trace every process of this name that runs now; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub comm: Vec<String>,
    /// Trace every process in this control group and those below it, also those that join it later;
    /// may be repeated.
    #[arg(long, value_name = "PATH")]
    pub cgroup: Vec<PathBuf>,
    /// Trace every process but this one.
    #[arg(long, conflicts_with_all = ["processes", "pids", "comm", "cgroup"])]
    pub all: bool,
}

/// How to trace.
#[derive(Debug, Args)]
#[command(next_help_heading = "Tracing")]
pub struct Tracing {
    /// End after this time (60s, 5m).
    #[arg(short, long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub duration: Option<std::time::Duration>,
    /// Write a recording, from which any report can be made later.
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub recording: Option<PathBuf>,
    /// Page faults: each (touched bytes by call site), only their count, or off.
    #[arg(long, value_parser = one_of(faults()), default_value = "each", value_name = "MODE")]
    pub faults: FaultMode,
    /// Take the stack of one page fault in N: which code touched a site's memory first, estimated.
    #[arg(long, value_name = "N")]
    pub fault_stacks: Option<u32>,
    /// Compare the ledger with the kernel's maps, range by range, so often (500ms); at the end always.
    #[arg(
        long,
        value_name = "EVERY",
        value_parser = humantime::parse_duration,
        num_args = 0..=1,
        default_missing_value = "1s"
    )]
    pub verify: Option<std::time::Duration>,
    /// Leave the processes' children out.
    #[arg(long)]
    pub no_follow: bool,
    /// Size of the buffer between kernel and collector; a power of two.
    #[arg(long, value_name = "SIZE", default_value = "16MiB", value_parser = size)]
    pub ring_size: u64,
}

/// How to trace a command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Tracing")]
pub struct CommandTracing {
    /// Name JavaScript functions: adds Node's perf-map options to NODE_OPTIONS of the command.
    #[arg(long)]
    pub js_names: bool,
    /// As any process.
    #[command(flatten)]
    pub tracing: Tracing,
}

/// How to report.
#[derive(Debug, Args)]
#[command(next_help_heading = "Report")]
pub struct Output {
    /// Format of the report on the screen.
    #[arg(short, long, value_enum, default_value_t = Format::TEXT)]
    pub format: Format,
    /// Write a report to this file, its format by its ending (.txt .json .md .html .folded .svg .pb.gz
    /// .pftrace .csv); may be repeated.
    #[arg(long = "report", value_name = "FILE")]
    pub reports: Vec<PathBuf>,
    /// What folded stacks and flame graphs show of each call site.
    #[arg(long, value_enum, default_value_t)]
    pub value: Value,
    /// Look at this part of the trace only (10s..60s, 10s.., ..60s): how things stood at its end, and what
    /// was allocated and freed inside and before.
    #[arg(long, value_name = "FROM..TO", value_parser = window)]
    pub window: Option<Window>,
    /// Sum up call sites smaller than this (1MiB); else what is small beside the whole.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub min_size: Option<u64>,
    /// Sum up nothing: show every call site and every process.
    #[arg(long, conflicts_with = "min_size")]
    pub full: bool,
    /// Take out of reports what strangers need not know: folders, arguments, the host's name.
    #[arg(long)]
    pub redact: bool,
    /// What call sites are sorted by.
    #[arg(long, value_enum, default_value_t)]
    pub sort: Sort,
    /// What a line of the text report's tables is.
    #[arg(long, value_enum, default_value_t)]
    pub by: By,
    /// Also recognise the kinds of reservation in this file (TOML; see tracer/crates/analysis/patterns); may be repeated.
    #[arg(long, value_name = "FILE")]
    pub patterns: Vec<PathBuf>,
    /// How the text looks.
    #[command(flatten)]
    pub look: Look,
}

/// How a text looks.
#[derive(Debug, Args)]
#[command(next_help_heading = "How it looks")]
pub struct Look {
    /// Columns of the text; else the terminal's width.
    #[arg(long, value_name = "N")]
    pub width: Option<usize>,
    /// Colours in the text.
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What page faults may be followed by, each with its help.
fn faults() -> Vec<(PossibleValue, FaultMode)> {
    vec![
        (PossibleValue::new("off").help("Not at all"), FaultMode::Off),
        (
            PossibleValue::new("count").help("Counted only"),
            FaultMode::Count,
        ),
        (
            PossibleValue::new("each").help("One by one"),
            FaultMode::Each,
        ),
    ]
}

/// A parser of words that stand for something: for what is no enum of ours, or of which a command does not take
/// every value.
pub(super) fn one_of<T: Clone + Send + Sync + 'static>(
    words: Vec<(PossibleValue, T)>,
) -> impl TypedValueParser<Value = T> {
    let typed: Vec<PossibleValue> = words.iter().map(|(word, _)| word.clone()).collect();
    PossibleValuesParser::new(typed).try_map(move |typed| {
        let mut words = words.iter();
        let found = words.find(|(word, _)| word.matches(&typed, false));
        found.map(|(_, meant)| meant.clone()).ok_or("no such word")
    })
}

/// ns since the trace began.
pub(super) fn moment(text: &str) -> Result<u64, String> {
    humantime::parse_duration(text)
        .map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
        .map_err(|error| format!("`{text}` is no time: {error}"))
}

fn window(text: &str) -> Result<Window, String> {
    let (from, to) = text
        .split_once("..")
        .ok_or("write FROM..TO, as 10s..60s, 10s.. or ..60s")?;
    let ns = |text: &str, default: u64| match text.trim() {
        "" => Ok(default),
        text => moment(text),
    };
    let window = Window {
        from_ns: ns(from, 0)?,
        to_ns: ns(to, u64::MAX)?,
    };
    if window.from_ns >= window.to_ns {
        return Err(format!("`{text}` ends before it begins"));
    }
    Ok(window)
}

/// Units are binary, as in every report.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    parse_bytes(text).ok_or_else(|| "this is no size: write 64KiB, 1MiB or 4096".into())
}
