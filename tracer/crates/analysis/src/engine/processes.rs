//! The beginnings and ends of program runs.

use crate::Analysis;
use crate::accounts::run::{Located, Run, RunEnd, Sight};
use crate::accounts::spaces::SharedSpace;
use crate::accounts::time::TraceTime;
use crate::accounts::view::{LedgerView, LivingReservation, SpaceView};
use crate::model::summary::Exit as ReportedExit;
use tracer_ledger::event::{
    Exec, Exit, ExitStatus, Fork, Found, Identity, Pid, Rename, Shown, SpaceId, Tid, Unseen,
};

/// Ended runs whose sites, reservations and timelines are kept: a build starts tens of thousands.
const MOST_DETAILED: usize = 1_000;

impl Analysis {
    /// A process ends, or begins another program: takes a last look at the space that it left. To be called before
    /// the changes, which take the accounts from what lived there. Its run, if it is known.
    pub(super) fn leaving(&mut self, pid: Pid, ledger: &impl LedgerView) -> Option<usize> {
        let index = self.current.remove(&pid)?;
        if let Some(space) = ledger.left() {
            self.runs[index].last_sight = Some(self.look(index, &space));
        }
        Some(index)
    }

    /// What there is to see of a space by a run that lives in it.
    pub(super) fn look(&self, index: usize, space: &impl SpaceView) -> Sight {
        // A space that others live in too is its first run's, and does not end with a guest.
        let owns = self
            .spaces
            .get(&space.id())
            .is_none_or(|space| space.runs.first().is_none_or(|&first| first == index));
        let living = if owns {
            self.locate(index, space.living())
        } else {
            Vec::new()
        };
        Sight {
            living,
            mapped_bytes: space.mapped_bytes(),
            kernel_bytes: space.kernel_bytes(),
            checks: space.checks(),
            is_in_doubt: owns && space.is_in_doubt(),
        }
    }

    /// Finds the accounts of living reservations.
    fn locate(&self, run: usize, living: Vec<LivingReservation>) -> Vec<Located> {
        living
            .into_iter()
            .map(|left| {
                let accounted = self.accounted.get(&left.id).filter(|one| one.run == run);
                Located {
                    left,
                    site: accounted.map(|one| one.site),
                    born: accounted.and_then(|one| one.born),
                    after: accounted.map_or(0, |one| one.after),
                }
            })
            .collect()
    }

    /// The run that a reservation in this space belongs to; one without a name if a loss has hidden
    /// the process's beginning.
    pub(super) fn owner_of(&mut self, space: SpaceId, pid: Pid, time: TraceTime) -> usize {
        if let Some(&run) = self.spaces.get(&space).and_then(|space| space.runs.first()) {
            return run;
        }
        let run = Run::new(pid, Pid(0), space, Identity::default(), time);
        self.begin(run)
    }

    fn begin(&mut self, run: Run) -> usize {
        let index = self.runs.len();
        let (pid, space) = (run.pid, run.space);
        self.runs.push(run);
        self.runs[index].group = self.groups.of(pid).cloned();
        if let Some(before) = self.current.insert(pid, index) {
            // Its end was lost. What lived then is not known; the number is another process's now.
            self.end_run(before, None);
        }
        self.spaces.entry(space).or_default().runs.push(index);
        index
    }

    /// A space that the kernel has just made: whatever had its number is gone.
    fn fresh(&mut self, space: SpaceId) {
        if let Some(old) = self.spaces.insert(space, SharedSpace::default()) {
            for run in old.runs {
                self.end_run(run, None);
            }
        }
    }

    fn end_run(&mut self, index: usize, exit: Option<ReportedExit>) {
        let time = self.relative(self.now);
        let run = &mut self.runs[index];
        if run.end.is_none() {
            run.end(RunEnd { time, exit });
            self.parted(index);
            self.bound(index);
        }
        let run = &self.runs[index];
        if let Some(space) = self.spaces.get_mut(&run.space) {
            space.runs.retain(|&other| other != index);
            if space.runs.is_empty() {
                self.spaces.remove(&run.space);
            }
        }
        if self.current.get(&run.pid) == Some(&index) {
            self.current.remove(&run.pid);
        }
    }

    /// Keeps the details of so many ended runs at most: those that were refused something, and the biggest.
    fn bound(&mut self, ended: usize) {
        if self.runs[ended].is_condensed {
            return;
        }
        self.detailed.push(ended);
        if self.detailed.len() <= MOST_DETAILED {
            return;
        }
        let peaks = self.detailed.iter().map(|&run| self.runs[run].peak_bytes);
        let smallest = peaks.enumerate().min_by_key(|&(position, peak)| {
            let run = &self.runs[self.detailed[position]];
            let refused = !run.refusals.groups().is_empty() || run.oom_kill.is_some();
            (refused, peak, std::cmp::Reverse(position))
        });
        if let Some((position, _)) = smallest {
            let run = self.detailed.remove(position);
            self.runs[run].condense();
        }
    }

