//! The files whose code is mapped: read once, shared by all address spaces.
//!
//! The kernel tells of each mapping of code which file it shows ([`Inode`]). A file that was read before
//! needs not be looked for then: not in a process that has ended meanwhile, nor at an address where
//! another file's code may lie by now.

use std::collections::{HashMap, VecDeque};
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Weak};

use rustix::fs::{Stat, fstat};

use super::cfi::Cfi;
use super::exec_maps::{self, ExecMap};
use super::layout::{self, Layout};
use super::nearby::Nearby;
use super::open;
use crate::capture::inode::{Inode, SameFile};
use tracer_ledger::event::Pid;

/// The most bytes of a vDSO that are believed.
const MAX_VDSO: u64 = 1 << 20;
/// Files that are kept although nobody may map them now, to be known again: those that short-lived processes
/// have.
const KEPT: usize = 64;

/// One version of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, u64),
}

impl FileId {
    fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: (stat.st_mtime, stat.st_mtime_nsec),
        }
    }

    /// Of bytes that are in no file.
    fn of_bytes(bytes: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        Self {
            device: 0,
            inode: hasher.finish(),
            size: bytes.len() as u64,
            modified: (0, 0),
        }
    }
}

/// An ELF file that is mapped somewhere, held open for naming.
#[derive(Debug)]
pub(crate) struct ModuleFile {
    pub(crate) id: FileId,
    pub(crate) file: File,
    pub(crate) layout: Layout,
}

/// The same with its unwind tables.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) module: Arc<ModuleFile>,
    pub(super) cfi: Cfi,
}

/// The kernel's name for its mapping.
pub(super) const VDSO: &str = "[vdso]";

/// Files by version, dropped when no address space maps them any more.
#[derive(Default)]
pub(crate) struct Files {
    loaded: HashMap<FileId, Weak<Loaded>>,
    /// The last ones found, and the path by which they were mapped then.
    kept: VecDeque<(Inode, Arc<str>, Arc<Loaded>)>,
    /// Where else to look.
    nearby: Nearby,
    vdso: Option<Arc<Loaded>>,
}

impl Files {
    fn load(&mut self, id: FileId, file: File) -> Option<Arc<Loaded>> {
        if let Some(loaded) = self.loaded.get(&id).and_then(Weak::upgrade) {
            return Some(loaded);
        }
        let (layout, tables) = layout::read(&file)?;
        let module = Arc::new(ModuleFile { id, file, layout });
        let loaded = Arc::new(Loaded {
            module,
            cfi: Cfi::new(tables),
        });
        self.loaded.retain(|_, loaded| loaded.strong_count() > 0);
        self.loaded.insert(id, Arc::downgrade(&loaded));
        Some(loaded)
    }

    /// The file behind a mapping, `None` if there is none that can be read.
    pub(super) fn behind(&mut self, pid: Pid, map: &ExecMap) -> Option<Arc<Loaded>> {
        if map.name == VDSO {
            // The target's own would have to be read from its memory, which puts pages of it there.
            let own = self.own_vdso(map.end.saturating_sub(map.start));
            return own.or_else(|| self.vdso(pid, map));
        }
        if map.inode.number == 0 {
            return None;
        }
        // Another file may be mapped there by now, and the path may lead to another.
        let same = |found: &(File, Stat)| Inode::of(&found.1).is_same(map.inode);
        let by_path = || {
            let found = open::beneath_root(pid, Path::new(&map.name)).ok()?;
            (!map.deleted && same(&found) == SameFile::Yes).then_some(found)
        };
        let by_address = open::mapped(pid, map.start, map.end).ok();
        let (file, stat) = by_address
            .filter(|found| same(found) != SameFile::No)
            .or_else(by_path)?;
        let loaded = self.load(FileId::of(&stat), file)?;
        self.keep(map.inode, &map.name, &loaded);
        Some(loaded)
    }

    /// Gets to know the files of this very process: those that most processes have, the C library and the
    /// dynamic linker. Others are looked for where these are, and where programs are run from.
    pub(crate) fn know_own(&mut self) {
        self.nearby = Nearby::of_path();
        let pid = Pid(std::process::id());
        for map in exec_maps::read(pid).unwrap_or_default() {
            // The tool itself is nobody else's, and large.
            if map.name.contains(".so") {
                self.behind(pid, &map);
                self.nearby_of(Path::new(&map.name));
            }
        }
    }

    /// The path of a file that was mapped is told.
    pub(crate) fn told(&mut self, inode: Inode, path: &str) {
        self.nearby.told(inode, path);
    }

    fn nearby_of(&mut self, file: &Path) {
        if let Some(directory) = file.parent() {
            self.nearby.add(directory);
        }
    }

    /// Gets to know a program that is about to be started.
    pub(crate) fn know_program(&mut self, path: &Path) {
        let found = fs::canonicalize(path).and_then(|path| {
            let (file, stat) = open::beneath(File::open("/")?, &path)?;
            Ok((path, file, stat))
        });
        // Whatever it is, it will be looked at again once it runs.
        let Ok((path, file, stat)) = found else {
            return;
        };
        if let Some(loaded) = self.load(FileId::of(&stat), file) {
            self.keep(Inode::of(&stat), &path.to_string_lossy(), &loaded);
            self.nearby_of(&path);
        }
    }

    pub(super) fn keep(&mut self, inode: Inode, name: &str, loaded: &Arc<Loaded>) {
        self.kept.retain(|(known, ..)| *known != inode);
        self.kept.truncate(KEPT - 1);
        self.kept
            .push_front((inode, name.into(), Arc::clone(loaded)));
    }

    /// A file that was found before, or is nearby, and its path then.
    pub(super) fn known(&mut self, inode: Inode) -> Option<(Arc<str>, Arc<Loaded>)> {
        self.found(inode).or_else(|| {
            let (path, file, stat) = self.nearby.find(inode)?;
            let loaded = self.load(FileId::of(&stat), file)?;
            self.keep(inode, &path.to_string_lossy(), &loaded);
            Some((path.to_string_lossy().into(), loaded))
        })
    }

    /// A file that was found before; `None` also if it has been changed since.
    fn found(&self, inode: Inode) -> Option<(Arc<str>, Arc<Loaded>)> {
        let mut kept = self.kept.iter();
        let (_, name, loaded) = kept.find(|(known, ..)| *known == inode)?;
        let now = FileId::of(&fstat(&loaded.module.file).ok()?);
        (now == loaded.module.id).then(|| (Arc::clone(name), Arc::clone(loaded)))
    }

    /// The vDSO, if this process has one of this size: all 64-bit processes have the same.
    pub(super) fn own_vdso(&mut self, size: u64) -> Option<Arc<Loaded>> {
        if self.vdso.is_none() {
            let pid = Pid(std::process::id());
            let maps = exec_maps::read(pid).ok()?;
            let own = maps.iter().find(|map| map.name == VDSO)?;
            self.vdso = self.vdso(pid, own).filter(|_| own.end - own.start == size);
        }
        self.vdso.clone()
    }

    fn vdso(&mut self, pid: Pid, map: &ExecMap) -> Option<Arc<Loaded>> {
        let size = map
            .end
            .checked_sub(map.start)
            .filter(|&size| size <= MAX_VDSO)?;
        let mut bytes = vec![0; usize::try_from(size).ok()?];
        let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
        memory.read_exact_at(&mut bytes, map.start).ok()?;
        let id = FileId::of_bytes(&bytes);
        self.load(id, open::unnamed("vdso", &bytes).ok()?)
    }
}
