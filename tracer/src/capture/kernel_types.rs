//! Where the running kernel keeps the fields that the programs read: offsets of struct members from
//! its BTF (`/sys/kernel/btf/vmlinux`; format: Documentation/bpf/btf.rst, include/uapi/linux/btf.h).
//!
//! aya does no CO-RE relocation, so the offsets are looked up here and injected. Only struct members
//! are read: one pass over the types, nothing is kept but an index of 4 bytes a type.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail, ensure};
use tracer_common::settings::{NOWHERE, OFFSETS, Offset};

const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

const MAGIC: u16 = 0xeb9f;
const KIND_STRUCT: u32 = 4;
const KIND_UNION: u32 = 5;
const KIND_TYPEDEF: u32 = 8;

/// The kernel's own type of a handler of this tracepoint (`__DEFINE_TRACE`, include/linux/tracepoint.h).
const LOCK: &str = "btf_trace_mmap_lock_acquire_returned";

/// What the programs must be told about the running kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KernelTypes {
    /// Where it keeps its fields, by its BTF, and its registers, by the architecture.
    pub(crate) offsets: [u32; OFFSETS],
    /// Arguments of the tracepoint `mmap_lock:mmap_lock_acquire_returned`.
    pub(crate) lock_arguments: u32,
}

/// Reads the running kernel's types.
///
/// # Errors
/// A kernel without BTF, or without one of the fields or tracepoints that are needed.
pub(crate) fn running() -> Result<KernelTypes> {
    types_at(Path::new(VMLINUX))
}

