//! What can compile and link the eBPF programs, and which of it is chosen. Pure: the facts come
//! from [`crate::machine`].

use std::fmt;
use std::path::PathBuf;

/// The target that the programs are compiled for; big-endian machines would need `bpfeb`.
pub const TARGET: &str = "bpfel-unknown-none";
/// Debian's compiler: the package `rustc-web` owns this path.
pub const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
/// Debian's packages that bring a compiler and a prebuilt `core` for [`TARGET`].
pub const DEBIAN_PACKAGES: [&str; 2] = ["rustc-web", "libstd-rust-web-dev-bpf"];
/// The version of bpf-linker that `cargo xtask setup` installs.
pub const LINKER_VERSION: &str = "0.13.0";
/// The LLVM versions which that bpf-linker can be built with (its features `llvm-21` …).
pub const LINKER_LLVM: [u32; 3] = [21, 22, 23];
/// The oldest compiler that the programs are written for (`rust-version` in Cargo.toml).
const OLDEST: (u32, u32) = (1, 88);

/// A Rust compiler, as `rustc -vV` and `rustc --print sysroot` describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiler {
    /// The program.
    pub program: PathBuf,
    /// Its release, such as `1.96.0`.
    pub release: String,
    /// The major version of the LLVM that it writes bitcode with.
    pub llvm: u32,
    /// Where its libraries are.
    pub sysroot: PathBuf,
}

impl Compiler {
    /// Reads the output of `rustc -vV`; `None` if it names no release or no LLVM.
    #[must_use]
    pub fn from_verbose_version(program: PathBuf, sysroot: PathBuf, output: &str) -> Option<Self> {
        let field = |name: &str| output.lines().find_map(|line| line.strip_prefix(name));
        let release = field("release: ")?.trim().to_owned();
        let llvm = field("LLVM version: ")?.split('.').next()?;
        Some(Self {
            program,
            release,
            llvm: llvm.trim().parse().ok()?,
            sysroot,
        })
    }

    /// Whether it is new enough for the programs.
    #[must_use]
    pub fn is_new_enough(&self) -> bool {
        let mut numbers = self.release.split(['.', '-']).map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= OLDEST,
            _ => false,
        }
    }
}

/// A nightly toolchain of rustup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nightly {
    /// Its name for `rustup run`.
    pub name: String,
    /// Its compiler.
    pub compiler: Compiler,
    /// Whether its component `rust-src` is there, which `-Z build-std` compiles `core` from.
    pub has_source: bool,
}

/// What is known of bpf-linker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Linker {
    /// It starts.
    Ready(PathBuf),
    /// It is there and does not start, most often because its LLVM library is gone.
    Broken {
        /// Where it is.
        program: PathBuf,
        /// What it said.
        why: String,
    },
    /// It is neither on PATH nor in cargo's folder of installed programs.
    Absent,
}

/// What the machine has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The compiler at [`DEBIAN_RUSTC`].
    pub system: Option<Compiler>,
    /// Whether that compiler's sysroot has a prebuilt `core` for [`TARGET`].
    pub system_core: bool,
    /// The best nightly of rustup: one with `rust-src` if there is any.
    pub nightly: Option<Nightly>,
    /// bpf-linker.
    pub linker: Linker,
}

/// Where `core` for the BPF target comes from, and so which compiler is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Debian's compiler with the prebuilt `core` of its package.
    Prebuilt(Compiler),
    /// A rustup nightly that compiles `core` from `rust-src`.
    Nightly(Nightly),
}

impl Source {
    /// The compiler that is used.
    #[must_use]
    pub fn compiler(&self) -> &Compiler {
        match self {
            Self::Prebuilt(compiler) => compiler,
            Self::Nightly(nightly) => &nightly.compiler,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prebuilt(compiler) => write!(
                f,
                "rustc {} at {} with its prebuilt core for {TARGET}",
                compiler.release,
                compiler.program.display()
            ),
            Self::Nightly(nightly) => write!(
                f,
                "rustup's {} (rustc {}), core compiled from rust-src",
                nightly.name, nightly.compiler.release
            ),
        }
    }
}

/// All that the build needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// Compiler and `core`.
    pub source: Source,
    /// bpf-linker.
    pub linker: PathBuf,
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.source, self.linker.display())
    }
}

/// What is missing, in words for the person who builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Each missing thing, as a clause.
    pub what: Vec<String>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the eBPF programs cannot be built: {}. `cargo xtask setup` installs what is missing",
            self.what.join("; ")
        )
    }
}

impl std::error::Error for Missing {}

impl Facts {
    /// The compiler to use. Debian's comes first: where its `core` is installed, it was installed
    /// for this, and its version does not move by itself as a nightly's does.
    #[must_use]
    pub fn source(&self) -> Option<Source> {
        if let Some(compiler) = &self.system
            && self.system_core
            && compiler.is_new_enough()
        {
            return Some(Source::Prebuilt(compiler.clone()));
        }
        let nightly = self.nightly.as_ref()?;
        (nightly.has_source && nightly.compiler.is_new_enough())
            .then(|| Source::Nightly(nightly.clone()))
    }

