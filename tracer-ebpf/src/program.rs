//! What the kernel itself mapped for a new program: told mapping by mapping before the program's first
//! instruction, so that a ledger begins exact however short the program lives.
//!
//! No program type that is used here can iterate over mappings. But each can be looked up by an
//! address in it, neighbours touch each other, and the kernel keeps an address of each group: the
//! binary, the dynamic linker (where the program begins), the stack, the vDSO. Between the segments
//! of a binary may be holes: LLD leaves some of a page, and every linker some where the segments'
//! alignment is larger than a page. So binary and linker are besides walked from their lowest
//! address up. The collector adds the sizes up and compares them with `total_vm`: what is missing is
//! noticed.

use aya_ebpf::{
    cty::{c_long, c_void},
    helpers::generated::{bpf_find_vma, bpf_get_current_task_btf, bpf_loop, bpf_probe_read_kernel},
};
use tracer_common::{
    counters::Counter,
    header::Kind,
    process::{MAPPING_BY_CALL, MAPPING_SHARED, MAPPING_STACK, MAPPING_VDSO, Mapping},
    settings::Offset,
};

use crate::{
    emit,
    filter::Traced,
    settings::offset,
    task::{Mm, Registers, Task},
};

/// The most neighbours that are followed in one direction. A binary has four to six segments.
const NEIGHBOURS: u32 = 16;
/// The most mappings and pages of holes in a binary that are looked at: holes of 2 MiB between four
/// segments, the last of which GNU ld moves up to 4 MiB away, and something besides.
const STEPS_IN_BINARY: u32 = 4096;
/// The same in a dynamic linker, whose end the kernel does not keep: it has ended where this many
/// pages in a row are not mapped.
const HOLE_IN_LINKER: u32 = 16;
const STEPS_IN_LINKER: u32 = 8 * HOLE_IN_LINKER;

/// Pairs at the beginning of the auxiliary vector among which [`AT_PHDR`] and [`AT_BASE`] are
/// (`create_elf_tables()` in fs/binfmt_elf.c, after up to three of the architecture's own).
const AUXILIARY_PAIRS: usize = 12;
/// Where the program headers are: in the binary's lowest segment (include/uapi/linux/auxvec.h).
const AT_PHDR: u64 = 3;
/// Where the dynamic linker's lowest segment is; 0 without one.
const AT_BASE: u64 = 7;

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
    device: u64,
}

/// Sends every mapping of the current task's new address space.
#[inline(always)]
pub fn send_mappings(mm: Mm, registers: Registers, who: Traced) {
    let mut walk = Walk {
        address: 0,
        last: 0,
        hole: 0,
        longest_hole: 0,
        found: Found::default(),
        who,
    };
    walk.around(mm.get(Offset::MmStartStack));
    walk.around(mm.get(Offset::MmVdso));
    // The highest segment may be further away than the walk reaches.
    let last = mm.get(Offset::MmEndData);
    walk.around(last.wrapping_sub(1));

    let (headers, linker) = lowest_addresses(mm);
    if headers == 0 {
        walk.around(mm.get(Offset::MmStartCode));
        walk.around(registers.get(Offset::InstructionPointer));
        return;
    }
    walk.last = last;
    walk.longest_hole = STEPS_IN_BINARY;
    walk.up(headers, STEPS_IN_BINARY);
    if linker != 0 {
        walk.last = u64::MAX;
        walk.longest_hole = HOLE_IN_LINKER;
        walk.up(linker, STEPS_IN_LINKER);
    }
}

/// An address in the binary's lowest segment, and one in the dynamic linker's; 0 where there is none
/// (the auxiliary vector of a 32-bit program has pairs of another size).
#[inline(always)]
fn lowest_addresses(mm: Mm) -> (u64, u64) {
    let (mut headers, mut linker) = (0, 0);
    for pair in 0..AUXILIARY_PAIRS {
        match auxiliary_pair(mm, pair) {
            [AT_PHDR, value] => headers = value,
            [AT_BASE, value] => linker = value,
            _ => {}
        }
    }
    (headers, linker)
}

#[inline(always)]
fn auxiliary_pair(mm: Mm, index: usize) -> [u64; 2] {
    let mut pair = [0u64; 2];
    // SAFETY: `mm_struct.saved_auxv` has more pairs than are asked for; the helper checks the address.
    unsafe {
        bpf_probe_read_kernel(
            (&raw mut pair).cast(),
            size_of_val(&pair) as u32,
            mm.address(Offset::MmAuxv).wrapping_byte_add(16 * index),
        )
    };
    pair
}

