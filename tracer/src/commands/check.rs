//! `tracer check`: a gate for CI.

use std::{
    env,
    ffi::OsStr,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::ExitStatus,
};

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::{output, progress::Work, trace, whole_file::WholeFile};
use crate::session::files::patterns_with;
use crate::{
    capture::privileges,
    cli::{Check, Format, Tracing},
    session::files::open,
    session::plan,
    settings::Screen,
};
use tracer_analysis::{
    budget::{
        self,
        expression::Budget,
        file,
        model::{Outcome, State},
    },
    patterns::Patterns,
    summary::Report,
    window::Window,
};
use tracer_recording::End;
use tracer_report::{
    budgets::{
        github, junit,
        text::{self, Look},
    },
    json,
};

/// What to write if there is no budget.
const EXAMPLE: &str = "there is no budget to hold it against: give one, as in --fail-on \
    'never-released > 100MiB', or a file of them, budget.toml (tracer check --help)";

/// Holds a command, a recording or a report against budgets. Exit code 0: all are kept; 1: one is broken; 2:
/// not measured. What was in the way of the whole measurement comes before what is broken.
pub fn check(options: &Check, show_progress: bool) -> Result<u8> {
    let (budgets, baseline) = budgets(options)?;
    let source = source(options)?;
    ensure!(
        matches!(
            options.output.format,
            Format::Text | Format::Json | Format::Markdown
        ),
        "the results of a check are text, json or markdown: --report FILE writes the report in any format"
    );
    let needs_baseline = budgets.iter().find(|budget| budget.growth);
    if let (Some(budget), None) = (needs_baseline, &baseline) {
        bail!(
            "the budget `{}` needs a baseline: give one, --baseline FILE (a recording or JSON report)",
            budget.expression
        );
    }
    let patterns = patterns_with(&options.output.patterns)?;
    if matches!(source, Source::Command) {
        privileges::check()?;
    }
    let files = output::Files::create(&options.output, source.screen())?;
    let junit_file = options.junit.as_deref().map(WholeFile::begin).transpose()?;
    let mut trouble = Vec::new();
    // Before a command starts there may be one thread only, and progress takes others.
    let of_command = matches!(source, Source::Command);
    let baseline = match &baseline {
        Some(path) => Some(opened(
            path,
            &patterns,
            Window::default(),
            "the baseline ",
            show_progress && !of_command,
            &mut trouble,
        )?),
        None => None,
    };
    let known: Vec<String> = patterns.ids().map(str::to_owned).collect();
    // Before anything runs, as far as it can be told then.
    let unknown = |reports: &[&Report]| {
        let known = known.iter().map(String::as_str);
        budget::unknown_patterns(&budgets, known, reports)
    };
    if let Some(unknown) = unknown(baseline.as_ref().as_slice()).filter(|_| of_command) {
        bail!("{unknown}");
    }
    let traced = match &source {
        Source::File(path) => Traced {
            report: opened(
                path,
                &patterns,
                options.output.window(),
                "",
                show_progress,
                &mut trouble,
            )?,
            live: None,
        },
        Source::Command => command(options, patterns, show_progress, &mut trouble)?,
    };
    let report = &traced.report;
    let reports: Vec<&Report> = baseline.iter().chain([report]).collect();
    if let Some(unknown) = unknown(&reports) {
        bail!("{unknown}");
    }
    let outcome = budget::check(&budgets, report, baseline.as_ref(), trouble);
    let mut redacted = None;
    let report = output::shown(report, &options.output, &mut redacted);
    let work = Work::new(show_progress);
    files.write(report, &options.output, &work)?;
    drop(work);
    if let Some(file) = junit_file {
        file.write(|out| junit::write(&outcome, report, out))?;
    }
    let screen = source.screen();
    match screen {
        Screen::Stdout => print(&outcome, report, options, screen, io::stdout().lock()),
        Screen::Stderr => print(&outcome, report, options, screen, io::stderr().lock()),
    }
    .context("cannot write the results")?;
    if is_on_github() {
        summarise(&outcome, report);
    }
    if let Some(live) = traced.live {
        live.recording?;
    }
    Ok(match outcome.state {
        State::Within => 0,
        State::Over => 1,
        State::Unmeasured => 2,
    })
}

/// What is held against the budgets.
enum Source {
    File(PathBuf),
    Command,
}

impl Source {
    /// Standard output is the command's.
    fn screen(&self) -> Screen {
        match self {
            Self::File(_) => Screen::Stdout,
            Self::Command => Screen::Stderr,
        }
    }
}

struct Traced {
    report: Report,
    /// Kept until all is printed: see [`plan::Outcome::programs`].
    live: Option<Live>,
}

struct Live {
    recording: Result<()>,
    _programs: crate::capture::programs::Programs,
}

