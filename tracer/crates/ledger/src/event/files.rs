//! What mappings are of: files, memory that has a file's shape, names that the process has given.

use serde::{Deserialize, Serialize};

use super::ids::{Address, Nanoseconds, Pid, SpaceId};

/// A file as the kernel goes by it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct FileId {
    /// Device, as the kernel has it: major number << 20 | minor number.
    pub device: u64,
    /// Inode.
    pub inode: u64,
}

/// What a mapped file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FileKind {
    /// A file of a file system on a device or a server: its pages can be read again.
    #[default]
    Regular,
    /// A file of a file system in memory: its pages are memory (tmpfs, a memfd, shared anonymous memory, SysV).
    Memory,
    /// Huge pages out of the pool.
    Hugetlb,
    /// A device, or a ring that it shares with the kernel (`io_uring`, `perf`).
    Device,
}

/// [`super::Event::File`]: a file that was mapped, told before the first [`Backed`] that names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// When it was first seen.
    pub time: Nanoseconds,
    /// Device, as the kernel has it: major number << 20 | minor number.
    pub device: u64,
    /// Inode.
    pub inode: u64,
    /// What it is.
    pub kind: FileKind,
    /// Its path up to the root of its mount, or the kernel's name of what has no path (`/memfd:NAME (deleted)`,
    /// `anon_inode:[io_uring]`).
    pub path: String,
}

impl File {
    /// Which it is.
    #[must_use]
    pub const fn id(&self) -> FileId {
        FileId {
            device: self.device,
            inode: self.inode,
        }
    }
}

/// [`super::Event::Backed`]: what a call has mapped is of this file. Comes right after its [`super::Call`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backed {
    /// When.
    pub time: Nanoseconds,
    /// The address space.
    pub space: SpaceId,
    /// First address.
    pub address: Address,
    /// Bytes.
    pub length: u64,
    /// See [`File::device`].
    pub device: u64,
    /// See [`File::inode`].
    pub inode: u64,
}

impl Backed {
    /// Which file it is.
    #[must_use]
    pub const fn id(&self) -> FileId {
        FileId {
            device: self.device,
            inode: self.inode,
        }
    }
}

/// [`super::Event::Named`]: the process has given anonymous memory a name (`PR_SET_VMA_ANON_NAME`), whether the
/// kernel keeps it or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// When.
    pub time: Nanoseconds,
    /// The process.
    pub pid: Pid,
    /// The address space.
    pub space: SpaceId,
    /// First address.
    pub address: Address,
    /// Bytes.
    pub length: u64,
    /// The name; empty: it has none any more.
    pub name: String,
}
