//! The kernel's memory: the current task, its address space, its registers on entry to the system
//! call. Offsets come from the running kernel's BTF (see [`Offset`]).
//!
//! The pointers are typed by BTF: a load through them that faults yields 0 (`BPF_PROBE_MEM`).

use aya_ebpf::helpers::bpf_probe_read_kernel;
use aya_ebpf::helpers::generated::{bpf_get_current_task_btf, bpf_task_pt_regs};
use tracer_common::{
    account::{Account, LIMITS},
    memory::pack_pages,
    settings::{NOWHERE, Offset},
};

use crate::settings::offset;

/// The current task.
#[derive(Clone, Copy)]
pub struct Task(*const u8);

/// Its address space; null for kernel threads and late in exit.
#[derive(Clone, Copy)]
pub struct Mm(*const u8);

/// The user's registers, as they were on entry to the kernel (but for the result).
#[derive(Clone, Copy)]
pub struct Registers(*const u8);

/// A load at an offset that the verifier knows as a constant.
///
/// # Safety
/// `base` is a pointer that the verifier knows by its BTF type and `which` lies inside of that type.
#[inline(always)]
unsafe fn load<T>(base: *const u8, which: Offset) -> T {
    // SAFETY: by this function's own contract; the verifier checks type and bounds.
    unsafe { core::ptr::read_volatile(base.add(offset(which)).cast::<T>()) }
}

impl Task {
    #[inline(always)]
    pub fn current() -> Self {
        // SAFETY: no arguments; returns a trusted pointer to the current task.
        Self(unsafe { bpf_get_current_task_btf() } as *const u8)
    }

    #[inline(always)]
    pub fn mm(self) -> Mm {
        // SAFETY: `task_struct.mm`.
        Mm(unsafe { load(self.0, Offset::TaskMm) })
    }

    #[inline(always)]
    pub fn registers(self) -> Registers {
        // SAFETY: the argument is a task; the result is a `pt_regs`.
        Registers(unsafe { bpf_task_pt_regs(self.0 as *mut _) } as *const u8)
    }

    /// Its alternate stack for signal handlers: address and size (0: none).
    #[inline(always)]
    pub fn alternate_stack(self) -> (u64, u64) {
        // SAFETY: `task_struct.sas_ss_sp`, `task_struct.sas_ss_size`.
        unsafe {
            (
                load(self.0, Offset::TaskAlternateStack),
                load(self.0, Offset::TaskAlternateStackSize),
            )
        }
    }

    /// How the current process ended, if this is its last thread to exit: a wait status.
    #[inline(always)]
    pub fn last_exit(self) -> Option<u32> {
        // SAFETY: `task_struct.signal`, `signal_struct.live` and `.group_exit_code`,
        // `task_struct.exit_code`.
        unsafe {
            let signal: *const u8 = load(self.0, Offset::TaskSignal);
            // do_exit() decrements `live` before the tracepoint (kernel/exit.c).
            if load::<i32>(signal, Offset::SignalLive) != 0 {
                return None;
            }
            let group: u32 = load(signal, Offset::SignalGroupExitCode);
            let own: u32 = load(self.0, Offset::TaskExitCode);
            Some(if group != 0 { group } else { own })
        }
    }

    /// Whether the kernel has chosen the current process to be killed for want of memory
    /// (`mark_oom_victim()`, mm/oom_kill.c).
    #[inline(always)]
    pub fn is_oom_victim(self) -> bool {
        // SAFETY: `task_struct.signal`, `signal_struct.oom_mm`.
        unsafe {
            let signal: *const u8 = load(self.0, Offset::TaskSignal);
            load::<u64>(signal, Offset::SignalOomMm) != 0
        }
    }

    /// The soft limits of the current process, in the order of [`LIMITS`].
    #[inline(always)]
    pub fn limits(self) -> [u64; LIMITS.len()] {
        // SAFETY: `task_struct.signal` and `signal_struct.rlim`, an array of pairs of words, the soft limit first,
        // that is longer than any number in `LIMITS`.
        unsafe {
            let signal: *const u8 = load(self.0, Offset::TaskSignal);
            let limits = signal.add(offset(Offset::SignalLimits)).cast::<[u64; 2]>();
            LIMITS.map(|number| core::ptr::read_volatile(limits.add(number).cast::<u64>()))
        }
    }

    /// Effective capabilities (the lower 32), and how many processes and threads its user has.
    #[inline(always)]
    pub fn credentials(self) -> (u32, u64) {
        // SAFETY: `task_struct.cred`, `cred.cap_effective` and `.ucounts`.
        let (capabilities, counts) = unsafe {
            let cred: *const u8 = load(self.0, Offset::TaskCred);
            (
                load(cred, Offset::CredCapabilities),
                load(cred, Offset::CredCounts),
            )
        };
        // (An array of atomics: the verifier of Linux 6.1 does not look into one.)
        let processes = read(counts, Offset::CountsLimits).unwrap_or(0);
        (capabilities, processes)
    }

