//! What is kept of a trace, and where each event goes.
//!
//! Totals are kept from changes, never by a rescan: the ledger is asked for what lives only at the
//! end of a run, for names and for what is resident. A process that ends gives nothing back in the
//! sense of the report: what was alive then counts as never released.

use std::collections::{BTreeSet, HashMap};

use crate::accounts::files::Files;
use crate::accounts::frames::Stacks;
use crate::accounts::groups::Groups;
use crate::accounts::run::Run;
use crate::accounts::spaces::{Accounted, SharedSpace};
use crate::accounts::threads::Threads;
use crate::accounts::time::TraceTime;
use crate::accounts::view::LedgerView;
use crate::engine::refusals::Place;
use crate::model::summary::Losses;
use crate::model::window::Window;
use crate::patterns::Patterns;
use tracer_ledger::event::{
    Ended, Event, Failures, FaultMode, Learning, Loss, Machine, Module, Nanoseconds, Pid, SpaceId,
    Started,
};
use tracer_ledger::ledger::change::{Change, ReservationId};

/// The accounts of one trace: events in, with what the ledger changed for them, and out comes the report.
#[derive(Debug, Default)]
pub struct Analysis {
    pub(super) patterns: Patterns,
    pub(super) window: Window,
    pub(super) started: Started,
    pub(super) ended: Option<Ended>,
    pub(super) learning: Option<Learning>,
    /// At the last look.
    pub(super) machine: Machine,
    /// Latest time seen.
    pub(super) now: Nanoseconds,
    /// All events: by it a site tells whether two reservations are of one call.
    pub(super) sequence: u64,
    /// Those of the traced processes' doing.
    pub(super) events: u64,
    pub(super) losses: Losses,
    pub(super) failures: Failures,
    /// One fault in so many carried a stack.
    pub(super) fault_stacks: Option<u32>,
    pub(super) stacks: Stacks,
    /// Files that their frames lie in.
    pub(super) modules: BTreeSet<Module>,
    pub(super) threads: Threads,
    pub(super) runs: Vec<Run>,
    /// The run of each living process.
    pub(super) current: HashMap<Pid, usize>,
    pub(super) spaces: HashMap<SpaceId, SharedSpace>,
    pub(super) accounted: HashMap<ReservationId, Accounted>,
    /// Control groups.
    pub(super) groups: Groups,
    pub(super) files: Files,
    /// Where the call before is accounted, if it has made a reservation.
    pub(super) last_born: Option<Accounted>,
    /// Where refusals are counted, by their places.
    pub(super) places: HashMap<u64, Place>,
    /// Ended runs whose sites are kept.
    pub(super) detailed: Vec<usize>,
}

impl Analysis {
    /// An analysis that has seen nothing, looks at this part of the trace, and recognises these kinds of
    /// reservation.
    #[must_use]
    pub fn new(patterns: Patterns, window: Window) -> Self {
        Self {
            patterns,
            window,
            ..Self::default()
        }
    }

    /// Whether an event is of later than what is looked at: neither ledger nor analysis are to hear of it.
    #[must_use]
    pub fn is_beyond(&self, event: &Event) -> bool {
        !matches!(event, Event::Started(_) | Event::Ended(_))
            && event
                .time()
                .is_some_and(|time| self.relative(time).0 > self.window.to_ns)
    }

