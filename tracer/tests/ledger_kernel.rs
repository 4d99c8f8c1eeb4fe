//! What the ledger takes for the kernel's rules, asked of the kernel that runs the test.
#![allow(
    clippy::unwrap_used,
    reason = "a test's helpers fail like the test itself"
)]

use std::ffi::c_void;
use std::fs;
use std::ops::Range;

use tracer::event::{
    Action, Address, Call, Event, Found, Mapping, Maps, Nanoseconds, Pid, SpaceId, StackId, Stamp,
};
use tracer::ledger::{AddressSpace, Ledger};

/// One mapping of this process, and its flags as `smaps` shows them (`ac`: charged).
struct Line {
    mapping: Mapping,
    flags: String,
}

fn smaps() -> Vec<Line> {
    let text = fs::read_to_string("/proc/self/smaps").unwrap();
    let mut lines: Vec<Line> = Vec::new();
    for line in text.lines() {
        if let Some(flags) = line.strip_prefix("VmFlags:") {
            lines.last_mut().unwrap().flags = format!("{flags} ");
            continue;
        }
        let mut words = line.split_whitespace();
        let Some((start, end)) = words.next().and_then(|range| range.split_once('-')) else {
            continue;
        };
        let protection = words.next().unwrap();
        let hex = |number| Address(u64::from_str_radix(number, 16).unwrap());
        let bit = |letter, bit| if protection.contains(letter) { bit } else { 0 };
        lines.push(Line {
            mapping: Mapping {
                start: hex(start),
                end: hex(end),
                protection: bit('r', 1) | bit('w', 2) | bit('x', 4),
                shared: protection.contains('s'),
                name: words.skip(3).collect::<Vec<_>>().join(" "),
                ..Mapping::default()
            },
            flags: String::new(),
        });
    }
    lines
}

fn vm_size() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmSize:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        * 1024
}

fn page_bytes() -> u64 {
    rustix::param::page_size() as u64
}

fn ledger() -> Ledger {
    let mut ledger = Ledger::new(page_bytes());
    let found = Found {
        pid: Pid(1),
        space: SpaceId(1),
        ..Found::default()
    };
    ledger.apply(&Event::Found(found), &mut Vec::new());
    ledger
}

fn seed(ledger: &mut Ledger, mappings: Vec<Mapping>) {
    let maps = Maps {
        space: SpaceId(1),
        mappings,
        ..Maps::default()
    };
    ledger.apply(&Event::Maps(maps), &mut Vec::new());
}

/// Real calls in a region of their own, and the same calls as events.
struct Both {
    ledger: Ledger,
    region: Range<u64>,
    time: u64,
}

const PAGES: u64 = 256;
const ANONYMOUS: i32 = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
const RW: i32 = libc::PROT_READ | libc::PROT_WRITE;

impl Both {
    fn new() -> Self {
        let bytes = PAGES * page_bytes();
        let flags = ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping where the kernel likes it touches no memory in use.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes as usize,
                libc::PROT_NONE,
                flags,
                -1,
                0,
            )
        };
        assert_ne!(start, libc::MAP_FAILED);
        let start = start as u64;
        let mut both = Self {
            ledger: ledger(),
            region: start..start + bytes,
            time: 0,
        };
        seed(&mut both.ledger, Vec::new());
        both.event(Action::Map {
            address: Address(start),
            length: bytes,
            protection: 0,
            flags: flags as u32,
            file_offset: None,
        });
        both
    }

    fn at(&self, page: u64) -> u64 {
        assert!(page < PAGES);
        self.region.start + page * page_bytes()
    }

    fn event(&mut self, action: Action) {
        self.time += 1;
        let call = Call {
            stamp: Stamp {
                time: Nanoseconds(self.time),
                space: SpaceId(1),
                pid: Pid(1),
                ..Stamp::default()
            },
            stack: StackId::NONE,
            action,
            totals: None,
            took_ns: 0,
        };
        self.ledger.apply(&Event::Call(call), &mut Vec::new());
    }

    fn map(&mut self, page: u64, length: u64, protection: i32, flags: i32) {
        let start = self.at(page);
        // SAFETY: the range lies in this test's own region.
        let result = unsafe {
            libc::mmap(
                start as *mut c_void,
                length as usize,
                protection,
                flags | libc::MAP_FIXED,
                -1,
                0,
            )
        };
        assert_eq!(result as u64, start);
        self.event(Action::Map {
            address: Address(start),
            length,
            protection: protection as u8,
            flags: (flags | libc::MAP_FIXED) as u32,
            file_offset: None,
        });
        self.check();
    }

    fn unmap(&mut self, page: u64, length: u64) {
        let start = self.at(page);
        // SAFETY: the range lies in this test's own region.
        let result = unsafe { libc::munmap(start as *mut c_void, length as usize) };
        assert_eq!(result, 0);
        self.event(Action::Unmap {
            address: Address(start),
            length,
        });
        self.check();
    }

    fn protect(&mut self, page: u64, length: u64, protection: i32) {
        let start = self.at(page);
        // SAFETY: the range lies in this test's own region.
        let result = unsafe { libc::mprotect(start as *mut c_void, length as usize, protection) };
        assert_eq!(result, 0);
        self.event(Action::Protect {
            address: Address(start),
            length,
            protection: protection as u8,
        });
        self.check();
    }

    /// `mremap`; to `new` with `MREMAP_FIXED`, else in place.
    fn remap(&mut self, page: u64, old: u64, new: Option<u64>, length: u64, flags: i32) {
        let start = self.at(page);
        let to = self.at(new.unwrap_or(page));
        let mut flags = flags;
        if new.is_some() {
            flags |= libc::MREMAP_FIXED | libc::MREMAP_MAYMOVE;
        }
        // SAFETY: both ranges lie in this test's own region.
        let result = unsafe {
            libc::mremap(
                start as *mut c_void,
                old as usize,
                length as usize,
                flags,
                to as *mut c_void,
            )
        };
        assert_eq!(result as u64, to, "{}", std::io::Error::last_os_error());
        self.event(Action::Remap {
            old_address: Address(start),
            old_length: old,
            new_address: Address(to),
            new_length: length,
            flags: flags as u32,
        });
        self.check();
    }

    fn write(&self, page: u64) {
        // SAFETY: the caller has made the page writable; nothing else is kept there.
        unsafe { (self.at(page) as *mut u8).write_volatile(1) };
    }

    /// Range by range what the kernel shows of the region; and what it charges.
    #[track_caller]
    fn check(&self) {
        let space = self.ledger.space(SpaceId(1)).unwrap();
        let region = self.region.start..self.region.end;
        let lines: Vec<Line> = smaps()
            .into_iter()
            // A neighbour of equal kind may have been made one with the region's ends.
            .filter_map(|mut line| {
                line.mapping.start.0 = line.mapping.start.0.max(region.start);
                line.mapping.end.0 = line.mapping.end.0.min(region.end);
                (line.mapping.start < line.mapping.end).then_some(line)
            })
            .collect();
        for line in &lines {
            if line.mapping.shared {
                continue;
            }
            let kernel = line.flags.contains(" ac ");
            for (start, end, piece) in space.ranges() {
                if start < line.mapping.end && line.mapping.start < end {
                    assert_eq!(piece.attributes.charged, kernel, "charge of {start}–{end}");
                }
            }
        }
        let mappings: Vec<_> = lines.into_iter().map(|line| line.mapping).collect();
        assert_eq!(space.compare(&mappings), []);
    }

    fn space(&self) -> &AddressSpace {
        self.ledger.space(SpaceId(1)).unwrap()
    }
}

