//! The eBPF programs: loaded with what the running kernel needs to be told, attached, and gone with
//! this value (the kernel detaches them when the last descriptor closes, also after SIGKILL).

use std::{
    fs,
    os::fd::{AsFd as _, AsRawFd as _, RawFd},
    path::Path,
};

use anyhow::{Context as _, Result, anyhow, ensure};
use aya::{
    Btf, Ebpf, EbpfLoader, VerifierLogLevel, include_bytes_aligned,
    maps::{HashMap, MapData, PerCpuArray, RingBuf},
    programs::{Program, RawTracePoint, TracePoint},
};
use tracer_common::{
    WIRE_VERSION,
    counters::COUNTERS,
    settings::{ALL_FAULTS, CALL_WORDS, FOLLOWED, FaultMode, PROCESS_WORDS, TRACED},
    stack::{Rule, RuleKey},
};

use super::kernel_types;
use crate::event::Pid;

/// The object that the build script made of `tracer-ebpf`.
static OBJECT: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/tracer.bpf.o"));

/// Bytes that may wait in the ring before the collector is woken: much less than a ring has, and so much
/// that waking costs nothing.
const MOST_WAITING: u64 = 256 << 10;

/// Classic tracepoints: program and system call event. Of all ways to hook system calls they cost
/// every other process the least.
const SYSCALLS: &[(&str, &str)] = &[
    ("mmap_exit", "sys_exit_mmap"),
    ("munmap_exit", "sys_exit_munmap"),
    ("mremap_exit", "sys_exit_mremap"),
    ("brk_exit", "sys_exit_brk"),
    ("mprotect_exit", "sys_exit_mprotect"),
    ("mprotect_exit", "sys_exit_pkey_mprotect"),
    ("madvise_exit", "sys_exit_madvise"),
    ("shmat_exit", "sys_exit_shmat"),
    ("shmdt_exit", "sys_exit_shmdt"),
    ("remap_file_pages_exit", "sys_exit_remap_file_pages"),
    ("clone_exit", "sys_exit_clone"),
    ("clone_exit", "sys_exit_clone3"),
    ("clone_exit", "sys_exit_fork"),
];

/// The calls that take turns: those above, by number.
const CALLS: &[i64] = &[
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_brk,
    libc::SYS_mprotect,
    libc::SYS_pkey_mprotect,
    libc::SYS_madvise,
    libc::SYS_shmat,
    libc::SYS_shmdt,
    libc::SYS_remap_file_pages,
    libc::SYS_clone,
    libc::SYS_clone3,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
];

/// The tracepoint that gives calls their order. Attached after the calls' own, so that every turn is
/// used up by the end of its call.
const LOCK: (&str, &str) = ("lock_acquired", "mmap_lock_acquire_returned");
/// The same where the tracepoint has one argument more.
const LOCK_WITH_PATH: (&str, &str) = ("lock_acquired_with_path", "mmap_lock_acquire_returned");

/// Raw tracepoints: program and event.
const RAW: &[(&str, &str)] = &[
    ("process_fork", "sched_process_fork"),
    ("process_exec", "sched_process_exec"),
    ("process_exit", "sched_process_exit"),
    ("task_rename", "task_rename"),
];

/// As [`RAW`], where the kernel has the event: what the address space was when it ended. Without it a
/// kernel that tells of an exit too late (see the program) does not tell the last size.
const WHERE_THERE: &[(&str, &str)] = &[("space_exit", "exit_mmap")];

/// As [`RAW`], only if faults are followed.
const FAULTS: &[(&str, &str)] = &[
    ("fault_user", "page_fault_user"),
    ("fault_kernel", "page_fault_kernel"),
];

/// What can be chosen when the programs are loaded.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How page faults are followed.
    pub faults: FaultMode,
    /// One fault in so many carries a stack; 0: none.
    pub fault_stacks: u32,
    /// Size of the ring, bytes: a power of two and a multiple of the page size.
    pub ring_bytes: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            faults: FaultMode::Each,
            fault_stacks: 0,
            ring_bytes: 16 << 20,
        }
    }
}

