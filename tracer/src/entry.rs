//! Where the tool begins: parse, do, and say in one line what failed.

use std::process::ExitCode;

use crate::{
    capture::command::CannotRun,
    cli::{Cli, Command},
    commands, top,
};
use clap::Parser as _;

/// What every failure of tracer's own exits with.
const FAILED: u8 = 2;

/// The tool: reads the command line, does what it says, and tells how that ended.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    start_log(&cli);
    // A command that is run for its own sake ends this as it would end a shell's line.
    let as_a_shell = matches!(cli.command, Command::Run(_) | Command::Try(_));
    match commands::execute(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tracer: {}", said(&error));
            let cannot_run = error.downcast_ref::<CannotRun>().filter(|_| as_a_shell);
            ExitCode::from(cannot_run.map_or(FAILED, CannotRun::exit_code))
        }
    }
}

/// What failed and why, each once: some errors say their cause themselves.
fn said(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |said, cause| {
        let cause = cause.to_string();
        match said.as_str() {
            "" => cause,
            _ if said.ends_with(&cause) => said,
            _ => format!("{said}: {cause}"),
        }
    })
}

fn start_log(cli: &Cli) {
    let level = match (cli.quiet, cli.verbose) {
        (true, _) => "error",
        (_, 0) => "warn",
        (_, 1) => "info",
        _ => "debug",
    };
    let mut log =
        env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(level));
    if matches!(cli.command, Command::Top(_)) {
        // It would run through the view.
        log.target(env_logger::Target::Pipe(Box::new(top::held_log::Log)));
    }
    log.format_timestamp(None).format_target(false).init();
}

/// Whoever read our output has gone (`tracer report … | head`): that is no failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
