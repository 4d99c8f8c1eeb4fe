//! What a new program begins with: the mappings that the kernel made for it, told one by one before
//! its first instruction.

use std::collections::HashMap;

use tracer_ledger::event::{
    File, FileId, Maps, MapsPurpose, Tid,
    record::{RawMapping, RawProcess},
};

/// Paths that are kept: after so many others a program begins without names, until its maps are read.
const MOST_PATHS: usize = 10_000;

/// Mappings of programs whose exec has not been told yet.
#[derive(Debug)]
pub(crate) struct Beginnings {
    mappings: HashMap<Tid, Vec<RawMapping>>,
    /// Paths of files that were told.
    paths: HashMap<FileId, String>,
    page_bytes: u64,
}

impl Default for Beginnings {
    fn default() -> Self {
        Self {
            mappings: HashMap::new(),
            paths: HashMap::new(),
            page_bytes: rustix::param::page_size() as u64,
        }
    }
}

impl Beginnings {
    /// One mapping. The same one may be told twice.
    pub(crate) fn mapping(&mut self, found: RawMapping) {
        let mappings = self.mappings.entry(found.stamp.tid).or_default();
        if !mappings.iter().any(|told| told.mapping == found.mapping) {
            mappings.push(found);
        }
    }

    /// The program begins: what was told of its mappings, if that is all that the kernel counts.
    pub(crate) fn begin(&mut self, exec: &RawProcess) -> Option<Vec<RawMapping>> {
        let mut mappings = self.mappings.remove(&exec.stamp.tid)?;
        mappings.sort_unstable_by_key(|told| told.mapping.start);
        let told: u64 = mappings
            .iter()
            .map(|told| told.mapping.end.0 - told.mapping.start.0)
            .sum();
        let counted = exec.totals?.total_pages * self.page_bytes;
        if told != counted {
            log::debug!(
                "process {}: {told} bytes mapped at exec were told, the kernel counts {counted}",
                exec.stamp.pid
            );
            return None;
        }
        for told in &mut mappings {
            let id = FileId {
                device: told.device,
                inode: told.mapping.inode,
            };
            if let Some(path) = self.paths.get(&id) {
                told.mapping.name.clone_from(path);
            }
        }
        Some(mappings)
    }

    /// A file that was mapped.
    pub(crate) fn file(&mut self, file: &File) {
        if self.paths.len() >= MOST_PATHS {
            self.paths.clear();
        }
        self.paths.insert(file.id(), file.path.clone());
    }
}

/// The seed of a program that begins with these mappings.
pub(crate) fn seed(exec: &RawProcess, mappings: Vec<RawMapping>) -> Maps {
    Maps {
        time: exec.stamp.time,
        began: exec.stamp.time,
        pid: exec.stamp.pid,
        space: exec.stamp.space,
        mappings: mappings.into_iter().map(|told| told.mapping).collect(),
        purpose: MapsPurpose::Seed,
        after: 0,
    }
}
