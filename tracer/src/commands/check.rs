//! `tracer check`: a gate for CI.

use std::{
    env, fs::OpenOptions, io::Write as _, os::unix::process::ExitStatusExt as _, path::Path,
    process::ExitStatus, time::Duration,
};

use anyhow::{Context as _, Result, bail};

use super::{
    output::{self, printed},
    progress::Work,
    trace,
    whole_file::WholeFile,
};
use crate::session::files::patterns_with;
use crate::{
    capture::privileges,
    session::files::open,
    session::plan,
    settings::{Check, Source},
};
use tracer_analysis::{
    budget::{
        self,
        model::{Outcome, State},
    },
    patterns::Patterns,
    summary::Report,
    window::Window,
};
use tracer_recording::End;
use tracer_report::budgets::{github, junit, text::Look};

/// Holds a command, a recording or a report against budgets. Exit code 0: all are kept; 1: one is broken; 2:
/// not measured. What was in the way of the whole measurement comes before what is broken.
pub fn check(wanted: &Check, show_progress: bool) -> Result<u8> {
    let Check {
        budgets, source, ..
    } = wanted;
    let patterns = patterns_with(&wanted.patterns)?;
    // Before a command starts there may be one thread only, and progress takes others.
    let of_command = matches!(source, Source::Command(..));
    if of_command {
        privileges::check()?;
    }
    let files = output::Files::create(&wanted.output)?;
    let junit_file = wanted.junit.as_deref().map(WholeFile::begin).transpose()?;
    let mut trouble = Vec::new();
    let baseline = match &wanted.baseline {
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
        budget::unknown_patterns(budgets, known, reports)
    };
    if let Some(unknown) = unknown(baseline.as_ref().as_slice()).filter(|_| of_command) {
        bail!("{unknown}");
    }
    let traced = match source {
        Source::File(path) => Traced {
            report: opened(
                path,
                &patterns,
                wanted.window,
                "",
                show_progress,
                &mut trouble,
            )?,
            live: None,
        },
        Source::Command(program, tracing) => {
            let how = (tracing.as_ref(), wanted.window);
            let outcome = trace::command(program, how, patterns, show_progress)?;
            let trouble = &mut trouble;
            judged(outcome, tracing.duration, wanted.ignore_exit, trouble)?
        }
    };
    let report = &traced.report;
    let reports: Vec<&Report> = baseline.iter().chain([report]).collect();
    if let Some(unknown) = unknown(&reports) {
        bail!("{unknown}");
    }
    let outcome = budget::check(budgets, report, baseline.as_ref(), trouble);
    let mut redacted = None;
    let report = output::shown(report, wanted.output.redact, &mut redacted);
    let work = Work::new(show_progress);
    files.write(report, &work)?;
    drop(work);
    if let Some(file) = junit_file {
        file.write(|out| junit::write(&outcome, report, out))?;
    }
    let screen = wanted.output.screen;
    let look = Look {
        width: screen.width(),
        color: screen.color,
        on_github: is_on_github(),
    };
    printed(screen.stream, |mut out| {
        (wanted.write)(&outcome, report, look, &mut out)
    })
    .context("cannot write the results")?;
    if is_on_github() {
        summarise(&outcome, report);
    }
    if let Some(live) = traced.live {
        live.recording?;
        if let Source::Command(_, tracing) = source {
            trace::recorded(tracing, show_progress);
        }
    }
    Ok(match outcome.state {
        State::Within => 0,
        State::Over => 1,
        State::Unmeasured => 2,
    })
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

/// What came of a command; that it failed, if that is in the way of the measurement. `most`: the time that it had.
fn judged(
    outcome: plan::Outcome,
    most: Option<Duration>,
    ignore_exit: bool,
    trouble: &mut Vec<String>,
) -> Result<Traced> {
    let plan::Outcome {
        report,
        command,
        recording,
        programs,
        ..
    } = outcome;
    let status = command.context("the command has no exit code")?;
    if !ignore_exit && !status.success() && !was_our_doing(most, &report, status) {
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
fn was_our_doing(most: Option<Duration>, report: &Report, status: ExitStatus) -> bool {
    let is_over = |time: Duration| u128::from(report.duration_ns) >= time.as_nanos();
    let told = matches!(status.signal(), Some(libc::SIGTERM | libc::SIGKILL));
    told && most.is_some_and(is_over)
}

fn is_on_github() -> bool {
    env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
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
