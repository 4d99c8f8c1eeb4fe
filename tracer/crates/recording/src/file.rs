//! The file that a recording is written to: made safely, and given its name when it is whole.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::error::WriteError;

/// Whose files are to be that are made for somebody else: with sudo, of who asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// User id.
    pub user: u32,
    /// Group id.
    pub group: u32,
}

impl Owner {
    /// Gives it a file.
    ///
    /// # Errors
    /// Those of fchown(2).
    pub fn give(self, file: &File) -> io::Result<()> {
        std::os::unix::fs::fchown(file, Some(self.user), Some(self.group))
    }
}

/// `FILE.partial`, to become `FILE`.
///
/// Everything happens relative to the folder as it was opened first: no link in the last component
/// is followed, nothing but a regular file is ever replaced, and two tracers do not write the same
/// recording.
#[derive(Debug)]
pub struct PartialFile {
    folder: rustix::fd::OwnedFd,
    file: File,
    /// `FILE` without its folder.
    name: OsString,
    /// `FILE.partial` without its folder.
    partial_name: OsString,
    path: PathBuf,
    partial_path: PathBuf,
}

impl PartialFile {
    /// Makes `FILE.partial`, mode 0600, and gives it to its owner; `None`: it is this process's.
    ///
    /// # Errors
    /// If `path` names no file, or something that is not a regular file; if another tracer is
    /// writing there; if the file cannot be made.
    pub(crate) fn create(path: &Path, owner: Option<Owner>) -> Result<Self, WriteError> {
        let name = path.file_name().ok_or_else(|| WriteError::NoName {
            path: path.to_owned(),
        })?;
        let partial_name = suffixed(name);
        let partial_path = path.with_file_name(&partial_name);
        let cannot = |source: Errno| WriteError::Create {
            path: path.to_owned(),
            source: source.into(),
        };
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let folder = fs::open(
            parent,
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(cannot)?;
        match fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile => {
                return Err(WriteError::NotRegular {
                    path: path.to_owned(),
                });
            }
            Ok(_) | Err(Errno::NOENT) => {}
            Err(source) => return Err(cannot(source)),
        }
        let file = match make(&folder, &partial_name) {
            Err(Errno::EXIST) => {
                remove_leftover(&folder, &partial_name, &partial_path, owner)?;
                make(&folder, &partial_name)
            }
            other => other,
        }
        .map_err(cannot)?;
        // Held as long as the file is open: see `remove_leftover`.
        fs::flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(cannot)?;
        let file = File::from(file);
        if let Some(owner) = owner {
            owner.give(&file).map_err(|source| WriteError::Create {
                path: path.to_owned(),
                source,
            })?;
        }
        Ok(Self {
            folder,
            file,
            name: name.to_owned(),
            partial_name,
            path: path.to_owned(),
            partial_path,
        })
    }

    /// Path of `FILE.partial`.
    #[must_use]
    pub fn partial_path(&self) -> &Path {
        &self.partial_path
    }

    /// Gives the file its name, once what was written is on the disk.
    ///
    /// # Errors
    /// If the disk did not take everything after all, or the name cannot be given; the file is kept
    /// as `FILE.partial`.
    pub(crate) fn keep(self) -> Result<(), WriteError> {
        self.file.sync_all().map_err(|source| WriteError::Write {
            path: self.partial_path.clone(),
            source,
        })?;
        fs::renameat(&self.folder, &self.partial_name, &self.folder, &self.name).map_err(|source| {
            WriteError::Rename {
                path: self.path,
                partial: self.partial_path,
                source: source.into(),
            }
        })
    }
}

impl Write for PartialFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn suffixed(name: &OsStr) -> OsString {
    let mut partial = name.to_owned();
    partial.push(".partial");
    partial
}

fn make(folder: &rustix::fd::OwnedFd, name: &OsStr) -> Result<rustix::fd::OwnedFd, Errno> {
    fs::openat(
        folder,
        name,
        OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::WRONLY | OFlags::CLOEXEC,
        Mode::RUSR | Mode::WUSR,
    )
}

/// Removes what a tracer that crashed has left, if it is just that: our own regular file, which
/// nobody is writing. Anything else under that name may be a trap, and stays.
fn remove_leftover(
    folder: &rustix::fd::OwnedFd,
    name: &OsStr,
    path: &Path,
    owner: Option<Owner>,
) -> Result<(), WriteError> {
    let cannot = |source: Errno| WriteError::Create {
        path: path.to_owned(),
        source: source.into(),
    };
    // Not blocking, should it be a FIFO.
    let leftover = match fs::openat(
        folder,
        name,
        OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
    ) {
        Ok(leftover) => leftover,
        Err(Errno::LOOP) => {
            return Err(WriteError::NotRegular {
                path: path.to_owned(),
            });
        }
        Err(source) => return Err(cannot(source)),
    };
    let stat = fs::fstat(&leftover).map_err(cannot)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(WriteError::NotRegular {
            path: path.to_owned(),
        });
    }
    let ours = rustix::process::geteuid().as_raw();
    if stat.st_uid != ours && owner.is_none_or(|owner| stat.st_uid != owner.user) {
        return Err(WriteError::NotOurs {
            path: path.to_owned(),
        });
    }
    match fs::flock(&leftover, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => {
            return Err(WriteError::Busy {
                path: path.to_owned(),
            });
        }
        Err(source) => return Err(cannot(source)),
    }
    fs::unlinkat(folder, name, AtFlags::empty()).map_err(cannot)
}
