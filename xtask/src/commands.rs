//! The commands that build, run and test.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use tracer_ebpf_build::machine;
use xtask::{
    places::{example, program},
    process,
};

use crate::setup::{self, programs};

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
    process::run(Command::new(workspace.join("scripts/build-page")).arg("--check"))?;
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
        "--features",
        PAGE_TEST,
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

/// The feature with which the page's own test is built.
const PAGE_TEST: &str = "tracer-report/browser";

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
    host.extend(["--all-targets", "--features", PAGE_TEST]);
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

/// `cargo xtask bench`: builds what is measured and what measures, by the user; then measures, as root.
pub(crate) fn bench(workspace: &Path, arguments: &[OsString]) -> Result<()> {
    const BENCH: [&str; 2] = ["--package", "tracer-bench"];
    if !arguments.iter().any(|argument| argument == "--no-build") {
        build(workspace)?;
        process::run(build_command(workspace).args(["--example", "decode"]))?;
    }
    let target = workspace.join("target");
    let mut measuring = process::cargo(workspace);
    measuring.args(["build", "--locked"]).args(BENCH);
    process::run(measuring.arg("--target-dir").arg(&target))?;
    process::become_it(
        process::privileged(&target.join("debug/tracer-bench"))?
            .arg("--workspace")
            .arg(workspace)
            .args(arguments),
    )
}
