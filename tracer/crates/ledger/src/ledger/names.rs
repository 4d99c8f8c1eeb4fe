//! Names of mappings, which only the maps tell.

use std::collections::HashMap;
use std::sync::Arc;

use super::address_space::AddressSpace;
use crate::event::Mapping;

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

impl AddressSpace {
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