/// One test, so that no other thread of the process maps anything meanwhile.
#[test]
fn the_kernel_does_what_the_ledger_believes() {
    the_sum_of_the_maps_without_vsyscall_is_the_vm_size();
    calls_change_what_the_ledger_says();
}

fn the_sum_of_the_maps_without_vsyscall_is_the_vm_size() {
    // Reading allocates: only a reading between two equal sizes can be held against them.
    let (size, lines) = (0..100)
        .find_map(|_| {
            let before = vm_size();
            let lines = smaps();
            (before == vm_size()).then_some((before, lines))
        })
        .expect("a quiet moment");
    assert!(lines.iter().any(|line| line.mapping.name == "[vdso]"));
    let mappings: Vec<_> = lines.into_iter().map(|line| line.mapping).collect();
    let mut ledger = ledger();
    seed(&mut ledger, mappings.clone());
    let space = ledger.space(SpaceId(1)).unwrap();
    assert_eq!(space.mapped_bytes(), size);
    assert_eq!(space.compare(&mappings), []);
}

fn calls_change_what_the_ledger_says() {
    let page = page_bytes();
    let mut both = Both::new();
    both.check();
    // Lengths that are no multiple of a page.
    both.map(10, 3 * page + 1, RW, ANONYMOUS);
    both.map(20, 4 * page, libc::PROT_READ, ANONYMOUS);
    both.map(
        22,
        4 * page,
        libc::PROT_NONE,
        ANONYMOUS | libc::MAP_NORESERVE,
    );
    both.map(30, 4 * page, RW, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
    both.protect(20, page + 1, RW);
    both.protect(22, page, RW);
    both.unmap(11, 1);
    // Over a hole.
    both.unmap(10, 3 * page);
    // What was written to stays charged when it is protected again.
    both.map(40, 4 * page, RW, ANONYMOUS);
    both.write(41);
    both.protect(40, 4 * page, libc::PROT_READ);
    both.unmap(44, 4 * page);
    // Growth in place, a move that grows, one that shrinks, one onto something.
    both.remap(40, 4 * page, None, 6 * page - 5, 0);
    both.remap(40, 6 * page, Some(60), 8 * page, 0);
    both.remap(60, 8 * page, Some(80), 3 * page, 0);
    both.remap(80, 3 * page, Some(21), 3 * page, 0);
    // Shrunk in place.
    both.remap(21, 3 * page, None, page, 0);
    // The old mapping stays, and both are charged.
    both.map(100, 4 * page, RW, ANONYMOUS);
    both.remap(100, 4 * page, Some(120), 4 * page, libc::MREMAP_DONTUNMAP);
    // A second mapping of shared pages.
    both.remap(31, 0, Some(140), 2 * page, 0);
    let region = both.region.clone();
    let mapped = both.space().mapped_bytes();
    assert!(0 < mapped && mapped < region.end - region.start);
    both.unmap(0, PAGES * page);
    assert_eq!(both.space().mapped_bytes(), 0);
}
