//! The commands: from resolved settings to what is printed, and the exit code.

mod whole_file;

mod output;

mod progress;

mod trace;

mod top;

mod replay;

mod diff;

mod check;

mod doctor;

mod explain;

mod manual;

use anyhow::Result;

use crate::cli::{Cli, Command};

/// Does what the command line says; returns the exit code.
///
/// # Errors
/// Whatever made it impossible, in one line.
pub fn execute(cli: Cli) -> Result<u8> {
    let show_progress = !cli.quiet;
    match cli.command {
        Command::Attach(attach) => trace::attach(&attach, show_progress),
        Command::Run(run) => trace::run(&run, show_progress),
        Command::Top(options) => top::top(&options, !show_progress),
        Command::Report(report) => replay::report(&report, show_progress),
        Command::Explain(explain) => explain::explain(&explain),
        Command::Diff(diff) => diff::diff(&diff, show_progress),
        Command::Check(check) => check::check(&check, show_progress),
        Command::Doctor => doctor::doctor(),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { folder } => manual::man(folder.as_deref()),
    }
}
