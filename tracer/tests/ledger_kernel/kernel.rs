//! What the kernel says of a process, and where in it the tests map.

use std::fs;
use std::os::fd::{AsRawFd as _, OwnedFd};

use tracer_ledger::event::{Pid, Totals};

/// Where the tests map: far from all that the child has of its parent.
const REGION: u64 = 0x10_0000_0000;

pub const ANONYMOUS: i32 = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
pub const SHARED: i32 = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
pub const NONE: i32 = libc::PROT_NONE;
pub const R: i32 = libc::PROT_READ;
pub const RW: i32 = libc::PROT_READ | libc::PROT_WRITE;

pub fn page_bytes() -> u64 {
    rustix::param::page_size() as u64
}

/// Major and minor number of the running kernel.
pub fn kernel() -> (u32, u32) {
    let release = rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned();
    let mut numbers = release
        .split(|letter: char| !letter.is_ascii_digit())
        .map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

/// The page of the region that holds `address`.
pub fn page_of(address: u64) -> u64 {
    (address - REGION) / page_bytes()
}

pub fn in_region(address: u64) -> bool {
    (REGION..REGION << 1).contains(&address)
}

pub fn at(page: u64) -> u64 {
    REGION + page * page_bytes()
}

pub fn pages(count: u64) -> u64 {
    count * page_bytes()
}

/// A file in memory of so many pages, every byte written. A child made later has it too.
pub fn file(count: u64) -> OwnedFd {
    let file = rustix::fs::memfd_create("pages", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    let bytes = vec![7; pages(count) as usize];
    assert_eq!(rustix::io::write(&file, &bytes), Ok(bytes.len()));
    file
}

/// The same file, open for reading only.
pub fn read_only(file: &OwnedFd) -> OwnedFd {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    fs::File::open(path).unwrap().into()
}

/// One mapping as `smaps` shows it.
#[derive(Clone, Debug, Default)]
pub struct Line {
    pub start: u64,
    pub end: u64,
    /// `VmFlags` (`ac`: charged).
    pub flags: String,
    /// `Rss`, bytes.
    pub resident: u64,
}

pub fn smaps(pid: Pid) -> Vec<Line> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps")).unwrap();
    let mut lines: Vec<Line> = Vec::new();
    for line in text.lines() {
        if let Some(flags) = line.strip_prefix("VmFlags:") {
            lines.last_mut().unwrap().flags = format!("{flags} ");
            continue;
        }
        let mut words = line.split_whitespace();
        let first = words.next().unwrap();
        if first == "Rss:" {
            let kilobytes: u64 = words.next().unwrap().parse().unwrap();
            lines.last_mut().unwrap().resident = kilobytes << 10;
        }
        let Some((start, end)) = first.split_once('-') else {
            continue;
        };
        let hex = |number| u64::from_str_radix(number, 16).unwrap();
        lines.push(Line {
            start: hex(start),
            end: hex(end),
            ..Line::default()
        });
    }
    lines
}

/// A figure of `/proc/PID/status`, bytes.
pub fn status(pid: Pid, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes << 10
}

/// The kernel's account of a process's address space.
pub fn totals(pid: Pid) -> Totals {
    Totals {
        total_pages: status(pid, "VmSize:") / page_bytes(),
        stack_pages: status(pid, "VmStk:") / page_bytes(),
    }
}
