//! Who is traced.

use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use tracer_common::settings::FOLLOWED;

use crate::maps::PROCESSES;

/// A traced task.
#[derive(Clone, Copy)]
pub struct Traced {
    /// Process id.
    pub pid: u32,
    /// Thread id.
    pub tid: u32,
    /// Whether its children are traced too.
    pub follow: bool,
}

/// The current task, if its process is traced.
#[inline(always)]
pub fn current() -> Option<Traced> {
    let ids = bpf_get_current_pid_tgid();
    let pid = (ids >> 32) as u32;
    // SAFETY: the value is plain numbers; a racing update gives the old or the new ones.
    let [how, ..] = *unsafe { PROCESSES.get(pid) }?;
    Some(Traced {
        pid,
        tid: ids as u32,
        follow: how == FOLLOWED,
    })
}