/// A walk over mappings and the holes between them, and what it needs at each step. It lies on the
/// stack of the program, where it shares 512 bytes with all that the steps have there.
struct Walk {
    /// Where to look next.
    address: u64,
    /// Beyond this the first hole ends the walk.
    last: u64,
    /// Pages in a row that were not mapped.
    hole: u32,
    longest_hole: u32,
    /// The last mapping.
    found: Found,
    who: Traced,
}

impl Walk {
    /// Sends what lies from an address on.
    #[inline(always)]
    fn up(&mut self, address: u64, steps: u32) {
        self.address = address;
        self.hole = 0;
        self.steps(steps, look_up as *mut c_void);
    }

    /// Sends the mapping at an address and all that touch it, directly or by others.
    #[inline(always)]
    fn around(&mut self, address: u64) {
        self.up(address, NEIGHBOURS);
        self.address = address;
        self.steps(NEIGHBOURS, look_down as *mut c_void);
    }

    #[inline(always)]
    fn steps(&mut self, most: u32, step: *mut c_void) {
        // SAFETY: both callbacks have the signature that the helper wants; their context is on this
        // stack.
        unsafe { bpf_loop(most, step, core::ptr::from_mut(self).cast(), 0) };
    }
}

/// One step of a [`Walk`]; returns 1 to end it.
///
/// # Safety
/// Called by the kernel only.
unsafe extern "C" fn look_up(_index: u32, walk: *mut c_void) -> c_long {
    // SAFETY: the `Walk` that the caller passed.
    let walk = unsafe { &mut *walk.cast::<Walk>() };
    if find(walk.address, &mut walk.found) {
        send(&walk.found, walk.who);
        walk.address = walk.found.end;
        walk.hole = 0;
        return 0;
    }
    if walk.address > walk.last || walk.hole >= walk.longest_hole {
        return 1;
    }
    walk.address = (walk.address & !(PAGE - 1)).wrapping_add(PAGE);
    walk.hole += 1;
    0
}

/// The same the other way, as far as mappings touch each other.
///
/// # Safety
/// Called by the kernel only.
unsafe extern "C" fn look_down(_index: u32, walk: *mut c_void) -> c_long {
    // SAFETY: the `Walk` that the caller passed.
    let walk = unsafe { &mut *walk.cast::<Walk>() };
    if !find(walk.address, &mut walk.found) {
        return 1;
    }
    send(&walk.found, walk.who);
    walk.address = walk.found.start.wrapping_sub(1);
    0
}

#[inline(always)]
fn send(found: &Found, who: Traced) {
    let mm = Task::current().mm();
    let mut flags = 0;
    if found.flags & VM_SHARED != 0 {
        flags |= MAPPING_SHARED;
    }
    if found.flags & VM_GROWSDOWN != 0 {
        flags |= MAPPING_STACK;
    }
    if found.start == mm.get(Offset::MmVdso) {
        flags |= MAPPING_VDSO;
    }
    send_as(found, flags, who);
}

/// Sends the mapping of a file's code that a call of the current task has made at this address: as what was
/// found, or else as one of which nothing is known.
#[inline(always)]
pub fn send_mapped(address: u64, length: u64, who: Traced) {
    let mut found = Found::default();
    if !find(address, &mut found) {
        (found.start, found.end) = (address, address.wrapping_add(length));
    }
    send_as(&found, MAPPING_BY_CALL, who);
}

#[inline(always)]
fn send_as(found: &Found, flags: u32, who: Traced) {
    let mm = Task::current().mm();
    let protection = (found.flags & VM_PROTECTION) as u8;
    emit::send(
        Mapping {
            header: emit::header(Kind::Mapping, protection, flags, mm.identity(), who),
            address: found.start,
            length: found.end.wrapping_sub(found.start),
            offset: found.page_offset.wrapping_mul(PAGE),
            inode: found.inode,
            device: found.device,
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
        (*found).inode = 0;
        (*found).device = 0;
        if !file.is_null() {
            let inode: *mut c_void = load(file, Offset::FileInode);
            let system: *mut c_void = load(inode, Offset::InodeFileSystem);
            (*found).inode = load(inode, Offset::InodeNumber);
            (*found).device = u64::from(load::<u32>(system, Offset::FileSystemDevice));
        }
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