/// How far a traced process has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// How many programs it has begun since it is traced.
    pub programs: u64,
    /// How many turns were taken on its address space (see [`tracer_common::memory::Turn`]).
    pub turns: u64,
}

/// Loaded and attached programs and the maps that the collector uses.
pub struct Programs {
    /// Holds programs and links for as long as this lives.
    ebpf: Ebpf,
    processes: HashMap<MapData, u32, [u64; PROCESS_WORDS]>,
    spaces: HashMap<MapData, u64, u64>,
    counts: PerCpuArray<MapData, [u64; COUNTERS]>,
    verified: HashMap<MapData, u64, u8>,
    rules: HashMap<MapData, [u64; 2], u64>,
    lock: (&'static str, &'static str),
    /// Descriptors of the attached programs.
    attached: Vec<RawFd>,
}

impl Programs {
    /// Loads the programs into the kernel; nothing is traced before [`Programs::attach`].
    ///
    /// # Errors
    /// Missing privileges, a kernel without BTF, or one whose verifier refuses a program.
    pub fn load(options: Options) -> Result<Self> {
        check_wire(OBJECT)?;
        mount_tracefs();
        let kernel = kernel_types::running()?;
        let calls = call_bits();
        let faults = options.faults as u32;
        let fault_stacks = ALL_FAULTS
            .checked_div(options.fault_stacks.into())
            .unwrap_or(0);
        let btf = Btf::from_sys_fs().context("cannot read the kernel's BTF")?;
        let mut loader = EbpfLoader::new();
        let wake_bytes = MOST_WAITING.min(u64::from(options.ring_bytes) / 4);
        loader
            .btf(Some(&btf))
            .verifier_log_level(VerifierLogLevel::default())
            .override_global("OFFSET_TABLE", &kernel.offsets[..], true)
            .override_global("TRACED_CALLS", &calls[..], true)
            .override_global("FAULT_MODE", &faults, true)
            .override_global("FAULT_STACKS", &fault_stacks, true)
            .override_global("WAKE_BYTES", &wake_bytes, true)
            .map_max_entries("EVENTS", options.ring_bytes)
            .map_max_entries("SCRATCH", cpus()?);
        let mut ebpf = loader.load(OBJECT).map_err(|error| refused(error.into()))?;
        let processes = HashMap::try_from(take(&mut ebpf, "PROCESSES")?)?;
        let spaces = HashMap::try_from(take(&mut ebpf, "SPACES")?)?;
        let counts = PerCpuArray::try_from(take(&mut ebpf, "COUNTS")?)?;
        let verified = HashMap::try_from(take(&mut ebpf, "VERIFIED")?)?;
        let rules = HashMap::try_from(take(&mut ebpf, "RULES")?)?;
        Ok(Self {
            ebpf,
            processes,
            spaces,
            counts,
            verified,
            rules,
            lock: if kernel.lock_arguments > 3 {
                LOCK_WITH_PATH
            } else {
                LOCK
            },
            attached: Vec::new(),
        })
    }

    /// The ring, once.
    pub fn ring(&mut self) -> Result<RingBuf<MapData>> {
        Ok(RingBuf::try_from(take(&mut self.ebpf, "EVENTS")?)?)
    }

    /// The programs' own diagnostics, to be read by `aya_log`.
    pub fn ebpf_mut(&mut self) -> &mut Ebpf {
        &mut self.ebpf
    }