fn types_at(btf: &Path) -> Result<KernelTypes> {
    let bytes = fs::read(btf).with_context(|| {
        format!(
            "cannot read the kernel's types at {}: tracer needs a kernel with CONFIG_DEBUG_INFO_BTF=y \
             (every current distribution's has it)",
            btf.display()
        )
    })?;
    let types = Types::parse(&bytes).with_context(|| format!("{} is damaged", btf.display()))?;
    let mut table = [0; OFFSETS];
    for (slot, structure, member) in [
        (Offset::TaskMm, "task_struct", "mm"),
        (Offset::TaskPid, "task_struct", "pid"),
        (Offset::TaskTgid, "task_struct", "tgid"),
        (Offset::TaskComm, "task_struct", "comm"),
        (Offset::TaskExitCode, "task_struct", "exit_code"),
        (Offset::TaskSignal, "task_struct", "signal"),
        (Offset::TaskAlternateStack, "task_struct", "sas_ss_sp"),
        (Offset::TaskAlternateStackSize, "task_struct", "sas_ss_size"),
        (Offset::SignalLive, "signal_struct", "live"),
        (
            Offset::SignalGroupExitCode,
            "signal_struct",
            "group_exit_code",
        ),
        (Offset::MmTotalVm, "mm_struct", "total_vm"),
        (Offset::MmStackVm, "mm_struct", "stack_vm"),
        (Offset::MmDataVm, "mm_struct", "data_vm"),
        (Offset::MmLockedVm, "mm_struct", "locked_vm"),
        (Offset::MmMapCount, "mm_struct", "map_count"),
        (Offset::MmDefaultFlags, "mm_struct", "def_flags"),
        (Offset::MmTaskSize, "mm_struct", "task_size"),
        (Offset::SignalLimits, "signal_struct", "rlim"),
        (Offset::SignalOomMm, "signal_struct", "oom_mm"),
        (Offset::TaskCred, "task_struct", "cred"),
        (Offset::CredCapabilities, "cred", "cap_effective"),
        (Offset::CredCounts, "cred", "ucounts"),
        (Offset::CountsLimits, "ucounts", "rlimit"),
        (Offset::MmBrk, "mm_struct", "brk"),
        (Offset::VmaStart, "vm_area_struct", "vm_start"),
        (Offset::VmaEnd, "vm_area_struct", "vm_end"),
        (Offset::VmaFlags, "vm_area_struct", "vm_flags"),
        (Offset::VmaPageOffset, "vm_area_struct", "vm_pgoff"),
        (Offset::VmaFile, "vm_area_struct", "vm_file"),
        (Offset::TaskFiles, "task_struct", "files"),
        (Offset::FilesTable, "files_struct", "fdt"),
        (Offset::TableLength, "fdtable", "max_fds"),
        (Offset::TableFiles, "fdtable", "fd"),
        (Offset::EntryParent, "dentry", "d_parent"),
        (Offset::MountRoot, "vfsmount", "mnt_root"),
        (Offset::MountOwn, "mount", "mnt"),
        (Offset::MountParent, "mount", "mnt_parent"),
        (Offset::MountPoint, "mount", "mnt_mountpoint"),
        (Offset::InodeMode, "inode", "i_mode"),
        (Offset::InodeGeneration, "inode", "i_generation"),
        (Offset::FileSystemMagic, "super_block", "s_magic"),
        (Offset::FileInode, "file", "f_inode"),
        (Offset::InodeNumber, "inode", "i_ino"),
        (Offset::InodeFileSystem, "inode", "i_sb"),
        (Offset::FileSystemDevice, "super_block", "s_dev"),
        (Offset::MmStartCode, "mm_struct", "start_code"),
        (Offset::MmEndData, "mm_struct", "end_data"),
        (Offset::MmAuxv, "mm_struct", "saved_auxv"),
        (Offset::MmStartStack, "mm_struct", "start_stack"),
    ] {
        table[slot as usize] = types
            .member(structure, member)
            .with_context(|| format!("this kernel has no {structure}.{member}"))?;
    }
    // The architecture's part of `mm_struct` is a named struct of its own type (`mm_context_t`).
    table[Offset::MmVdso as usize] = types
        .member("mm_struct", "context")
        .zip(types.member_of_type("mm_struct", "context", "vdso"))
        .map(|(context, vdso)| context + vdso)
        .context("this kernel has no mm_struct.context.vdso")?;
    for (slot, [structure, member], [inner, part]) in [
        (Offset::FileMount, ["file", "f_path"], ["path", "mnt"]),
        (Offset::FileEntry, ["file", "f_path"], ["path", "dentry"]),
        (Offset::EntryName, ["dentry", "d_name"], ["qstr", "name"]),
        (
            Offset::EntryHashed,
            ["dentry", "d_hash"],
            ["hlist_bl_node", "pprev"],
        ),
    ] {
        table[slot as usize] = types
            .member(structure, member)
            .zip(types.member(inner, part))
            .map(|(outer, inner)| outer + inner)
            .with_context(|| format!("this kernel has no {structure}.{member}.{part}"))?;
    }
    table[Offset::TaskStatus as usize] = types
        .member("task_struct", "thread_info")
        .zip(types.member_of_type("task_struct", "thread_info", "status"))
        .filter(|_| cfg!(target_arch = "x86_64"))
        .map_or(NOWHERE, |(info, status)| info + status);
    for (slot, offset) in registers() {
        table[slot as usize] = offset;
    }
    let lock_arguments = types.arguments_of(LOCK).context(
        "this kernel has no tracepoint mmap_lock:mmap_lock_acquire_returned, by which calls are put in \
         order: it came with Linux 5.11",
    )?;
    Ok(KernelTypes {
        offsets: table,
        lock_arguments,
    })
}

/// `struct pt_regs` (arch/x86/include/asm/ptrace.h): part of the ABI of signal frames and ptrace.
#[cfg(target_arch = "x86_64")]
fn registers() -> [(Offset, u32); 10] {
    [
        (Offset::Argument0, 112),          // di
        (Offset::Argument1, 104),          // si
        (Offset::Argument2, 96),           // dx
        (Offset::Argument3, 56),           // r10
        (Offset::Argument4, 72),           // r8
        (Offset::Argument5, 64),           // r9
        (Offset::CallNumber, 120),         // orig_ax
        (Offset::InstructionPointer, 128), // ip
        (Offset::StackPointer, 152),       // sp
        (Offset::FramePointer, 32),        // bp
    ]
}

