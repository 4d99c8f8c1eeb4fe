//! The names of threads at the time of their calls.

use std::collections::HashMap;

use tracer_ledger::event::Tid;

/// A thread's name, as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameId(u32);

/// The most different names that are kept: a process could invent any number.
const MOST_NAMES: usize = 1 << 16;

/// Which thread has which name now, and every name there ever was.
#[derive(Clone, Debug, Default)]
pub struct Threads {
    names: Vec<String>,
    ids: HashMap<String, NameId>,
    current: HashMap<Tid, NameId>,
}

impl Threads {
    /// A thread has this name from now on.
    pub fn rename(&mut self, tid: Tid, name: &str) {
        let full = self.names.len() >= MOST_NAMES && !self.ids.contains_key(name);
        let name = if full { "…" } else { name };
        let id = if let Some(id) = self.ids.get(name) {
            *id
        } else {
            // Never full: an index of four billion names does not fit into memory before.
            let id = NameId(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
            self.names.push(name.to_owned());
            self.ids.insert(name.to_owned(), id);
            id
        };
        self.current.insert(tid, id);
    }

    /// The name a thread has now.
    #[must_use]
    pub fn current(&self, tid: Tid) -> Option<NameId> {
        self.current.get(&tid).copied()
    }

    /// In letters.
    #[must_use]
    pub fn name(&self, id: NameId) -> &str {
        self.names.get(id.0 as usize).map_or("", String::as_str)
    }
}
