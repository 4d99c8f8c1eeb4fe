//! `tracer check`, resolved: the budgets, and what is held against them.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::{
    live::Program,
    output::Output,
    screen::Stream,
    tracing::{Tracing, environment},
};
use crate::cli;
use tracer_analysis::{
    budget::{self, expression::Budget, file},
    window::Window,
};
use tracer_report::formats::{FORMATS, Format, WriteResults};

/// What to write if there is no budget.
const EXAMPLE: &str = "there is no budget to hold it against: give one, as in --fail-on \
    'never-released > 100MiB', or a file of them, budget.toml (tracer check --help)";

#[derive(Debug)]
pub struct Check {
    /// Those of files first.
    pub budgets: Vec<Budget>,
    /// The recording or JSON report to hold growth against.
    pub baseline: Option<PathBuf>,
    /// What is held against them.
    pub source: Source,
    /// Budgets of a command that fails are judged too.
    pub ignore_exit: bool,
    /// The results are written here as JUnit XML.
    pub junit: Option<PathBuf>,
    /// The part of the trace that is judged.
    pub window: Window,
    /// Files of patterns.
    pub patterns: Vec<PathBuf>,
    /// Writes the results in the format that is wanted.
    pub write: WriteResults,
    /// The whole report goes to its files, and the results to its screen.
    pub output: Output,
}

/// What is held against the budgets.
#[derive(Debug)]
pub enum Source {
    /// A recording or JSON report.
    File(PathBuf),
    /// A command, which has standard output for itself.
    Command(Program, Box<Tracing>),
}

impl Check {
    /// As asked, with the budgets of the files that are named.
    ///
    /// # Errors
    /// There is no budget, one that cannot be understood, or none of what they are to be held against; those of
    /// [`Output::new`] and [`Tracing::new`].
    pub fn new(asked: cli::Check) -> Result<Self> {
        let (budgets, baseline) = budgets(&asked)?;
        let file = source(&asked)?;
        let write = asked.output.format.results().with_context(|| {
            format!(
                "the results of a check are {}: --report FILE writes the report in any format",
                formats()
            )
        })?;
        let needs_baseline = budgets.iter().find(|budget| budget.growth);
        if let (Some(budget), None) = (needs_baseline, &baseline) {
            bail!(
                "the budget `{}` needs a baseline: give one, --baseline FILE (a recording or JSON report)",
                budget.expression
            );
        }
        let stream = match file {
            Some(_) => Stream::Stdout,
            None => Stream::Stderr,
        };
        let output = Output::new(&asked.output, stream)?;
        let source = match file {
            Some(file) => Source::File(file),
            None => {
                let tracing = Tracing::new(&asked.tracing.tracing, &output)?;
                let program = Program {
                    command: asked.command,
                    environment: environment(&asked.tracing),
                };
                Source::Command(program, Box::new(tracing))
            }
        };
        Ok(Self {
            budgets,
            baseline,
            source,
            ignore_exit: asked.ignore_exit,
            junit: asked.junit,
            window: asked.output.window.unwrap_or_default(),
            patterns: asked.output.patterns,
            write,
            output,
        })
    }
}

/// `text, json or markdown`.
fn formats() -> String {
    let written = |format: &&Format| format.results().is_some();
    let names: Vec<&str> = FORMATS.iter().filter(written).map(|one| one.name).collect();
    match names.split_last() {
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

fn is_budget_file(path: &Path) -> bool {
    path.extension() == Some(OsStr::new("toml"))
}

/// The file that is held against the budgets; `None`: a command is.
fn source(asked: &cli::Check) -> Result<Option<PathBuf>> {
    let mut files = asked.inputs.iter().filter(|path| !is_budget_file(path));
    let (first, second) = (files.next(), files.next());
    if let Some((first, second)) = first.zip(second) {
        bail!(
            "two files are named, {} and {}: give one recording or JSON report (budget files end in .toml)",
            first.display(),
            second.display()
        );
    }
    match (first, asked.command.is_empty()) {
        (Some(file), true) => {
            ensure!(
                asked.tracing.tracing.recording.is_none(),
                "-o needs a command to record: {} is recorded already",
                file.display()
            );
            Ok(Some(file.clone()))
        }
        (None, false) => Ok(None),
        (Some(file), false) => bail!(
            "there are two things to hold against the budgets, {} and a command: give one of them",
            file.display()
        ),
        (None, true) => bail!(
            "there is nothing to hold against the budgets: name a recording or JSON report, or a command \
             after --, as in `tracer check --fail-on 'level >= leak' -- ./test`"
        ),
    }
}

/// Every budget, those of files first, and the baseline to hold growth against.
fn budgets(asked: &cli::Check) -> Result<(Vec<Budget>, Option<PathBuf>)> {
    let mut budgets = Vec::new();
    let mut baseline: Option<PathBuf> = None;
    for path in asked.inputs.iter().filter(|path| is_budget_file(path)) {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the budgets in {}", path.display()))?;
        let read = file::read(&text).map_err(|mistake| anyhow!("{}:{mistake}", path.display()))?;
        budgets.extend(read.budgets);
        if let Some(named) = read.baseline {
            let beside = path.parent().unwrap_or(Path::new("")).join(named);
            if let Some(other) = baseline.filter(|other| *other != beside)
                && asked.baseline.is_none()
            {
                bail!(
                    "two baselines are named, {} and {}: give the one that counts, --baseline FILE",
                    other.display(),
                    beside.display()
                );
            }
            baseline = Some(beside);
        }
    }
    for expression in &asked.fail_on {
        budgets.push(budget::parse(expression).map_err(|wrong| anyhow!(wrong))?);
    }
    ensure!(!budgets.is_empty(), EXAMPLE);
    Ok((budgets, asked.baseline.clone().or(baseline)))
}
