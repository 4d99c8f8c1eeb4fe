//! `/tmp/perf-PID.map`: names of code made at run time, as a runtime writes them (the kernel's
//! tools/perf/Documentation/jit-interface.txt). Read leniently, and only what has been appended
//! since the last time.
//!
//! The file is the target's: it is looked for in the target's root under its own PID there, opened
//! without following links, and believed only if the target's user or root owns it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::modules::printable;
use super::open;
use crate::event::Pid;

/// The most bytes of one file that are read.
const MAX_FILE: u64 = 512 << 20;
/// The most ranges that are kept.
const MAX_RANGES: usize = 1 << 20;
/// The most bytes of one line that are looked at.
const MAX_LINE: usize = 64 << 10;
/// The most bytes of one name that are kept.
const MAX_NAME: usize = 4 << 10;
/// Bytes read at a time.
const CHUNK: usize = 64 << 10;

/// Whose perf map, and what it is called there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The process's effective user.
    pub uid: u32,
    /// Its PID in its own (innermost) PID namespace.
    pub own_pid: u32,
}

impl Owner {
    /// From `/proc/PID/status` (proc_pid_status(5)).
    ///
    /// # Errors
    /// What the kernel says; `InvalidData` if there is no such line.
    pub fn read(pid: Pid) -> io::Result<Self> {
        let status = std::fs::read(format!("/proc/{pid}/status"))?;
        Self::parse(&String::from_utf8_lossy(&status))
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no Uid or NSpid"))
    }

    fn parse(status: &str) -> Option<Self> {
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
        Some(Self {
            uid: field("Uid:")?.split_whitespace().nth(1)?.parse().ok()?,
            own_pid: field("NSpid:")?
                .split_whitespace()
                .next_back()?
                .parse()
                .ok()?,
        })
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(format!("/tmp/perf-{}.map", self.own_pid))
    }
}

/// Names by range of addresses.
#[derive(Debug, Default)]
pub struct Names {
    /// By first address: one past the last, and the name. Ranges do not overlap.
    ranges: BTreeMap<u64, (u64, Box<str>)>,
    skipped: u64,
}

impl Names {
    /// The name of the range that holds this address.
    #[must_use]
    pub fn find(&self, address: u64) -> Option<&str> {
        let (_, (end, name)) = self.ranges.range(..=address).next_back()?;
        (address < *end).then_some(name)
    }

    /// Lines that made no sense, or for which there was no room.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Takes one line, without its newline; counts it if it makes no sense.
    pub fn add_line(&mut self, line: &[u8]) {
        if line.is_empty() {
            return;
        }
        match parse(line) {
            Some((start, end, name)) if self.ranges.len() < MAX_RANGES => {
                self.insert(start, end, name);
            }
            _ => self.skipped += 1,
        }
    }

    /// Code is written where other code was: what came later is what is there now.
    fn insert(&mut self, start: u64, end: u64, name: Box<str>) {
        while let Some((&old, &(old_end, _))) = self.ranges.range(..end).next_back() {
            if old_end <= start {
                break;
            }
            let Some((_, name)) = self.ranges.remove(&old) else {
                break;
            };
            if old_end > end {
                self.ranges.insert(end, (old_end, name.clone()));
            }
            if old < start {
                self.ranges.insert(old, (start, name));
                break;
            }
        }
        self.ranges.insert(start, (end, name));
    }
}

/// `START SIZE NAME`, hexadecimal, the name to the end of the line.
fn parse(line: &[u8]) -> Option<(u64, u64, Box<str>)> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (start, rest) = field(line)?;
    let (size, name) = field(rest)?;
    let start = hexadecimal(start)?;
    let end = start.checked_add(hexadecimal(size)?)?;
    let name = &name[..name.len().min(MAX_NAME)];
    let name = printable(String::from_utf8_lossy(name).trim());
    (end > start && !name.is_empty()).then(|| (start, end, name.into()))
}

fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.trim_ascii_start();
    let end = line.iter().position(u8::is_ascii_whitespace)?;
    Some((&line[..end], &line[end + 1..]))
}

/// With or without `0x` (the JVM writes it).
fn hexadecimal(digits: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(digits).ok()?;
    let digits = digits
        .strip_prefix("0x")
        .or(digits.strip_prefix("0X"))
        .unwrap_or(digits);
    // The parser of numbers would accept a sign.
    let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    plain.then(|| u64::from_str_radix(digits, 16).ok())?
}

/// One perf map, followed as it grows.
#[derive(Debug)]
pub struct PerfMap {
    file: File,
    names: Names,
    read: u64,
    /// The begin of a line whose end has not been written yet.
    rest: Vec<u8>,
    /// The line is too long, and is skipped up to its end.
    overlong: bool,
}

impl PerfMap {
    /// Opens the perf map of a process.
    ///
    /// # Errors
    /// What the kernel says (`NotFound`: there is none), and `PermissionDenied` if somebody else
    /// owns the file.
    pub fn open(pid: Pid, owner: &Owner) -> io::Result<Self> {
        Self::checked(open::beneath_root(pid, &owner.path())?, owner)
    }

