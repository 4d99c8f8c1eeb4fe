//! Where the storm rages: all that its threads share, set up before it begins.
//!
//! Whatever is released may be given to anyone by the kernel, and another thread may still know it
//! and map something over it. So from the beginning of the storm on nobody else may ask the kernel
//! for addresses: threads have stacks from here, `malloc` has all it will need, and processes are
//! made by hand.

use std::ffi::{CString, c_void};
use std::io;
use std::os::fd::{IntoRawFd as _, RawFd};
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::calls::Log;

/// Bytes in a page.
pub const PAGE: u64 = 4096;
/// Bytes in a huge page.
pub const HUGE_PAGE: u64 = 2 << 20;
/// Bytes of a thread's stack.
const STACK: usize = 256 << 10;
/// Bytes that a snapshot may have.
pub const SNAPSHOT: usize = 4 << 20;
/// Far from where the kernel maps programs, stacks and what is mapped without an address.
const BASE: u64 = 0x1000_0000_0000;
/// What `malloc` has before the storm, bytes.
const MALLOC: i32 = 32 << 20;

/// Addresses to be mapped and unmapped by anyone.
#[derive(Clone, Copy, Debug)]
pub struct Zone {
    /// The first address.
    pub start: u64,
    /// How many pages.
    pub pages: u64,
}

impl Zone {
    /// Whether an address lies in it.
    pub fn contains(&self, address: u64) -> bool {
        (self.start..self.start + self.pages * PAGE).contains(&address)
    }
}

/// Files to be mapped.
#[derive(Clone, Copy, Debug)]
pub struct Files {
    /// For reading and writing.
    pub plain: RawFd,
    /// The same for reading only: a shared mapping of it can never be made writable.
    pub read_only: RawFd,
    /// Sealed: a shared writable mapping of it is refused.
    pub sealed: RawFd,
    /// `/dev/zero`, whose mappings are anonymous.
    pub zero: RawFd,
}

/// A System V segment.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// Its id.
    pub id: i32,
    /// Its size, pages.
    pub pages: u64,
}

/// A program to be executed.
pub struct Program {
    arguments: Vec<CString>,
    pointers: Vec<*const libc::c_char>,
}

impl Program {
    /// The program's path and its arguments.
    pub fn new(words: &[&str]) -> io::Result<Self> {
        let arguments: Vec<CString> = words
            .iter()
            .map(|word| CString::new(*word))
            .collect::<Result<_, _>>()?;
        let mut pointers: Vec<_> = arguments.iter().map(|word| word.as_ptr()).collect();
        pointers.push(std::ptr::null());
        Ok(Self {
            arguments,
            pointers,
        })
    }

    /// Its path.
    pub fn path(&self) -> *const libc::c_char {
        self.arguments[0].as_ptr()
    }

    /// Its arguments, its path first, and a null.
    pub fn arguments(&self) -> *const *const libc::c_char {
        self.pointers.as_ptr()
    }
}

/// What a thread has of its own.
pub struct Seat {
    /// Its stack, [`Self::stack_bytes`] long.
    pub stack: *mut c_void,
    /// A stack for a task that it starts and waits for.
    pub second_stack: *mut c_void,
    /// Its calls.
    pub log: Log,
    /// It shall end, and be made anew.
    pub leaves: AtomicBool,
}

impl Seat {
    fn new() -> io::Result<Self> {
        Ok(Self {
            stack: stack()?,
            second_stack: stack()?,
            log: Log::new(),
            leaves: AtomicBool::new(false),
        })
    }

    /// Bytes of each stack.
    pub fn stack_bytes() -> usize {
        STACK
    }
}

/// Everything shared.
pub struct World {
    /// Where most happens.
    pub arena: Zone,
    /// Where mappings that grow down have room.
    pub stacks: Zone,
    /// Where huge pages are mapped.
    pub huge: Zone,
    /// Beyond what `malloc` has of the heap.
    pub heap: Zone,
    /// Files.
    pub files: Files,
    /// System V segments, each attached once where nobody knows.
    pub segments: Vec<Segment>,
    /// What the kernel chose the addresses of: the page's number and, in the low 12 bits, pages.
    slots: [AtomicU64; 64],
    /// What each thread has.
    pub seats: Vec<Seat>,
    /// Where all threads meet, with the main thread.
    pub pause: Barrier,
    /// The storm is over.
    pub over: AtomicBool,
    /// Where snapshots go.
    pub snapshots: RawFd,
    /// For a snapshot while it is made: the main thread's at a pause, a child's own copy in a child.
    pub buffer: *mut u8,
    /// Programs to be executed.
    pub programs: Vec<Program>,
    /// Operations of a thread between two pauses.
    pub operations: u64,
    /// Only `mmap`, `munmap` and `brk`.
    pub plain: bool,
    /// Whether children are made.
    pub children: bool,
}

// SAFETY: the pointers are to memory that stays, used by one task at a time (see each).
unsafe impl Sync for World {}
// SAFETY: as above.
unsafe impl Send for World {}

