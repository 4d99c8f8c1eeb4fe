//! What the inner cargo may inherit. It compiles with another compiler for another target, so what
//! the outer cargo, clippy, a coverage run or the user set for the host's compiler must not reach it.

use std::ffi::OsStr;
use std::process::Command;

/// Whether a variable of the outer build is passed on: where cargo and rustup keep their files, how
/// they reach the network, and everything that is not about building Rust.
#[must_use]
pub fn is_passed_on(name: &str) -> bool {
    const KEPT: [&str; 7] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTR",
        "CARGO_SOURCE_",
        "CARGO_TERM_",
        "RUSTUP_HOME",
    ];
    // OUT_DIR … PROFILE: what cargo tells a build script of the crate that is being built.
    const OF_THE_OUTER_BUILD: [&str; 12] = [
        "DEBUG",
        "HOST",
        "LLVM_PROFILE_FILE",
        "MAKEFLAGS",
        "MFLAGS",
        "NUM_JOBS",
        "OPT_LEVEL",
        "OUT_DIR",
        "PROFILE",
        "RUSTC",
        "RUSTDOC",
        "TARGET",
    ];
    const FAMILIES: [&str; 8] = [
        "CARGO",
        "CLIPPY_",
        "DEP_",
        "RUSTC_",
        "RUSTDOCFLAGS",
        "RUSTFLAGS",
        "RUSTUP_TOOLCHAIN",
        "__CARGO",
    ];
    let begins = |families: &[&str]| families.iter().any(|family| name.starts_with(family));
    begins(&KEPT) || !(begins(&FAMILIES) || OF_THE_OUTER_BUILD.contains(&name))
}

/// Takes from a command every variable of this process that is not passed on.
pub fn clean(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if !name.to_str().is_none_or(is_passed_on) {
            command.env_remove(name);
        }
    }
    // An empty wrapper is none, also where the user's cargo configuration names one.
    for wrapper in ["RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        command.env(wrapper, OsStr::new(""));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_the_hosts_compiler_stays_outside() {
        for name in [
            "RUSTC",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTC_BOOTSTRAP",
            "RUSTFLAGS",
            "RUSTDOCFLAGS",
            "RUSTUP_TOOLCHAIN",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_MAKEFLAGS",
            "CARGO_TARGET_DIR",
            "CARGO_BUILD_TARGET",
            "CARGO_PROFILE_RELEASE_LTO",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
            "CARGO_LLVM_COV",
            "LLVM_PROFILE_FILE",
            "CLIPPY_ARGS",
            "TARGET",
            "OUT_DIR",
        ] {
            assert!(!is_passed_on(name), "{name} reaches the inner cargo");
        }
    }

    #[test]
    fn where_things_are_kept_and_how_the_network_is_reached_goes_along() {
        for name in [
            "PATH",
            "HOME",
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "CARGO_HTTP_PROXY",
            "CARGO_REGISTRIES_MIRROR_INDEX",
            "CARGO_TERM_COLOR",
            "RUSTUP_HOME",
            "RUST_BACKTRACE",
            "https_proxy",
        ] {
            assert!(is_passed_on(name), "{name} is kept from the inner cargo");
        }
    }
}
