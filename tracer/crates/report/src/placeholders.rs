//! What is said in place of a call stack, or of its outer end, where none is known.

use super::names::last_part;
use tracer_ledger::event::StackQuality;

/// What is wrong with a stack, in words.
#[must_use]
pub fn doubt(quality: StackQuality) -> Option<&'static str> {
    match quality {
        StackQuality::Complete => None,
        StackQuality::Cut => Some("stack cut: outer callers unknown"),
        StackQuality::Broken => Some("stack broken: outer callers missing or wrong"),
        StackQuality::None => Some("no stack: lost, or none could be taken"),
    }
}

/// What was there before the first traced call. `from_start`: of a process that was traced from its first
/// instruction.
#[must_use]
pub fn before(from_start: bool) -> &'static str {
    if from_start {
        "there at its start"
    } else {
        "before tracing"
    }
}

/// A mapping that was there before, by its file or the kernel's name for it.
#[must_use]
pub fn mapping(name: &str) -> &str {
    match last_part(name) {
        "" => "anonymous",
        name => name,
    }
}

/// A site without frames that is the process's own. Without a call it has grown: the main stack, or what a
/// loss has hidden.
#[must_use]
pub fn without_frames(calls: u64, name: &str) -> String {
    match (calls, name) {
        (1.., _) => "unknown code".into(),
        (0, "") => "grown without a traced call".into(),
        (0, name) => format!("{name}, grown without a call"),
    }
}