    /// The same below another root.
    ///
    /// # Errors
    /// As [`PerfMap::open`].
    pub fn open_beneath(root: impl AsFd, owner: &Owner) -> io::Result<Self> {
        Self::checked(open::beneath(root, &owner.path())?, owner)
    }

    fn checked((file, stat): (File, rustix::fs::Stat), owner: &Owner) -> io::Result<Self> {
        if stat.st_uid != owner.uid && stat.st_uid != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("owned by user {}, not by the target's", stat.st_uid),
            ));
        }
        Ok(Self {
            file,
            names: Names::default(),
            read: 0,
            rest: Vec::new(),
            overlong: false,
        })
    }

    /// The names so far.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Reads what has been appended; all of it, if the file was begun anew. Says whether there was
    /// anything.
    ///
    /// # Errors
    /// What the kernel says; what was read before it stays.
    pub fn refresh(&mut self) -> io::Result<bool> {
        let size = self.file.metadata()?.len().min(MAX_FILE);
        if size < self.read {
            (self.names, self.read) = (Names::default(), 0);
            self.rest.clear();
            self.overlong = false;
        }
        let before = self.read;
        let mut chunk = vec![0; CHUNK];
        while self.read < size {
            let wanted = CHUNK.min(usize::try_from(size - self.read).unwrap_or(CHUNK));
            let count = self.file.read_at(&mut chunk[..wanted], self.read)?;
            if count == 0 {
                break;
            }
            self.read += count as u64;
            self.take(&chunk[..count]);
        }
        Ok(self.read != before)
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            let line = &bytes[..end];
            bytes = &bytes[end + 1..];
            if std::mem::take(&mut self.overlong) {
                self.names.skipped += 1;
            } else if self.rest.is_empty() {
                self.names.add_line(line);
            } else {
                self.rest.extend_from_slice(line);
                self.names.add_line(&self.rest);
            }
            self.rest.clear();
        }
        if self.rest.len() + bytes.len() > MAX_LINE {
            self.overlong = true;
            self.rest.clear();
        } else if !self.overlong {
            self.rest.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(lines: &[&str]) -> Names {
        let mut names = Names::default();
        for line in lines {
            names.add_line(line.as_bytes());
        }
        names
    }

    #[test]
    fn a_name_with_spaces_is_found_by_any_address_of_its_range() {
        let names = names(&["7f10 20 JS:~get foo file:///a b.js:1:2"]);
        assert_eq!(names.find(0x7f10), Some("JS:~get foo file:///a b.js:1:2"));
        assert_eq!(names.find(0x7f2f), Some("JS:~get foo file:///a b.js:1:2"));
        assert_eq!((names.find(0x7f30), names.find(0x7f0f)), (None, None));
    }

    #[test]
    fn numbers_may_carry_0x() {
        assert_eq!(
            names(&["0x7f10 0x20 Interpreter"]).find(0x7f11),
            Some("Interpreter")
        );
    }

    #[test]
    fn a_bad_line_is_skipped_and_counted_and_the_next_one_read() {
        let names = names(&[
            "nonsense",
            "7f10",
            "7f10 20",
            "7f10 20 ",
            "7f10 0 empty",
            "-1 20 sign",
            "+1 20 sign",
            "ffffffffffffffff 2 wraps",
            "11111111111111111 2 too long a number",
            "7f10 20 good",
        ]);
        assert_eq!(names.find(0x7f10), Some("good"));
        assert_eq!(names.skipped(), 9);
    }

    #[test]
    fn later_code_replaces_what_it_lies_on_and_leaves_the_rest() {
        let names = names(&["100 100 a", "200 100 b", "180 100 c", "1c0 10 d"]);
        assert_eq!(
            (names.find(0x100), names.find(0x17f)),
            (Some("a"), Some("a"))
        );
        assert_eq!(
            (names.find(0x180), names.find(0x1bf)),
            (Some("c"), Some("c"))
        );
        assert_eq!(
            (names.find(0x1c0), names.find(0x1d0)),
            (Some("d"), Some("c"))
        );
        assert_eq!(
            (names.find(0x27f), names.find(0x280)),
            (Some("c"), Some("b"))
        );
        assert_eq!((names.find(0x2ff), names.find(0x300)), (Some("b"), None));
    }

    #[test]
    fn control_characters_and_foreign_bytes_do_not_reach_a_terminal() {
        let mut names = Names::default();
        names.add_line(b"10 10 a\x1b[2Jb\xff");
        assert_eq!(names.find(0x10), Some("a\u{fffd}[2Jb\u{fffd}"));
    }

    #[test]
    fn the_pid_of_the_innermost_namespace_and_the_effective_user_count() {
        let status = "Name:\tx\nUid:\t1000\t1001\t1002\t1003\nNSpid:\t4711\t12\t1\n";
        assert_eq!(
            Owner::parse(status),
            Some(Owner {
                uid: 1001,
                own_pid: 1
            })
        );
    }
}