    pub(super) fn found(&mut self, found: &Found) {
        self.at(found.time);
        for (tid, name) in &found.threads {
            self.threads.rename(*tid, name);
        }
        if let Some(&index) = self.current.get(&found.pid)
            && self.runs[index].space == found.space
        {
            let run = &mut self.runs[index];
            run.parent = found.parent;
            run.identity = found.identity.clone();
            return;
        }
        let time = self.relative(found.time);
        let identity = found.identity.clone();
        self.begin(Run::new(
            found.pid,
            found.parent,
            found.space,
            identity,
            time,
        ));
    }

    pub(super) fn forked(&mut self, fork: &Fork) {
        self.doing(fork.stamp.time);
        if !fork.followed {
            return;
        }
        if fork.child_space != fork.stamp.space {
            self.fresh(fork.child_space);
        }
        self.threads.rename(Tid(fork.child.0), &fork.comm);
        let mut identity = self
            .current
            .get(&fork.stamp.pid)
            .map_or_else(Identity::default, |&parent| {
                self.runs[parent].identity.clone()
            });
        identity.comm.clone_from(&fork.comm);
        let time = self.relative(fork.stamp.time);
        let parent = self.current.get(&fork.stamp.pid);
        // What was not seen of the parent was copied, too.
        let blind = parent.and_then(|&parent| self.runs[parent].blind);
        let mut run = Run::new(fork.child, fork.stamp.pid, fork.child_space, identity, time);
        run.from_start = true;
        run.blind = blind;
        self.begin(run);
    }

    /// After the changes of a fork: what the kernel copied and the ledger did not.
    pub(super) fn fork_counted(&mut self, fork: &Fork) {
        if fork.followed {
            self.counted(fork.child, fork.totals);
        }
    }

    /// Begins the new program's run; that of the `old` one ends after the changes.
    pub(super) fn executed(&mut self, exec: &Exec, old: Option<usize>) {
        let pid = exec.stamp.pid;
        self.threads.rename(Tid(pid.0), &exec.identity.comm);
        let parent = old.map_or(Pid(0), |old| self.runs[old].parent);
        self.fresh(exec.stamp.space);
        let time = self.relative(exec.stamp.time);
        let mut run = Run::new(pid, parent, exec.stamp.space, exec.identity.clone(), time);
        run.from_start = true;
        self.begin(run);
    }

    /// After the changes of an exec: the new program has what the kernel gave it, and the old one is gone.
    pub(super) fn exec_counted(&mut self, exec: &Exec, old: Option<usize>) {
        self.counted(exec.stamp.pid, exec.totals);
        if let Some(old) = old {
            self.end_run(old, None);
        }
    }

    /// After the changes of an exit.
    pub(super) fn exited(&mut self, exit: &Exit, run: Option<usize>) {
        let Some(index) = run else {
            return;
        };
        let status = match exit.status {
            ExitStatus::Code(code) => ReportedExit::Code(code),
            ExitStatus::Signal(signal) => ReportedExit::Signal(signal),
        };
        self.end_run(index, Some(status));
        self.groups.ended(exit.stamp.pid);
    }

    /// Not all that is done to an address space is seen: of whoever lives there, or is there when it is told.
    pub(super) fn unseen(&mut self, unseen: &Unseen) {
        self.at(unseen.stamp.time);
        let users = self.spaces.get(&unseen.stamp.space);
        let users = users.map_or_else(Vec::new, |space| space.runs.clone());
        let caller = self.current.get(&unseen.stamp.pid);
        for run in users.into_iter().chain(caller.copied()) {
            self.runs[run].blind = Some(unseen.why);
        }
    }

    /// What a process that was found running looked like then.
    pub(super) fn shown(&mut self, shown: &Shown) {
        self.at(shown.time);
        if let Some(&run) = self.current.get(&shown.pid) {
            self.runs[run].shown = Some(Box::new(shown.clone()));
        }
    }

    pub(super) fn renamed(&mut self, rename: &Rename) {
        self.doing(rename.stamp.time);
        let stamp = rename.stamp;
        self.threads.rename(stamp.tid, &rename.comm);
        if stamp.tid.0 == stamp.pid.0
            && let Some(&run) = self.current.get(&stamp.pid)
        {
            self.runs[run].identity.comm.clone_from(&rename.comm);
        }
    }
}