fn is_budget_file(path: &Path) -> bool {
    path.extension() == Some(OsStr::new("toml"))
}

fn source(options: &Check) -> Result<Source> {
    let mut files = options.inputs.iter().filter(|path| !is_budget_file(path));
    let (first, second) = (files.next(), files.next());
    if let Some((first, second)) = first.zip(second) {
        bail!(
            "two files are named, {} and {}: give one recording or JSON report (budget files end in .toml)",
            first.display(),
            second.display()
        );
    }
    match (first, options.command.is_empty()) {
        (Some(file), true) => {
            ensure!(
                options.tracing.tracing.recording.is_none(),
                "-o needs a command to record: {} is recorded already",
                file.display()
            );
            Ok(Source::File(file.clone()))
        }
        (None, false) => Ok(Source::Command),
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
fn budgets(options: &Check) -> Result<(Vec<Budget>, Option<PathBuf>)> {
    let mut budgets = Vec::new();
    let mut baseline: Option<PathBuf> = None;
    for path in options.inputs.iter().filter(|path| is_budget_file(path)) {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the budgets in {}", path.display()))?;
        let read = file::read(&text).map_err(|mistake| anyhow!("{}:{mistake}", path.display()))?;
        budgets.extend(read.budgets);
        if let Some(named) = read.baseline {
            let beside = path.parent().unwrap_or(Path::new("")).join(named);
            if let Some(other) = baseline.filter(|other| *other != beside)
                && options.baseline.is_none()
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
    for expression in &options.fail_on {
        budgets.push(budget::parse(expression).map_err(|wrong| anyhow!(wrong))?);
    }
    ensure!(!budgets.is_empty(), EXAMPLE);
    Ok((budgets, options.baseline.clone().or(baseline)))
}

fn opened(
    path: &Path,
    patterns: &Patterns,
    window: Window,
    what: &str,
    show_progress: bool,
    trouble: &mut Vec<String>,
) -> Result<Report> {
    let work = Work::new(show_progress);
    work.reading(&[path]);
    let (report, end) = open(path, patterns.clone(), window, &|bytes| work.read(bytes))?;
    if let cut @ End::Cut { .. } = end {
        trouble.push(format!("{what}{}: {cut}", path.display()));
    }
    Ok(report)
}

fn command(
    options: &Check,
    patterns: Patterns,
    show_progress: bool,
    trouble: &mut Vec<String>,
) -> Result<Traced> {
    let plan::Outcome {
        report,
        command,
        recording,
        programs,
        ..
    } = trace::command(
        &options.command,
        &options.tracing,
        &options.output,
        patterns,
        show_progress,
    )?;
    let status = command.context("the command has no exit code")?;
    if !options.ignore_exit
        && !status.success()
        && !was_our_doing(&options.tracing.tracing, &report, status)
    {
        trouble.push(format!(
            "the command failed ({status}), so this is no measure of it: mend it, or give --ignore-exit"
        ));
    }
    Ok(Traced {
        report,
        live: Some(Live {
            recording,
            _programs: programs,
        }),
    })
}

/// At the end of its time a command is told to end.
fn was_our_doing(tracing: &Tracing, report: &Report, status: ExitStatus) -> bool {
    let is_over = |time: std::time::Duration| u128::from(report.duration_ns) >= time.as_nanos();
    let told = matches!(status.signal(), Some(libc::SIGTERM | libc::SIGKILL));
    told && tracing.duration.is_some_and(is_over)
}

fn is_on_github() -> bool {
    env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

fn print(
    outcome: &Outcome,
    report: &Report,
    options: &Check,
    screen: Screen,
    out: impl Write,
) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    match options.output.format {
        Format::Json => json::write(outcome, &mut out)?,
        Format::Markdown => github::summary(outcome, report, &mut out)?,
        // Others have been refused.
        _ => {
            let look = Look {
                width: screen.width(options.output.look.width),
                color: screen.color(options.output.look.color),
                on_github: is_on_github(),
            };
            text::write(outcome, report, look, &mut out)?;
            // They would make JSON none.
            if is_on_github() {
                github::annotations(outcome, report, &mut out)?;
            }
        }
    }
    out.flush()
}

/// What cannot be added to the summary changes no result: it is said.
fn summarise(outcome: &Outcome, report: &Report) {
    let Some(path) = env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return;
    };
    let mut text = Vec::new();
    let added = github::summary(outcome, report, &mut text).and_then(|()| {
        let mut file = OpenOptions::new().append(true).create(true).open(&path)?;
        file.write_all(&text)
    });
    if let Err(error) = added {
        let path = Path::new(&path).display();
        eprintln!("tracer: cannot add to the job's summary {path}: {error}");
    }
}
