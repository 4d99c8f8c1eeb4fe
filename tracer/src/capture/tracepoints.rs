//! What the programs are attached to.

use std::{fs, io, path::Path};

use tracer_common::{
    kind::{CALLS, Kind, TracedCall},
    settings::CALL_WORDS,
};

/// The tracepoint at the end of a call, of the group `syscalls`. Of all ways to hook system calls these cost
/// every other process the least.
pub fn syscall_event(call: &TracedCall) -> String {
    format!("sys_exit_{}", call.name)
}

/// Whether a kernel may be built without this call: what is not there, nobody can do. `CONFIG_SYSVIPC` (shmat, shmdt),
/// `CONFIG_ADVISE_SYSCALLS` (madvise), `CONFIG_ARCH_HAS_PKEYS`; `remap_file_pages` is to go (kernel/sys_ni.c).
pub fn may_be_left_out(call: &TracedCall) -> bool {
    matches!(
        call.kind,
        Kind::Shmat | Kind::Shmdt | Kind::Madvise | Kind::RemapFilePages
    ) || call.name == "pkey_mprotect"
        // This machine's architecture does not have it.
        || call.number.is_none()
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

/// Where tracefs is mounted.
pub const TRACEFS: &str = "/sys/kernel/tracing";
/// Where it is as well on older systems.
const TRACEFS_OF_OLD: &str = "/sys/kernel/debug/tracing";

/// The number of a classic tracepoint of the group `syscalls`, as tracefs tells it: whether it can be had.
///
/// # Errors
/// `NotFound`: this kernel has no such tracepoint, or tracefs is not mounted; `PermissionDenied`: it is not to be looked
/// at by this process.
pub fn number_of(event: &str) -> io::Result<u64> {
    let read = |root: &str| {
        fs::read_to_string(
            Path::new(root)
                .join("events/syscalls")
                .join(event)
                .join("id"),
        )
    };
    let told = match read(TRACEFS) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => read(TRACEFS_OF_OLD),
        told => told,
    }?;
    told.trim().parse().map_err(io::Error::other)
}

/// Classic tracepoints are found by number under tracefs, which a container or a minimal system may
/// not have mounted. A mount that fails is told by what follows.
pub fn mount_tracefs() {
    let tracefs = Path::new(TRACEFS);
    // That it cannot be looked at is told where something of it is needed.
    if fs::exists(tracefs.join("events")).unwrap_or(true) {
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
