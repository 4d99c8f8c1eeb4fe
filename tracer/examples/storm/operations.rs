//! The operations: each a random call on random addresses, of which many fail. What a failed call
//! leaves behind is part of the storm.

use std::os::fd::RawFd;

use super::calls::Caller;
use super::random::Random;
use super::world::{HUGE_PAGE, PAGE, World, Zone};

const NONE: i32 = libc::PROT_NONE;
const READ: i32 = libc::PROT_READ;
const WRITE: i32 = libc::PROT_WRITE;
const EXECUTE: i32 = libc::PROT_EXEC;
/// `mprotect` shall reach down to the begin of a mapping that grows down (asm-generic/mman-common.h).
const PROT_GROWSDOWN: i32 = 0x0100_0000;
/// Since Linux 6.13 (asm-generic/mman-common.h).
const MADV_GUARD_INSTALL: i32 = 102;
const MADV_GUARD_REMOVE: i32 = 103;

/// A task of the storm.
pub struct Stormer {
    /// Everything shared.
    pub world: &'static World,
    /// What it does next.
    pub random: Random,
    /// How it does it.
    pub caller: Caller,
}

/// Addresses to do something with: a multiple of the page size, and a length that may be none.
#[derive(Clone, Copy)]
struct Range {
    start: u64,
    length: u64,
    /// Bytes from the start to the end of the zone: what may be done to at most.
    room: u64,
}

impl Stormer {
    /// One operation on memory.
    pub fn operate(&mut self) {
        let kinds = if self.world.plain { 49 } else { 100 };
        match self.random.below(kinds) {
            0..20 => self.map_fixed(),
            20..30 => self.map_anywhere(),
            30..44 => self.unmap(),
            44..49 => self.move_break(),
            49..63 => self.protect(),
            63..71 => self.advise(),
            71..85 => self.remap(),
            85..88 => self.attach(),
            88..90 => self.detach(),
            90..92 => self.remap_file_pages(),
            92..94 => self.huge(),
            94..96 => self.grow_down(),
            _ => self.touch(),
        }
    }

    /// A call that may do what it likes to addresses of the storm.
    fn call(&self, name: &'static str, number: i64, arguments: [u64; 6]) -> i64 {
        // SAFETY: callers pass only addresses of the world's zones and of its slots, where nothing
        // lies that anyone relies on, or let the kernel choose free ones.
        unsafe { self.caller.call(name, number, arguments) }
    }

    fn zone(&mut self) -> Zone {
        let world = self.world;
        match self.random.below(16) {
            0..10 => world.arena,
            10 => world.heap,
            11 => world.stacks,
            _ => world.slot(self.random.next()).unwrap_or(world.arena),
        }
    }

    /// Some pages of a zone, often with a length that is no multiple of a page.
    fn range(&mut self) -> Range {
        let zone = self.zone();
        self.range_in(zone)
    }

    fn range_in(&mut self, zone: Zone) -> Range {
        let first = self.random.below(zone.pages);
        let most = self.random.choose(&[1, 4, 16, 16, 64]);
        let pages = (1 + self.random.below(most)).min(zone.pages - first);
        let odd = self.random.choose(&[0, 0, 0, 1, 100, PAGE - 1]);
        Range {
            start: zone.start + first * PAGE,
            length: pages * PAGE - odd,
            room: (zone.pages - first) * PAGE,
        }
    }

    fn protection(&mut self) -> i32 {
        let usual = [NONE, NONE, READ, READ | WRITE, READ | WRITE, READ | WRITE];
        let rare = [
            READ | EXECUTE,
            WRITE,
            EXECUTE,
            READ | WRITE | EXECUTE,
            READ | WRITE,
        ];
        if self.random.one_in(6) {
            self.random.choose(&rare)
        } else {
            self.random.choose(&usual)
        }
    }

    /// What is mapped: flags, file, offset.
    fn backing(&mut self) -> (i32, RawFd, u64) {
        let files = self.world.files;
        let extra = match self.random.below(10) {
            0 => libc::MAP_POPULATE,
            1 | 2 => libc::MAP_NORESERVE,
            3 => libc::MAP_LOCKED,
            4 => libc::MAP_STACK,
            _ => 0,
        };
        let kind = self.random.choose(&[libc::MAP_PRIVATE, libc::MAP_SHARED]);
        let offset = self.random.below(64) * PAGE;
        match self.random.below(16) {
            0..9 => (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | extra, -1, 0),
            9 | 10 => (libc::MAP_SHARED | libc::MAP_ANONYMOUS | extra, -1, 0),
            11 | 12 => (kind | extra, files.plain, offset),
            13 => (kind, files.read_only, offset),
            // A refusal by the file leaves unclear what was unmapped.
            14 if !self.world.plain => (kind, files.sealed, offset),
            _ => (kind | extra, files.zero, 0),
        }
    }

