//! The project's commands: `cargo xtask COMMAND`.

mod commands;
mod kernels;
mod setup;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::bench;

/// The project's commands
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what the eBPF programs need to be built, where it is missing
    Setup,
    /// Build the tool: target/release/tracer, with the eBPF programs inside
    Build,
    /// Build the tool and run it, as root
    Run {
        /// The tool's own arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Trace the built-in example of a start-up growth and show the report
    Reproduce {
        /// How long the example takes
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// Measure what tracing costs, beside bpftrace and the targets, as root
    Bench(bench::Options),
    /// Check what needs no BPF toolchain, no root and no browser, in minutes
    ///
    /// Formatting, lints, documentation and tests of every package but `tracer` itself, which embeds the eBPF
    /// programs: what loads them and runs programs under them is checked by `cargo xtask test`.
    Check,
    /// Check formatting, lints and documentation, then run all tests, as root
    Test,
    /// Run the tests that ask the kernel on Debian's 6.1 and 6.12, in virtual machines
    VmTest(kernels::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let workspace = workspace();
    let done = match arguments.command {
        Command::Setup => setup::run(&workspace),
        Command::Build => commands::build(&workspace).map(drop),
        Command::Run { arguments } => commands::run(&workspace, &arguments),
        Command::Reproduce { seconds } => commands::reproduce(&workspace, seconds),
        Command::Bench(options) => commands::bench(&workspace, &options),
        Command::Check => commands::check(&workspace),
        Command::Test => commands::test(&workspace),
        Command::VmTest(options) => kernels::run(&workspace, &options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder. Cargo says at run time where the package is; a checkout may have moved
/// since this was compiled.
fn workspace() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map_or(package.clone(), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_tools_own_arguments_are_passed_on_as_they_are() {
        let typed = [
            "cargo xtask",
            "run",
            "--",
            "run",
            "--js-names",
            "--",
            "node",
            "-e",
            "1",
        ];
        let parsed = Arguments::try_parse_from(typed).expect("a valid command line");
        let Command::Run { arguments } = parsed.command else {
            panic!("not the run command");
        };
        assert_eq!(arguments, ["run", "--js-names", "--", "node", "-e", "1"]);
    }
}
