//! What code lies where in each address space: as the kernel tells of each mapping, and read from
//! `/proc/PID/maps` where that does not say it all.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::arch::{self, Walker};
use super::cfi::Cfi;
use super::code_address::CodeAddress;
use super::exec_maps::{self, ExecMap};
use super::exit::Exit;
use super::files::{Files, Loaded, ModuleFile, VDSO};
use super::layout::Layout;
use super::printable::printable;
use crate::capture::inode::{Inode, SameFile};
use tracer_ledger::event::Pid;

/// Exits remembered for one address space before they are forgotten.
const MAX_EXITS: usize = 1 << 16;
/// Vain readings of the maps, after which the pause between two no longer doubles.
const MAX_PAUSE: u32 = 10;

/// Where an address lies, for naming: good also when the process is gone.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// In an ELF file.
    File {
        /// Which.
        module: Arc<ModuleFile>,
        /// Its path in the target's root, or `[vdso]`.
        path: Arc<str>,
        /// The address to look up, in the file's own addressing: of a return address the byte before.
        lookup: u64,
        /// Offset of the address itself in the file, bytes.
        offset: u64,
    },
    /// In a mapped file that could not be read, or is no ELF file.
    Mapping {
        /// Its path.
        path: Arc<str>,
        /// Offset of the address in the file, bytes.
        offset: u64,
        /// The address to look up among names of code made at run time.
        lookup: u64,
    },
    /// In executable memory of no file.
    Runtime {
        /// The address to look up.
        lookup: u64,
        /// The address.
        address: u64,
    },
    /// In no executable mapping that is known.
    Nowhere {
        /// The address.
        address: u64,
    },
}

/// A mapping of code, as the kernel tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CodeMapping {
    pub(crate) range: Range<u64>,
    /// Offset in the file, bytes.
    pub(crate) offset: u64,
    pub(crate) file: Inode,
    /// It is the vDSO.
    pub(crate) is_vdso: bool,
}

/// What a reading of the maps brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// They could not be read.
    Failed,
    /// Nothing new.
    Same,
    /// Something is new.
    Changed,
}

/// One executable mapping and what is behind it.
#[derive(Clone)]
struct Code {
    map: ExecMap,
    path: Arc<str>,
    /// The file and the address of `map.start` in its own addressing.
    file: Option<(Arc<Loaded>, u64)>,
    /// The kernel has told of it.
    told: bool,
}

impl Code {
    /// What is left of it without these addresses: nothing, one piece or two.
    fn outside(self, range: &Range<u64>) -> impl Iterator<Item = Self> {
        let (start, end) = (self.map.start, self.map.end);
        let below = start..end.min(range.start);
        let above = start.max(range.end)..end;
        [below, above]
            .into_iter()
            .filter(|left| left.start < left.end)
            .map(move |left| {
                let mut piece = self.clone();
                let skipped = left.start - start;
                (piece.map.start, piece.map.end) = (left.start, left.end);
                piece.map.offset += skipped;
                if let Some((_, begin)) = &mut piece.file {
                    *begin = begin.wrapping_add(skipped);
                }
                piece
            })
    }

    fn address_in_file(&self, address: u64) -> Option<(&Loaded, u64)> {
        let (loaded, start) = self.file.as_ref()?;
        Some((loaded, start.wrapping_add(address - self.map.start)))
    }
}

/// The code of one address space.
pub(crate) struct Space {
    code: Vec<Code>,
    walker: Walker,
    exits: HashMap<u64, Exit>,
    /// Mappings that the kernel has told, of files that are not known yet.
    unknown: Vec<CodeMapping>,
    /// The maps are to be read before the next walk.
    stale: bool,
    /// Readings in a row, because of a pc in no known mapping, that found nothing new.
    vain: u32,
    /// So many such walks are let pass before the maps are read again.
    pause: u32,
}

