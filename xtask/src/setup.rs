//! `cargo xtask setup`: installs what the eBPF programs need to be built, one step at a time, and
//! looks again after each.

mod linker;
mod plan;
pub(crate) mod programs;

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use tracer_ebpf_build::machine;
use tracer_ebpf_build::toolchain::{DEBIAN_PACKAGES, Facts};

use plan::{Plan, Step, System};
use xtask::process;

/// `cargo xtask setup`.
pub(crate) fn run(workspace: &Path) -> Result<()> {
    install_missing(workspace)?;
    let toolchain = machine::facts().toolchain()?;
    eprintln!("nothing is missing: the eBPF programs will be built with {toolchain}");
    Ok(())
}

/// The same without a word when nothing is missing: what every other command begins with.
pub(crate) fn ensure(workspace: &Path) -> Result<()> {
    install_missing(workspace)
}

fn install_missing(workspace: &Path) -> Result<()> {
    let system = system();
    let mut last = None;
    loop {
        let facts = machine::facts();
        let step = match plan::next(&facts, &system)? {
            Plan::Complete => return Ok(()),
            Plan::Install(step) => step,
        };
        if last.as_ref() == Some(&step) {
            bail!(
                "{} was installed, and is still missing: {}",
                step.what(),
                still_missing(&facts)
            );
        }
        eprintln!("missing: {} ({})", step.what(), step.why());
        carry_out(&step, &facts, workspace)
            .with_context(|| format!("cannot install {}{}", step.what(), step.otherwise()))?;
        last = Some(step);
    }
}

fn still_missing(facts: &Facts) -> String {
    facts
        .toolchain()
        .err()
        .map_or_else(String::new, |missing| missing.what.join("; "))
}

fn carry_out(step: &Step, facts: &Facts, workspace: &Path) -> Result<()> {
    match step {
        Step::DebianPackages => apt_install(&DEBIAN_PACKAGES),
        Step::NightlyWithSource => process::run(&mut rustup(&plan::NIGHTLY_COMMAND)),
        Step::SourceOf(nightly) => process::run(&mut rustup(&plan::source_command(nightly))),
        Step::Linker => linker::install(facts, workspace),
    }
}

/// Whether packages can be had from Debian.
pub(crate) fn has_apt() -> bool {
    system().debian
}

/// Fetches new package lists. One list out of reach does not matter if the packages' own list is
/// there: what counts is whether they can be installed.
pub(crate) fn apt_update() {
    if let Err(error) = process::run(&mut apt(&plan::APT_UPDATE)) {
        eprintln!("{error:#}; going on with the package lists that are there");
    }
}

/// Installs packages, by the newest lists.
pub(crate) fn apt_install(packages: &[&str]) -> Result<()> {
    apt_update();
    process::run(&mut apt(&plan::apt_install(packages)))
}

fn apt(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn rustup(arguments: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command.args(arguments).env_remove("RUSTUP_TOOLCHAIN");
    command
}

fn system() -> System {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    System {
        debian: plan::is_debian(&release) && machine::on_path("apt-get").is_some(),
        rustup: machine::on_path("rustup").is_some(),
        root: machine::is_root(),
    }
}
