//! The control groups that limit the traced processes: which process is in which, and how each stands.

use std::collections::BTreeMap;

use crate::{
    capture::procfs::{Hierarchies, OwnGroup},
    capture::ring::now,
};
use tracer_ledger::event::{Event, Group, Nanoseconds, Pid};

/// Groups that are looked at; a machine that makes one for each job would make them without end.
const MOST: usize = 256;
/// A reading younger than this need not be made again, ns.
const FRESH: u64 = 1_000_000_000;

/// Which process is in which group, and when each was read.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    hierarchies: Hierarchies,
    /// Of each living process, as last seen.
    of: BTreeMap<Pid, OwnGroup>,
    /// When each was read last.
    known: BTreeMap<OwnGroup, Nanoseconds>,
}

impl Groups {
    /// Those that are mounted now.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self {
            hierarchies: Hierarchies::mounted(),
            ..Self::default()
        }
    }

    /// A child begins in its parent's group.
    pub(crate) fn forked(&mut self, parent: Pid, child: Pid) {
        if let Some(group) = self.of.get(&parent) {
            self.of.insert(child, group.clone());
        }
    }

    /// A process was found, or begins a program: how its group stands, unless that is known.
    pub(crate) fn entered(&mut self, pid: Pid) -> Option<Event> {
        let groups = self.hierarchies.of(pid).ok()?;
        let before = self.of.get(&pid);
        if let Some(group) = before
            && groups.contains(group)
            && let Some(known) = self.known.get(group)
            && now().0.saturating_sub(known.0) < FRESH
        {
            return None;
        }
        let read = groups.into_iter().find_map(|group| self.read(pid, group));
        read.map(Event::Group)
    }

    /// Every process's group is looked up, and every group with a living process read.
    pub(crate) fn look(&mut self, living: &[Pid]) -> Vec<Event> {
        let mut events = Vec::new();
        let began = now();
        self.of.retain(|pid, _| living.binary_search(pid).is_ok());
        for &pid in living {
            // One that has ended meanwhile is in no group any more.
            let Ok(groups) = self.hierarchies.of(pid) else {
                continue;
            };
            let is_read = |group: &OwnGroup| {
                let known = self.known.get(group);
                self.of.get(&pid) == Some(group) && known.is_some_and(|read| *read >= began)
            };
            if !groups.iter().any(is_read) {
                let read = groups.into_iter().find_map(|group| self.read(pid, group));
                events.extend(read.map(Event::Group));
            }
        }
        events
    }

    /// A process was killed: how its group stands now.
    pub(crate) fn killed(&mut self, pid: Pid) -> Option<Group> {
        let group = self.of.get(&pid)?.clone();
        self.read(pid, group)
    }

    /// A process has ended.
    pub(crate) fn ended(&mut self, pid: Pid) {
        self.of.remove(&pid);
    }

    /// The last look, also at groups in which no process lives any more.
    pub(crate) fn finish(&self) -> Vec<Event> {
        let read = self.known.keys().filter_map(|group| {
            let member = self.of.iter().find(|(_, of)| *of == group);
            // Process 0 stands for nobody.
            let pid = member.map_or(Pid(0), |(pid, _)| *pid);
            Some(Event::Group(group.read(pid, now())?))
        });
        read.collect()
    }

    /// Reads a group that a process is in. One that has been removed has no figures, and is forgotten.
    fn read(&mut self, pid: Pid, group: OwnGroup) -> Option<Group> {
        let time = now();
        let Some(figures) = group.read(pid, time) else {
            self.known.remove(&group);
            return None;
        };
        if self.known.len() < MOST || self.known.contains_key(&group) {
            self.known.insert(group.clone(), time);
        }
        self.of.insert(pid, group);
        Some(figures)
    }
}
