//! Installs bpf-linker, linked with the very LLVM library that the compiler uses: it has to read the
//! bitcode that this compiler writes, and the library is there already, without LLVM's development
//! packages.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use tracer_ebpf_build::toolchain::{Compiler, Facts, LINKER_VERSION};
use tracer_ebpf_build::{environment, machine};

use xtask::process;

/// Builds and installs bpf-linker among cargo's installed programs.
pub(super) fn install(facts: &Facts, workspace: &Path) -> Result<()> {
    let source = facts.source().context("there is no compiler to link for")?;
    let compiler = source.compiler();
    let library = machine::llvm_library(&compiler.sysroot, compiler.llvm).with_context(|| {
        format!(
            "the library of LLVM {} is not in the folders of {source}",
            compiler.llvm
        )
    })?;
    let prefix = link_folder(workspace, &library)?;
    process::run(&mut command(compiler, &library, &prefix))
}

/// A folder that looks to bpf-linker's build like an LLVM installation: it links `-lLLVM` from the
/// `lib` in it. Returns that prefix.
fn link_folder(workspace: &Path, library: &Path) -> Result<PathBuf> {
    let prefix = workspace.join("target").join("llvm");
    let folder = prefix.join("lib");
    let link = folder.join("libLLVM.so");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    if link.is_symlink() {
        std::fs::remove_file(&link).with_context(|| format!("cannot remove {}", link.display()))?;
    }
    symlink(library, &link).with_context(|| format!("cannot create {}", link.display()))?;
    Ok(prefix)
}

fn command(compiler: &Compiler, library: &Path, prefix: &Path) -> Command {
    let mut command = Command::new(machine::cargo());
    environment::clean(&mut command);
    // The toolchain that runs us compiles the linker; only the host's target is needed for that.
    if let Some(toolchain) = std::env::var_os("RUSTUP_TOOLCHAIN") {
        command.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    if let Some(folder) = library.parent() {
        // Debian's folder is searched anyway; rustup's has to be written into the program.
        command.env(
            "RUSTFLAGS",
            format!("-Clink-arg=-Wl,-rpath,{}", folder.display()),
        );
    }
    command
        .env("LLVM_PREFIX", prefix)
        .args(["install", "bpf-linker", "--locked", "--force"])
        .args(["--version", LINKER_VERSION, "--no-default-features"])
        .args(["--features", &format!("llvm-{}", compiler.llvm)]);
    command
}
