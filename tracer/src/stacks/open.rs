//! Opening files that the target chose: never through a link that it planted, never anything but a
//! regular file (a FIFO would block, a device would act).

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, MemfdFlags, Mode, OFlags, ResolveFlags, Stat};

use tracer_ledger::event::Pid;

/// Opens a file by its path in the target's own root. No component may be a symbolic link, and
/// `..` does not lead out.
///
/// # Errors
/// What the kernel says (`ELOOP` for a symbolic link; `ENOENT` too once the process is gone), and
/// `InvalidInput` for anything but a regular file.
pub fn beneath_root(pid: Pid, path: &Path) -> io::Result<(File, Stat)> {
    let root = rustix::fs::open(
        format!("/proc/{pid}/root"),
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    beneath(root.as_fd(), path)
}

/// Opens a file by its path below `root`, as [`beneath_root`] does.
///
/// # Errors
/// As [`beneath_root`].
pub fn beneath(root: impl AsFd, path: &Path) -> io::Result<(File, Stat)> {
    let found = rustix::fs::openat2(
        root,
        path,
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS,
    )?;
    reopen_regular(&found)
}

/// Opens the file behind one mapping, whatever has become of its path since, by
/// `/proc/PID/map_files` (proc_pid_map_files(5)); needs `CAP_CHECKPOINT_RESTORE` or `CAP_SYS_ADMIN`.
///
/// # Errors
/// What the kernel says, and `InvalidInput` for anything but a regular file.
pub fn mapped(pid: Pid, start: u64, end: u64) -> io::Result<(File, Stat)> {
    let found = rustix::fs::open(
        format!("/proc/{pid}/map_files/{start:x}-{end:x}"),
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    reopen_regular(&found)
}

/// A file with these bytes that has no name, for readers that want a file.
///
/// # Errors
/// What the kernel says.
pub fn unnamed(name: &str, bytes: &[u8]) -> io::Result<File> {
    use io::Write;
    let mut file = File::from(rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    Ok(file)
}

/// From a mere handle to a readable file, if it is a regular one.
fn reopen_regular(handle: &OwnedFd) -> io::Result<(File, Stat)> {
    let stat = rustix::fs::fstat(handle)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file",
        ));
    }
    let file = rustix::fs::open(
        format!("/proc/self/fd/{}", handle.as_raw_fd()),
        OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    Ok((File::from(file), stat))
}
