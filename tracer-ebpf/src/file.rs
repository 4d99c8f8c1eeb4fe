//! Which file a call maps, and what it is called.
//!
//! The file is taken from the table of descriptors when `mmap` begins: another thread that closes the descriptor and
//! opens another under its number meanwhile would make it another file at the end. Its names are read off the
//! directory entries, up to the root of the mounts (`prepend_path()`, fs/d_path.c), once for each file.

use aya_ebpf::{
    bindings::BPF_NOEXIST,
    cty::{c_long, c_void},
    helpers::generated::{bpf_ktime_get_ns, bpf_loop, bpf_probe_read_kernel_str},
    macros::map,
    maps::{LruHashMap, PerCpuArray},
};
use tracer_common::{
    counters::Counter,
    file::{FileHead, MAX_NAMES, file_flags},
    kind::Kind,
    settings::Offset,
};

use crate::{
    emit::{self, EVENTS},
    filter::Traced,
    settings::offset,
    task::{Task, read},
    thread,
};

/// The most names on a path, and mounts that it leads over.
const MOST_STEPS: u32 = 96;
/// Bytes of a name with its final NUL (`NAME_MAX`).
const NAME: usize = 256;

/// Files that were told: device and the inode's generation, and inode. A number that is used again is another file's.
#[map]
static FILES: LruHashMap<[u64; 2], u8> = LruHashMap::with_max_entries(8192, 0);

/// Where a path is put together.
#[map]
static PATHS: PerCpuArray<Path> = PerCpuArray::with_max_entries(1, 0);

/// What is sent, and after it what only the walk needs.
#[repr(C)]
struct Path {
    head: FileHead,
    names: [u8; MAX_NAMES + NAME],
    /// `struct dentry`
    entry: u64,
    /// `struct vfsmount`
    mount: u64,
    /// Bytes of names so far.
    length: u64,
    flags: u64,
}

const HEAD: usize = size_of::<FileHead>();

/// A file as the kernel goes by it.
#[derive(Clone, Copy, Default)]
pub struct Identity {
    pub device: u64,
    pub inode: u64,
}

/// Keeps the file of a descriptor until the current thread's `mmap` returns.
#[inline(always)]
pub fn keep(descriptor: u64, who: Traced) -> Option<()> {
    let thread = match who.thread {
        Some(thread) => thread,
        None => thread::claim(who.ids(), who.how())?,
    };
    // SAFETY: this thread's own slot.
    unsafe { (*thread).file = Task::current().file(descriptor as u32).unwrap_or(0) };
    Some(())
}

/// The file that was kept, used up.
#[inline(always)]
pub fn take(who: Traced) -> u64 {
    let Some(thread) = who.thread else { return 0 };
    // SAFETY: this thread's own slot.
    unsafe {
        let file = (*thread).file;
        (*thread).file = 0;
        file
    }
}

/// Which file it is, told to the collector if it is new; `None`: it cannot be read.
#[inline(always)]
pub fn tell(file: u64, space: u64, who: Traced) -> Option<Identity> {
    if file == 0 {
        return None;
    }
    let file = file as *const u8;
    let inode: *const u8 = read(file, Offset::FileInode)?;
    let system: *const u8 = read(inode, Offset::InodeFileSystem)?;
    let identity = Identity {
        device: read::<u32>(system, Offset::FileSystemDevice)?.into(),
        inode: read(inode, Offset::InodeNumber)?,
    };
    let generation: u32 = read(inode, Offset::InodeGeneration)?;
    let key = [
        identity.device | u64::from(generation) << 32,
        identity.inode,
    ];
    // SAFETY: the value is a plain number.
    if unsafe { FILES.get(key) }.is_none() && FILES.insert(key, 1, BPF_NOEXIST.into()).is_ok() {
        let mode: u16 = read(inode, Offset::InodeMode)?;
        let magic: u64 = read(system, Offset::FileSystemMagic)?;
        if send(file, identity, mode, magic, space, who).is_none() {
            // To be told again, by the next that maps it.
            let _ = FILES.remove(key);
        }
    }
    Some(identity)
}

