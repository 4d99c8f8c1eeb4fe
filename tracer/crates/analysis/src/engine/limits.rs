//! What the kernel says of limits and of whose pages are: into the accounts.

use crate::Analysis;
use crate::accounts::groups::GroupKey;
use tracer_ledger::event::{Accounted, Fault, Fork, Group, Mappings, Shares};
use tracer_ledger::ledger::change::Change;

/// What is told of a process so long after its end is still of it, ns: a group is read after its kill.
const AFTER_END: u64 = 2_000_000_000;
/// Runs that are looked through for one that has just ended.
const LATELY: usize = 256;

impl Analysis {
    pub(super) fn stands(&mut self, accounted: &Accounted) {
        self.at(accounted.time);
        let time = self.relative(accounted.time);
        let page_bytes = self.started.page_bytes;
        if let Some(&run) = self.current.get(&accounted.pid) {
            let standing = &mut self.runs[run].standing;
            standing.accounted(time, &accounted.account, page_bytes);
        }
    }

    pub(super) fn mappings(&mut self, mappings: &Mappings) {
        self.at(mappings.time);
        let time = self.relative(mappings.time);
        if let Some(space) = self.spaces.get(&mappings.space) {
            for &run in &space.runs {
                self.runs[run].standing.mapped(time, mappings.count);
            }
        }
    }

    pub(super) fn shares(&mut self, shares: &Shares) {
        self.at(shares.time);
        if let Some(&run) = self.current.get(&shares.pid) {
            self.runs[run].pages.shared(*shares);
        }
    }

    pub(super) fn grouped(&mut self, group: &Group) {
        self.at(group.time);
        let time = self.relative(group.time);
        let key: GroupKey = (group.version, group.path.clone());
        let members = self.current.values().map(|&run| &self.runs[run]);
        let members = members.filter(|run| run.group.as_ref() == Some(&key));
        let traced = members.map(|run| run.resident.span.end).sum();
        let key = self.groups.told(time, group, traced);
        if let Some(&run) = self.current.get(&group.pid) {
            self.runs[run].group = Some(key.clone());
            self.groups.enters(group.pid, key);
            return;
        }
        let lately = self.runs.iter_mut().rev().take(LATELY);
        let mut of_pid = lately.filter(|run| run.pid == group.pid);
        match of_pid.find(|run| run.end.is_some_and(|end| time.since(end.time) <= AFTER_END)) {
            Some(run) => {
                run.group = Some(key);
                run.group_until = Some(time);
            }
            // It has not begun yet.
            None => self.groups.enters(group.pid, key),
        }
    }

    /// After a fork: two have the same pages.
    pub(super) fn fork_shared(&mut self, fork: &Fork) {
        let (parent, child) = (fork.stamp.pid, fork.child);
        if !fork.followed {
            return;
        }
        self.groups.forked(parent, child);
        let runs = self.current.get(&parent).copied();
        let Some((parent, child)) = runs.zip(self.current.get(&child).copied()) else {
            return;
        };
        self.runs[child].group = self.runs[parent].group.clone();
        if fork.child_space == fork.stamp.space {
            return;
        }
        // The last sample may be older than what was touched since.
        let touched = self.spaces.get(&fork.stamp.space);
        let touched = touched.map(|space| space.bytes().touched);
        let usage = self.runs[parent].pages.usage;
        let anonymous = usage.map(|usage| usage.anonymous_bytes).max(touched);
        self.runs[parent].pages.forked(anonymous);
        self.runs[child].pages.forked(anonymous);
        self.runs[child].forked_from = Some(parent);
        self.runs[parent].children.push(child);
    }

    /// A run has ended: those that had the same pages have them alone now.
    pub(super) fn parted(&mut self, ended: usize) {
        if let Some(parent) = self.runs[ended].forked_from.take() {
            self.runs[parent].pages.parted();
            self.runs[parent].children.retain(|&child| child != ended);
        }
        for child in std::mem::take(&mut self.runs[ended].children) {
            self.runs[child].pages.parted();
            self.runs[child].forked_from = None;
        }
    }

    /// A fault that touched no page for the first time: in one of two that share their pages since a fork, a write
    /// has copied one.
    pub(super) fn faulted(&mut self, fault: &Fault, changes: &[Change]) {
        if !fault.write || !changes.is_empty() {
            return;
        }
        if let Some(&run) = self.current.get(&fault.stamp.pid) {
            self.runs[run].pages.rewrote(self.started.page_bytes);
        }
    }
}
