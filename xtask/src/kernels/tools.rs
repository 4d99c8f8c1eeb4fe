//! What boots a kernel, and what a guest's first programs are: QEMU and busybox, from Debian's packages. Installed
//! where that takes nothing away; else unpacked into the folder of this command, which leaves the system as it is.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use tracer_ebpf_build::machine;
use xtask::process;

use crate::setup::{self, programs};

const QEMU: &str = "qemu-system-x86_64";
const BUSYBOX: &str = "busybox";

/// A program of each package that must be there, and the package.
const TOOLS: [(&str, &str); 2] = [(QEMU, "qemu-system-x86"), (BUSYBOX, "busybox-static")];

/// The programs, ready to be started.
pub(super) struct Tools {
    /// Where they were unpacked; `None`: they are installed.
    unpacked: Option<PathBuf>,
}

impl Tools {
    /// Finds them, or brings them; `folder` is where they may be unpacked.
    pub(super) fn ensure(folder: &Path) -> Result<Self> {
        let installed = TOOLS
            .iter()
            .all(|(program, _)| machine::on_path(program).is_some());
        let root = folder.join("tools");
        if installed {
            return Ok(Self { unpacked: None });
        }
        if !root.is_dir() {
            let Err(refused) = programs::ensure(&TOOLS, "they boot other kernels") else {
                return Ok(Self { unpacked: None });
            };
            if !setup::has_apt() {
                return Err(refused);
            }
            eprintln!(
                "{refused:#}; they are unpacked into {} instead",
                root.display()
            );
            unpack(&root)?;
        }
        Ok(Self {
            unpacked: Some(root),
        })
    }

    /// The emulator.
    pub(super) fn qemu(&self) -> Command {
        let Some(root) = &self.unpacked else {
            return Command::new(QEMU);
        };
        let mut qemu = Command::new(root.join("usr/bin").join(QEMU));
        let mut libraries = OsString::new();
        for folder in ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"] {
            libraries.push(root.join(folder));
            libraries.push(":");
        }
        qemu.env("LD_LIBRARY_PATH", libraries);
        for firmware in ["usr/share/qemu", "usr/share/seabios"] {
            qemu.arg("-L").arg(root.join(firmware));
        }
        qemu
    }

    /// Where busybox is.
    pub(super) fn busybox(&self) -> Result<PathBuf> {
        match &self.unpacked {
            Some(root) => Ok(root.join("bin").join(BUSYBOX)),
            None => machine::on_path(BUSYBOX).context("busybox is not on the PATH"),
        }
    }
}

/// Fetches the packages and what they need of others, and unpacks them. The folder is there only once it is whole.
fn unpack(root: &Path) -> Result<()> {
    let work = root.with_extension("partial");
    if work.exists() {
        std::fs::remove_dir_all(&work)
            .with_context(|| format!("cannot remove {}", work.display()))?;
    }
    let archives = work.join("packages");
    std::fs::create_dir_all(&archives)
        .with_context(|| format!("cannot create {}", archives.display()))?;
    process::run(
        Command::new("apt-get")
            .current_dir(&archives)
            .arg("download")
            .args(needed()?),
    )?;
    let entries = std::fs::read_dir(&archives)
        .with_context(|| format!("cannot read {}", archives.display()))?;
    for entry in entries {
        let archive = entry.context("cannot read a folder")?.path();
        process::run(Command::new("dpkg").arg("-x").arg(archive).arg(&work))?;
    }
    std::fs::remove_dir_all(&archives)
        .with_context(|| format!("cannot remove {}", archives.display()))?;
    std::fs::rename(&work, root).with_context(|| format!("cannot name {}", root.display()))
}

/// The packages, and those that apt would install along with them.
fn needed() -> Result<Vec<String>> {
    let mut simulation = Command::new("apt-get");
    simulation
        .args(["install", "--simulate", "--no-install-recommends"])
        .args(TOOLS.map(|(_, package)| package));
    let shown = process::shown(&simulation);
    let answer = simulation
        .output()
        .with_context(|| format!("cannot start `{shown}`"))?;
    let packages = to_be_installed(&String::from_utf8_lossy(&answer.stdout));
    if !answer.status.success() || packages.is_empty() {
        bail!(
            "`{shown}` failed: {}",
            String::from_utf8_lossy(&answer.stderr)
        );
    }
    Ok(packages)
}

/// Of lines like `Inst libfdt1 (1.6.1-4+b1 Debian:12.15/oldstable [amd64])`.
fn to_be_installed(simulation: &str) -> Vec<String> {
    simulation
        .lines()
        .filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_apt_would_install_is_read_and_what_it_would_remove_is_not() {
        let simulation = "\
Remv qemu-utils [1:10.0.2]
Inst libfdt1 (1.6.1-4+b1 Debian:12.15/oldstable [amd64])
Inst qemu-system-x86 (1:7.2+dfsg-7 Debian:12.15/oldstable [amd64])
Conf libfdt1 (1.6.1-4+b1 Debian:12.15/oldstable [amd64])
";
        assert_eq!(to_be_installed(simulation), ["libfdt1", "qemu-system-x86"]);
    }
}