    /// Whether the current system call is a 32-bit one (`TS_COMPAT`, arch/x86/include/asm/thread_info.h).
    #[inline(always)]
    pub fn is_in_32_bit_call(self) -> bool {
        const TS_COMPAT: u32 = 2;
        if offset(Offset::TaskStatus) == NOWHERE as usize {
            return false;
        }
        // SAFETY: `task_struct.thread_info.status`.
        unsafe { load::<u32>(self.0, Offset::TaskStatus) & TS_COMPAT != 0 }
    }

    /// The `file` of a descriptor of the current process.
    #[inline(always)]
    pub fn file(self, descriptor: u32) -> Option<u64> {
        // SAFETY: `task_struct.files`, `files_struct.fdt`, `fdtable.max_fds` and `.fd`.
        let (length, files) = unsafe {
            let files: *const u8 = load(self.0, Offset::TaskFiles);
            let table: *const u8 = load(files, Offset::FilesTable);
            (
                load::<u32>(table, Offset::TableLength),
                load::<u64>(table, Offset::TableFiles),
            )
        };
        if descriptor >= length {
            return None;
        }
        let at = files.wrapping_add(8 * u64::from(descriptor));
        // SAFETY: the helper checks the address; a pointer is a plain number here.
        unsafe { bpf_probe_read_kernel(at as *const u64) }.ok()
    }

    /// What the kernel has of the current process and its address space.
    #[inline(always)]
    pub fn account(self, mm: Mm) -> Account {
        Account {
            pages: mm.pages(),
            data_pages: mm.get(Offset::MmDataVm),
            locked_pages: mm.get(Offset::MmLockedVm),
            mappings: mm.mappings(),
            limits: self.limits(),
        }
    }
}

impl Mm {
    #[inline(always)]
    pub fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// The pointer as an identity.
    #[inline(always)]
    pub fn identity(self) -> u64 {
        self.0 as u64
    }

    /// `total_vm` and `stack_vm`, packed.
    #[inline(always)]
    pub fn pages(self) -> u64 {
        // SAFETY: `mm_struct.total_vm`, `mm_struct.stack_vm`.
        unsafe {
            pack_pages(
                load(self.0, Offset::MmTotalVm),
                load(self.0, Offset::MmStackVm),
            )
        }
    }

    /// How many mappings it has.
    #[inline(always)]
    pub fn mappings(self) -> u64 {
        // SAFETY: `mm_struct.map_count`.
        u64::from(unsafe { load::<u32>(self.0, Offset::MmMapCount) })
    }

    /// Where one of its members is, for a helper that reads it.
    #[inline(always)]
    pub fn address(self, which: Offset) -> *const core::ffi::c_void {
        self.0.wrapping_add(offset(which)).cast()
    }

    /// One of its words.
    #[inline(always)]
    pub fn get(self, which: Offset) -> u64 {
        // SAFETY: callers name a member of `mm_struct` of 8 bytes.
        unsafe { load(self.0, which) }
    }
}

impl Registers {
    #[inline(always)]
    pub fn get(self, which: Offset) -> u64 {
        // SAFETY: a register in `pt_regs`.
        unsafe { load(self.0, which) }
    }
}

/// Reads at an address that the verifier does not know.
#[inline(always)]
pub fn read<T>(base: *const u8, which: Offset) -> Option<T> {
    // SAFETY: the helper checks the address; all types read are plain numbers.
    unsafe { bpf_probe_read_kernel(base.wrapping_add(offset(which)).cast::<T>()) }.ok()
}

/// A task that a raw tracepoint hands over: an address that the verifier does not know, read by
/// helper.
#[derive(Clone, Copy)]
pub struct OtherTask(pub *const u8);

impl OtherTask {
    #[inline(always)]
    pub fn tid(self) -> Option<u32> {
        read(self.0, Offset::TaskPid)
    }

    #[inline(always)]
    pub fn pid(self) -> Option<u32> {
        read(self.0, Offset::TaskTgid)
    }

    #[inline(always)]
    pub fn comm(self) -> Option<[u8; 16]> {
        read(self.0, Offset::TaskComm)
    }

    /// Identity of its address space, and the packed pages.
    #[inline(always)]
    pub fn space(self) -> Option<(u64, u64)> {
        let mm = OtherMm(read(self.0, Offset::TaskMm)?);
        if mm.0.is_null() {
            return Some((0, 0));
        }
        Some((mm.identity(), mm.pages()?))
    }
}

/// An address space that a raw tracepoint hands over, as [`OtherTask`].
#[derive(Clone, Copy)]
pub struct OtherMm(pub *const u8);

impl OtherMm {
    /// The pointer as an identity.
    #[inline(always)]
    pub fn identity(self) -> u64 {
        self.0 as u64
    }

    /// `total_vm` and `stack_vm`, packed.
    #[inline(always)]
    pub fn pages(self) -> Option<u64> {
        let total = read(self.0, Offset::MmTotalVm)?;
        let stack = read(self.0, Offset::MmStackVm)?;
        Some(pack_pages(total, stack))
    }

    /// The rest of [`Account`]: `data_vm`, `locked_vm`, `map_count`.
    #[inline(always)]
    pub fn sizes(self) -> Option<[u64; 3]> {
        Some([
            read(self.0, Offset::MmDataVm)?,
            read(self.0, Offset::MmLockedVm)?,
            read::<u32>(self.0, Offset::MmMapCount)?.into(),
        ])
    }
}
