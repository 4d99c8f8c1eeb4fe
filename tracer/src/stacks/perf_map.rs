//! `/tmp/perf-PID.map`: names of code made at run time, as a runtime writes them (the kernel's
//! tools/perf/Documentation/jit-interface.txt). Read leniently, and only what has been appended
//! since the last time.
//!
//! The file is the target's: it is looked for in the target's root under its own PID there, opened
//! without following links, and believed only if the target's user or root owns it.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use rustix::fs::Stat;
use rustix::time::ClockId;

use super::open;
use super::perf_names::{CodeNames, Written};
use tracer_ledger::event::{Nanoseconds, Pid};

/// The most bytes of one file that are read.
const MAX_FILE: u64 = 512 << 20;
/// The most bytes of one line that are looked at.
const MAX_LINE: usize = 64 << 10;
/// Bytes read at a time.
const CHUNK: usize = 64 << 10;
/// A file's time of change is that of the kernel's last tick, at most 10 ms before the change.
const TICK: u64 = 10_000_000;
/// The two clocks run apart by no more than this between two readings, unless one was set. ns
const DRIFT: u64 = 1_000_000;

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

/// The time by both clocks: that of events, and that of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// `CLOCK_MONOTONIC`.
    pub monotonic: Nanoseconds,
    /// `CLOCK_REALTIME`: ns since the epoch.
    pub real: u64,
}

impl Clocks {
    /// What they show now.
    #[must_use]
    pub fn now() -> Self {
        let read = |clock| {
            let time = rustix::time::clock_gettime(clock);
            u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000
                + u64::try_from(time.tv_nsec).unwrap_or(0)
        };
        Self {
            monotonic: Nanoseconds(read(ClockId::Monotonic)),
            real: read(ClockId::Realtime),
        }
    }

    /// When a file was changed at the latest that was changed last at `changed` (ns since the epoch). If a clock was set since
    /// `last`, that is not known, but that it was before now.
    fn latest(self, changed: u64, last: Option<Self>) -> Nanoseconds {
        let ahead = |clocks: Self| clocks.real.wrapping_sub(clocks.monotonic.0);
        let set = last.is_some_and(|last| ahead(last).abs_diff(ahead(self)) > DRIFT);
        if set {
            return self.monotonic;
        }
        let changed = changed.saturating_add(TICK);
        Nanoseconds(changed.saturating_sub(ahead(self))).min(self.monotonic)
    }
}

/// One perf map, followed as it grows.
#[derive(Debug)]
pub struct PerfMap {
    file: File,
    names: CodeNames,
    read: u64,
    /// When it was last read, and how far `CLOCK_REALTIME` was ahead then.
    last: Option<Clocks>,
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

    fn checked((file, stat): (File, Stat), owner: &Owner) -> io::Result<Self> {
        if stat.st_uid != owner.uid && stat.st_uid != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("owned by user {}, not by the target's", stat.st_uid),
            ));
        }
        Ok(Self {
            file,
            names: CodeNames::default(),
            read: 0,
            last: None,
            rest: Vec::new(),
            overlong: false,
        })
    }

    /// The names so far.
    #[must_use]
    pub fn names(&self) -> &CodeNames {
        &self.names
    }

    /// When it was last read.
    #[must_use]
    pub fn last_read(&self) -> Option<Nanoseconds> {
        self.last.map(|last| last.monotonic)
    }

    /// The names, to ask which have changed.
    pub fn names_mut(&mut self) -> &mut CodeNames {
        &mut self.names
    }

    /// Reads what has been appended up to now; all of it, if the file was begun anew. Says whether there was
    /// anything.
    ///
    /// # Errors
    /// What the kernel says; what was read before it stays.
    pub fn refresh(&mut self, now: impl Fn() -> Clocks) -> io::Result<bool> {
        let began = now();
        let stat = rustix::fs::fstat(&self.file)?;
        let size = u64::try_from(stat.st_size).unwrap_or(0).min(MAX_FILE);
        if size < self.read {
            (self.names, self.read) = (CodeNames::default(), 0);
            self.rest.clear();
            self.overlong = false;
        }
        let before = self.read;
        let written = Written {
            after: self.last_read().unwrap_or_default(),
            by: now().latest(changed(&stat), self.last),
        };
        let mut chunk = vec![0; CHUNK];
        while self.read < size {
            let wanted = CHUNK.min(usize::try_from(size - self.read).unwrap_or(CHUNK));
            let count = self.file.read_at(&mut chunk[..wanted], self.read)?;
            if count == 0 {
                break;
            }
            self.read += count as u64;
            self.take(&chunk[..count], written);
        }
        // The size was that of a moment later: what came between is read next time.
        self.last = Some(began);
        Ok(self.read != before)
    }

    fn take(&mut self, mut bytes: &[u8], written: Written) {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            let line = &bytes[..end];
            bytes = &bytes[end + 1..];
            if std::mem::take(&mut self.overlong) {
                self.names.skip();
            } else if self.rest.is_empty() {
                self.names.add_line(line, written);
            } else {
                self.rest.extend_from_slice(line);
                self.names.add_line(&self.rest, written);
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

/// When a file was last changed, ns since the epoch.
fn changed(stat: &Stat) -> u64 {
    u64::try_from(stat.st_mtime).unwrap_or(0) * 1_000_000_000 + stat.st_mtime_nsec
}

#[cfg(test)]
mod tests {
    use super::*;

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
