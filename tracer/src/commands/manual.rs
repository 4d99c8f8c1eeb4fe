//! `tracer completions` and `tracer man`: made of the command line's own description.

use std::{
    io::{self, Write as _},
    path::Path,
};

use anyhow::{Context as _, Result};
use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use super::whole_file::WholeFile;
use crate::cli::Cli;

/// Prints the completions for a shell.
pub fn completions(shell: Shell) -> Result<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tracer", &mut text);
    print(&text)
}

/// Prints the manual page, or writes one for each command into a folder.
pub fn man(folder: Option<&Path>) -> Result<u8> {
    // What clap adds by itself (`help`) has no page.
    let mut tracer = Cli::command().disable_help_subcommand(true);
    tracer.build();
    let Some(folder) = folder else {
        let mut page = Vec::new();
        Man::new(tracer).render(&mut page)?;
        return print(&page);
    };
    let commands: Vec<_> = tracer.get_subcommands().cloned().collect();
    for command in std::iter::once(tracer).chain(commands) {
        let page = Man::new(command);
        let file = WholeFile::begin(&folder.join(page.get_filename()))?;
        file.write(|out| page.render(out))?;
    }
    Ok(0)
}

fn print(text: &[u8]) -> Result<u8> {
    io::stdout()
        .write_all(text)
        .context("cannot write to standard output")?;
    Ok(0)
}
