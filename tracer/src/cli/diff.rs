//! `tracer diff`, as it is typed.

use std::path::PathBuf;

use clap::{Args, ValueEnum, builder::PossibleValue};
use tracer_report::{
    export::samples::Value,
    formats::{Comparison, Format, of_comparisons},
    selection::By,
};

use super::options::{Look, one_of, size};

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
    #[arg(short, long, value_parser = one_of(of_comparisons()), default_value = Format::TEXT.name)]
    pub format: Comparison,
    /// Write the comparison to this file, its format by its ending (.txt .json .html .folded .svg); may be
    /// repeated.
    #[arg(long = "report", value_name = "FILE")]
    pub reports: Vec<PathBuf>,
    /// What folded stacks and flame graphs compare.
    #[arg(long, value_parser = one_of(some(VALUES)), default_value = "reserved")]
    pub value: Value,
    /// What a line of the tables is.
    #[arg(long, value_parser = one_of(some(BY)), default_value = "site")]
    pub by: By,
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

/// Those of an enum's values that a comparison has.
fn some<T: ValueEnum>(values: &[T]) -> Vec<(PossibleValue, T)> {
    let words = values.iter().cloned();
    words
        .filter_map(|value| Some((value.to_possible_value()?, value)))
        .collect()
}

/// Not what grew: that is told from the start of one trace, and here there are two.
const VALUES: &[Value] = &[
    Value::Reserved,
    Value::Accessible,
    Value::Touched,
    Value::Resident,
    Value::Calls,
];

/// What the two sides are matched by.
const BY: &[By] = &[By::Site, By::Pattern];