    /// Attaches all programs: from now on what the selected processes do is captured.
    pub fn attach(&mut self, faults: FaultMode) -> Result<()> {
        for (name, event) in SYSCALLS {
            let program: &mut TracePoint = self.program(name)?;
            load_once(program.fd().is_err(), || program.load())
                .with_context(|| format!("the kernel's verifier refused the program {name}"))?;
            if let Err(error) = program.attach("syscalls", event) {
                if Path::new("/sys/kernel/tracing/events/syscalls")
                    .join(event)
                    .exists()
                {
                    return Err(
                        anyhow!(error).context(format!("cannot attach to syscalls:{event}"))
                    );
                }
                // Not every kernel has every call (CONFIG_SYSVIPC, pkeys, remap_file_pages).
                log::info!("this kernel has no syscalls:{event}: it is not traced");
            }
        }
        let follow_faults = faults != FaultMode::Off;
        let lock = self.lock;
        for (name, event) in RAW
            .iter()
            .chain(FAULTS.iter().filter(|_| follow_faults))
            .chain([&lock])
        {
            let program: &mut RawTracePoint = self.program(name)?;
            program
                .load()
                .with_context(|| format!("the kernel's verifier refused the program {name}"))?;
            program
                .attach(event)
                .with_context(|| format!("cannot attach to the tracepoint {event}"))?;
        }
        for (name, event) in WHERE_THERE {
            let program: &mut RawTracePoint = self.program(name)?;
            program
                .load()
                .with_context(|| format!("the kernel's verifier refused the program {name}"))?;
            if let Err(error) = program.attach(event) {
                log::info!("this kernel has no tracepoint {event}: {error}");
            }
        }
        self.attached = self
            .ebpf
            .programs()
            // Left out of itself only: of the faults that it raises when it takes a stack.
            .filter(|(name, _)| *name != "fault_kernel")
            .filter_map(|(_, program)| Some(program.fd().ok()?.as_fd().as_raw_fd()))
            .collect();
        Ok(())
    }

    /// How often the kernel has left a program out, all in all. It does while another one, or a map
    /// operation of any process, has been interrupted on the same CPU (`bpf_prog_active` in
    /// kernel/trace/bpf_trace.c), and tells it in the program's `fdinfo` (`recursion_misses`, since Linux
    /// 5.12).
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.attached
            .iter()
            .filter_map(|fd| fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).ok())
            .filter_map(|info| {
                let line = info
                    .lines()
                    .find_map(|line| line.strip_prefix("recursion_misses:"))?;
                line.trim().parse::<u64>().ok()
            })
            .sum()
    }

    fn program<'a, P>(&'a mut self, name: &str) -> Result<&'a mut P>
    where
        &'a mut P: TryFrom<&'a mut Program, Error: std::error::Error + Send + Sync + 'static>,
    {
        let program = self
            .ebpf
            .program_mut(name)
            .with_context(|| format!("the embedded object has no program {name}"))?;
        Ok(program.try_into()?)
    }

    /// Traces `pid` from now on; `follow`: its children too.
    pub fn select(&mut self, pid: Pid, follow: bool) -> Result<()> {
        let how = if follow { FOLLOWED } else { TRACED };
        self.processes
            .insert(pid.0, [how, 0, 0], 0)
            .with_context(|| format!("cannot select process {pid}"))
    }

    /// How far a traced process has come.
    #[must_use]
    pub fn reached(&self, pid: Pid) -> Reached {
        let [_, space, programs] = self.processes.get(&pid.0, 0).unwrap_or_default();
        Reached {
            programs,
            // Where the space is missing there was no turn yet.
            turns: self.spaces.get(&space, 0).unwrap_or(0),
        }
    }

    /// Whether `pid` is traced: selected, or a followed child.
    #[must_use]
    pub fn is_selected(&self, pid: Pid) -> bool {
        self.processes.get(&pid.0, 0).is_ok()
    }

    /// No longer traces `pid`.
    pub fn deselect(&mut self, pid: Pid) {
        // It may have left by itself: exit removes it in the kernel.
        let _ = self.processes.remove(&pid.0);
    }

    /// All counters, summed over the CPUs.
    pub fn counts(&self) -> Result<[u64; COUNTERS]> {
        let mut sums = [0; COUNTERS];
        let per_cpu = self
            .counts
            .get(&0, 0)
            .context("cannot read the programs' counters")?;
        for counts in per_cpu.iter() {
            for (sum, count) in sums.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        Ok(sums)
    }

    /// From now on a stack with this hash is sent as the hash alone.
    pub fn verified(&mut self, hash: u64) {
        if let Err(error) = self.verified.insert(hash, 1, 0) {
            // The table is full: such stacks go on being sent whole, which is slower and as right.
            log::debug!("cannot mark stack {hash:#x} as verified: {error}");
        }
    }

    /// Stacks with this hash are sent whole again.
    pub fn unverify(&mut self, hash: u64) {
        let _ = self.verified.remove(&hash);
    }

    /// Hands the kernel a learned rule.
    pub fn learned(&mut self, key: RuleKey, rule: Rule) {
        if let Err(error) = self.rules.insert([key.space, key.ip], rule.to_word(), 0) {
            log::debug!("cannot hand over the rule for {:#x}: {error}", key.ip);
        }
    }

    /// Takes a learned rule back.
    pub fn unlearn(&mut self, key: RuleKey) {
        let _ = self.rules.remove(&[key.space, key.ip]);
    }
}

