//! What to install next. Pure: facts in, one step out.

use anyhow::{Result, bail};
use tracer_ebpf_build::toolchain::{DEBIAN_PACKAGES, Facts, LINKER_LLVM, LINKER_VERSION, Linker};

/// What the machine can install with.
#[derive(Clone, Copy, Debug)]
pub(super) struct System {
    /// Debian, with apt.
    pub(super) debian: bool,
    /// rustup is on PATH.
    pub(super) rustup: bool,
    /// We are root.
    pub(super) root: bool,
}

/// One thing to install.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Debian's compiler and its `core` for BPF.
    DebianPackages,
    /// A nightly of rustup, with `rust-src`.
    NightlyWithSource,
    /// `rust-src` for the nightly of that name, which is there.
    SourceOf(String),
    Linker,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    Complete,
    /// This, and then look again.
    Install(Step),
}

/// rustup's command for a nightly with `rust-src`.
pub(super) const NIGHTLY_COMMAND: [&str; 7] = [
    "toolchain",
    "install",
    "nightly",
    "--profile",
    "minimal",
    "--component",
    "rust-src",
];

/// rustup's command for the `rust-src` of a nightly.
pub(super) fn source_command(nightly: &str) -> [&str; 5] {
    ["component", "add", "rust-src", "--toolchain", nightly]
}

/// apt-get's command for new package lists.
pub(super) const APT_UPDATE: [&str; 1] = ["update"];

/// apt-get's command to install packages. Nothing that is there may be removed for them: the eBPF
/// compiler's conflict with Debian's own `rustc` and `rustup` packages.
pub(super) fn apt_install<'a>(packages: &[&'a str]) -> Vec<&'a str> {
    let mut install = vec!["install", "--yes", "--no-install-recommends", "--no-remove"];
    install.extend(packages);
    install
}

/// Whether an os-release(5) file is Debian's.
pub(super) fn is_debian(os_release: &str) -> bool {
    os_release
        .lines()
        .filter_map(|line| line.strip_prefix("ID="))
        .any(|id| id.trim_matches(['"', '\'']) == "debian")
}

/// The next step.
///
/// # Errors
/// If this machine can install it in no way, or not without root: says what to do instead.
pub(super) fn next(facts: &Facts, system: &System) -> Result<Plan> {
    let Some(source) = facts.source() else {
        return compiler(facts, system).map(Plan::Install);
    };
    if let Linker::Ready(_) = facts.linker {
        return Ok(Plan::Complete);
    }
    let llvm = source.compiler().llvm;
    if !LINKER_LLVM.contains(&llvm) {
        bail!(
            "bpf-linker {LINKER_VERSION} cannot be built for LLVM {llvm}, which {source} uses: \
             install a bpf-linker that can, and put it on PATH"
        );
    }
    Ok(Plan::Install(Step::Linker))
}

fn compiler(facts: &Facts, system: &System) -> Result<Step> {
    if system.debian && system.root {
        return Ok(Step::DebianPackages);
    }
    if system.debian {
        let install = apt_install(&DEBIAN_PACKAGES);
        bail!(
            "installing a compiler for the BPF target needs root: run `sudo apt-get {}` and \
             `sudo apt-get {}`{}, then this command again",
            APT_UPDATE.join(" "),
            install.join(" "),
            if system.rustup {
                format!(", or `rustup {}`", NIGHTLY_COMMAND.join(" "))
            } else {
                String::new()
            }
        );
    }
    if !system.rustup {
        bail!(
            "cannot install a compiler for the BPF target: this is not Debian (its packages {}), \
             and rustup is not on PATH: install rustup, then run this command again",
            DEBIAN_PACKAGES.join(" and ")
        );
    }
    Ok(match &facts.nightly {
        Some(nightly) if nightly.compiler.is_new_enough() => Step::SourceOf(nightly.name.clone()),
        _ => Step::NightlyWithSource,
    })
}

impl Step {
    /// What is installed.
    pub(super) fn what(&self) -> String {
        match self {
            Self::DebianPackages => format!("Debian's {}", DEBIAN_PACKAGES.join(" and ")),
            Self::NightlyWithSource => "a rustup nightly with rust-src".to_owned(),
            Self::SourceOf(nightly) => format!("rust-src for rustup's {nightly}"),
            Self::Linker => format!("bpf-linker {LINKER_VERSION}"),
        }
    }

