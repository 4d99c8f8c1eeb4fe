//! The commands that build, run and test.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::{
    process,
    setup::{self, programs},
};
use xtask::machine;

/// `cargo xtask build`; returns where the tool is.
pub(crate) fn build(workspace: &Path) -> Result<PathBuf> {
    setup::ensure(workspace)?;
    process::run(&mut build_command(workspace))?;
    eprintln!("built target/release/tracer");
    Ok(program(workspace))
}

/// `cargo xtask run -- ARGUMENTS`.
pub(crate) fn run(workspace: &Path, arguments: &[OsString]) -> Result<()> {
    let program = build(workspace)?;
    process::become_it(process::privileged(&program)?.args(arguments))
}

/// `cargo xtask reproduce`: the main job, start to end.
pub(crate) fn reproduce(workspace: &Path, seconds: u32) -> Result<()> {
    const EXAMPLE: &str = "startup_growth";
    setup::ensure(workspace)?;
    process::run(build_command(workspace).args(["--bin", "tracer", "--example", EXAMPLE]))?;
    process::become_it(
        process::privileged(&program(workspace))?
            .args(["run", "--"])
            .arg(example(workspace, EXAMPLE))
            .args(["--seconds", &seconds.to_string()]),
    )
}

/// `cargo xtask test`: the quick checks first, the tests last, so that cargo's own summary ends it.
pub(crate) fn test(workspace: &Path) -> Result<()> {
    setup::ensure(workspace)?;
    programs::ensure(&programs::OF_THE_TESTS, "tests compare with them")?;
    process::run(process::cargo(workspace).args(["fmt", "--all", "--check"]))?;
    for arguments in clippy() {
        process::run(process::cargo(workspace).args(arguments))?;
    }
    let mut tests = process::cargo(workspace);
    tests.args([
        "test",
        "--locked",
        "--workspace",
        "--exclude",
        "tracer-ebpf",
    ]);
    if !machine::is_root() {
        // Compiled by the user, run by root: the tests load eBPF programs.
        tests.args([
            "--config",
            "target.'cfg(unix)'.runner='sudo --preserve-env'",
        ]);
    }
    process::run(&mut tests)
}

/// clippy's command lines. The eBPF package is looked at for the host: clippy belongs to the host's
/// compiler and cannot read the BPF target's `core` of another version. Its panics must abort there,
/// or a program without `std` is refused.
fn clippy() -> [Vec<&'static str>; 2] {
    let deny = ["--", "-D", "warnings"];
    let mut host = vec![
        "clippy",
        "--locked",
        "--workspace",
        "--exclude",
        "tracer-ebpf",
    ];
    host.push("--all-targets");
    host.extend(deny);
    let mut ebpf = vec!["clippy", "--locked", "--package", "tracer-ebpf"];
    ebpf.extend(["--config", "profile.dev.panic=\"abort\""]);
    ebpf.extend(deny);
    [host, ebpf]
}

fn build_command(workspace: &Path) -> Command {
    let mut command = process::cargo(workspace);
    command
        .args(["build", "--locked", "--release", "--package", "tracer"])
        // The tool's place is part of the commands' contract, whatever the user's target folder is.
        .arg("--target-dir")
        .arg(workspace.join("target"));
    command
}

/// Builds a program that only measurements use.
pub(crate) fn build_example(workspace: &Path, name: &str) -> Result<()> {
    process::run(build_command(workspace).args(["--example", name]))
}

pub(crate) fn example(workspace: &Path, name: &str) -> PathBuf {
    release(workspace).join("examples").join(name)
}

fn release(workspace: &Path) -> PathBuf {
    workspace.join("target/release")
}

pub(crate) fn program(workspace: &Path) -> PathBuf {
    release(workspace).join("tracer")
}
