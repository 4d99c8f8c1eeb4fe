//! The commands: from resolved settings to what is printed, and the exit code. What was typed is resolved in
//! [`execute`], and asked no more below it.

mod whole_file;

mod output;

mod progress;

mod trace;

mod top;

mod replay;

mod diff;

mod check;

mod trial;

mod doctor;

mod explain;

mod manual;

use anyhow::Result;

use crate::{
    cli::{Cli, Command},
    settings::{Attach, Check, Diff, Explain, Report, Run, Top, Try},
    top::screen,
};

/// Does what the command line says; returns the exit code.
///
/// # Errors
/// Whatever made it impossible, in one line.
pub fn execute(cli: Cli) -> Result<u8> {
    let show_progress = !cli.quiet;
    match cli.command {
        Command::Attach(asked) => trace::attach(&Attach::new(asked)?, show_progress),
        Command::Run(asked) => trace::run(&Run::new(asked)?, show_progress),
        Command::Top(asked) => {
            // What is drawn on comes first: without a terminal nothing else matters.
            let view = screen::find(!asked.command.is_empty())?;
            top::top(&Top::new(asked, view)?, !show_progress)
        }
        Command::Report(asked) => replay::report(Report::new(asked)?, show_progress),
        Command::Explain(asked) => explain::explain(&Explain::new(asked)?),
        Command::Diff(asked) => diff::diff(Diff::new(asked)?, show_progress),
        Command::Check(asked) => check::check(&Check::new(asked)?, show_progress),
        Command::Try(asked) => trial::trial(&Try::new(asked)?, show_progress),
        Command::Doctor => doctor::doctor(),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { folder } => manual::man(folder.as_deref()),
    }
}
