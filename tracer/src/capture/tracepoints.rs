//! What the programs are attached to.

use std::{fs, path::Path};

use tracer_common::{
    kind::{CALLS, TracedCall},
    settings::CALL_WORDS,
};

/// The tracepoint at the end of a call, of the group `syscalls`. Of all ways to hook system calls these cost
/// every other process the least.
pub fn syscall_event(call: &TracedCall) -> String {
    format!("sys_exit_{}", call.name)
}

/// The tracepoint that gives calls their order. Attached after the calls' own, so that every turn is
/// used up by the end of its call.
pub const LOCK: (&str, &str) = ("lock_acquired", "mmap_lock_acquire_returned");
/// The same where the tracepoint has one argument more.
pub const LOCK_WITH_PATH: (&str, &str) = ("lock_acquired_with_path", "mmap_lock_acquire_returned");

/// Raw tracepoints: program and event.
pub const RAW: &[(&str, &str)] = &[
    ("process_fork", "sched_process_fork"),
    ("process_exec", "sched_process_exec"),
    ("process_exit", "sched_process_exit"),
    ("task_rename", "task_rename"),
];

/// As [`RAW`], where the kernel has the event: what the address space was when it ended. Without it a
/// kernel that tells of an exit too late (see the program) does not tell the last size.
pub const WHERE_THERE: &[(&str, &str)] = &[("space_exit", "exit_mmap")];

/// As [`RAW`], only if faults are followed.
pub const FAULTS: &[(&str, &str)] = &[
    ("fault_user", "page_fault_user"),
    ("fault_kernel", "page_fault_kernel"),
];

/// What system calls tell besides, of the group `syscalls`: program and event. A kernel may lack one.
pub const BESIDE: &[(&str, &str)] = &[
    ("mmap_enter", "sys_enter_mmap"),
    ("mlock_exit", "sys_exit_mlock"),
    ("mlock_exit", "sys_exit_mlock2"),
    ("mlock_exit", "sys_exit_mlockall"),
    ("prctl_exit", "sys_exit_prctl"),
];

/// The numbers of `CALLS` as a set.
pub fn call_bits() -> [u64; CALL_WORDS] {
    let mut bits = [0; CALL_WORDS];
    for number in CALLS.iter().filter_map(|call| call.number) {
        bits[number as usize / 64] |= 1 << (number % 64);
    }
    bits
}

/// Classic tracepoints are found by number under tracefs, which a container or a minimal system may
/// not have mounted. A mount that fails is told by what follows.
pub fn mount_tracefs() {
    let tracefs = Path::new("/sys/kernel/tracing");
    if fs::exists(tracefs.join("events")).unwrap_or(false) {
        return;
    }
    match rustix::mount::mount(
        c"tracefs",
        tracefs,
        c"tracefs",
        rustix::mount::MountFlags::NOSUID
            | rustix::mount::MountFlags::NODEV
            | rustix::mount::MountFlags::NOEXEC,
        None,
    ) {
        Ok(()) => log::info!("mounted tracefs at {}", tracefs.display()),
        Err(error) => log::warn!("cannot mount tracefs at {}: {error}", tracefs.display()),
    }
}
