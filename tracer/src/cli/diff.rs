//! `tracer diff`, as it is typed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Look, size};

/// `tracer diff`.
#[derive(Debug, Args)]
#[command(
    after_help = "Call sites are matched by their functions, processes by name and place in the tree: neither by \
    address nor by process id. Before a row stands how it was matched: nothing (by all its frames), ≈ (by most \
    of them), − (only in OLD), + (only in NEW). Sums over processes are over every program that ran, each as it was \
    at its end.\n\nExamples:\n  \
    tracer diff before.vmt after.vmt                   what grew and what went, by call site\n  \
    tracer diff before.json after.vmt --by pattern     the same by kind of reservation\n  \
    tracer diff before.vmt after.vmt --report d.json   for programs: schema tracer.diff/1"
)]
pub struct Diff {
    /// The earlier recording or JSON report.
    #[arg(required_unless_present = "schema")]
    pub old: Option<PathBuf>,
    /// The later one.
    #[arg(required_unless_present = "schema")]
    pub new: Option<PathBuf>,
    /// Print the JSON Schema of the comparison instead.
    #[arg(long, conflicts_with_all = ["old", "new"])]
    pub schema: bool,
    /// Format on the screen.
    #[arg(short, long, value_enum, default_value_t = DiffFormat::Text)]
    pub format: DiffFormat,
    /// Write the comparison to this file, its format by its ending (.txt .json .html .folded .svg); may be
    /// repeated.
    #[arg(long = "report", value_name = "FILE")]
    pub reports: Vec<PathBuf>,
    /// What folded stacks and flame graphs compare.
    #[arg(long, value_enum, default_value_t = DiffValue::Reserved)]
    pub value: DiffValue,
    /// What a line of the tables is.
    #[arg(long, value_enum, default_value_t = DiffBy::Site)]
    pub by: DiffBy,
    /// Leave changes smaller than this out (1MiB); else what is small beside the whole.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub min_size: Option<u64>,
    /// Show every change of every process.
    #[arg(long, conflicts_with = "min_size")]
    pub full: bool,
    /// Also recognise the kinds of reservation in this file (TOML), in recordings; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub patterns: Vec<PathBuf>,
    /// How the text looks.
    #[command(flatten)]
    pub look: Look,
}

/// Formats of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// For people, on a terminal.
    Text,
    /// For programs: schema tracer.diff/1.
    Json,
    /// One page for a browser, with everything in it.
    Html,
    /// A line a call stack, with what --value says before and after: for flame graph tools.
    Folded,
    /// An SVG for a browser, of what --value says: red grew, blue shrank.
    Flamegraph,
}

/// A figure of each call site, at the end of either trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffValue {
    /// Bytes mapped.
    Reserved,
    /// Of these, accessible.
    Accessible,
    /// Of these, ever touched.
    Touched,
    /// Of these, in memory at the last look.
    Resident,
    /// Calls that reserved.
    Calls,
}

/// What a line of its tables is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffBy {
    /// A call site.
    Site,
    /// All sites of one kind.
    Pattern,
}
