//! Which file the kernel goes by, where it tells of a mapping.

use rustix::fs::{Stat, major, minor};

/// A file system, as the kernel numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Device {
    /// What drives it; 0 for file systems without a device.
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

impl Device {
    /// From the number in which the kernel itself keeps one: `MAJOR` and `MINOR` (include/linux/kdev_t.h).
    #[must_use]
    pub(crate) fn of_kernel(number: u64) -> Self {
        Self {
            major: (number >> 20) as u32,
            minor: (number & 0xf_ffff) as u32,
        }
    }
}

/// A file by its file system's device as `/proc/PID/maps` shows it, and its inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Inode {
    /// Of its file system.
    pub(crate) device: Device,
    /// The inode's number, 0 for no file.
    pub(crate) number: u64,
}

/// Whether two inodes are of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SameFile {
    /// They are, as far as an inode can tell.
    Yes,
    /// They are of two.
    No,
    /// That cannot be known.
    Unknown,
}

impl Inode {
    /// Whether the other is of the same file. File systems with layers or subvolumes show another device than
    /// they have for the kernel, and most of them the same number.
    #[must_use]
    pub(crate) fn is_same(self, other: Self) -> SameFile {
        match (self.device == other.device, self.number == other.number) {
            (_, true) => SameFile::Yes,
            (true, false) => SameFile::No,
            (false, false) => SameFile::Unknown,
        }
    }

    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            device: Device {
                major: major(stat.st_dev),
                minor: minor(stat.st_dev),
            },
            number: stat.st_ino,
        }
    }
}
