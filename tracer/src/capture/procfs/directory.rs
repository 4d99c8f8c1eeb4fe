//! The folder `/proc/PID`, held open: whatever is read through it is of the same process, even when
//! the id has been given to another one meanwhile.

use std::fs::File;

use rustix::fd::OwnedFd;
use rustix::fs::{self, Dir, Mode, OFlags};
use rustix::io::Errno;

use super::error::ProcError;
use tracer_ledger::event::{Pid, Tid};

/// Room for one read. The kernel fills at most a page of most files in one go, and all of the others.
const READ_STEP: usize = 64 << 10;

/// `/proc/PID`.
pub(super) struct Directory {
    fd: OwnedFd,
    pub(super) pid: Pid,
}

impl Directory {
    pub(super) fn open(pid: Pid) -> Result<Self, ProcError> {
        let path = format!("/proc/{pid}");
        match fs::open(
            &path,
            OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC,
            Mode::empty(),
        ) {
            Ok(fd) => Ok(Self { fd, pid }),
            Err(errno) => Err(error(pid, path, errno)),
        }
    }

    /// `/proc/PID/name`, for messages.
    pub(super) fn path(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.pid)
    }

    pub(super) fn error(&self, name: &str, errno: Errno) -> ProcError {
        error(self.pid, self.path(name), errno)
    }

    /// Opens a file for reading; its own error number, as callers differ in what a missing file means.
    pub(super) fn file(&self, name: &str) -> Result<File, Errno> {
        // Not blocking, should a link lead to a FIFO.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        fs::openat(&self.fd, name, flags, Mode::empty()).map(File::from)
    }

    /// Reads a file to its end, or to the first `limit` bytes.
    pub(super) fn read_bounded(&self, name: &str, limit: usize) -> Result<Vec<u8>, Errno> {
        let file = self.file(name)?;
        let mut bytes = Vec::new();
        while bytes.len() < limit {
            bytes.reserve(READ_STEP);
            match rustix::io::read(&file, rustix::buffer::spare_capacity(&mut bytes)) {
                Ok(0) => break,
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        bytes.truncate(limit);
        Ok(bytes)
    }

    /// Reads a file to its end.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, ProcError> {
        self.read_bounded(name, usize::MAX)
            .map_err(|errno| self.error(name, errno))
    }

    /// Where a link leads, as the kernel prints it.
    pub(super) fn link(&self, name: &str) -> Result<Vec<u8>, Errno> {
        fs::readlinkat(&self.fd, name, Vec::new()).map(std::ffi::CString::into_bytes)
    }

    /// The threads that are alive, ascending.
    pub(super) fn tasks(&self) -> Result<Vec<Tid>, ProcError> {
        let cannot = |errno| self.error("task", errno);
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let fd = fs::openat(&self.fd, "task", flags, Mode::empty()).map_err(cannot)?;
        let mut tasks = Vec::new();
        for entry in Dir::new(fd).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            tasks.extend(number(entry.file_name().to_bytes()).map(Tid));
        }
        tasks.sort_unstable();
        Ok(tasks)
    }

    /// Asks one thread after the other, the main thread first, until one has an answer: each of them
    /// stands for the address space, and a main thread that has called `pthread_exit` no longer does.
    /// `ask` is given the folder of the thread, to be put before a file's name.
    pub(super) fn ask_any_thread<T>(
        &self,
        mut ask: impl FnMut(&str) -> Result<Option<T>, ProcError>,
    ) -> Result<T, ProcError> {
        // Asked for something that needs an address space, newer kernels say ESRCH for a task that has
        // none, older ones nothing.
        let mut ask = |folder: &str| match ask(folder) {
            Err(error) if error.is_gone() => Ok(None),
            other => other,
        };
        if let Some(answer) = ask("")? {
            return Ok(answer);
        }
        for task in self.tasks()? {
            if let Some(answer) = ask(&format!("task/{}/", task.0))? {
                return Ok(answer);
            }
        }
        Err(ProcError::NoAddressSpace { pid: self.pid })
    }
}

/// A process or thread id in decimal; `None` for anything else.
pub(super) fn number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn error(pid: Pid, path: String, errno: Errno) -> ProcError {
    match errno {
        Errno::NOENT | Errno::SRCH => ProcError::Gone { pid },
        Errno::ACCESS | Errno::PERM => ProcError::Denied { path },
        _ => ProcError::Read {
            path,
            source: errno.into(),
        },
    }
}
