//! Files that calls have mapped: each once, and which of them each call site maps.

use std::collections::HashMap;
use std::rc::Rc;

use tracer_ledger::event::{File, FileId};

/// Files that are known by name, at most; a target can make any number of them.
const MOST: usize = 10_000;
/// Files that are named for one call site; of more only the number is known.
const NAMED: usize = 16;

/// Every file that was told.
#[derive(Clone, Debug, Default)]
pub struct Files(HashMap<FileId, Rc<str>>);

impl Files {
    /// A file is told.
    pub fn learn(&mut self, file: &File) {
        let id = file.id();
        // A number that is used again is another file's.
        if self.0.len() < MOST || self.0.contains_key(&id) {
            self.0.insert(id, file.path.as_str().into());
        }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self, id: FileId) -> Option<&Rc<str>> {
        self.0.get(&id)
    }
}

/// Files that a call site maps, in the order of their appearance.
#[derive(Clone, Debug, Default)]
pub struct SiteFiles {
    paths: Vec<Rc<str>>,
}

impl SiteFiles {
    /// It maps this one.
    pub fn add(&mut self, path: &Rc<str>) {
        if self.paths.len() < NAMED && !self.paths.contains(path) {
            self.paths.push(Rc::clone(path));
        }
    }

    /// Those of another one too.
    pub fn merge(&mut self, other: &Self) {
        for path in &other.paths {
            self.add(path);
        }
    }

    /// Their paths.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.paths.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_names_each_file_once_and_not_without_end() {
        let mut files = SiteFiles::default();
        for number in 0..2 * NAMED {
            let path: Rc<str> = format!("/{number}").into();
            files.add(&path);
            files.add(&path);
        }
        let paths = files.paths();
        assert_eq!((paths.len(), paths[1].as_str()), (NAMED, "/1"));
    }
}
