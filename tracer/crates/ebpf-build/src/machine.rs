//! Gathers the facts of this machine. Whatever cannot be asked counts as absent.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::toolchain::{Compiler, DEBIAN_RUSTC, Facts, Linker, Nightly, TARGET};

/// Everything that decides how the eBPF object can be built.
#[must_use]
pub fn facts() -> Facts {
    let system = compiler(DEBIAN_RUSTC, || Command::new(DEBIAN_RUSTC));
    let system_core = system
        .as_ref()
        .is_some_and(|compiler| has_prebuilt_core(&compiler.sysroot));
    Facts {
        system,
        system_core,
        nightly: nightly(),
        linker: linker(),
    }
}

/// Whether this process runs as root: the owner of `/proc/self` is its effective user (proc(5)).
#[must_use]
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// The first executable of that name on PATH.
#[must_use]
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

/// A program by its name, or else the newest of those that have their version behind it, as Debian's
/// compilers do (`clang-22`).
#[must_use]
pub fn newest(name: &str) -> Option<PathBuf> {
    let versions = || (1..100).rev();
    on_path(name).or_else(|| versions().find_map(|version| on_path(&format!("{name}-{version}"))))
}

/// Where `cargo install` puts programs.
#[must_use]
pub fn cargo_programs() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))?;
    Some(home.join("bin"))
}

/// The shared LLVM library of that major version which a compiler is linked with: in its own
/// sysroot (rustup), or in the system's library folders (Debian).
#[must_use]
pub fn llvm_library(sysroot: &Path, major: u32) -> Option<PathBuf> {
    let libraries = sysroot.join("lib");
    let mut folders = vec![libraries.clone()];
    folders.extend(
        entries(&libraries)
            .filter(|entry| entry.to_string_lossy().ends_with("-linux-gnu") && entry.is_dir()),
    );
    folders
        .iter()
        .flat_map(|folder| entries(folder))
        .find(|entry| is_llvm_library(entry, major))
}

/// `libLLVM.so.22.1` (Debian), `libLLVM.so.22.1-rust-1.97.0-nightly` (rustup).
fn is_llvm_library(file: &Path, major: u32) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.strip_prefix("libLLVM.so.")
        .and_then(|version| version.split('.').next())
        .is_some_and(|number| number == major.to_string())
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
}

fn has_prebuilt_core(sysroot: &Path) -> bool {
    entries(&sysroot.join("lib/rustlib").join(TARGET).join("lib")).any(|entry| {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libcore-") && name.ends_with(".rlib")
    })
}

/// Asks a compiler about itself; `command` starts it.
fn compiler(program: &str, command: impl Fn() -> Command) -> Option<Compiler> {
    let version = output(command().arg("-vV"))?;
    let sysroot = output(command().args(["--print", "sysroot"]))?;
    Compiler::from_verbose_version(program.into(), sysroot.trim_end().into(), &version)
}

fn nightly() -> Option<Nightly> {
    let names = output(rustup().args(["toolchain", "list"]))?;
    let mut found: Vec<Nightly> = names
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| name.starts_with("nightly"))
        .filter_map(|name| {
            let compiler = compiler("rustc", || {
                let mut command = rustup();
                command.args(["run", name, "rustc"]);
                command
            })?;
            let source = "lib/rustlib/src/rust/library/core/Cargo.toml";
            Some(Nightly {
                name: name.to_owned(),
                has_source: compiler.sysroot.join(source).is_file(),
                compiler,
            })
        })
        .collect();
    found.sort_by_key(|nightly| !nightly.has_source);
    found.into_iter().next()
}

/// rustup, which must not begin to install a toolchain because it was asked about one.
fn rustup() -> Command {
    let mut command = Command::new("rustup");
    command
        .env("RUSTUP_AUTO_INSTALL", "0")
        .env_remove("RUSTUP_TOOLCHAIN");
    command
}

fn linker() -> Linker {
    let program = on_path("bpf-linker").or_else(|| {
        let installed = cargo_programs()?.join("bpf-linker");
        installed.is_file().then_some(installed)
    });
    let Some(program) = program else {
        return Linker::Absent;
    };
    match Command::new(&program).arg("--version").output() {
        Ok(answer) if answer.status.success() => Linker::Ready(program),
        Ok(answer) => Linker::Broken {
            why: first_line(&answer.stderr),
            program,
        },
        Err(error) => Linker::Broken {
            why: error.to_string(),
            program,
        },
    }
}

fn first_line(text: &[u8]) -> String {
    String::from_utf8_lossy(text)
        .lines()
        .next()
        .unwrap_or("no message")
        .to_owned()
}

fn output(command: &mut Command) -> Option<String> {
    let answer = command.output().ok()?;
    answer
        .status
        .success()
        .then(|| String::from_utf8_lossy(&answer.stdout).into_owned())
}

/// The cargo that runs this process, or the one on PATH.
#[must_use]
pub fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| OsStr::new("cargo").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_llvm_library_is_known_by_its_major_version() {
        for name in [
            "libLLVM.so.22.1",
            "libLLVM.so.22.1-rust-1.97.0-nightly",
            "libLLVM.so.22",
        ] {
            assert!(
                is_llvm_library(&Path::new("/usr/lib").join(name), 22),
                "{name}"
            );
        }
        for name in [
            "libLLVM.so",
            "libLLVM.so.2.2",
            "libLLVM.so.221",
            "libLLVM-22-rust-1.97.0-nightly.so",
            "librustc_driver.so.22",
        ] {
            assert!(
                !is_llvm_library(&Path::new("/usr/lib").join(name), 22),
                "{name}"
            );
        }
    }

    #[test]
    fn a_compiler_that_cannot_be_started_is_absent() {
        let nowhere = || Command::new("/nonexistent/rustc");
        assert_eq!(compiler("/nonexistent/rustc", nowhere), None);
    }
}
