//! Names of mappings: of files that calls have mapped, of what the maps show, of memory that a process has named.

use std::collections::HashMap;
use std::sync::Arc;

use super::address_space::AddressSpace;
use crate::event::{Backed, File, FileId, FileKind, Mapping, Named};

/// The names of mappings, each kept once for the whole ledger.
#[derive(Clone, Debug, Default)]
pub struct Names(HashMap<Box<str>, Arc<str>>);

impl Names {
    /// How many names are kept; beyond, each user has its own copy (`memfd`s and deleted files can
    /// have ever new names).
    const MOST: usize = 10_000;

    /// The name, as it is kept.
    pub(super) fn get(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        let new: Arc<str> = name.into();
        if self.0.len() < Self::MOST {
            self.0.insert(name.into(), new.clone());
        }
        new
    }
}

/// A file that is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MappedFile {
    /// Which.
    pub id: FileId,
    /// What it is.
    pub kind: FileKind,
    /// Where in it the mapping begins, bytes.
    pub offset: u64,
}

/// Files that calls have mapped.
#[derive(Clone, Debug, Default)]
pub struct Files(HashMap<FileId, (Arc<str>, FileKind)>);

impl Files {
    /// How many files are kept: after so many others, what is mapped of the older ones has no name.
    const MOST: usize = 10_000;

    /// A file is told.
    pub(super) fn learn(&mut self, names: &mut Names, file: &File) {
        if self.0.len() >= Self::MOST {
            self.0.clear();
        }
        self.0.insert(file.id(), (names.get(&file.path), file.kind));
    }
}

impl AddressSpace {
    /// What a call has mapped is of a file.
    pub(super) fn backed(&mut self, files: &Files, backed: &Backed) {
        let id = backed.id();
        let Some((name, kind)) = files.0.get(&id) else {
            return;
        };
        let owner = self.owner(backed.address);
        if let Some(owner) = owner.and_then(|id| self.reservations.get_mut(&id))
            // What it laid over a part of another's reservation stays that one's.
            && owner.address == backed.address
        {
            owner.name = name.clone();
            owner.file = Some(MappedFile {
                id,
                kind: *kind,
                offset: owner.offset,
            });
        }
    }

    /// A process has given a name to anonymous memory: all reservations that lie in it have it.
    pub(super) fn named(&mut self, names: &mut Names, named: &Named) {
        let Some(range) = self.page.range(named.address, named.length) else {
            return;
        };
        let name = match named.name.as_str() {
            // It has none any more.
            "" => Arc::default(),
            given => names.get(&format!("[anon:{given}]")),
        };
        for (_, owner) in self.owners(range) {
            if let Some(owner) = self.reservations.get_mut(&owner)
                && owner.file.is_none()
                && (owner.name.is_empty() || owner.name.starts_with("[anon:"))
            {
                owner.name = name.clone();
            }
        }
    }

    /// Gives names to reservations that were made since the maps were last read.
    pub(super) fn learn_names(&mut self, names: &mut Names, mappings: &[Mapping]) {
        for mapping in mappings.iter().filter(|mapping| !mapping.name.is_empty()) {
            let Some(range) = self.page.between(mapping.start, mapping.end) else {
                continue;
            };
            for (_, owner) in self.owners(range) {
                if let Some(owner) = self.reservations.get_mut(&owner)
                    && owner.name.is_empty()
                {
                    owner.name = names.get(&mapping.name);
                }
            }
        }
    }
}