/// Tells a file; `None`: it could not be read, or the ring was full.
#[inline(always)]
fn send(
    file: *const u8,
    identity: Identity,
    mode: u16,
    magic: u64,
    space: u64,
    who: Traced,
) -> Option<()> {
    let path = PATHS.get_ptr_mut(0)?;
    // SAFETY: this CPU's own, and programs on it do not nest while preemption is off.
    let path = unsafe { &mut *path };
    path.entry = read(file, Offset::FileEntry)?;
    path.mount = read(file, Offset::FileMount)?;
    path.length = 0;
    path.flags = 0;
    let hashed: u64 = read(path.entry as *const u8, Offset::EntryHashed)?;
    if hashed == 0 {
        path.flags |= u64::from(file_flags::DELETED);
    }
    let mut context: *mut Path = path;
    // SAFETY: the callback has the signature that the helper wants.
    let steps = unsafe {
        bpf_loop(
            MOST_STEPS,
            step as *mut c_void,
            (&raw mut context).cast(),
            0,
        )
    };
    if steps == c_long::from(MOST_STEPS as i32) {
        path.flags |= u64::from(file_flags::CUT);
    }
    path.head.header = emit::header(Kind::File, 0, mode.into(), space, who);
    // SAFETY: no arguments.
    path.head.header.time_ns = unsafe { bpf_ktime_get_ns() };
    path.head.device = identity.device;
    path.head.inode = identity.inode;
    path.head.magic = magic;
    path.head.flags = path.flags as u32;
    let length = (path.length as usize).min(MAX_NAMES);
    path.head.length = length as u32;
    // SAFETY: head and names lie one after the other (`repr(C)`, no padding), and `length` is at most theirs.
    let sent = unsafe {
        let bytes =
            core::slice::from_raw_parts(core::ptr::from_ref(path).cast::<u8>(), HEAD + length);
        EVENTS.output::<[u8]>(bytes, 0)
    };
    sent.ok()?;
    emit::count(Counter::Sent);
    Some(())
}

/// One name, or one mount; returns 1 to end the walk.
///
/// # Safety
/// Called by the kernel only, with what [`send`] hands over.
unsafe extern "C" fn step(_index: u32, context: *mut c_void) -> c_long {
    // SAFETY: this CPU's own; the caller does not touch it during the loop.
    let path = unsafe { &mut **context.cast::<*mut Path>() };
    c_long::from(go_on(path).is_none())
}

/// `None`: the walk ends.
#[inline(always)]
fn go_on(path: &mut Path) -> Option<()> {
    let (entry, mount) = (path.entry, path.mount);
    let root: u64 = read(mount as *const u8, Offset::MountRoot)?;
    if entry == root {
        let own = offset(Offset::MountOwn) as u64;
        let here = mount.wrapping_sub(own) as *const u8;
        let parent: u64 = read(here, Offset::MountParent)?;
        if parent == here as u64 {
            return None;
        }
        path.entry = read(here, Offset::MountPoint)?;
        path.mount = parent.wrapping_add(own);
        return Some(());
    }
    let parent: u64 = read(entry as *const u8, Offset::EntryParent)?;
    let name: *const c_void = read(entry as *const u8, Offset::EntryName)?;
    let at = path.length as usize;
    if at > MAX_NAMES - NAME {
        path.flags |= u64::from(file_flags::CUT);
        return None;
    }
    // SAFETY: at least `NAME` bytes are left from `at`; the helper checks the address.
    let length = unsafe {
        let to = (&raw mut path.names).cast::<u8>().add(at);
        bpf_probe_read_kernel_str(to.cast(), NAME as u32, name)
    };
    if length <= 0 {
        return None;
    }
    path.length = (at as u64).wrapping_add(length as u64);
    if parent == entry {
        path.flags |= u64::from(file_flags::PSEUDO);
        return None;
    }
    path.entry = parent;
    Some(())
}