    /// One event, and what the ledger changed for it; the ledger itself, as it is after the event, is looked at
    /// where a process has ended.
    pub fn apply(&mut self, event: &Event, changes: &[Change], ledger: &impl LedgerView) {
        self.sequence += 1;
        // The run that ends with this event: only after the changes, which are still its own.
        let mut ending = None;
        match event {
            Event::Started(started) => {
                self.started = started.clone();
                self.now = started.time;
            }
            Event::Found(found) => self.found(found),
            Event::Maps(maps) => {
                self.at(maps.time);
                self.taking_over(maps);
            }
            Event::Call(call) => {
                self.doing(call.stamp.time);
                self.worked(call);
            }
            Event::Fault(fault) => {
                self.doing(fault.stamp.time);
                self.faulted(fault, changes);
            }
            Event::SampledFault(sampled) => {
                self.fault_stacks = Some(sampled.every);
                self.doing(sampled.fault.stamp.time);
                self.faulted(&sampled.fault, changes);
            }
            Event::Looking(looking) => self.at(looking.time),
            Event::Resident(resident) => self.at(resident.time),
            Event::Reading(reading) => self.at(reading.time),
            Event::Missing(missing) => self.at(missing.time),
            Event::Fork(fork) => {
                self.forked(fork);
                self.made_task(fork.stamp.pid, false);
            }
            Event::Thread(thread) => {
                self.doing(thread.stamp.time);
                self.threads.rename(thread.child, &thread.comm);
                self.made_task(thread.stamp.pid, true);
            }
            Event::Exec(exec) => {
                self.doing(exec.stamp.time);
                ending = self.leaving(exec.stamp.pid, ledger);
                self.executed(exec, ending);
            }
            Event::Exit(exit) => {
                self.doing(exit.stamp.time);
                ending = self.leaving(exit.stamp.pid, ledger);
            }
            Event::Rename(rename) => self.renamed(rename),
            Event::Sample(sample) => self.sampled(sample),
            Event::Usage(usage) => self.used(usage),
            Event::Stack(stack) => self.stacks.insert(stack),
            Event::Incomplete(why) => self.stacks.insert_cause(why),
            Event::Module(module) => {
                self.modules.insert(module.clone());
            }
            Event::Learning(learning) => self.learning = Some(*learning),
            Event::Machine(machine) => self.machine = *machine,
            Event::Shown(shown) => self.shown(shown),
            Event::File(file) => self.files.learn(file),
            Event::Backed(backed) => self.backed(backed),
            Event::Refused(refused) => self.refused(refused),
            Event::RefusedAgain(again) => self.refused_again(again),
            Event::Accounted(accounted) => self.stands(accounted),
            Event::Mappings(mappings) => self.mappings(mappings),
            Event::Shares(shares) => self.shares(shares),
            Event::Group(group) => self.grouped(group),
            Event::Split(split) => self.split(split),
            Event::OomKill(kill) => self.killed_for_want_of_memory(kill),
            Event::Named(_) => {
                if let Some(time) = event.time() {
                    self.at(time);
                }
            }
            Event::Unseen(unseen) => self.unseen(unseen),
            Event::Loss(loss) => self.lost(loss),
            Event::Failures(failures) => self.failures = failures.clone(),
            Event::Ended(ended) => {
                self.at(ended.time);
                self.ended = Some(*ended);
            }
        }
        self.last_born = None;
        for change in changes {
            self.change(change, ledger);
        }
        match event {
            Event::Maps(maps) => self.taken_over(maps),
            Event::SampledFault(sampled) => self.touched(sampled, changes),
            Event::Fork(fork) => {
                self.fork_counted(fork);
                self.fork_shared(fork);
            }
            Event::Exec(exec) => self.exec_counted(exec, ending),
            Event::Exit(exit) => self.exited(exit, ending),
            _ => {}
        }
    }

    pub(super) fn relative(&self, time: Nanoseconds) -> TraceTime {
        TraceTime::on(self.started.time, time)
    }

    /// Time has come so far; but no later than what is looked at.
    pub(super) fn at(&mut self, time: Nanoseconds) {
        let last = self.started.time.0.saturating_add(self.window.to_ns);
        self.now = self.now.max(Nanoseconds(time.0.min(last)));
    }

    /// Something that a traced process did.
    pub(super) fn doing(&mut self, time: Nanoseconds) {
        self.at(time);
        self.events += 1;
    }

    /// Each fault is an event: what was touched is known.
    pub(super) fn faults_followed(&self) -> bool {
        self.started.faults == Some(FaultMode::Each)
    }

    fn lost(&mut self, loss: &Loss) {
        self.at(loss.time);
        if loss.events + loss.faults + loss.stacks + loss.late > 0 {
            let since = self.relative(loss.time);
            self.losses.since_ns.get_or_insert(since.0);
        }
        self.losses.events += loss.events;
        self.losses.faults += loss.faults;
        self.losses.stacks += loss.stacks;
        self.losses.late += loss.late;
    }
}