fn take(ebpf: &mut Ebpf, name: &str) -> Result<aya::maps::Map> {
    ebpf.take_map(name)
        .with_context(|| format!("the embedded object has no map {name}"))
}

/// The numbers of [`CALLS`] as a set.
fn call_bits() -> [u64; CALL_WORDS] {
    let mut bits = [0; CALL_WORDS];
    for number in CALLS {
        bits[*number as usize / 64] |= 1 << (number % 64);
    }
    bits
}

/// Fails if the embedded programs speak another version of the wire than this collector.
fn check_wire(object: &[u8]) -> Result<()> {
    use object::{Object as _, ObjectSection as _, ObjectSymbol as _};
    let file = object::File::parse(object).context("the embedded object is damaged")?;
    let spoken = file.symbols().find_map(|symbol| {
        if symbol.name() != Ok("OBJECT_WIRE_VERSION") {
            return None;
        }
        let section = file.section_by_index(symbol.section_index()?).ok()?;
        let data = section.data_range(symbol.address(), 4).ok()??;
        Some(u32::from_ne_bytes(data.try_into().ok()?))
    });
    ensure!(
        spoken == Some(WIRE_VERSION),
        "the embedded eBPF programs speak version {spoken:?} of the wire, this collector \
         {WIRE_VERSION}: build tracer again (cargo xtask build)"
    );
    Ok(())
}

/// Every CPU that may ever run a program.
fn cpus() -> Result<u32> {
    let possible = aya::util::nr_cpus().map_err(|(file, error)| {
        anyhow!(error).context(format!("cannot read the number of CPUs from {file}"))
    })?;
    Ok(u32::try_from(possible)?)
}

/// One program serves several events, but can be loaded only once.
fn load_once<E>(unloaded: bool, load: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
    if unloaded { load() } else { Ok(()) }
}

/// Makes the remedy part of the message.
fn refused(error: anyhow::Error) -> anyhow::Error {
    if rustix::process::geteuid().is_root() {
        error.context("cannot load the eBPF programs (`tracer doctor` tells what is missing)")
    } else {
        error.context(
            "cannot load the eBPF programs without privileges: run as root, or give the binary \
             CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE",
        )
    }
}

/// Classic tracepoints are found by number under tracefs, which a container or a minimal system may
/// not have mounted. A mount that fails is told by what follows.
fn mount_tracefs() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_programs_speak_this_collectors_wire() {
        check_wire(OBJECT).unwrap();
    }

    #[test]
    fn programs_of_another_wire_are_refused() {
        // A version is a word that is found once, in the read-only data.
        let other = other_version(OBJECT);
        let error = check_wire(&other).unwrap_err();
        assert!(error.to_string().contains("build tracer again"), "{error}");
        assert!(check_wire(&OBJECT[..100]).is_err());
    }

    fn other_version(object: &[u8]) -> Vec<u8> {
        use object::{Object as _, ObjectSection as _, ObjectSymbol as _};
        let file = object::File::parse(object).unwrap();
        let symbol = file
            .symbols()
            .find(|symbol| symbol.name() == Ok("OBJECT_WIRE_VERSION"))
            .unwrap();
        let section = file
            .section_by_index(symbol.section_index().unwrap())
            .unwrap();
        let (start, _) = section.file_range().unwrap();
        let at = (start + symbol.address() - section.address()) as usize;
        let mut changed = object.to_vec();
        changed[at] ^= 0x80;
        changed
    }
}
