//! Builds the eBPF object: the package `tracer-ebpf`, with a cargo of its own.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use crate::toolchain::{Missing, Source, TARGET, Toolchain};
use crate::{environment, machine};

/// The package, and its binary: the artefact's name.
const PACKAGE: &str = "tracer-ebpf";
const BINARY: &str = "tracer";

/// What is built, and where.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The workspace's folder.
    pub workspace: &'a Path,
    /// A target folder that no other cargo uses: the outer one holds the lock of its own.
    pub target: &'a Path,
    /// The architecture whose kernel loads the object, in Rust's words (`x86_64`): it decides which
    /// registers hold a call's arguments.
    pub architecture: &'a str,
    /// Where the object is put.
    pub object: &'a Path,
}

/// A finished build.
#[derive(Clone, Debug)]
pub struct Built {
    /// What built it.
    pub toolchain: Toolchain,
    /// What the compiler remarked; empty if nothing.
    pub warnings: String,
}

/// Why there is no object.
#[derive(Debug)]
pub enum Failure {
    /// The toolchain is incomplete.
    Missing(Missing),
    /// The inner cargo could not be started.
    Start {
        /// What was to be started.
        program: OsString,
        /// Why not.
        error: std::io::Error,
    },
    /// The inner cargo failed.
    Compile {
        /// What it was built with.
        toolchain: String,
        /// How cargo ended.
        status: ExitStatus,
        /// What it said.
        output: String,
    },
    /// The object could not be copied to its place.
    Copy {
        /// From where.
        from: PathBuf,
        /// To where.
        to: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(missing) => missing.fmt(f),
            Self::Start { program, error } => {
                write!(f, "cannot start {}: {error}", program.display())
            }
            Self::Compile {
                toolchain,
                status,
                output,
            } => write!(
                f,
                "{output}\nthe eBPF programs do not compile ({status}); built with {toolchain}"
            ),
            Self::Copy { from, to, error } => {
                write!(
                    f,
                    "cannot copy {} to {}: {error}",
                    from.display(),
                    to.display()
                )
            }
        }
    }
}

impl std::error::Error for Failure {}

/// The files and folders of the workspace that the object is made from.
#[must_use]
pub fn inputs(workspace: &Path) -> Vec<PathBuf> {
    [
        "Cargo.toml",
        "Cargo.lock",
        "tracer-ebpf/Cargo.toml",
        "tracer-ebpf/src",
        "tracer-common/Cargo.toml",
        "tracer-common/src",
    ]
    .map(|input| workspace.join(input))
    .into()
}

/// Builds the object with what this machine has.
///
/// # Errors
/// If something is missing, or the programs do not compile.
pub fn build(request: &Request<'_>) -> Result<Built, Failure> {
    let toolchain = machine::facts().toolchain().map_err(Failure::Missing)?;
    let mut command = command(&toolchain, request, machine::cargo());
    environment::clean(&mut command);
    configure(&mut command, &toolchain, request.architecture);

    let answer = command.output().map_err(|error| Failure::Start {
        program: command.get_program().to_owned(),
        error,
    })?;
    // `--quiet` leaves the diagnostics only.
    let output = String::from_utf8_lossy(&answer.stderr)
        .trim_end()
        .to_owned();
    if !answer.status.success() {
        return Err(Failure::Compile {
            toolchain: toolchain.to_string(),
            status: answer.status,
            output,
        });
    }

    let from = request.target.join(TARGET).join("release").join(BINARY);
    let to = request.object.to_owned();
    match std::fs::copy(&from, &to) {
        Ok(_) => Ok(Built {
            toolchain,
            warnings: output,
        }),
        Err(error) => Err(Failure::Copy { from, to, error }),
    }
}

/// The inner cargo's command line.
fn command(toolchain: &Toolchain, request: &Request<'_>, cargo: OsString) -> Command {
    let mut command = match &toolchain.source {
        Source::Prebuilt(_) => Command::new(cargo),
        Source::Nightly(nightly) => {
            let mut command = Command::new("rustup");
            command.args(["run", &nightly.name, "cargo"]);
            command
        }
    };
    command
        .current_dir(request.workspace)
        // Always optimised: the verifier walks every instruction, and the stack is 512 bytes.
        .args([
            "build",
            "--quiet",
            "--locked",
            "--release",
            "--target",
            TARGET,
        ])
        .args(["--package", PACKAGE, "--bin", BINARY, "--target-dir"])
        .arg(request.target);
    if matches!(toolchain.source, Source::Nightly(_)) {
        command.args(["-Z", "build-std=core"]);
    }
    command
}