    fn map(&mut self, address: u64, length: u64, flags: i32) -> i64 {
        let mut protection = self.protection();
        let (kind, file, offset) = self.backing();
        if file >= 0 {
            // New code makes a tracer look at every stack anew: this is no test of that. `mprotect`
            // makes files executable all the same.
            protection &= !EXECUTE;
        }
        self.call(
            "mmap",
            libc::SYS_mmap,
            [
                address,
                length,
                protection as u64,
                (kind | flags) as u64,
                file as u64,
                offset,
            ],
        )
    }

    fn map_fixed(&mut self) {
        let range = self.range();
        let flags = if self.random.one_in(4) {
            libc::MAP_FIXED_NOREPLACE
        } else {
            libc::MAP_FIXED
        };
        self.map(range.start, range.length, flags);
    }

    fn map_anywhere(&mut self) {
        let range = self.range();
        // An address without MAP_FIXED is a wish.
        let wish = if self.random.one_in(4) {
            range.start
        } else {
            0
        };
        let result = self.map(wish, range.length, 0);
        self.keep(result, range.length);
    }

    /// Notes a place that the kernel may have chosen, and unmaps one that it chose before.
    fn keep(&mut self, address: i64, length: u64) {
        let world = self.world;
        let known = [world.arena, world.stacks, world.huge, world.heap];
        let start = address as u64;
        if address < 0 || length == 0 || known.iter().any(|zone| zone.contains(start)) {
            return;
        }
        let pages = length.div_ceil(PAGE);
        if let Some(old) = world.keep(self.random.next(), Zone { start, pages }) {
            let length = old.pages * PAGE;
            self.call("munmap", libc::SYS_munmap, [old.start, length, 0, 0, 0, 0]);
        }
    }

    fn unmap(&mut self) {
        let Range { start, length, .. } = self.range();
        self.call("munmap", libc::SYS_munmap, [start, length, 0, 0, 0, 0]);
    }

    fn protect(&mut self) {
        let Range { start, length, .. } = self.range();
        let mut protection = self.protection();
        if self.random.one_in(32) {
            protection |= PROT_GROWSDOWN;
        }
        let arguments = [start, length, protection as u64, u64::MAX, 0, 0];
        if self.random.one_in(8) {
            self.call("pkey_mprotect", libc::SYS_pkey_mprotect, arguments);
        } else {
            self.call("mprotect", libc::SYS_mprotect, arguments);
        }
    }

    fn advise(&mut self) {
        let Range { start, length, .. } = self.range();
        let advice = self.random.choose(&[
            libc::MADV_DONTNEED,
            libc::MADV_DONTNEED,
            libc::MADV_FREE,
            libc::MADV_REMOVE,
            libc::MADV_DONTFORK,
            libc::MADV_DONTFORK,
            libc::MADV_DOFORK,
            libc::MADV_WIPEONFORK,
            libc::MADV_POPULATE_READ,
            libc::MADV_POPULATE_WRITE,
            libc::MADV_HUGEPAGE,
            MADV_GUARD_INSTALL,
            MADV_GUARD_REMOVE,
        ]);
        self.call(
            "madvise",
            libc::SYS_madvise,
            [start, length, advice as u64, 0, 0, 0],
        );
    }

    fn remap(&mut self) {
        let old = self.range();
        let new = self.range();
        let flags = self.random.choose(&[
            0,
            0,
            libc::MREMAP_MAYMOVE,
            libc::MREMAP_MAYMOVE,
            libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED,
            libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED,
            libc::MREMAP_MAYMOVE | libc::MREMAP_DONTUNMAP,
            libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED | libc::MREMAP_DONTUNMAP,
        ]);
        let old_length = if self.random.one_in(8) { 0 } else { old.length };
        // Forms that want the same length get it more often than by chance.
        let same = flags & libc::MREMAP_DONTUNMAP != 0 || self.random.one_in(3);
        let new_length = if same { old.length } else { new.length };
        if flags & libc::MREMAP_FIXED != 0 && new_length > new.room {
            return;
        }
        let address = if flags & (libc::MREMAP_FIXED | libc::MREMAP_DONTUNMAP) != 0 {
            new.start
        } else {
            0
        };
        self.remap_to(old.start, old_length, new_length, flags, address);
    }

    fn remap_to(&mut self, old: u64, old_length: u64, new_length: u64, flags: i32, address: u64) {
        let result = self.call(
            "mremap",
            libc::SYS_mremap,
            [old, old_length, new_length, flags as u64, address, 0],
        );
        self.keep(result, new_length);
    }

