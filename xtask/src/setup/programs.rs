//! Programs that a command of this project calls, each with the package of Debian's that brings it.

use anyhow::{Result, bail};
use tracer_ebpf_build::machine;

/// What the tests start besides the tool: strace counts the same calls, two compilers make programs of
/// which every stack is compared, node is a program whose memory is to be recognised, go and python (its
/// packages by pip) have readers of the formats that reports are written in, npm has what the page's script is
/// checked with, chromium opens the page, and in tmux the live view is used as a person does.
pub(crate) const OF_THE_TESTS: [(&str, &str); 10] = [
    ("strace", "strace"),
    ("g++", "g++"),
    ("clang", "clang"),
    ("node", "nodejs"),
    ("go", "golang-go"),
    ("python3", "python3"),
    ("pip3", "python3-pip"),
    ("npm", "npm"),
    ("chromium", "chromium"),
    ("tmux", "tmux"),
];

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
