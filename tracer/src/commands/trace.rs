//! `tracer attach` and `tracer run`.

use std::{
    io::IsTerminal as _, os::unix::process::ExitStatusExt as _, path::PathBuf, process::ExitStatus,
};

use anyhow::{Context as _, Result, bail};

use super::{
    output,
    progress::{ProgressLine, Said, Work},
};
use crate::session::files::patterns_with;
use crate::{
    capture::command::Held,
    capture::privileges,
    capture::procfs,
    session::live::trace,
    session::plan::{Outcome, Plan, Selection, Target, check_traceable},
    settings::{Attach, Program, Run, Tracing, Wanted},
};
use tracer_analysis::{patterns::Patterns, window::Window};

/// Traces processes that run already.
pub fn attach(wanted: &Attach, show_progress: bool) -> Result<u8> {
    let patterns = patterns_with(&wanted.patterns)?;
    let target = Target::Processes(selected(&wanted.wanted)?);
    let files = output::Files::create(&wanted.output)?;
    let plan = plan(target, &wanted.tracing, wanted.window, patterns);
    let outcome = traced(plan, show_progress)?;
    files.give(&outcome.report, Work::new(show_progress))?;
    outcome.recording?;
    recorded(&wanted.tracing, show_progress);
    Ok(0)
}

/// Says where the recording is, if there is one.
pub(super) fn recorded(tracing: &Tracing, wanted: bool) {
    if let Some(path) = &tracing.recording {
        Said(wanted).wrote(path);
    }
}

/// The processes that are to be traced, each of which can be.
pub(super) fn selected(wanted: &Wanted) -> Result<Selection> {
    let mut pids = wanted.pids.clone();
    for name in &wanted.names {
        let found = procfs::pids_by_comm(name)?;
        if found.is_empty() {
            bail!("no process named {name} runs");
        }
        pids.extend(found);
    }
    for name in &wanted.programs {
        let found = procfs::pids_by_program(name)?;
        if found.is_empty() {
            bail!("no process or program named {name} runs");
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
        cgroups: wanted.cgroups.clone(),
        all: wanted.all,
    };
    if selection.now()?.is_empty() {
        bail!("there is no process in {}", named(&wanted.cgroups));
    }
    Ok(selection)
}

/// Traces a command from its first instruction.
pub fn run(wanted: &Run, show_progress: bool) -> Result<u8> {
    let patterns = patterns_with(&wanted.patterns)?;
    privileges::check()?;
    let files = output::Files::create(&wanted.output)?;
    let how = (&wanted.tracing, wanted.window);
    let outcome = command(&wanted.program, how, patterns, show_progress)?;
    files.give(&outcome.report, Work::new(show_progress))?;
    outcome.recording?;
    recorded(&wanted.tracing, show_progress);
    outcome
        .command
        .map(code)
        .context("the command has no exit code")
}

/// Traces a command from its first instruction to its end, and reports on a part of that. Must be called while
/// this process has one thread.
pub(super) fn command(
    program: &Program,
    (tracing, window): (&Tracing, Window),
    patterns: Patterns,
    show_progress: bool,
) -> Result<Outcome> {
    let held = Held::start(&program.command, &program.environment)?;
    // The command writes to the same terminal: a progress line would run through its output.
    let alone = !std::io::stdout().is_terminal();
    self::held(held, (tracing, window), patterns, show_progress && alone)
}

/// The same of a command that waits.
pub(super) fn held(
    held: Held,
    (tracing, window): (&Tracing, Window),
    patterns: Patterns,
    show_progress: bool,
) -> Result<Outcome> {
    let plan = plan(Target::Command(held), tracing, window, patterns);
    traced(plan, show_progress)
}

/// What to trace, and how the settings say.
pub(super) fn plan(target: Target, how: &Tracing, window: Window, patterns: Patterns) -> Plan {
    Plan {
        target,
        follow: how.follow,
        faults: how.faults,
        fault_stacks: how.fault_stacks,
        ring_bytes: how.ring_bytes,
        duration: how.duration,
        verify: how.verify,
        window,
        patterns,
        recording: how.recording.clone(),
        kept: None,
        stop: None,
    }
}

fn traced(plan: Plan, show_progress: bool) -> Result<Outcome> {
    let line = ProgressLine::new(show_progress, plan.duration);
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