    /// Up or down, or to where nothing can be.
    fn move_break(&mut self) {
        let heap = self.world.heap;
        let address = heap.start + self.random.below(heap.pages * PAGE);
        self.call("brk", libc::SYS_brk, [address, 0, 0, 0, 0, 0]);
    }

    fn attach(&mut self) {
        let world = self.world;
        let segment = world.segments[self.random.below(world.segments.len() as u64) as usize];
        let Range { start, room, .. } = self.range();
        let (address, replace) = match self.random.below(4) {
            0 => (0, 0),
            1 => (start, 0),
            _ => (start, libc::SHM_REMAP),
        };
        if replace != 0 && segment.pages * PAGE > room {
            return;
        }
        let access = self
            .random
            .choose(&[0, 0, libc::SHM_RDONLY, libc::SHM_EXEC]);
        let flags = (replace | access) as u64;
        let result = self.call(
            "shmat",
            libc::SYS_shmat,
            [segment.id as u64, address, flags, 0, 0, 0],
        );
        self.keep(result, segment.pages * PAGE);
    }

    fn detach(&mut self) {
        let Range { start, .. } = self.range();
        self.call("shmdt", libc::SYS_shmdt, [start, 0, 0, 0, 0, 0]);
    }

    fn remap_file_pages(&mut self) {
        let Range { start, length, .. } = self.range();
        let page = self.random.below(64);
        self.call(
            "remap_file_pages",
            libc::SYS_remap_file_pages,
            [start, length, 0, page, 0, 0],
        );
    }

    /// Huge pages, none of which need to exist as long as nobody touches them.
    fn huge(&mut self) {
        let zone = self.world.huge;
        let pages = zone.pages * PAGE / HUGE_PAGE;
        let first = self.random.below(pages);
        let start = zone.start + first * HUGE_PAGE;
        let length = (1 + self.random.below(pages - first)) * HUGE_PAGE;
        let length = length - self.random.choose(&[0, 0, PAGE, 1]);
        let protection = self.protection() as u64;
        match self.random.below(8) {
            0..3 => {
                let kind = self.random.choose(&[libc::MAP_PRIVATE, libc::MAP_SHARED]);
                let flags = kind
                    | libc::MAP_ANONYMOUS
                    | libc::MAP_FIXED
                    | libc::MAP_HUGETLB
                    | libc::MAP_NORESERVE;
                let arguments = [start, length, protection, flags as u64, u64::MAX, 0];
                self.call("mmap", libc::SYS_mmap, arguments);
            }
            3 | 4 => {
                let arguments = [start, length, protection, 0, 0, 0];
                self.call("mprotect", libc::SYS_mprotect, arguments);
            }
            5 => {
                let new = zone.start + self.random.below(pages) * HUGE_PAGE;
                let new_length = HUGE_PAGE.min(zone.start + zone.pages * PAGE - new);
                let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
                self.remap_to(start, length, new_length, flags, new);
            }
            6 => {
                let Range { start, length, .. } = self.range_in(zone);
                self.map(start, length, libc::MAP_FIXED);
            }
            _ => {
                self.call("munmap", libc::SYS_munmap, [start, length, 0, 0, 0, 0]);
            }
        }
    }

    /// A mapping that grows down, and a page below it.
    fn grow_down(&mut self) {
        let zone = self.world.stacks;
        let Range { start, length, .. } = self.range_in(zone);
        if self.random.one_in(2) {
            let protection = self
                .random
                .choose(&[READ | WRITE, READ | WRITE, READ, NONE]);
            let flags =
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED | libc::MAP_GROWSDOWN;
            let arguments = [start, length, protection as u64, flags as u64, u64::MAX, 0];
            self.call("mmap", libc::SYS_mmap, arguments);
        } else if self.random.one_in(4) {
            self.call("munmap", libc::SYS_munmap, [start, length, 0, 0, 0, 0]);
        } else {
            self.touch_at(start);
        }
    }

    fn touch(&mut self) {
        let Range { start, .. } = self.range();
        self.touch_at(start);
    }

    /// By the kernel, which fails where this task would get a signal.
    fn touch_at(&mut self, address: u64) {
        let files = self.world.files;
        if self.random.one_in(2) {
            let arguments = [files.zero as u64, address, 1, 0, 0, 0];
            self.call("read", libc::SYS_read, arguments);
        } else {
            let arguments = [files.plain as u64, address, 1, 0, 0, 0];
            self.call("pwrite64", libc::SYS_pwrite64, arguments);
        }
    }
}
