//! `cargo xtask vm-test`: the checks that depend on the kernel, on older kernels in virtual machines
//! and on this machine's own.
//!
//! Read in this order: [`packages`] (the kernels) and [`tools`] (what boots them), both from Debian, [`suites`] (what
//! is run), [`image`] and [`archive`] (the guest's whole file system, in memory), [`guest`] (one boot),
//! [`console`] (what it said, and what became of each suite).

mod packages;

mod tools;

mod suites;

mod image;

mod archive;

mod guest;

mod console;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::setup::{self, programs};
use console::{Ending, Progress};
use packages::Kernel;
use suites::Suite;
use tools::Tools;

/// Where everything of this command's is kept, under the workspace.
const FOLDER: &str = "target/kernels";

/// The command's options.
#[derive(Args)]
pub(crate) struct Options {
    /// Run on this machine's kernel, without a virtual machine
    #[arg(long, conflicts_with = "series")]
    host: bool,
    /// A series of kernels whose newest is booted; repeatable
    #[arg(long, default_values = packages::SERIES, value_name = "SERIES")]
    series: Vec<String>,
    /// How long a virtual machine may take
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    timeout: u64,
    /// Only these suites, or of a suite only the tests whose names contain what follows `::`
    #[arg(value_name = "SUITE[::TEST]")]
    only: Vec<String>,
}

/// `cargo xtask vm-test`.
pub(crate) fn run(workspace: &Path, options: &Options) -> Result<()> {
    setup::ensure(workspace)?;
    if options.host {
        programs::ensure(&programs::of_the_tests(), "tests compare with them")?;
        let suites = suites::build(workspace, &options.only)?;
        return verdict(&[("this machine".to_owned(), on_this_machine(&suites.all)?)]);
    }
    let folder = workspace.join(FOLDER);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    let tools = Tools::ensure(&folder)?;
    let kernels = packages::newest(&folder, &options.series)?;
    let tool = suites::build_tool(workspace)?;
    let suites = suites::build(workspace, &options.only)?;
    let image = folder.join("initramfs.cpio");
    image::write(&image, &suites, &tool, &tools.busybox()?)?;
    let limit = Duration::from_secs(options.timeout);
    verdict(&in_guests(&tools, &kernels, &image, &suites.all, limit)?)
}

/// All guests at once: each is busy on one processor for most of its time.
fn in_guests(
    tools: &Tools,
    kernels: &[Kernel],
    image: &Path,
    suites: &[Suite],
    limit: Duration,
) -> Result<Vec<(String, Vec<Ending>)>> {
    std::thread::scope(|scope| {
        let boots: Vec<_> = kernels
            .iter()
            .map(|kernel| {
                scope.spawn(move || guest::boot(tools.qemu(), kernel, image, suites, limit))
            })
            .collect();
        kernels
            .iter()
            .zip(boots)
            .map(|(kernel, boot)| {
                let Ok(endings) = boot.join() else {
                    bail!("the thread of Linux {} panicked", kernel.release);
                };
                Ok((format!("Linux {}", kernel.release), endings?))
            })
            .collect()
    })
}

/// The same suites, each a child of this process.
fn on_this_machine(suites: &[Suite]) -> Result<Vec<Ending>> {
    let mut progress = Progress::new(suites);
    for suite in suites {
        let began = Instant::now();
        progress.line(&console::begins(suite.name));
        let status = guest::on_host(suite, |line| {
            println!("{line}");
            progress.line(line);
        })?;
        progress.line(&console::ended(suite.name, status, began.elapsed()));
    }
    Ok(progress.endings())
}

/// Shows what became of each suite on each kernel; an error if one failed anywhere.
fn verdict(kernels: &[(String, Vec<Ending>)]) -> Result<()> {
    let mut failed = Vec::new();
    println!();
    for (kernel, endings) in kernels {
        println!("{kernel}");
        for ending in endings {
            println!("    {ending}");
            if !ending.is_success() {
                failed.push(format!("{} on {kernel}", ending.suite));
            }
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}
