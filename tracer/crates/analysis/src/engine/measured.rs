//! Whether all that a process did was measured, and why not: what was not never passes a gate.

use crate::accounts::run::Run;
use crate::model::summary::LedgerCheck;
use crate::words::units::signed_bytes;
use tracer_ledger::event::Blind;

/// Why not all of a run was measured, as the end of a sentence about it; `None`: it was.
pub fn unmeasured(run: &Run, check: &LedgerCheck) -> Option<String> {
    match run.blind {
        Some(Blind::ThirtyTwoBits) => {
            return Some("it makes 32-bit system calls, which are not traced".into());
        }
        None => {}
    }
    if check.difference_bytes != 0 {
        let difference = signed_bytes(check.difference_bytes);
        return Some(format!(
            "the kernel has {difference} that no traced call explains"
        ));
    }
    check.in_doubt.then(|| {
        "what some of its calls did was in doubt to the end: the kernel's maps were not read any more".into()
    })
}
