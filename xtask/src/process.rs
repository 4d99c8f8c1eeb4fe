//! Running other programs: shown before they run, and an error names what failed.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use tracer_ebpf_build::machine;

/// The cargo that runs this process, in the workspace, without what `cargo run` told this package
/// about itself.
pub fn cargo(workspace: &Path) -> Command {
    let mut command = Command::new(machine::cargo());
    command.current_dir(workspace);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// A program that needs root: through sudo for everyone else.
pub fn privileged(program: &Path) -> Result<Command> {
    if machine::is_root() {
        return Ok(Command::new(program));
    }
    let Some(sudo) = machine::on_path("sudo") else {
        bail!(
            "{} needs root, and there is no sudo: run this command as root",
            program.display()
        );
    };
    let mut command = Command::new(sudo);
    command.arg(program);
    Ok(command)
}

/// Shows a command, runs it, and fails if it fails.
pub fn run(command: &mut Command) -> Result<()> {
    let line = shown(command);
    eprintln!("+ {line}");
    let status = command
        .status()
        .with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed: {status}");
    }
    Ok(())
}

/// Becomes the command, so that signals and the exit code are its own.
pub fn become_it(command: &mut Command) -> Result<()> {
    let line = shown(command);
    eprintln!("+ {line}");
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start `{line}`"))
}

/// The command as one would type it, programs by their plain names.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut line = program
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        line.push(' ');
        if argument.is_empty() || argument.contains([' ', '"', '\'']) {
            line.push_str(&format!("'{argument}'"));
        } else {
            line.push_str(&argument);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("/opt/toolchain/bin/cargo");
        command.args(["clippy", "--config", "profile.dev.panic=\"abort\""]);
        assert_eq!(
            shown(&command),
            "cargo clippy --config 'profile.dev.panic=\"abort\"'"
        );
    }

    #[test]
    fn a_failing_command_is_an_error_that_names_it() {
        let error = run(Command::new("/bin/false").arg("hello")).expect_err("false fails");
        assert!(error.to_string().contains("false hello"), "{error}");
    }

    #[test]
    fn a_command_that_is_not_there_is_an_error_that_names_it() {
        let error = run(&mut Command::new("/nonexistent/program")).expect_err("not there");
        assert!(
            error.to_string().contains("cannot start `program`"),
            "{error}"
        );
    }
}
