//! The eBPF programs: loaded with what the running kernel needs to be told, attached, and gone with
//! this value (the kernel detaches them when the last descriptor closes, also after SIGKILL).

use std::{
    fs,
    os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, RawFd},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use aya::{
    Btf, Ebpf, EbpfLoader, VerifierLogLevel, include_bytes_aligned,
    maps::{Array, HashMap, Map, MapData, PerCpuArray, RingBuf},
    programs::Program,
};
use tracer_common::{
    WIRE_VERSION,
    account::RefusedCount,
    counters::COUNTERS,
    settings::{
        ALL_FAULTS, FOLLOWED, FaultMode, PROCESS_WORDS, SpaceCounts, SpaceSlot, TRACED,
        space_slot_of,
    },
    stack::{HASH_BUCKETS, RULE_BUCKETS, Rule, RuleKey},
};

use super::{
    kernel_types,
    tables::Table,
    tracepoints::{LOCK, LOCK_WITH_PATH, call_bits, mount_tracefs},
};
use tracer_ledger::event::Pid;

/// The object that the build script made of `tracer-ebpf`.
static OBJECT: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/tracer.bpf.o"));

/// Bytes that may wait in the ring before the collector is woken: much less than a ring has, and so much
/// that waking costs nothing.
const MOST_WAITING: u64 = 256 << 10;

/// `BPF_NOEXIST` (include/uapi/linux/bpf.h).
const NEW_ONLY: u64 = 1;

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

/// [`SpaceSlot`] as aya reads it from a map.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Slot(SpaceSlot);
// SAFETY: plain words without padding.
unsafe impl aya::Pod for Slot {}

