//! What this process may do: checked before tracing, cut down once everything is attached.

use anyhow::{Result, anyhow, bail};
use caps::{CapSet, Capability, CapsHashSet};
use tracer_recording::Owner;

use rustix::process::{
    DumpableBehavior, getpriority_process, set_dumpable_behavior, setpriority_process,
};

/// What tracing cannot do without.
const NEEDED: [Capability; 3] = [
    Capability::CAP_BPF,
    Capability::CAP_PERFMON,
    Capability::CAP_SYS_PTRACE,
];

/// What is still needed once attached: changing the programs' maps; reading other processes' memory
/// layout, binaries (`/proc/PID/map_files`) and name maps; writing the outputs; ending the command.
const KEPT: [Capability; 7] = [
    Capability::CAP_BPF,
    Capability::CAP_PERFMON,
    Capability::CAP_SYS_PTRACE,
    Capability::CAP_CHECKPOINT_RESTORE,
    Capability::CAP_DAC_READ_SEARCH,
    Capability::CAP_DAC_OVERRIDE,
    Capability::CAP_KILL,
];

/// The collector's nice value while it collects: on a busy machine what it does not take from the ring in
/// time is lost.
const COLLECTING: i32 = -10;

/// While it lives, this thread goes before others.
#[derive(Debug)]
pub(crate) struct RaisedPriority(i32);

impl RaisedPriority {
    /// From now on. Threads and processes that this one makes inherit it. Where it is not allowed
    /// (`CAP_SYS_NICE`), nothing changes.
    #[must_use]
    pub(crate) fn now() -> Self {
        let before = getpriority_process(None).unwrap_or(0);
        if let Err(error) = setpriority_process(None, COLLECTING.min(before)) {
            log::debug!("cannot raise the collector's priority: {error}");
        }
        Self(before)
    }
}

impl Drop for RaisedPriority {
    fn drop(&mut self) {
        let _ = setpriority_process(None, self.0);
    }
}

/// The needed capabilities that this process lacks. `CAP_SYS_ADMIN` stands for all
/// (capabilities(7)), as on kernels before 5.8.
pub(crate) fn missing() -> Result<Vec<String>> {
    let effective = effective()?;
    if effective.contains(&Capability::CAP_SYS_ADMIN) {
        return Ok(Vec::new());
    }
    Ok(NEEDED
        .iter()
        .filter(|needed| !effective.contains(needed))
        .map(ToString::to_string)
        .collect())
}

/// Whether process ids mean here what they mean to the kernel's programs: those of the initial PID
/// namespace, whose inode is fixed (`PROC_PID_INIT_INO`, include/linux/proc_ns.h).
#[must_use]
pub(crate) fn in_initial_pid_namespace() -> bool {
    std::fs::read_link("/proc/self/ns/pid")
        .map_or(true, |link| link.as_os_str() == "pid:[4026531836]")
}

/// Fails if this process may not trace, before anything else is tried.
pub(crate) fn check() -> Result<()> {
    if !in_initial_pid_namespace() {
        bail!(
            "tracer runs in a PID namespace of its own, where process ids are not the kernel's: run \
             it on the host, or the container with the host's PID namespace (docker: --pid=host)"
        );
    }
    let missing = missing()?;
    if !missing.is_empty() {
        bail!(
            "no privileges to trace: {} missing; run tracer as root (sudo)",
            missing.join(", ")
        );
    }
    Ok(())
}

/// Sees to it that no core file of this process is ever written: it would hold pieces of the targets'
/// stacks, which are their secrets.
pub(crate) fn forbid_core_files() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        log::warn!("cannot forbid core files of this process: {error}");
    }
}

/// Who asked root to do this, if somebody did: what sudo(8) says in `SUDO_UID` and `SUDO_GID`. What is written is theirs.
#[must_use]
pub(crate) fn asked_by() -> Option<Owner> {
    let id = |name: &str| std::env::var(name).ok()?.parse::<u32>().ok();
    let owner = Owner {
        user: id("SUDO_UID")?,
        group: id("SUDO_GID")?,
    };
    (rustix::process::geteuid().is_root() && owner.user != 0).then_some(owner)
}

/// Gives up every capability that is not needed from now on.
pub(crate) fn drop_unneeded() {
    let mut keep: CapsHashSet = KEPT.into_iter().collect();
    if asked_by().is_some() {
        // What is written later is theirs too.
        keep.insert(Capability::CAP_CHOWN);
    }
    let kept = effective().map(|effective| effective.intersection(&keep).copied().collect());
    let dropped = kept.and_then(|kept: CapsHashSet| {
        caps::set(None, CapSet::Effective, &kept)
            .and_then(|()| caps::set(None, CapSet::Permitted, &kept))
            .map_err(|error| anyhow!("{error}"))
    });
    if let Err(error) = dropped {
        log::warn!("cannot drop privileges that are no longer needed: {error}");
    }
}

fn effective() -> Result<CapsHashSet> {
    caps::read(None, CapSet::Effective)
        .map_err(|error| anyhow!("cannot read this process's capabilities: {error}"))
}
