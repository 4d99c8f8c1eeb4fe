//! What the kernel itself mapped for a new program: told mapping by mapping before the program's first
//! instruction, so that a ledger begins exact however short the program lives.
//!
//! No program type that is used here can iterate over mappings. But each can be looked up by an
//! address in it, neighbours touch each other, and the kernel keeps an address of each group: the
//! binary, the dynamic linker (where the program begins), the stack, the vDSO. The collector adds the
//! sizes up and compares them with `total_vm`: what is missing is noticed.

use aya_ebpf::{
    cty::{c_long, c_void},
    helpers::generated::{bpf_find_vma, bpf_get_current_task_btf},
};
use tracer_common::{
    counters::Counter,
    header::Kind,
    process::{MAPPING_SHARED, MAPPING_STACK, MAPPING_VDSO, Mapping},
    settings::Offset,
};

use crate::{
    emit,
    filter::Traced,
    settings::offset,
    task::{Mm, Registers},
};

/// The most neighbours that are followed in one direction. A binary has four to six segments.
const NEIGHBOURS: u32 = 16;

/// `VM_READ`, `VM_WRITE`, `VM_EXEC` (include/linux/mm.h): the same bits as `PROT_*`.
const VM_PROTECTION: u64 = 7;
/// `VM_SHARED`.
const VM_SHARED: u64 = 8;
/// `VM_GROWSDOWN`.
const VM_GROWSDOWN: u64 = 0x100;
const PAGE: u64 = 4096;

/// One mapping, as the callback found it.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Found {
    start: u64,
    end: u64,
    flags: u64,
    page_offset: u64,
    inode: u64,
}

/// Sends every mapping of the current task's new address space.
#[inline(always)]
pub fn send_mappings(mm: Mm, registers: Registers, who: Traced) {
    let vdso = mm.get(Offset::MmVdso);
    around(mm.get(Offset::MmStartCode), vdso, mm, who);
    around(registers.get(Offset::InstructionPointer), vdso, mm, who);
    around(mm.get(Offset::MmStartStack), vdso, mm, who);
    around(vdso, vdso, mm, who);
}

/// The mapping at an address and all that touch it, directly or by others.
#[inline(always)]
fn around(address: u64, vdso: u64, mm: Mm, who: Traced) {
    let mut first = Found::default();
    if !find(address, &mut first) {
        return;
    }
    send(&first, vdso, mm, who);
    let mut found = first;
    for _ in 0..NEIGHBOURS {
        if !find(found.end, &mut found) {
            break;
        }
        send(&found, vdso, mm, who);
    }
    found = first;
    for _ in 0..NEIGHBOURS {
        if !find(found.start.wrapping_sub(1), &mut found) {
            break;
        }
        send(&found, vdso, mm, who);
    }
}

#[inline(always)]
fn send(found: &Found, vdso: u64, mm: Mm, who: Traced) {
    let mut flags = 0;
    if found.flags & VM_SHARED != 0 {
        flags |= MAPPING_SHARED;
    }
    if found.flags & VM_GROWSDOWN != 0 {
        flags |= MAPPING_STACK;
    }
    if found.start == vdso {
        flags |= MAPPING_VDSO;
    }
    let protection = (found.flags & VM_PROTECTION) as u8;
    emit::send(
        Mapping {
            header: emit::header(Kind::Mapping, protection, flags, mm.identity(), who),
            address: found.start,
            length: found.end.wrapping_sub(found.start),
            offset: found.page_offset.wrapping_mul(PAGE),
            inode: found.inode,
        },
        Counter::LostProcesses,
    );
}

/// The mapping that holds an address.
#[inline(always)]
fn find(address: u64, found: &mut Found) -> bool {
    // SAFETY: the current task, a callback of the signature that the helper wants, and its context on
    // this stack.
    unsafe {
        bpf_find_vma(
            bpf_get_current_task_btf(),
            address,
            describe as *mut c_void,
            core::ptr::from_mut(found).cast(),
            0,
        ) == 0
    }
}

/// Stores a mapping in the context.
///
/// # Safety
/// Called by the kernel only.
unsafe extern "C" fn describe(_task: *mut c_void, vma: *mut c_void, to: *mut c_void) -> c_long {
    // SAFETY: `vma` is a `vm_area_struct`, `to` the `Found` that the caller passed.
    unsafe {
        let found = to.cast::<Found>();
        (*found).start = load(vma, Offset::VmaStart);
        (*found).end = load(vma, Offset::VmaEnd);
        (*found).flags = load(vma, Offset::VmaFlags);
        (*found).page_offset = load(vma, Offset::VmaPageOffset);
        let file: *mut c_void = load(vma, Offset::VmaFile);
        (*found).inode = if file.is_null() {
            0
        } else {
            let inode: *mut c_void = load(file, Offset::FileInode);
            load(inode, Offset::InodeNumber)
        };
    }
    0
}

/// # Safety
/// `base` is a pointer that the verifier knows by its BTF type and `which` lies inside of that type.
#[inline(always)]
unsafe fn load<T>(base: *mut c_void, which: Offset) -> T {
    // SAFETY: by this function's own contract; a load that faults yields 0.
    unsafe { core::ptr::read_volatile(base.cast::<u8>().add(offset(which)).cast::<T>()) }
}