impl Default for Space {
    fn default() -> Self {
        Self {
            code: Vec::new(),
            walker: Walker::new(std::iter::empty()),
            exits: HashMap::new(),
            unknown: Vec::new(),
            stale: true,
            vain: 0,
            pause: 0,
        }
    }
}

impl Space {
    /// The same code in another address space.
    #[must_use]
    pub(crate) fn copy(&self) -> Self {
        let code = self.code.clone();
        let walker = Walker::new(code.iter().filter_map(Self::module));
        Self {
            code,
            walker,
            unknown: self.unknown.clone(),
            stale: self.stale,
            ..Self::default()
        }
    }

    /// A file's code was mapped at addresses where nothing is known: the file is known, or else the maps are
    /// read before the next walk.
    pub(crate) fn mapped(&mut self, mapped: &CodeMapping, files: &mut Files) {
        match Self::told(mapped, files) {
            Some(code) => {
                let at = self
                    .code
                    .partition_point(|other| other.map.start < code.map.start);
                self.code.insert(at, code);
                self.changed();
            }
            None => {
                self.unknown.push(mapped.clone());
                self.mark_stale();
            }
        }
    }

    /// The code of a new program, as far as it is known. The maps are read before the next walk if that is not
    /// all, or nothing is told.
    #[must_use]
    pub(crate) fn begun(told: &[CodeMapping], files: &mut Files) -> Self {
        let mut space = Self {
            stale: told.is_empty(),
            ..Self::default()
        };
        for mapped in told {
            space.mapped(mapped, files);
        }
        space
    }

    fn told(mapped: &CodeMapping, files: &mut Files) -> Option<Code> {
        let (start, end) = (mapped.range.start, mapped.range.end);
        let (name, loaded) = if mapped.is_vdso {
            (VDSO.into(), files.own_vdso(end - start)?)
        } else {
            files.known(mapped.file)?
        };
        let begin = address_at(&loaded.module.layout, mapped.offset)?;
        let map = ExecMap {
            start,
            end,
            offset: mapped.offset,
            inode: mapped.file,
            name: name.as_ref().to_owned(),
            deleted: false,
        };
        Some(Code {
            path: printable(&name).into(),
            map,
            file: Some((loaded, begin)),
            told: true,
        })
    }

    /// What the kernel has told may have been lost, or moved: the maps count.
    pub(crate) fn distrust(&mut self) {
        self.code.iter_mut().for_each(|code| code.told = false);
        self.unknown.clear();
        self.mark_stale();
    }

    /// The maps have changed: read them again before the next walk.
    pub(crate) fn mark_stale(&mut self) {
        self.stale = true;
    }

    /// Code was made in a place that is not looked at for that: the next pc in no mapping known is looked for
    /// at once.
    pub(crate) fn mark_grown(&mut self) {
        (self.vain, self.pause) = (0, 0);
    }

    /// These addresses were unmapped, or mapped anew: what was known of them is forgotten, also which version
    /// of a file was there.
    pub(crate) fn forget_range(&mut self, range: &Range<u64>) {
        self.code = std::mem::take(&mut self.code)
            .into_iter()
            .flat_map(|code| code.outside(range))
            .collect();
        self.forget_unknown(range);
        self.changed();
        self.mark_grown();
    }

    /// The same of what is not known.
    fn forget_unknown(&mut self, range: &Range<u64>) {
        self.unknown.retain(|told| !overlap(&told.range, range));
    }

    /// Reads the maps if they are known to have changed.
    pub(crate) fn freshen(&mut self, pid: Pid, files: &mut Files) {
        if self.stale {
            // Of a process that is gone they cannot be read; another may share its address space.
            self.stale = self.read(pid, files) == Reading::Failed;
        }
    }

