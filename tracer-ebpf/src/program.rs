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
    kind::Kind,
    memory::Call,
    process::{MAPPING_BY_CALL, MAPPING_SHARED, MAPPING_STACK, MAPPING_VDSO, Mapping},
    settings::Offset,
};

use crate::{
    emit,
    file::{self, Identity},
    filter::Traced,
    settings::offset,
    task::{Mm, Task},
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
/// All steps, with one to begin each place and each direction.
const STEPS: u32 = STEPS_IN_BINARY + STEPS_IN_LINKER + 10 * (NEIGHBOURS + 1);

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
pub fn send_mappings(mm: Mm, who: Traced) {
    let (headers, linker) = lowest_addresses(mm);
    let mut walk = Walk {
        at: At {
            headers,
            linker,
            ..At::default()
        },
        found: Found::default(),
        who,
    };
    // SAFETY: the callback has the signature that the helper wants; its context is on this stack.
    unsafe { bpf_loop(STEPS, step as *mut c_void, (&raw mut walk).cast(), 0) };
    // Of what the kernel has mapped by itself only these two are files.
    tell_file(mm.get(Offset::MmEndData).wrapping_sub(1), mm, &who);
    tell_file(linker, mm, &who);
}

/// Tells the file that lies at an address. A function of its own, so that what it has on the stack is not there while the
/// mappings are walked: Linux 6.1 adds all up.
#[inline(never)]
fn tell_file(address: u64, mm: Mm, who: &Traced) {
    let mut file = 0u64;
    // SAFETY: the current task, a callback of the signature that the helper wants, and its context on this stack.
    unsafe {
        bpf_find_vma(
            bpf_get_current_task_btf(),
            address,
            file_of as *mut c_void,
            (&raw mut file).cast(),
            0,
        )
    };
    let _ = file::tell(file, mm.identity(), *who);
}

/// Stores a mapping's file in the context, as a plain number.
///
/// # Safety
/// Called by the kernel only.
unsafe extern "C" fn file_of(_task: *mut c_void, vma: *mut c_void, to: *mut c_void) -> c_long {
    // SAFETY: `vma` is a `vm_area_struct`, `to` the number that the caller passed; the helper checks the address.
    unsafe {
        let from = vma.cast::<u8>().add(offset(Offset::VmaFile));
        bpf_probe_read_kernel(to, size_of::<u64>() as u32, from.cast())
    };
    0
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

/// A walk over mappings and the holes between them, from one place after the other. It lies on the stack of
/// the program, where it shares 512 bytes with all that the steps have there.
struct Walk {
    at: At,
    /// The last mapping.
    found: Found,
    who: Traced,
}

/// Where a walk is.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct At {
    /// Where to look next.
    address: u64,
    /// The place from which it goes up, and then down if nothing is said of where that ends.
    place: u64,
    /// Beyond this the first hole ends the way up; 0: anywhere.
    last: u64,
    /// An address in the binary's lowest segment; 0: not known.
    headers: u64,
    /// An address in the dynamic linker's; 0: there is none.
    linker: u64,
    /// Pages in a row that were not mapped.
    hole: u32,
    longest_hole: u32,
    /// Steps left in this direction.
    left: u32,
    /// Whether it goes down.
    down: u32,
    /// Places that have been begun.
    begun: u32,
    unused: u32,
}

/// One step of a [`Walk`]; returns 1 to end it.
///
/// # Safety
/// Called by the kernel only.
unsafe extern "C" fn step(_index: u32, walk: *mut c_void) -> c_long {
    // SAFETY: the `Walk` that the caller passed.
    let walk = unsafe { &mut *walk.cast::<Walk>() };
    let mut at = At::default();
    // Through a helper, so that the verifier knows nothing of the values: each step is the same to it, and it
    // follows one, not one for each place and each number of steps left.
    // SAFETY: both lie on the program's stack.
    unsafe {
        bpf_probe_read_kernel(
            (&raw mut at).cast(),
            size_of::<At>() as u32,
            (&raw const walk.at).cast(),
        )
    };
    if at.left > 0 {
        at.left -= 1;
        if find(at.address, &mut walk.found) {
            send(&walk.found, walk.who);
            at.hole = 0;
            at.address = if at.down == 0 {
                walk.found.end
            } else {
                walk.found.start.wrapping_sub(1)
            };
            walk.at = at;
            return 0;
        }
        if at.down == 0 && at.address <= at.last && at.hole < at.longest_hole {
            at.address = (at.address & !(PAGE - 1)).wrapping_add(PAGE);
            at.hole += 1;
            walk.at = at;
            return 0;
        }
    }
    // Not from where it has begun at the lowest address, nor before the first place.
    let was_around = at.begun > 0 && at.down == 0 && at.last == 0;
    let is_on = if was_around {
        at.down = 1;
        at.address = at.place;
        at.left = NEIGHBOURS;
        true
    } else {
        at.next_place()
    };
    walk.at = at;
    c_long::from(!is_on)
}

impl At {
    /// Begins at the next place; whether there is one.
    #[inline(always)]
    fn next_place(&mut self) -> bool {
        let task = Task::current();
        let mm = task.mm();
        let end = mm.get(Offset::MmEndData);
        let is_known = self.headers != 0;
        (self.down, self.hole, self.longest_hole) = (0, 0, 0);
        (self.last, self.left) = (0, NEIGHBOURS);
        self.place = match self.begun {
            0 => mm.get(Offset::MmStartStack),
            1 => mm.get(Offset::MmVdso),
            // The highest segment may be further away than the walk reaches.
            2 => end.wrapping_sub(1),
            3 if is_known => {
                self.last = end;
                self.longest_hole = STEPS_IN_BINARY;
                self.left = STEPS_IN_BINARY;
                self.headers
            }
            3 => mm.get(Offset::MmStartCode),
            4 if is_known => {
                self.last = u64::MAX;
                self.longest_hole = HOLE_IN_LINKER;
                // Without one there is nothing to look for.
                self.left = if self.linker == 0 { 0 } else { STEPS_IN_LINKER };
                self.linker
            }
            4 => task.registers().get(Offset::InstructionPointer),
            _ => return false,
        };
        self.begun += 1;
        self.address = self.place;
        true
    }
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

/// Sends the mapping of a file's code that a call of the current task has made, of a file that is known.
#[inline(always)]
pub fn send_known(call: &Call, offset: u64, file: Identity, who: Traced) {
    emit::send(
        Mapping {
            header: emit::header(
                Kind::Mapping,
                call.header.protection,
                MAPPING_BY_CALL,
                call.header.space,
                who,
            ),
            address: call.address,
            length: call.length,
            offset,
            inode: file.inode,
            device: file.device,
        },
        Counter::LostProcesses,
    );
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