/// `struct pt_regs` (arch/arm64/include/asm/ptrace.h). x0 holds the result by then: the first
/// argument is in `orig_x0`, which lies behind the user's registers.
#[cfg(target_arch = "aarch64")]
fn registers() -> [(Offset, u32); 10] {
    [
        (Offset::Argument0, 272), // orig_x0
        (Offset::Argument1, 8),
        (Offset::Argument2, 16),
        (Offset::Argument3, 24),
        (Offset::Argument4, 32),
        (Offset::Argument5, 40),
        (Offset::CallNumber, 280),         // syscallno
        (Offset::InstructionPointer, 256), // pc
        (Offset::StackPointer, 248),
        (Offset::FramePointer, 232), // x29
    ]
}

/// A BTF blob, indexed.
struct Types<'a> {
    bytes: &'a [u8],
    strings: &'a [u8],
    /// Where each type begins in `bytes`; type ids count from 1.
    starts: Vec<u32>,
}

struct Type {
    name: u32,
    kind: u32,
    /// Number of members.
    length: u32,
    /// `kind_flag`: a member's offset has its bit-field size in the high byte.
    bitfields: bool,
    /// The third word of the head: a size, or the id of another type.
    reference: u32,
    members: usize,
}

impl<'a> Types<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self> {
        ensure!(bytes.len() >= 24, "it is shorter than its header");
        ensure!(
            u16::from_ne_bytes([bytes[0], bytes[1]]) == MAGIC,
            "it does not begin with BTF's magic number"
        );
        let word = |at| word_at(bytes, at);
        let header = word(4)? as usize;
        let types = header + word(8)? as usize;
        let end = types + word(12)? as usize;
        let strings_at = header + word(16)? as usize;
        let strings = bytes
            .get(strings_at..strings_at + word(20)? as usize)
            .context("its strings lie outside of it")?;
        let mut starts = Vec::new();
        let mut at = types;
        while at < end {
            starts.push(u32::try_from(at)?);
            let info = word(at + 4)?;
            let length = (info & 0xffff) as usize;
            at += 12 + Self::tail((info >> 24) & 0x1f, length)?;
        }
        Ok(Self {
            bytes,
            strings,
            starts,
        })
    }

    /// Bytes behind a type's 12-byte head, by kind.
    fn tail(kind: u32, length: usize) -> Result<usize> {
        Ok(match kind {
            // INT, VAR, DECL_TAG
            1 | 14 | 17 => 4,
            // ARRAY
            3 => 12,
            KIND_STRUCT | KIND_UNION => 12 * length,
            // ENUM, FUNC_PROTO
            6 | 13 => 8 * length,
            // DATASEC, ENUM64
            15 | 19 => 12 * length,
            // PTR, FWD, TYPEDEF, VOLATILE, CONST, RESTRICT, FUNC, FLOAT, TYPE_TAG
            2 | 7..=12 | 16 | 18 => 0,
            _ => bail!("it has a type of unknown kind {kind}"),
        })
    }

    fn at(&self, start: u32) -> Result<Type> {
        let start = start as usize;
        let info = word_at(self.bytes, start + 4)?;
        Ok(Type {
            name: word_at(self.bytes, start)?,
            kind: (info >> 24) & 0x1f,
            length: info & 0xffff,
            bitfields: info >> 31 == 1,
            reference: word_at(self.bytes, start + 8)?,
            members: start + 12,
        })
    }

    fn name(&self, offset: u32) -> &'a [u8] {
        let rest = self.strings.get(offset as usize..).unwrap_or_default();
        rest.split(|byte| *byte == 0).next().unwrap_or_default()
    }

    /// Offset in bytes of a struct's member, also inside of its anonymous structs and unions.
    fn member(&self, structure: &str, member: &str) -> Option<u32> {
        self.starts.iter().find_map(|start| {
            let candidate = self.at(*start).ok()?;
            let named = candidate.kind == KIND_STRUCT
                && candidate.length > 0
                && self.name(candidate.name) == structure.as_bytes();
            named.then(|| self.find(&candidate, member)).flatten()
        })
    }

    /// Offset in bytes of a member of the struct that is the type of another struct's member.
    fn member_of_type(&self, structure: &str, member: &str, inner: &str) -> Option<u32> {
        self.starts.iter().find_map(|start| {
            let outer = self.at(*start).ok()?;
            if outer.kind != KIND_STRUCT || self.name(outer.name) != structure.as_bytes() {
                return None;
            }
            let mut id = self.type_of(&outer, member)?;
            let mut found = self.at(*self.starts.get(id.checked_sub(1)?)?).ok()?;
            // The word behind a typedef's head is the id of the type that it names.
            while found.kind == KIND_TYPEDEF {
                id = found.reference as usize;
                found = self.at(*self.starts.get(id.checked_sub(1)?)?).ok()?;
            }
            self.find(&found, inner)
        })
    }

    /// Id of the type of a member, also inside of anonymous structs and unions.
    fn type_of(&self, structure: &Type, member: &str) -> Option<usize> {
        (0..structure.length as usize).find_map(|index| {
            let at = structure.members + 12 * index;
            let name = self.name(word_at(self.bytes, at).ok()?);
            let id = word_at(self.bytes, at + 4).ok()? as usize;
            if name == member.as_bytes() {
                return Some(id);
            }
            if !name.is_empty() {
                return None;
            }
            let inner = self.at(*self.starts.get(id.checked_sub(1)?)?).ok()?;
            let nested = inner.kind == KIND_STRUCT || inner.kind == KIND_UNION;
            nested.then(|| self.type_of(&inner, member)).flatten()
        })
    }

    /// Arguments of the function to which the type of this name points; the first, which is the
    /// tracing program's own, not counted.
    fn arguments_of(&self, name: &str) -> Option<u32> {
        let of = |id: u32| {
            self.at(*self.starts.get((id as usize).checked_sub(1)?)?)
                .ok()
        };
        self.starts.iter().find_map(|start| {
            let named = self.at(*start).ok()?;
            if named.kind != KIND_TYPEDEF || self.name(named.name) != name.as_bytes() {
                return None;
            }
            let function = of(of(named.reference)?.reference)?;
            function.length.checked_sub(1)
        })
    }

    fn find(&self, structure: &Type, member: &str) -> Option<u32> {
        (0..structure.length as usize).find_map(|index| {
            let at = structure.members + 12 * index;
            let name = self.name(word_at(self.bytes, at).ok()?);
            let bits = word_at(self.bytes, at + 8).ok()?;
            let bits = if structure.bitfields {
                bits & 0x00ff_ffff
            } else {
                bits
            };
            if name == member.as_bytes() {
                return Some(bits / 8);
            }
            if !name.is_empty() {
                return None;
            }
            let id = word_at(self.bytes, at + 4).ok()? as usize;
            let inner = self.at(*self.starts.get(id.checked_sub(1)?)?).ok()?;
            if inner.kind != KIND_STRUCT && inner.kind != KIND_UNION {
                return None;
            }
            Some(bits / 8 + self.find(&inner, member)?)
        })
    }
}

