//! What the collector sets before it loads the programs, and the values of their filter map.

use crate::stack::{bucket_of, mix};

/// How page faults are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum FaultMode {
    /// Not at all.
    Off = 0,
    /// Counted only.
    Count = 1,
    /// One record each.
    Each = 2,
}

impl FaultMode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Off, Self::Count, Self::Each];

    /// Its name: on the command line, in recordings and in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Count => "count",
            Self::Each => "each",
        }
    }

    /// The mode of that name.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.word() == word)
    }
}

/// Of so many faults so many carry a stack that a setting says: a random number of 32 bits below it chooses
/// one.
pub const ALL_FAULTS: u64 = 1 << 32;

/// First word of the filter map's value (key: process id): this process is traced.
pub const TRACED: u64 = 1;
/// First word of the filter map's value: this process is traced, and so are the children it makes.
pub const FOLLOWED: u64 = 2;

/// Words of the filter map's value: how the process is traced, the address space of its last turn (0
/// before the first), how many programs it has begun since it is traced, and the address space in which it was
/// told that it makes 32-bit calls.
pub const PROCESS_WORDS: usize = 4;

/// What is counted of an address space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct SpaceCounts {
    /// Turns taken on it so far.
    pub turns: u64,
    /// The most mappings that it had, when turns were taken.
    pub most_mappings: u64,
    /// How many it had when that was last told.
    pub told_mappings: u64,
}

/// A slot for an address space: whose it is (0: nobody's), and what is counted of that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct SpaceSlot {
    /// Its identity.
    pub space: u64,
    /// Its counts.
    pub counts: SpaceCounts,
}

/// Slots for the counts of address spaces: a power of two.
pub const SPACE_SLOTS: u32 = 4096;

/// The slot that the count of an address space lies in, unless another's does.
#[inline(always)]
#[must_use]
pub const fn space_slot_of(space: u64) -> u32 {
    bucket_of(mix(0, space), SPACE_SLOTS)
}

/// Words of a set of system call numbers, one bit each.
pub const CALL_WORDS: usize = 8;

/// Index into the table of offsets that the collector injects: where the running kernel keeps what
/// the programs read (from its BTF), and where the architecture keeps its registers. All in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Offset {
    /// `task_struct.mm`
    TaskMm = 0,
    /// `task_struct.pid` (the thread id)
    TaskPid,
    /// `task_struct.tgid` (the process id)
    TaskTgid,
    /// `task_struct.comm`
    TaskComm,
    /// `task_struct.exit_code`
    TaskExitCode,
    /// `task_struct.signal`
    TaskSignal,
    /// `task_struct.sas_ss_sp`: its alternate stack for signal handlers
    TaskAlternateStack,
    /// `task_struct.sas_ss_size`, bytes
    TaskAlternateStackSize,
    /// `signal_struct.live`: threads that have not begun to exit
    SignalLive,
    /// `signal_struct.group_exit_code`
    SignalGroupExitCode,
    /// `mm_struct.total_vm`, pages
    MmTotalVm,
    /// `mm_struct.stack_vm`, pages
    MmStackVm,
    /// `mm_struct.data_vm`, pages
    MmDataVm,
    /// `mm_struct.locked_vm`, pages
    MmLockedVm,
    /// `mm_struct.map_count`
    MmMapCount,
    /// `mm_struct.def_flags`
    MmDefaultFlags,
    /// `mm_struct.task_size`, bytes
    MmTaskSize,
    /// `signal_struct.rlim`
    SignalLimits,
    /// `signal_struct.oom_mm`: not null once the process was chosen to be killed for want of memory
    SignalOomMm,
    /// `task_struct.cred`
    TaskCred,
    /// `cred.cap_effective`
    CredCapabilities,
    /// `cred.ucounts`
    CredCounts,
    /// `ucounts.rlimit`: the first is `UCOUNT_RLIMIT_NPROC` (include/linux/user_namespace.h)
    CountsLimits,
    /// `task_struct.thread_info.status` on x86, else [`NOWHERE`]
    TaskStatus,
    /// `mm_struct.brk`
    MmBrk,
    /// `mm_struct.start_code`
    MmStartCode,
    /// `mm_struct.end_data`
    MmEndData,
    /// `mm_struct.saved_auxv`
    MmAuxv,
    /// `mm_struct.start_stack`
    MmStartStack,
    /// Where the architecture keeps the vDSO's address in `mm_struct` (`context.vdso`)
    MmVdso,
    /// `vm_area_struct.vm_start`
    VmaStart,
    /// `vm_area_struct.vm_end`
    VmaEnd,
    /// `vm_area_struct.vm_flags`
    VmaFlags,
    /// `vm_area_struct.vm_pgoff`, pages
    VmaPageOffset,
    /// `vm_area_struct.vm_file`
    VmaFile,
    /// `task_struct.files`
    TaskFiles,
    /// `files_struct.fdt`
    FilesTable,
    /// `fdtable.max_fds`
    TableLength,
    /// `fdtable.fd`
    TableFiles,
    /// `file.f_path.mnt`
    FileMount,
    /// `file.f_path.dentry`
    FileEntry,
    /// `dentry.d_parent`
    EntryParent,
    /// `dentry.d_name.name`
    EntryName,
    /// `dentry.d_hash.pprev`: null once it was removed
    EntryHashed,
    /// `vfsmount.mnt_root`
    MountRoot,
    /// `mount.mnt`
    MountOwn,
    /// `mount.mnt_parent`
    MountParent,
    /// `mount.mnt_mountpoint`
    MountPoint,
    /// `inode.i_mode`
    InodeMode,
    /// `inode.i_generation`: another one where a number is used again
    InodeGeneration,
    /// `super_block.s_magic`
    FileSystemMagic,
    /// `file.f_inode`
    FileInode,
    /// `inode.i_ino`
    InodeNumber,
    /// `inode.i_sb`
    InodeFileSystem,
    /// `super_block.s_dev`
    FileSystemDevice,
    /// `pt_regs`: first argument of a system call, as it was on entry
    Argument0,
    /// `pt_regs`: second argument
    Argument1,
    /// `pt_regs`: third argument
    Argument2,
    /// `pt_regs`: fourth argument
    Argument3,
    /// `pt_regs`: fifth argument
    Argument4,
    /// `pt_regs`: sixth argument
    Argument5,
    /// `pt_regs`: number of the system call, low 32 bits; all ones in an exception
    CallNumber,
    /// `pt_regs`: instruction pointer
    InstructionPointer,
    /// `pt_regs`: stack pointer
    StackPointer,
    /// `pt_regs`: frame pointer
    FramePointer,
}

/// The offset of what this architecture does not have.
pub const NOWHERE: u32 = u32::MAX;

/// Length of the table of offsets.
pub const OFFSETS: usize = Offset::FramePointer as usize + 1;
