//! Kernels to boot, as Debian packages. Only the kernel itself is kept of a package, in the folder of this
//! command.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::setup;
use xtask::process;

/// The series of Debian's kernels that are tested, oldest first.
pub(super) const SERIES: [&str; 2] = ["6.1", "6.12"];

/// A kernel, ready to be booted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kernel {
    /// `6.1.0-56-cloud-amd64`: what `uname -r` says in it.
    pub(super) release: String,
    pub(super) image: PathBuf,
}

/// The newest kernel of each series, downloaded where it is not there yet.
pub(super) fn newest(folder: &Path, series: &[String]) -> Result<Vec<Kernel>> {
    if !cfg!(target_arch = "x86_64") || !setup::has_apt() {
        bail!("the kernels are Debian's for x86-64: run this on Debian, or with --host");
    }
    series
        .iter()
        .map(|series| newest_of(folder, series))
        .collect()
}

fn newest_of(folder: &Path, series: &str) -> Result<Kernel> {
    let mut found = offered(series)?;
    if found.is_none() {
        // A fresh machine has no package lists yet.
        setup::apt_update();
        found = offered(series)?;
    }
    let Some(release) = found else {
        bail!(
            "no package source has a cloud kernel of the series {series}: look with \
             `apt-cache search linux-image-{series}`"
        );
    };
    let image = folder.join(format!("vmlinuz-{release}"));
    if !image.is_file() {
        download(folder, &release)?;
    }
    Ok(Kernel { release, image })
}

/// The newest release of a series that apt knows.
fn offered(series: &str) -> Result<Option<String>> {
    let pattern = format!("^linux-image-{}[.-]", series.replace('.', "\\."));
    let mut search = Command::new("apt-cache");
    search.args(["search", "--names-only", &pattern]);
    let answer = search
        .output()
        .with_context(|| format!("cannot start `{}`", process::shown(&search)))?;
    let lines = String::from_utf8_lossy(&answer.stdout);
    Ok(newest_release(&lines, series))
}

/// Of lines like `linux-image-6.1.0-56-cloud-amd64 - Linux 6.1 for x86-64 cloud (signed)`.
fn newest_release(lines: &str, series: &str) -> Option<String> {
    lines
        .lines()
        .filter_map(|line| line.split_whitespace().next()?.strip_prefix("linux-image-"))
        .filter(|release| release.ends_with("-cloud-amd64"))
        .filter(|release| numbers(release).starts_with(&numbers(series)))
        .min_by_key(|release| Reverse(numbers(release)))
        .map(str::to_owned)
}

fn numbers(version: &str) -> Vec<u64> {
    version
        .split(|letter: char| !letter.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect()
}

/// Takes the kernel out of its package.
fn download(folder: &Path, release: &str) -> Result<()> {
    let work = folder.join("package");
    if work.exists() {
        std::fs::remove_dir_all(&work)
            .with_context(|| format!("cannot remove {}", work.display()))?;
    }
    std::fs::create_dir(&work).with_context(|| format!("cannot create {}", work.display()))?;
    let package = format!("linux-image-{release}");
    process::run(
        Command::new("apt-get")
            .current_dir(&work)
            .args(["download", &package]),
    )?;
    let archive = std::fs::read_dir(&work)
        .with_context(|| format!("cannot read {}", work.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .with_context(|| format!("apt-get left no package of {package}"))?;
    process::run(Command::new("dpkg").arg("-x").arg(&archive).arg(&work))?;
    let name = format!("vmlinuz-{release}");
    let image = work.join("boot").join(&name);
    std::fs::rename(&image, folder.join(&name))
        .with_context(|| format!("cannot move {} out of {package}", image.display()))?;
    std::fs::remove_dir_all(&work).with_context(|| format!("cannot remove {}", work.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERED: &str = "\
linux-image-6.1.0-9-cloud-amd64 - Linux 6.1 for x86-64 cloud (signed)
linux-image-6.1.0-56-cloud-amd64 - Linux 6.1 for x86-64 cloud (signed)
linux-image-6.1.0-56-amd64 - Linux 6.1 for 64-bit PCs (signed)
linux-image-6.1.0-99-cloud-amd64-unsigned - Linux 6.1 for x86-64 cloud
linux-image-6.12.9+deb12-cloud-amd64 - Linux 6.12 for x86-64 cloud (signed)
linux-image-6.12.117+deb12-cloud-amd64 - Linux 6.12 for x86-64 cloud (signed)
linux-image-cloud-amd64 - Linux for x86-64 cloud (meta-package)
";

    #[test]
    fn the_newest_of_a_series_is_found_by_its_numbers() {
        let newest = |series| newest_release(OFFERED, series);
        assert_eq!(newest("6.1").as_deref(), Some("6.1.0-56-cloud-amd64"));
        assert_eq!(
            newest("6.12").as_deref(),
            Some("6.12.117+deb12-cloud-amd64")
        );
        assert_eq!(newest("6.6"), None);
    }
}
