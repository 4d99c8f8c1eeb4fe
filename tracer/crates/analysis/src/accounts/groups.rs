//! The control groups that limit the traced processes, by their own figures.

use std::collections::BTreeMap;

use crate::accounts::curve::{Curve, value_at};
use crate::accounts::standing::POINTS;
use crate::accounts::time::TraceTime;
use tracer_ledger::event::{Group, Pid};

/// Which group: its version, and its path below its mount.
pub type GroupKey = (u8, String);

/// Every group that was told.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    known: BTreeMap<GroupKey, GroupAccount>,
    /// That of each living process, as far as it is known.
    of: BTreeMap<Pid, GroupKey>,
}

/// How a group stood in the course of the trace.
#[derive(Clone, Debug)]
pub struct GroupAccount {
    /// Its figures when they were last read.
    pub last: Group,
    /// The course.
    pub course: Curve<GroupPoint, POINTS>,
}

/// How a group stands at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupPoint {
    /// All that counts, bytes.
    pub usage: u64,
    /// Of it, what the kernel takes back first, bytes.
    pub reclaimable: u64,
    /// What the traced processes in it have resident, bytes.
    pub traced: u64,
    /// How often the limit was reached so far.
    pub hits: u64,
    /// How often a process was killed for want of memory so far.
    pub kills: u64,
}

impl GroupPoint {
    /// What the kernel cannot easily take back, bytes.
    #[must_use]
    pub fn working(&self) -> u64 {
        self.usage.saturating_sub(self.reclaimable)
    }
}

impl Groups {
    /// The group's figures, and the group of the process.
    pub fn told(&mut self, time: TraceTime, group: &Group, traced: u64) -> GroupKey {
        let key = (group.version, group.path.clone());
        let account = self
            .known
            .entry(key.clone())
            .or_insert_with(|| GroupAccount {
                last: group.clone(),
                course: Curve::default(),
            });
        account.last = group.clone();
        let point = GroupPoint {
            usage: group.usage_bytes,
            reclaimable: group.reclaimable_bytes,
            traced,
            hits: group.limit_hits,
            kills: group.oom_kills,
        };
        account.course.record(time, point);
        key
    }

    /// A process is in this group from now on.
    pub fn enters(&mut self, pid: Pid, key: GroupKey) {
        self.of.insert(pid, key);
    }

    /// A child begins where its parent is.
    pub fn forked(&mut self, parent: Pid, child: Pid) {
        if let Some(key) = self.of.get(&parent).cloned() {
            self.of.insert(child, key);
        }
    }

    /// A process has ended.
    pub fn ended(&mut self, pid: Pid) {
        self.of.remove(&pid);
    }

    /// The group that a process is in.
    #[must_use]
    pub fn of(&self, pid: Pid) -> Option<&GroupKey> {
        self.of.get(&pid)
    }

    /// What is known of a group.
    #[must_use]
    pub fn get(&self, key: &GroupKey) -> Option<&GroupAccount> {
        self.known.get(key)
    }
}

impl GroupAccount {
    /// The points between two moments, with the one before them.
    #[must_use]
    pub fn within(&self, from: TraceTime, to: TraceTime) -> Vec<(TraceTime, GroupPoint)> {
        let points = self.course.points();
        let before = value_at(points, from).map(|point| (from, point));
        let inside = points
            .iter()
            .copied()
            .filter(|(time, _)| *time > from && *time <= to);
        before.into_iter().chain(inside).collect()
    }
}