    /// Everything the build needs.
    ///
    /// # Errors
    /// Names each thing that is missing, and how to get it.
    pub fn toolchain(&self) -> Result<Toolchain, Missing> {
        let source = self.source();
        match (source, &self.linker) {
            (Some(source), Linker::Ready(linker)) => Ok(Toolchain {
                source,
                linker: linker.clone(),
            }),
            (source, linker) => {
                let mut what = Vec::new();
                if source.is_none() {
                    what.push(self.missing_compiler());
                }
                match linker {
                    Linker::Ready(_) => {}
                    Linker::Absent => what.push(format!(
                        "bpf-linker {LINKER_VERSION} is neither on PATH nor among cargo's installed programs"
                    )),
                    Linker::Broken { program, why } => what.push(format!(
                        "bpf-linker at {} does not start ({why})",
                        program.display()
                    )),
                }
                Err(Missing { what })
            }
        }
    }

    fn missing_compiler(&self) -> String {
        let (oldest_major, oldest_minor) = OLDEST;
        let [_, core_package] = DEBIAN_PACKAGES;
        let system = match &self.system {
            None => format!("no rustc at {DEBIAN_RUSTC}"),
            Some(compiler) if !compiler.is_new_enough() => format!(
                "rustc {} at {DEBIAN_RUSTC} is older than {oldest_major}.{oldest_minor}",
                compiler.release
            ),
            Some(compiler) => format!(
                "rustc {} at {DEBIAN_RUSTC} lacks its core for {TARGET} (Debian's package {core_package})",
                compiler.release
            ),
        };
        let nightly = match &self.nightly {
            None => "rustup has no nightly".to_owned(),
            Some(nightly) if !nightly.has_source => format!(
                "rustup's {name} lacks rust-src (`rustup component add rust-src --toolchain {name}`)",
                name = nightly.name
            ),
            Some(nightly) => format!("rustup's {} is too old", nightly.name),
        };
        format!("no compiler for the BPF target ({system}; {nightly})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiler(release: &str) -> Compiler {
        Compiler {
            program: DEBIAN_RUSTC.into(),
            release: release.to_owned(),
            llvm: 22,
            sysroot: "/usr".into(),
        }
    }

    fn nightly(has_source: bool) -> Nightly {
        Nightly {
            name: "nightly-x86_64-unknown-linux-gnu".to_owned(),
            compiler: compiler("1.97.0-nightly"),
            has_source,
        }
    }

    fn nothing() -> Facts {
        Facts {
            system: None,
            system_core: false,
            nightly: None,
            linker: Linker::Absent,
        }
    }

    #[test]
    fn the_verbose_version_gives_release_and_llvm() {
        let output = "rustc 1.96.0 (ac68faa20 2026-05-25)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nrelease: 1.96.0\nLLVM version: 22.1.8\n";
        let read = Compiler::from_verbose_version(DEBIAN_RUSTC.into(), "/usr".into(), output);
        assert_eq!(read, Some(compiler("1.96.0")));
    }

    #[test]
    fn a_version_without_llvm_is_no_compiler() {
        let output = "release: 1.96.0\n";
        assert_eq!(
            Compiler::from_verbose_version(DEBIAN_RUSTC.into(), "/usr".into(), output),
            None
        );
    }

    #[test]
    fn debians_compiler_comes_before_a_nightly() {
        let facts = Facts {
            system: Some(compiler("1.96.0")),
            system_core: true,
            nightly: Some(nightly(true)),
            ..nothing()
        };
        assert_eq!(facts.source(), Some(Source::Prebuilt(compiler("1.96.0"))));
    }

    #[test]
    fn debians_ordinary_old_compiler_gives_way_to_a_nightly() {
        let facts = Facts {
            system: Some(compiler("1.63.0")),
            system_core: true,
            nightly: Some(nightly(true)),
            ..nothing()
        };
        assert_eq!(facts.source(), Some(Source::Nightly(nightly(true))));
    }

    #[test]
    fn a_compiler_without_core_and_a_nightly_without_source_are_no_toolchain() {
        let facts = Facts {
            system: Some(compiler("1.96.0")),
            system_core: false,
            nightly: Some(nightly(false)),
            linker: Linker::Ready("bpf-linker".into()),
        };
        let said = facts.toolchain().expect_err("nothing compiles").to_string();
        assert!(said.contains("libstd-rust-web-dev-bpf"), "{said}");
        assert!(said.contains("rustup component add rust-src"), "{said}");
        assert!(said.contains("cargo xtask setup"), "{said}");
        assert!(!said.contains("bpf-linker"), "{said}");
    }

    #[test]
    fn a_bare_machine_is_told_of_every_missing_thing_in_one_line() {
        let said = nothing().toolchain().expect_err("nothing").to_string();
        assert!(said.contains("no rustc at /usr/bin/rustc"), "{said}");
        assert!(said.contains("rustup has no nightly"), "{said}");
        assert!(said.contains("bpf-linker"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }

    #[test]
    fn a_linker_that_does_not_start_is_missing_and_says_why() {
        let facts = Facts {
            system: Some(compiler("1.96.0")),
            system_core: true,
            linker: Linker::Broken {
                program: "/opt/bpf-linker".into(),
                why: "libLLVM.so.22.1: cannot open".to_owned(),
            },
            ..nothing()
        };
        let said = facts.toolchain().expect_err("no linker").to_string();
        assert!(said.contains("libLLVM.so.22.1"), "{said}");
    }

    #[test]
    fn all_there_is_a_toolchain_that_names_itself() {
        let facts = Facts {
            nightly: Some(nightly(true)),
            linker: Linker::Ready("/opt/bpf-linker".into()),
            ..nothing()
        };
        let chosen = facts.toolchain().expect("complete").to_string();
        assert!(chosen.contains("nightly-x86_64"), "{chosen}");
        assert!(chosen.contains("/opt/bpf-linker"), "{chosen}");
    }
}