/// The inner cargo's variables.
fn configure(command: &mut Command, toolchain: &Toolchain, architecture: &str) {
    if let Source::Prebuilt(compiler) = &toolchain.source {
        // aya-ebpf uses `asm_experimental_arch`, which a release compiler allows only like this.
        command
            .env("RUSTC", &compiler.program)
            .env("RUSTC_BOOTSTRAP", "1");
    }
    command.env(
        "CARGO_ENCODED_RUSTFLAGS",
        flags(&toolchain.linker, architecture).join("\x1f"),
    );
}

/// The compiler's flags: aya-ebpf's choice of registers, and debug information, which the linker
/// turns into BTF.
fn flags(linker: &Path, architecture: &str) -> Vec<String> {
    vec![
        format!("-Clinker={}", linker.display()),
        format!("--cfg=bpf_target_arch=\"{architecture}\""),
        "-Cdebuginfo=2".to_owned(),
        "-Clink-arg=--btf".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toolchain::{Compiler, Nightly};

    fn compiler(program: &str) -> Compiler {
        Compiler {
            program: program.into(),
            release: "1.96.0".to_owned(),
            llvm: 22,
            sysroot: "/usr".into(),
        }
    }

    fn arguments(source: Source) -> (Command, Vec<String>) {
        let toolchain = Toolchain {
            source,
            linker: "/opt/bpf-linker".into(),
        };
        let request = Request {
            workspace: Path::new("/src"),
            target: Path::new("/out/ebpf"),
            architecture: "x86_64",
            object: Path::new("/out/tracer.bpf.o"),
        };
        let mut command = command(&toolchain, &request, "/opt/cargo".into());
        configure(&mut command, &toolchain, request.architecture);
        let all = command
            .get_args()
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect();
        (command, all)
    }

    fn variable(command: &Command, name: &str) -> Option<String> {
        let (_, value) = command.get_envs().find(|(key, _)| *key == name)?;
        Some(value?.to_string_lossy().into_owned())
    }

    #[test]
    fn with_a_prebuilt_core_the_outer_cargo_drives_debians_compiler() {
        let (command, arguments) = arguments(Source::Prebuilt(compiler("/usr/bin/rustc")));
        assert_eq!(command.get_program(), "/opt/cargo");
        assert_eq!(
            variable(&command, "RUSTC").as_deref(),
            Some("/usr/bin/rustc")
        );
        assert_eq!(variable(&command, "RUSTC_BOOTSTRAP").as_deref(), Some("1"));
        assert!(!arguments.contains(&"build-std=core".to_owned()));
    }

    #[test]
    fn a_nightly_compiles_core_itself_and_is_named_to_rustup() {
        let (command, arguments) = arguments(Source::Nightly(Nightly {
            name: "nightly-2026-01-01".to_owned(),
            compiler: compiler("rustc"),
            has_source: true,
        }));
        assert_eq!(command.get_program(), "rustup");
        assert_eq!(arguments[..3], ["run", "nightly-2026-01-01", "cargo"]);
        assert!(arguments.contains(&"build-std=core".to_owned()));
        assert_eq!(variable(&command, "RUSTC"), None);
    }

    #[test]
    fn the_object_has_its_own_target_folder_and_the_kernels_architecture() {
        let (command, arguments) = arguments(Source::Prebuilt(compiler("/usr/bin/rustc")));
        let folder = arguments
            .iter()
            .position(|argument| argument == "--target-dir");
        assert_eq!(arguments[folder.expect("a target folder") + 1], "/out/ebpf");
        let flags = variable(&command, "CARGO_ENCODED_RUSTFLAGS").expect("flags");
        assert!(flags.contains("bpf_target_arch=\"x86_64\""), "{flags}");
        assert!(flags.contains("-Clinker=/opt/bpf-linker"), "{flags}");
    }
}
