//! Who is traced.

use aya_ebpf::{helpers::bpf_get_current_pid_tgid, macros::map, maps::HashMap};
use tracer_common::settings::{FOLLOWED, PROCESS_WORDS, TRACED};

use crate::thread::{self, Thread};

/// Which processes are traced: process id → see [`tracer_common::settings::PROCESS_WORDS`].
#[map]
pub static PROCESSES: HashMap<u32, [u64; PROCESS_WORDS]> = HashMap::with_max_entries(16 * 1024, 0);

/// A traced task.
#[derive(Clone, Copy)]
pub struct Traced {
    /// Process id.
    pub pid: u32,
    /// Thread id.
    pub tid: u32,
    /// Whether its children are traced too.
    pub follow: bool,
    /// Its slot, if it has one.
    pub thread: Option<*mut Thread>,
}

impl Traced {
    #[inline(always)]
    fn new(ids: u64, how: u64, thread: Option<*mut Thread>) -> Self {
        Self {
            pid: (ids >> 32) as u32,
            tid: ids as u32,
            follow: how == FOLLOWED,
            thread,
        }
    }

    /// Process id and thread id in one word.
    #[inline(always)]
    pub fn ids(self) -> u64 {
        u64::from(self.pid) << 32 | u64::from(self.tid)
    }

    /// The first word of what the map of processes has about it.
    #[inline(always)]
    pub fn how(self) -> u64 {
        if self.follow { FOLLOWED } else { TRACED }
    }
}

/// The current task, if its process is traced.
#[inline(always)]
pub fn current() -> Option<Traced> {
    let ids = bpf_get_current_pid_tgid();
    let thread = thread::own(ids);
    match thread.and_then(thread::how) {
        Some(how) => Some(Traced::new(ids, how, thread)),
        None => Some(Traced::new(ids, process(ids)?, thread)),
    }
}

/// The current task, if its process is traced and has not ended yet: on a process's way out its threads
/// still have what is kept of them when it has gone from the map.
#[inline(always)]
pub fn current_process() -> Option<Traced> {
    let ids = bpf_get_current_pid_tgid();
    Some(Traced::new(ids, process(ids)?, None))
}

/// How the process is traced that has this id, if it is.
#[inline(always)]
fn process(ids: u64) -> Option<u64> {
    // SAFETY: the value is plain numbers; a racing update gives the old or the new ones.
    let [how, ..] = *unsafe { PROCESSES.get((ids >> 32) as u32) }?;
    Some(how)
}
