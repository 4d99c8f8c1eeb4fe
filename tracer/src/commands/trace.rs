//! `tracer attach` and `tracer run`.

use std::{
    ffi::OsString, io::IsTerminal as _, os::unix::process::ExitStatusExt as _, path::PathBuf,
    process::ExitStatus,
};

use anyhow::{Context as _, Result, bail};

use super::{
    output,
    progress::{Line, Work},
};
use crate::session::files::patterns_with;
use crate::{
    capture::command::Held,
    capture::privileges,
    capture::procfs,
    cli::{Attach, CommandTracing, Output, Run, Selecting, Tracing},
    session::live::trace,
    session::plan::{Outcome, Plan, Selection, Target, check_traceable},
    settings::{self, Screen},
};
use tracer_analysis::patterns::Patterns;
use tracer_ledger::event::Pid;

/// Traces processes that run already.
pub fn attach(attach: &Attach, show_progress: bool) -> Result<u8> {
    let patterns = patterns_with(&attach.output.patterns)?;
    let selection = selected(&attach.who)?;
    let files = output::Files::create(&attach.output, Screen::Stdout)?;
    let plan = plan(
        Target::Processes(selection),
        &attach.tracing,
        &attach.output,
        patterns,
    )?;
    let outcome = traced(plan, show_progress)?;
    let work = Work::new(show_progress);
    output::give(&outcome.report, &attach.output, files, Screen::Stdout, work)?;
    outcome.recording?;
    Ok(0)
}

/// The processes that are to be traced, each of which can be.
pub(super) fn selected(who: &Selecting) -> Result<Selection> {
    let mut pids: Vec<_> = who.pids.iter().copied().map(Pid).collect();
    for name in &who.comm {
        let found = procfs::pids_by_comm(name)?;
        if found.is_empty() {
            bail!("no process named {name} runs");
        }
        pids.extend(found);
    }
    pids.sort_unstable();
    pids.dedup();
    privileges::check()?;
    for pid in &pids {
        check_traceable(*pid)?;
    }
    let selection = Selection {
        pids,
        cgroups: who.cgroup.clone(),
        all: who.all,
    };
    if selection.now()?.is_empty() {
        bail!("there is no process in {}", named(&who.cgroup));
    }
    Ok(selection)
}

/// Traces a command from its first instruction.
pub fn run(run: &Run, show_progress: bool) -> Result<u8> {
    let patterns = patterns_with(&run.output.patterns)?;
    privileges::check()?;
    let files = output::Files::create(&run.output, Screen::Stderr)?;
    let outcome = command(
        &run.command,
        &run.tracing,
        &run.output,
        patterns,
        show_progress,
    )?;
    let work = Work::new(show_progress);
    output::give(&outcome.report, &run.output, files, Screen::Stderr, work)?;
    outcome.recording?;
    outcome
        .command
        .map(code)
        .context("the command has no exit code")
}

/// Traces a command from its first instruction to its end. Must be called while this process has one
/// thread.
pub(super) fn command(
    command: &[OsString],
    how: &CommandTracing,
    output: &Output,
    patterns: Patterns,
    show_progress: bool,
) -> Result<Outcome> {
    let held = Held::start(command, &settings::environment(how))?;
    let plan = plan(Target::Command(held), &how.tracing, output, patterns)?;
    // The command writes to the same terminal: a progress line would run through its output.
    let alone = !std::io::stdout().is_terminal();
    traced(plan, show_progress && alone)
}

/// What to trace, and how the options say.
pub(super) fn plan(
    target: Target,
    tracing: &Tracing,
    output: &Output,
    patterns: Patterns,
) -> Result<Plan> {
    settings::check_value(output, tracing)?;
    Ok(Plan {
        target,
        follow: !tracing.no_follow,
        faults: settings::faults(tracing.faults),
        fault_stacks: settings::fault_stacks(tracing)?,
        ring_bytes: settings::ring_bytes(tracing)?,
        duration: tracing.duration,
        verify: tracing.verify,
        window: output.window(),
        patterns,
        recording: tracing.recording.clone(),
        kept: None,
        stop: None,
    })
}

fn traced(plan: Plan, show_progress: bool) -> Result<Outcome> {
    let line = Line::new(show_progress);
    trace(plan, |book, elapsed| line.show(&book.progress(), elapsed))
}

fn named(groups: &[PathBuf]) -> String {
    let names: Vec<_> = groups
        .iter()
        .map(|group| group.display().to_string())
        .collect();
    names.join(", ")
}

/// As a shell tells it: the code, or 128 + the signal.
fn code(status: ExitStatus) -> u8 {
    status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(u8::MAX)
}