    /// A pc lies in no mapping known: reads the maps, unless that was in vain lately. Says whether
    /// there is something new.
    pub(crate) fn missed(&mut self, pid: Pid, files: &mut Files) -> bool {
        if self.pause > 0 {
            self.pause -= 1;
            return false;
        }
        let changed = match self.read(pid, files) {
            Reading::Failed => return false,
            Reading::Same => false,
            Reading::Changed => true,
        };
        // A walk that has lost its way brings such a pc with every stack.
        self.vain = if changed {
            0
        } else {
            (self.vain + 1).min(MAX_PAUSE)
        };
        self.pause = if changed { 0 } else { 1 << self.vain };
        changed
    }

    /// Reads the maps; what could not be read leaves everything as it was. They show what is there now, and a stack may be older: where the kernel has told what was
    /// mapped, that counts.
    fn read(&mut self, pid: Pid, files: &mut Files) -> Reading {
        let Ok(maps) = exec_maps::read(pid) else {
            return Reading::Failed;
        };
        let before: Vec<ExecMap> = self.code.iter().map(|code| code.map.clone()).collect();
        let old = std::mem::take(&mut self.code);
        let (told, old): (Vec<_>, Vec<_>) = old.into_iter().partition(|code| code.told);
        let mut known: HashMap<u64, Code> =
            old.into_iter().map(|code| (code.map.start, code)).collect();
        self.code = told;
        for map in maps {
            if self.has_code_in(&(map.start..map.end), false) {
                continue;
            }
            let range = map.start..map.end;
            let told = self
                .unknown
                .iter()
                .position(|told| overlap(&told.range, &range));
            let same = told.map(|at| self.unknown[at].file.is_same(map.inode));
            if same == Some(SameFile::No) {
                continue;
            }
            let mut code = match known.remove(&map.start) {
                Some(code) if code.map == map => code,
                _ => Self::code(pid, map, files),
            };
            if let (Some(at), Some(SameFile::Yes)) = (told, same) {
                code.told = true;
                let told = self.unknown.remove(at);
                if let Some((loaded, _)) = &code.file {
                    files.keep(told.file, &code.map.name, loaded);
                }
            }
            let at = self
                .code
                .partition_point(|other| other.map.start < code.map.start);
            self.code.insert(at, code);
        }
        let changed = !before.iter().eq(self.code.iter().map(|code| &code.map));
        if !changed {
            return Reading::Same;
        }
        self.changed();
        Reading::Changed
    }

    fn changed(&mut self) {
        self.walker = Walker::new(self.code.iter().filter_map(Self::module));
        self.exits.clear();
    }

    fn code(pid: Pid, map: ExecMap, files: &mut Files) -> Code {
        let file = files.behind(pid, &map).and_then(|loaded| {
            let start = address_at(&loaded.module.layout, map.offset)?;
            Some((loaded, start))
        });
        Code {
            path: printable(&map.name).into(),
            map,
            file,
            told: false,
        }
    }

    fn module(code: &Code) -> Option<arch::Module> {
        let (loaded, start) = code.file.as_ref()?;
        let own_base = loaded.module.layout.base;
        let base = code.map.start.checked_sub(start.checked_sub(own_base)?)?;
        let range = code.map.start..code.map.end;
        Some(arch::module(
            &code.path,
            range,
            base,
            own_base,
            loaded.cfi.tables(),
        ))
    }

    fn find(&self, address: u64) -> Option<&Code> {
        let after = self.code.partition_point(|code| code.map.start <= address);
        let code = self.code.get(after.checked_sub(1)?)?;
        (address < code.map.end).then_some(code)
    }

    /// Whether code is known within a range of addresses: `of_file`, only that of files.
    #[must_use]
    pub(crate) fn has_code_in(&self, range: &Range<u64>, of_file: bool) -> bool {
        let first = self
            .code
            .partition_point(|code| code.map.end <= range.start);
        self.code[first..]
            .iter()
            .take_while(|code| code.map.start < range.end)
            .any(|code| !of_file || code.file.is_some())
    }

