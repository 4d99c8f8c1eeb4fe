//! What the kernel says of an address space at rest, into a file, without changing it: nothing here
//! allocates.
//!
//! A record is text, written at once (children append theirs to the same file): one line
//! `snapshot PID MOMENT BEFORE AFTER LINES CALLS` with the times on `CLOCK_MONOTONIC` (ns) before and
//! after the reading, then as many lines of `/proc/PID/maps`, and as many of calls that were made
//! since the snapshot before (see [`Entry`](super::calls::Entry)).

use std::fmt;
use std::io::{self, Write as _};

use super::calls::{Log, now};
use super::world::{SNAPSHOT, World};

/// Bytes of a record's first line.
const HEAD: usize = 128;

/// When a snapshot is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// At a pause of all threads.
    Pause(u64),
    /// First thing in a child.
    Forked,
    /// After a child's own storm.
    Stormed,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pause(number) => write!(f, "pause-{number}"),
            Self::Forked => write!(f, "forked"),
            Self::Stormed => write!(f, "stormed"),
        }
    }
}

/// Takes a snapshot of the own address space, which is at rest, and writes it with the calls of these
/// logs, which are empty afterwards.
pub fn take<'a>(
    world: &World,
    moment: Moment,
    logs: impl IntoIterator<Item = &'a Log>,
) -> io::Result<()> {
    // SAFETY: nobody else uses the buffer now: see there.
    let buffer = unsafe { std::slice::from_raw_parts_mut(world.buffer, SNAPSHOT) };
    let (head, rest) = buffer.split_at_mut(HEAD);
    let before = now();
    let maps = read_maps(rest)?;
    let after = now();
    let (maps, free) = rest.split_at_mut(maps);
    let lines = maps.iter().filter(|&&byte| byte == b'\n').count();
    let mut calls = 0;
    let mut left = &mut *free;
    for log in logs {
        for entry in log.entries() {
            writeln!(left, "{entry}")?;
            calls += 1;
        }
        log.clear();
    }
    let left = left.len();
    let pid = std::process::id();
    let mut line = &mut head[..HEAD - 1];
    write!(
        line,
        "snapshot {pid} {moment} {before} {after} {lines} {calls}"
    )?;
    line.fill(b' ');
    head[HEAD - 1] = b'\n';
    write_at_once(world, &buffer[..SNAPSHOT - left])
}

/// `/proc/self/maps` by plain reads: the length.
fn read_maps(buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: a path that ends in a null, and a buffer with its length.
    unsafe {
        let file = libc::open(
            c"/proc/self/maps".as_ptr(),
            libc::O_RDONLY | libc::O_CLOEXEC,
        );
        if file == -1 {
            return Err(io::Error::last_os_error());
        }
        let mut length = 0;
        let result = loop {
            let free = &mut buffer[length..];
            match libc::read(file, free.as_mut_ptr().cast(), free.len()) {
                0 if free.is_empty() => break Err(io::ErrorKind::FileTooLarge.into()),
                0 => break Ok(length),
                more if more > 0 => length += more as usize,
                _ => break Err(io::Error::last_os_error()),
            }
        };
        libc::close(file);
        result
    }
}

fn write_at_once(world: &World, record: &[u8]) -> io::Result<()> {
    // SAFETY: a buffer with its length.
    let written = unsafe { libc::write(world.snapshots, record.as_ptr().cast(), record.len()) };
    if written == record.len() as isize {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
