//! The commands that build, run and test.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;

use tracer_ebpf_build::machine;
use xtask::bench::{DECODER, Options};
use xtask::places::{example, program};
use xtask::process;

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
            .args(["--seconds", &seconds.to_string()])
            // What the example says of itself is for tests; the report goes to stderr.
            .stdout(Stdio::null()),
    )
}

/// `cargo xtask test`: the quick checks first, the tests last, so that cargo's own summary ends it.
pub(crate) fn test(workspace: &Path) -> Result<()> {
    setup::ensure(workspace)?;
    programs::ensure(&programs::of_the_tests(), "tests compare with them")?;
    look_at(workspace, Packages::All)?;
    let mut tests = process::cargo(workspace);
    tests.args(["test", "--locked", "--features", PAGE_TEST]);
    tests.args(Packages::All.options());
    if !machine::is_root() {
        // Compiled by the user, run by root: the tests load eBPF programs.
        tests.args([
            "--config",
            "target.'cfg(unix)'.runner='sudo --preserve-env'",
        ]);
    }
    process::run(&mut tests)
}

/// `cargo xtask check`: what of `cargo xtask test` needs no BPF toolchain, no root and no browser.
pub(crate) fn check(workspace: &Path) -> Result<()> {
    programs::ensure(&programs::OF_THE_CHECK, "tests compare with them")?;
    look_at(workspace, Packages::WithoutBpf)?;
    let mut tests = process::cargo(workspace);
    tests.args(["test", "--locked"]);
    process::run(tests.args(Packages::WithoutBpf.options()))
}

/// What is looked at and what is tested.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Packages {
    /// All that run on the host.
    All,
    /// Those that are built without the eBPF programs, so without the BPF toolchain.
    WithoutBpf,
}

impl Packages {
    fn options(self) -> &'static [&'static str] {
        let all = &[
            "--workspace",
            "--exclude",
            "tracer-ebpf",
            "--exclude",
            "tracer",
        ];
        match self {
            Self::All => &all[..3],
            Self::WithoutBpf => all,
        }
    }
}

/// The checks that run nothing of the project's: formatting, the page's script, lints, documentation.
fn look_at(workspace: &Path, packages: Packages) -> Result<()> {
    process::run(process::cargo(workspace).args(["fmt", "--all", "--check"]))?;
    process::run(Command::new(workspace.join("scripts/build-page")).arg("--check"))?;
    for arguments in clippy(packages) {
        process::run(process::cargo(workspace).args(arguments))?;
    }
    // Also what is private: most of the links are there. The user's flags would be in place of these.
    let mut doc = process::cargo(workspace);
    doc.args(["doc", "--locked", "--no-deps", "--document-private-items"])
        .args(["--config", "build.rustdocflags=[\"-Dwarnings\"]"])
        .env_remove("RUSTDOCFLAGS");
    process::run(doc.args(packages.options()))
}

/// The feature with which the page's own test is built.
const PAGE_TEST: &str = "tracer-report/browser";

/// clippy's command lines. The eBPF package is looked at for the host: clippy belongs to the host's
/// compiler and cannot read the BPF target's `core` of another version. Its panics must abort there,
/// or a program without `std` is refused.
fn clippy(packages: Packages) -> [Vec<&'static str>; 2] {
    let deny = ["--", "-D", "warnings"];
    let mut host = vec!["clippy", "--locked"];
    host.extend(packages.options());
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
pub(crate) fn bench(workspace: &Path, options: &Options) -> Result<()> {
    if !options.no_build {
        build(workspace)?;
        if options.recordings > 0 {
            process::run(build_command(workspace).args(["--example", DECODER]))?;
        }
    }
    let target = workspace.join("target");
    let mut measuring = process::cargo(workspace);
    measuring.args(["build", "--locked", "--package", "tracer-bench"]);
    process::run(measuring.arg("--target-dir").arg(&target))?;
    process::become_it(
        process::privileged(&target.join("debug/tracer-bench"))?
            .arg("--workspace")
            .arg(workspace)
            // As they were typed, after the name of this command.
            .args(std::env::args_os().skip(2)),
    )
}