impl World {
    /// Sets everything up for so many threads.
    pub fn new(threads: usize, snapshots: &Path) -> io::Result<Self> {
        let heap = Zone {
            start: settle_malloc()?,
            pages: 64,
        };
        let snapshots = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(snapshots)?;
        let buffer = anonymous(SNAPSHOT)?;
        // Not aligned to huge pages, so that none fits.
        let arena = Zone {
            start: BASE + (64 << 20) + 16 * PAGE,
            pages: 512,
        };
        let world = Self {
            arena,
            stacks: Zone {
                start: BASE + (128 << 20),
                pages: 1024,
            },
            huge: Zone {
                start: BASE,
                pages: 4 * HUGE_PAGE / PAGE,
            },
            heap,
            files: files()?,
            segments: segments()?,
            slots: [const { AtomicU64::new(0) }; 64],
            seats: (0..threads)
                .map(|_| Seat::new())
                .collect::<Result<_, _>>()?,
            pause: Barrier::new(threads + 1),
            over: AtomicBool::new(false),
            snapshots: snapshots.into_raw_fd(),
            buffer: buffer.cast(),
            programs: Vec::new(),
            operations: 0,
            plain: false,
            children: true,
        };
        Ok(world)
    }

    /// What the kernel chose lately, by the slot's number: the first address and pages.
    pub fn slot(&self, which: u64) -> Option<Zone> {
        unpacked(self.slots[which as usize % self.slots.len()].load(Ordering::Relaxed))
    }

    /// Notes what the kernel chose; what the slot held until now comes back, to be unmapped.
    pub fn keep(&self, which: u64, zone: Zone) -> Option<Zone> {
        let packed = zone.start | zone.pages.min(PAGE - 1);
        let slot = &self.slots[which as usize % self.slots.len()];
        unpacked(slot.swap(packed, Ordering::Relaxed))
    }
}

fn unpacked(packed: u64) -> Option<Zone> {
    (packed != 0).then_some(Zone {
        start: packed & !(PAGE - 1),
        pages: packed & (PAGE - 1),
    })
}

/// Gives `malloc` all the heap it will need, and returns where the storm's part of it begins.
fn settle_malloc() -> io::Result<u64> {
    const M_ARENA_MAX: i32 = -8;
    for (parameter, value) in [
        (M_ARENA_MAX, 1),
        (libc::M_MMAP_THRESHOLD, MALLOC),
        (libc::M_TRIM_THRESHOLD, i32::MAX),
        (libc::M_TOP_PAD, MALLOC),
    ] {
        // SAFETY: it changes how `malloc` asks the kernel, nothing else.
        if unsafe { libc::mallopt(parameter, value) } != 1 {
            return Err(io::Error::other("malloc takes no advice"));
        }
    }
    drop(std::hint::black_box(Vec::<u8>::with_capacity(1 << 20)));
    // SAFETY: asks for the break, without moving it.
    let end = unsafe { libc::syscall(libc::SYS_brk, 0) } as u64;
    Ok(end.next_multiple_of(PAGE))
}

/// Memory for a stack, [`STACK`] long. Above it is nothing that a tracer would take for more of it.
fn stack() -> io::Result<*mut c_void> {
    let stack = anonymous(STACK + PAGE as usize)?;
    let end = stack.wrapping_byte_add(STACK);
    // SAFETY: the last page of a mapping that nobody uses yet.
    if unsafe { libc::mprotect(end, PAGE as usize, libc::PROT_NONE) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(stack)
}

fn anonymous(bytes: usize) -> io::Result<*mut c_void> {
    // SAFETY: a new mapping where the kernel likes it touches no memory in use.
    let address = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            bytes,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE,
            -1,
            0,
        )
    };
    if address == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    Ok(address)
}

fn files() -> io::Result<Files> {
    let open = |path: &str, flags| {
        let path = CString::new(path)?;
        // SAFETY: opens a file by a path that ends in a null.
        checked(unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC) })
    };
    let plain = memory_file(c"plain", 64)?;
    let sealed = memory_file(c"sealed", 64)?;
    // SAFETY: a descriptor of our own.
    checked(unsafe { libc::fcntl(sealed, libc::F_ADD_SEALS, libc::F_SEAL_FUTURE_WRITE) })?;
    Ok(Files {
        plain,
        read_only: open(&format!("/proc/self/fd/{plain}"), libc::O_RDONLY)?,
        sealed,
        zero: open("/dev/zero", libc::O_RDWR)?,
    })
}

fn memory_file(name: &std::ffi::CStr, pages: i64) -> io::Result<RawFd> {
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    // SAFETY: the name ends in a null.
    let file = checked(unsafe { libc::memfd_create(name.as_ptr(), flags) })?;
    // SAFETY: a descriptor of our own.
    checked(unsafe { libc::ftruncate(file, pages * PAGE as i64) })?;
    Ok(file)
}

/// Segments that go with this process, however it ends: an attached segment can be marked as removed
/// and still be attached again (shmctl(2)).
fn segments() -> io::Result<Vec<Segment>> {
    [1u64, 3, 8]
        .into_iter()
        .map(|pages| {
            let bytes = (pages * PAGE) as usize;
            // SAFETY: a new segment, attached where nothing is, then marked.
            unsafe {
                let id = checked(libc::shmget(
                    libc::IPC_PRIVATE,
                    bytes,
                    libc::IPC_CREAT | 0o600,
                ))?;
                if libc::shmat(id, std::ptr::null(), 0) as isize == -1 {
                    return Err(io::Error::last_os_error());
                }
                checked(libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()))?;
                Ok(Segment { id, pages })
            }
        })
        .collect()
}

fn checked(result: i32) -> io::Result<i32> {
    if result == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(result)
}