    pub(super) fn why(&self) -> &'static str {
        match self {
            Self::DebianPackages => {
                "a Rust compiler with a prebuilt core for the BPF target, which rustup does not ship"
            }
            Self::NightlyWithSource => "only a nightly can compile core for the BPF target",
            Self::SourceOf(_) => "core is compiled from it for the BPF target",
            Self::Linker => "it makes one eBPF object, with BTF, from the compiler's bitcode",
        }
    }

    /// What to try by hand if the step fails; empty if there is nothing else.
    pub(super) fn otherwise(&self) -> String {
        match self {
            Self::DebianPackages => format!(
                " (where these packages cannot be had, `rustup {}` serves as well)",
                NIGHTLY_COMMAND.join(" ")
            ),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracer_ebpf_build::toolchain::{Compiler, Nightly};

    const DEBIAN_AS_ROOT: System = System {
        debian: true,
        rustup: true,
        root: true,
    };

    fn compiler(llvm: u32) -> Compiler {
        Compiler {
            program: "/usr/bin/rustc".into(),
            release: "1.96.0".to_owned(),
            llvm,
            sysroot: "/usr".into(),
        }
    }

    fn nightly(has_source: bool) -> Nightly {
        Nightly {
            name: "nightly".to_owned(),
            compiler: compiler(22),
            has_source,
        }
    }

    fn bare() -> Facts {
        Facts {
            system: None,
            system_core: false,
            nightly: Some(nightly(false)),
            linker: Linker::Absent,
        }
    }

    fn with_debians_compiler(llvm: u32) -> Facts {
        Facts {
            system: Some(compiler(llvm)),
            system_core: true,
            ..bare()
        }
    }

    #[test]
    fn a_bare_debian_gets_its_packages_first_and_the_linker_next() {
        let first = next(&bare(), &DEBIAN_AS_ROOT).expect("possible");
        assert_eq!(first, Plan::Install(Step::DebianPackages));
        let second = next(&with_debians_compiler(22), &DEBIAN_AS_ROOT).expect("possible");
        assert_eq!(second, Plan::Install(Step::Linker));
    }

    #[test]
    fn nothing_is_done_when_nothing_is_missing() {
        let facts = Facts {
            linker: Linker::Ready("/opt/bpf-linker".into()),
            ..with_debians_compiler(22)
        };
        let nobody = System {
            debian: false,
            rustup: false,
            root: false,
        };
        assert_eq!(next(&facts, &nobody).expect("complete"), Plan::Complete);
    }

    #[test]
    fn a_nightly_with_source_needs_only_the_linker_even_on_debian() {
        let facts = Facts {
            nightly: Some(nightly(true)),
            ..bare()
        };
        let plan = next(&facts, &DEBIAN_AS_ROOT).expect("possible");
        assert_eq!(plan, Plan::Install(Step::Linker));
    }

    #[test]
    fn a_broken_linker_is_installed_again() {
        let facts = Facts {
            linker: Linker::Broken {
                program: "/opt/bpf-linker".into(),
                why: "no libLLVM".to_owned(),
            },
            ..with_debians_compiler(22)
        };
        let plan = next(&facts, &DEBIAN_AS_ROOT).expect("possible");
        assert_eq!(plan, Plan::Install(Step::Linker));
    }

    #[test]
    fn elsewhere_rustup_adds_the_source_to_the_nightly_that_is_there() {
        let elsewhere = System {
            debian: false,
            rustup: true,
            root: false,
        };
        assert_eq!(
            next(&bare(), &elsewhere).expect("possible"),
            Plan::Install(Step::SourceOf("nightly".to_owned()))
        );
        let none = Facts {
            nightly: None,
            ..bare()
        };
        assert_eq!(
            next(&none, &elsewhere).expect("possible"),
            Plan::Install(Step::NightlyWithSource)
        );
    }

    #[test]
    fn without_root_on_debian_the_commands_are_printed() {
        let user = System {
            root: false,
            ..DEBIAN_AS_ROOT
        };
        let said = next(&bare(), &user).expect_err("needs root").to_string();
        assert!(said.contains("sudo apt-get install"), "{said}");
        assert!(said.contains("libstd-rust-web-dev-bpf"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }

    #[test]
    fn a_machine_with_neither_apt_nor_rustup_is_refused_in_one_line() {
        let neither = System {
            debian: false,
            rustup: false,
            root: true,
        };
        let said = next(&bare(), &neither).expect_err("impossible").to_string();
        assert!(said.contains("rustup is not on PATH"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }

    #[test]
    fn an_llvm_that_the_linker_does_not_know_is_named() {
        let said = next(&with_debians_compiler(19), &DEBIAN_AS_ROOT)
            .expect_err("impossible")
            .to_string();
        assert!(said.contains("LLVM 19"), "{said}");
    }

    #[test]
    fn only_debian_itself_is_debian() {
        assert!(is_debian("NAME=\"Debian GNU/Linux\"\nID=debian\n"));
        assert!(is_debian("ID=\"debian\""));
        assert!(!is_debian("ID=ubuntu\nID_LIKE=debian\n"));
        assert!(!is_debian(""));
    }
}