/// [`SpaceCounts`] as aya reads it from a map.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Counts(SpaceCounts);
// SAFETY: as above.
unsafe impl aya::Pod for Counts {}

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
    space_counts: Array<MapData, Slot>,
    spaces: HashMap<MapData, u64, Counts>,
    /// How often a process was deselected, told to the programs.
    epoch: Array<MapData, u64>,
    deselected: u64,
    counts: PerCpuArray<MapData, [u64; COUNTERS]>,
    refusals: HashMap<MapData, u64, RefusedCount>,
    verified: Table<1>,
    rules: Table<2>,
    codes: HashMap<MapData, u64, u64>,
    codes_used: Array<MapData, u32>,
    /// The program that puts the calls in order, and its tracepoint.
    pub(super) lock: (&'static str, &'static str),
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
        let space_counts = Array::try_from(take(&mut ebpf, "SPACE_COUNTS")?)?;
        let spaces = HashMap::try_from(take(&mut ebpf, "SPACES")?)?;
        let epoch = Array::try_from(take(&mut ebpf, "EPOCH")?)?;
        let codes = HashMap::try_from(take(&mut ebpf, "CODES")?)?;
        let codes_used = Array::try_from(take(&mut ebpf, "CODES_USED")?)?;
        let counts = PerCpuArray::try_from(take(&mut ebpf, "COUNTS")?)?;
        let refusals = HashMap::try_from(take(&mut ebpf, "REFUSALS")?)?;
        let verified = Table::map(descriptor(&ebpf, "VERIFIED")?, HASH_BUCKETS)?;
        let rules = Table::map(descriptor(&ebpf, "RULES")?, RULE_BUCKETS)?;
        Ok(Self {
            ebpf,
            processes,
            space_counts,
            spaces,
            epoch,
            deselected: 0,
            counts,
            refusals,
            verified,
            rules,
            codes,
            codes_used,
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

    /// Everything is attached: what is left out from now on is looked for.
    pub(super) fn watch_what_is_left_out(&mut self) {
        self.attached = self
            .ebpf
            .programs()
            // Left out of itself only: of the faults that it raises when it takes a stack.
            .filter(|(name, _)| *name != "fault_kernel")
            .filter_map(|(_, program)| Some(program.fd().ok()?.as_fd().as_raw_fd()))
            .collect();
    }

    /// How often the kernel has left a program out, all in all. It does while another one, or a map
    /// operation of any process, has been interrupted on the same CPU (`bpf_prog_active` in
    /// kernel/trace/bpf_trace.c), and tells it in the program's `fdinfo` (`recursion_misses`, since Linux
    /// 5.12).
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.attached
            .iter()
            .filter_map(|&fd| told(fd, "recursion_misses:"))
            .sum()
    }

    pub(super) fn program<'a, P>(&'a mut self, name: &str) -> Result<&'a mut P>
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
        match self.processes.insert(pid.0, [how, 0, 0, 0], NEW_ONLY) {
            // It was made just now, by a process that is followed.
            Err(_) if self.is_selected(pid) => Ok(()),
            done => done.with_context(|| format!("cannot select process {pid}")),
        }
    }

    /// How far a traced process has come.
    #[must_use]
    pub fn reached(&self, pid: Pid) -> Reached {
        let [_, space, programs, _] = self.processes.get(&pid.0, 0).unwrap_or_default();
        Reached {
            programs,
            turns: self.turns(space),
        }
    }

    /// Turns taken on an address space. Where it is missing there was none yet.
    fn turns(&self, space: u64) -> u64 {
        match self.space_counts.get(&space_slot_of(space), 0) {
            Ok(Slot(slot)) if slot.space == space => slot.counts.turns,
            _ => self
                .spaces
                .get(&space, 0)
                .map_or(0, |counts| counts.0.turns),
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
        self.deselected += 1;
        if let Err(error) = self.epoch.set(0, self.deselected, 0) {
            log::debug!("process {pid} is traced until it ends: {error}");
        }
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

    /// How many calls were refused at a place, and when the last one was; `None`: the kernel has forgotten it.
    #[must_use]
    pub fn refusals(&self, place: u64) -> Option<RefusedCount> {
        self.refusals.get(&place, 0).ok()
    }

    /// From now on a stack with this hash is sent as the hash alone. Says whether the kernel holds one more.
    pub fn verified(&mut self, hash: u64) -> bool {
        self.verified.insert(hash, 0)
    }

    /// Stacks with this hash are sent whole again. Says whether the kernel held it.
    pub fn unverify(&mut self, hash: u64) -> bool {
        self.verified.remove(hash)
    }

    /// Hands the kernel a learned rule. Says whether the kernel holds one more.
    pub fn learned(&mut self, key: RuleKey, rule: Rule) -> bool {
        self.rules.insert(key.to_word(), rule.to_word())
    }

    /// Takes a learned rule back. Says whether the kernel held it.
    pub fn unlearn(&mut self, key: RuleKey) -> bool {
        self.rules.remove(key.to_word())
    }

    /// From now on this stands for the code of an address space. False: the table is full.
    pub fn set_code(&mut self, space_key: u64, code: u64) -> bool {
        let used = self.codes_used.set(0, 1, 0);
        let done = used.and_then(|()| self.codes.insert(space_key, code, 0));
        if let Err(error) = &done {
            log::debug!("cannot say that the code of a space is another now: {error}");
        }
        done.is_ok()
    }

    /// Kernel memory for what it has learned, bytes.
    #[must_use]
    pub fn learned_bytes(&self) -> u64 {
        (self.verified.memory() + self.rules.memory()) as u64
    }
}

/// The descriptor of an array map that stays where it is.
fn descriptor<'a>(ebpf: &'a Ebpf, name: &str) -> Result<BorrowedFd<'a>> {
    match ebpf.map(name) {
        Some(Map::Array(map)) => Ok(map.fd().as_fd()),
        _ => Err(anyhow!("the embedded object has no array {name}")),
    }
}

fn take(ebpf: &mut Ebpf, name: &str) -> Result<Map> {
    ebpf.take_map(name)
        .with_context(|| format!("the embedded object has no map {name}"))
}

/// A figure that the kernel tells in the `fdinfo` of a map or program.
fn told(fd: RawFd, name: &str) -> Option<u64> {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).ok()?;
    let figure = info.lines().find_map(|line| line.strip_prefix(name))?;
    figure.trim().parse().ok()
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

#[cfg(test)]
mod tests {
    use tracer_common::kind::CALLS;

    use super::*;

    #[test]
    fn the_embedded_programs_speak_this_collectors_wire() {
        check_wire(OBJECT).unwrap();
    }

    #[test]
    fn every_traced_call_has_its_program() {
        use object::{Object as _, ObjectSymbol as _};
        let file = object::File::parse(OBJECT).unwrap();
        let names: Vec<&str> = file.symbols().filter_map(|it| it.name().ok()).collect();
        for call in CALLS {
            assert!(names.contains(&call.program), "{}", call.program);
        }
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