fn word_at(bytes: &[u8], at: usize) -> Result<u32> {
    let word = bytes.get(at..at + 4).context("it ends within a type")?;
    Ok(u32::from_ne_bytes(word.try_into()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_kernel_tells_where_everything_is() {
        let KernelTypes {
            offsets: table,
            lock_arguments,
        } = running().unwrap();
        assert!((3..=4).contains(&lock_arguments));
        // `mm_struct.stack_vm` lies near `total_vm`, and no two fields share a place.
        assert_ne!(
            table[Offset::MmTotalVm as usize],
            table[Offset::MmStackVm as usize]
        );
        assert_eq!(
            table[Offset::TaskTgid as usize],
            table[Offset::TaskPid as usize] + 4
        );
    }

    #[test]
    fn a_missing_btf_is_named_with_its_remedy() {
        let error = types_at(Path::new("/nonexistent/vmlinux")).unwrap_err();
        assert!(format!("{error:#}").contains("CONFIG_DEBUG_INFO_BTF"));
    }

    #[test]
    fn a_foreign_file_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), [7; 100]).unwrap();
        let error = types_at(file.path()).unwrap_err();
        assert!(format!("{error:#}").contains("magic"));
    }

    #[test]
    fn a_btf_cut_anywhere_is_an_error_and_no_panic() {
        let whole = fs::read(VMLINUX).unwrap();
        for length in (0..whole.len()).step_by(whole.len() / 50) {
            assert!(Types::parse(&whole[..length]).is_err(), "cut at {length}");
        }
    }
}
