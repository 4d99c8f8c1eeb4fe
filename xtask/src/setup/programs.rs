//! Programs that a command of this project calls, each with the package of Debian's that brings it.

use anyhow::{Result, bail};
use tracer_ebpf_build::machine;

/// What the checks and the tests of the packages that are built without the eBPF programs start: go and python
/// (its packages by pip) have readers of the formats that reports are written in, npm has what the page's script is
/// checked with.
pub(crate) const OF_THE_CHECK: [(&str, &str); 4] = [
    ("go", "golang-go"),
    ("python3", "python3"),
    ("pip3", "python3-pip"),
    ("npm", "npm"),
];

/// What the others start besides: strace counts the same calls, two compilers make programs of which every stack
/// is compared, node is a program whose memory is to be recognised, chromium opens the page, and in tmux the live
/// view is used as a person does.
const OF_THE_OTHERS: [(&str, &str); 6] = [
    ("strace", "strace"),
    ("g++", "g++"),
    ("clang", "clang"),
    ("node", "nodejs"),
    ("chromium", "chromium"),
    ("tmux", "tmux"),
];

/// What all tests start besides the tool.
pub(crate) fn of_the_tests() -> Vec<(&'static str, &'static str)> {
    [&OF_THE_CHECK[..], &OF_THE_OTHERS].concat()
}

/// Installs what is missing of `programs`; `purpose` says in words what they are for.
///
/// # Errors
/// If something is missing that cannot be installed here: names it, and how to get it.
pub(crate) fn ensure(programs: &[(&str, &str)], purpose: &str) -> Result<()> {
    let missing: Vec<&str> = programs
        .iter()
        .filter(|(program, _)| machine::newest(program).is_none())
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages = missing.join(" ");
    if !super::has_apt() {
        bail!("missing: {packages}, and this is not Debian: install them, then run this again");
    }
    if !machine::is_root() {
        bail!("missing: run `sudo apt-get install {packages}`, then this command again");
    }
    eprintln!("missing: {packages} ({purpose})");
    super::apt_install(&missing)
}
