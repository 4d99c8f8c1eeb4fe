//! Files by what the kernel goes by, where they may be expected: in the directories that programs are run
//! from, and in those of the libraries that every process has.
//!
//! A process that ends at once is gone before its maps can be read, and with it the paths of its files.
//! What is left is the device, the inode and the path that the kernel's programs have told. Only directories that
//! whoever runs this tool trusts are read, never one that a target names, and by a path that a target has chosen only
//! what lies on a local disk: a file system in user space, or on a server, could keep its reader waiting for ever.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::Stat;

use super::open;
use crate::capture::inode::Inode;

/// Entries of one directory that are looked at: some thousands are usual.
const ENTRIES: usize = 1 << 16;

/// Paths that were told and are kept.
const MOST_TOLD: usize = 4096;

/// The times of files are those of the kernel's ticks, and of some file systems whole seconds.
const SETTLED: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
pub(crate) struct Nearby {
    directories: Vec<Directory>,
    /// Paths that were told.
    told: HashMap<Inode, PathBuf>,
}

/// One of them, and the names of its entries by inode, as they were when it was last changed.
#[derive(Debug)]
struct Directory {
    path: PathBuf,
    /// When it was last changed before it was read; `None`: it is to be read again.
    read_at: Option<SystemTime>,
    names: HashMap<u64, OsString>,
}

impl Nearby {
    /// The directories that programs are run from.
    #[must_use]
    pub(crate) fn of_path() -> Self {
        let mut nearby = Self::default();
        for directory in std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()) {
            nearby.add(&directory);
        }
        nearby
    }

    /// Adds a directory, once; one that is not there is left out.
    pub(crate) fn add(&mut self, directory: &Path) {
        let Ok(path) = fs::canonicalize(directory) else {
            return;
        };
        if self.directories.iter().all(|known| known.path != path) {
            self.directories.push(Directory {
                path,
                read_at: None,
                names: HashMap::new(),
            });
        }
    }

    /// A path is told. What is on no disk of this machine has no driver's number.
    pub(crate) fn told(&mut self, inode: Inode, path: &str) {
        if inode.device.major == 0 || !path.starts_with('/') || path.ends_with(" (deleted)") {
            return;
        }
        if self.told.len() >= MOST_TOLD {
            self.told.clear();
        }
        self.told.insert(inode, path.into());
    }

    /// The file of this device and inode, and its path. A file system that shows another device than it has for
    /// the kernel (with layers, or with subvolumes) has none: an inode alone may be another file's.
    pub(crate) fn find(&mut self, inode: Inode) -> Option<(PathBuf, File, Stat)> {
        // In a container the path may lead to another file, or to none.
        if let Some(found) = self.told.get(&inode).and_then(|path| open_as(inode, path)) {
            return Some(found);
        }
        self.directories.iter_mut().find_map(|directory| {
            // One that cannot be read has nothing.
            directory.freshen().ok()?;
            let path = directory.path.join(directory.names.get(&inode.number)?);
            open_as(inode, &path)
        })
    }
}

/// The file at a path, if it is this one.
fn open_as(inode: Inode, path: &Path) -> Option<(PathBuf, File, Stat)> {
    let (file, stat) = open::beneath(File::open("/").ok()?, path).ok()?;
    (Inode::of(&stat) == inode).then(|| (path.to_owned(), file, stat))
}

impl Directory {
    /// Reads it again if it was changed.
    fn freshen(&mut self) -> io::Result<()> {
        let modified = fs::metadata(&self.path)?.modified()?;
        if self.read_at != Some(modified) {
            // What was changed just now may be changed again without another time.
            let is_old = modified.elapsed().is_ok_and(|age| age > SETTLED);
            self.read_at = is_old.then_some(modified);
            let entries = fs::read_dir(&self.path)?.take(ENTRIES).flatten();
            self.names = entries
                .map(|entry| (entry.ino(), entry.file_name()))
                .collect();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::inode::Device;

    fn inode_of(path: &Path) -> Inode {
        let (_, stat) = open::beneath(File::open("/").unwrap(), path).unwrap();
        Inode::of(&stat)
    }

    #[test]
    fn a_file_is_found_by_its_inode_also_if_it_came_later_and_never_by_another_device() {
        let folder = tempfile::tempdir().unwrap();
        let folder_path = fs::canonicalize(folder.path()).unwrap();
        let mut nearby = Nearby::default();
        nearby.add(folder.path());
        let path = folder_path.join("program");
        fs::write(&path, "old").unwrap();
        let wanted = inode_of(&path);
        assert_eq!(nearby.find(wanted).unwrap().0, path);
        let other = Inode {
            device: Device {
                minor: wanted.device.minor + 1,
                ..wanted.device
            },
            ..wanted
        };
        assert!(nearby.find(other).is_none());
        let later = folder_path.join("later");
        fs::write(&later, "new").unwrap();
        assert_eq!(nearby.find(inode_of(&later)).unwrap().0, later);
        fs::remove_file(&path).unwrap();
        assert!(nearby.find(wanted).is_none());
    }

    #[test]
    fn a_directory_that_is_not_there_is_none() {
        let mut nearby = Nearby::default();
        nearby.add(Path::new("/nowhere/at/all"));
        assert!(nearby.directories.is_empty());
    }

    #[test]
    fn a_file_whose_path_was_told_is_found_there_and_never_another_in_its_place() {
        // The binary of this test lies on the disk on which it was built.
        let own = fs::canonicalize(std::env::current_exe().unwrap()).unwrap();
        let mut nearby = Nearby::default();
        let on_disk = |inode: Inode, major| Inode {
            device: Device {
                major,
                ..inode.device
            },
            ..inode
        };
        let wanted = inode_of(&own);
        nearby.told.insert(wanted, own.clone());
        assert_eq!(nearby.find(wanted).unwrap().0, own);
        let other = Inode {
            number: wanted.number + 1,
            ..on_disk(wanted, 8)
        };
        nearby.told(other, own.to_str().unwrap());
        assert!(nearby.told.contains_key(&other) && nearby.find(other).is_none());
        // What is on no disk is not opened by a path that a target has chosen.
        let nowhere = on_disk(wanted, 0);
        nearby.told(nowhere, own.to_str().unwrap());
        assert!(wanted == nowhere || !nearby.told.contains_key(&nowhere));
    }
}