    /// The same, or code of which the kernel has told and nothing more is known.
    #[must_use]
    pub(crate) fn concerns(&self, range: &Range<u64>, of_file: bool) -> bool {
        let mut unknown = self.unknown.iter();
        self.has_code_in(range, of_file) || unknown.any(|told| overlap(&told.range, range))
    }

    /// Whether there is code at this address.
    #[must_use]
    pub(crate) fn is_code(&self, address: u64) -> bool {
        self.find(address).is_some()
    }

    /// Whether the kernel has told of code here, of a file that nobody could look at.
    #[must_use]
    pub(crate) fn is_of_unseen_file(&self, address: u64) -> bool {
        self.unknown
            .iter()
            .any(|told| told.range.contains(&address))
    }

    /// How to leave the function at this address; `None` if there is no code.
    pub(crate) fn exit(&mut self, lookup: u64) -> Option<Exit> {
        if let Some(&exit) = self.exits.get(&lookup) {
            return Some(exit);
        }
        let exit = match self.find(lookup)?.address_in_file(lookup) {
            Some((loaded, address)) => match loaded.cfi.exit(address) {
                Exit::Unknown if loaded.module.layout.is_entry(address) => Exit::Outermost,
                exit => exit,
            },
            None => Exit::Unknown,
        };
        if self.exits.len() >= MAX_EXITS {
            self.exits.clear();
        }
        self.exits.insert(lookup, exit);
        Some(exit)
    }

    /// Whether unwind rules begin at this address: there are none for what lies before it.
    #[must_use]
    pub(crate) fn begins_function(&self, address: u64) -> bool {
        let covered = |address| {
            let found = self.cfi(address);
            found.is_some_and(|(cfi, address)| cfi.exit(address) != Exit::Unknown)
        };
        covered(address) && !covered(address.wrapping_sub(1))
    }

    /// The tables for this address, and the address in the file's own addressing.
    #[must_use]
    pub(crate) fn cfi(&self, lookup: u64) -> Option<(&Cfi, u64)> {
        let (loaded, address) = self.find(lookup)?.address_in_file(lookup)?;
        Some((&loaded.cfi, address))
    }

    /// framehop for this address space.
    pub(crate) fn walker(&mut self) -> &mut Walker {
        &mut self.walker
    }

    /// Where an address lies.
    #[must_use]
    pub(crate) fn place(&self, at: CodeAddress) -> Place {
        let (address, lookup) = (at.get(), at.lookup());
        let Some(code) = self.find(lookup) else {
            return Place::Nowhere { address };
        };
        let path = Arc::clone(&code.path);
        let offset = code.map.offset + (address - code.map.start);
        match code.address_in_file(lookup) {
            Some((loaded, lookup)) => {
                let module = Arc::clone(&loaded.module);
                Place::File {
                    module,
                    path,
                    lookup,
                    offset,
                }
            }
            None if code.map.inode.number == 0 && !is_special(&path) => {
                Place::Runtime { lookup, address }
            }
            None => Place::Mapping {
                path,
                offset,
                lookup,
            },
        }
    }
}

fn overlap(one: &Range<u64>, other: &Range<u64>) -> bool {
    one.start < other.end && other.start < one.end
}

/// Memory that the kernel made.
fn is_special(name: &str) -> bool {
    matches!(name, "[vdso]" | "[vsyscall]" | "[uprobes]")
}

/// The address, in the file's own addressing, of what a mapping at this file offset shows first.
fn address_at(layout: &Layout, offset: u64) -> Option<u64> {
    let segment = layout.segments.iter().find(|segment| {
        // The kernel maps whole pages: the mapping may begin before the segment.
        let begin = segment.offset & !0xfff;
        begin <= offset && offset < segment.offset.saturating_add(segment.size)
    })?;
    Some(
        segment
            .address
            .wrapping_sub(segment.offset)
            .wrapping_add(offset),
    )
}
