//! What a process is.

use super::directory::Directory;
use super::error::ProcError;
use super::limits::{limits, of_machine};
use super::processes::comm;
use super::runtime::runtime;
use tracer_ledger::event::{Identity, Pid};

/// The most bytes of arguments that are kept.
const CMDLINE_LENGTH: usize = 64 << 10;

/// Who a process is: name, executable, arguments, runtime, limits.
///
/// Only the name must be readable; the rest is left empty where it is not, as [`Identity`] says. The
/// arguments are those that the process shows, which it may have overwritten (as `process.title` of
/// Node does); empty ones at the end are left out, for such a process pads with them.
///
/// # Errors
/// If the process is gone.
pub(crate) fn identity(pid: Pid) -> Result<Identity, ProcError> {
    let directory = Directory::open(pid)?;
    let comm = comm(&directory, "comm")?;
    let exe = directory.link("exe").unwrap_or_default();
    Ok(Identity {
        comm: String::from_utf8_lossy(&comm).into_owned(),
        cmdline: arguments(
            &directory
                .read_bounded("cmdline", CMDLINE_LENGTH)
                .unwrap_or_default(),
        ),
        runtime: directory
            .file("exe")
            .ok()
            .and_then(|file| runtime(&exe, &file)),
        exe: String::from_utf8_lossy(&exe).into_owned(),
        limits: limits(&directory),
    })
}

/// What is known of a process that was gone before it could be read: its name, and what limits every process.
pub(crate) fn identity_of_gone(comm: &str) -> Identity {
    Identity {
        comm: comm.to_owned(),
        limits: of_machine(),
        ..Identity::default()
    }
}

fn arguments(text: &[u8]) -> Vec<String> {
    let Some(last) = text.iter().rposition(|&byte| byte != 0) else {
        return Vec::new();
    };
    text[..=last]
        .split(|&byte| byte == 0)
        .map(|argument| String::from_utf8_lossy(argument).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_split_at_their_ends_and_padding_is_left_out() {
        assert_eq!(arguments(b"node\0\0-e\0a b\0"), ["node", "", "-e", "a b"]);
        assert_eq!(
            arguments(b"openclaw-gateway\0\0\0\0\0"),
            ["openclaw-gateway"]
        );
        assert_eq!(arguments(b"\xff"), ["\u{fffd}"]);
        assert!(arguments(b"\0\0").is_empty());
        assert!(arguments(b"").is_empty());
    }
}
