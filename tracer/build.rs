//! Builds the eBPF object that the library embeds: `OUT_DIR/tracer.bpf.o`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tracer_ebpf_build::ebpf::{self, Built, Failure, Request};

fn main() -> ExitCode {
    let workspace = path("CARGO_MANIFEST_DIR").join("..");
    let out = path("OUT_DIR");
    let architecture = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    if env::var("CARGO_CFG_TARGET_ENDIAN").as_deref() == Ok("big") {
        println!("cargo::error=big-endian machines are not supported");
        return ExitCode::SUCCESS;
    }

    let request = Request {
        workspace: &workspace,
        target: &out.join("ebpf"),
        architecture: &architecture,
        object: &out.join("tracer.bpf.o"),
    };
    match ebpf::build(&request) {
        Ok(built) => {
            announce(&workspace, &built);
            ExitCode::SUCCESS
        }
        // Cargo shows such a line by itself, without the dump of a script that failed.
        Err(failure @ Failure::Missing(_)) => {
            println!("cargo::error={failure}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Tells cargo when to build again, and passes on what the compiler remarked. A script that failed
/// runs again anyway.
fn announce(workspace: &Path, built: &Built) {
    eprintln!("eBPF object built with {}", built.toolchain);
    let compiler = &built.toolchain.source.compiler().program;
    let tools = [compiler, &built.toolchain.linker].map(Clone::clone);
    for input in ebpf::inputs(workspace).into_iter().chain(tools) {
        if input.exists() {
            println!("cargo::rerun-if-changed={}", input.display());
        }
    }
    for line in built.warnings.lines() {
        println!("cargo::warning={line}");
    }
}

fn path(variable: &str) -> PathBuf {
    // Cargo sets these for every build script; without them there is nothing to build into.
    env::var_os(variable).map_or_else(PathBuf::new, PathBuf::from)
}
