//! Analysis: from events and what the ledger changed for them to one serialisable model
//! ([`Report`](crate::summary::Report)), the same for a live trace and for a recording.
//!
//! The order of calls, for each event: [`Analysis::ending`] if it is the exit or exec of a traced
//! process, then the ledger, then [`Analysis::apply`] with what the ledger changed.
//!
//! Totals are kept from changes, never by a rescan: the ledger is asked for what lives only at the
//! end of a run, for names and for what is resident. A process that ends gives nothing back in the
//! sense of the report: what was alive then counts as never released.

pub mod view;

pub mod progress;

mod processes;

mod recognise;

pub mod before;

mod assemble;

pub mod book;

pub mod replay;

use std::collections::{BTreeSet, HashMap};

use crate::accounts::frames::Stacks;
use crate::accounts::run::Run;
use crate::accounts::site::{self, SiteKey, add, unsigned};
use crate::accounts::threads::Threads;
use crate::model::summary::Losses;
use crate::model::window::Window;
use crate::patterns::Patterns;

use tracer_ledger::event::{
    Ended, Event, Failures, Learning, Machine, Maps, MapsPurpose, Module, Nanoseconds, Pid,
    SampledFault, SpaceId, StackId, Started, Tid,
};
use tracer_ledger::ledger::change::{Change, Difference, Origin, ReservationId};

/// See the module.
#[derive(Debug, Default)]
pub struct Analysis {
    pub(crate) patterns: Patterns,
    window: Window,
    started: Started,
    ended: Option<Ended>,
    learning: Option<Learning>,
    /// At the last look.
    pub(crate) machine: Machine,
    /// Latest time seen.
    now: Nanoseconds,
    /// All events, to tell one from another.
    sequence: u64,
    /// Those of the traced processes' doing.
    events: u64,
    losses: Losses,
    failures: Failures,
    /// One fault in so many carried a stack.
    fault_stacks: Option<u32>,
    stacks: Stacks,
    /// Files that their frames lie in.
    modules: BTreeSet<Module>,
    threads: Threads,
    runs: Vec<Run>,
    current: HashMap<Pid, usize>,
    spaces: HashMap<SpaceId, Space>,
    owners: HashMap<ReservationId, Owner>,
    /// Ended runs whose sites are kept.
    detailed: Vec<usize>,
}

/// A living address space.
#[derive(Debug, Default)]
struct Space {
    /// The runs that live in it; the first one owns its reservations.
    runs: Vec<usize>,
    figures: Difference,
}

/// Where a living reservation is accounted.
#[derive(Clone, Copy, Debug)]
struct Owner {
    run: usize,
    site: u32,
    born: Option<u64>,
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
                .is_some_and(|time| self.relative(time) > self.window.to_ns)
    }

    /// One event, and what the ledger changed for it.
    pub fn apply(&mut self, event: &Event, changes: &[Change]) {
        self.sequence += 1;
        // The run that ends with this event.
        let mut ending = None;
        match event {
            Event::Started(started) => {
                self.started = started.clone();
                self.now = started.time;
            }
            Event::Found(found) => self.found(found),
            Event::Maps(maps) => {
                self.at(maps.time);
                self.reading(maps);
            }
            Event::Call(call) => self.doing(call.stamp.time),
            Event::Fault(fault) => self.doing(fault.stamp.time),
            Event::SampledFault(sampled) => {
                self.fault_stacks = Some(sampled.every);
                self.doing(sampled.fault.stamp.time);
            }
            Event::Looking(looking) => self.at(looking.time),
            Event::Resident(resident) => self.at(resident.time),
            Event::Reading(reading) => self.at(reading.time),
            Event::Missing(missing) => self.at(missing.time),
            Event::Fork(fork) => self.forked(fork),
            Event::Thread(thread) => {
                self.doing(thread.stamp.time);
                self.threads.rename(thread.child, &thread.comm);
            }
            Event::Exec(exec) => ending = self.executed(exec),
            Event::Exit(exit) => {
                self.doing(exit.stamp.time);
                ending = self.current.remove(&exit.stamp.pid);
            }
            Event::Rename(rename) => self.renamed(rename),
            Event::Sample(sample) => {
                self.at(sample.time);
                let time = self.relative(sample.time);
                if let Some(&run) = self.current.get(&sample.pid) {
                    let ledger_bytes = self.ledger_bytes(self.runs[run].space);
                    self.runs[run].sampled(time, *sample, ledger_bytes);
                }
            }
            Event::Stack(stack) => self.stacks.insert(stack),
            Event::Incomplete(why) => self.stacks.insert_cause(why),
            Event::Module(module) => {
                self.modules.insert(module.clone());
            }
            Event::Learning(learning) => self.learning = Some(*learning),
            Event::Machine(machine) => self.machine = *machine,
            Event::Shown(shown) => self.shown(shown),
            Event::Loss(loss) => self.lost(loss),
            Event::Failures(failures) => self.failures = failures.clone(),
            Event::Ended(ended) => {
                self.at(ended.time);
                self.ended = Some(*ended);
            }
        }
        for change in changes {
            self.change(*change, ending);
        }
        match event {
            Event::Maps(maps) => self.read(maps),
            Event::SampledFault(sampled) => self.touched(sampled, changes),
            Event::Fork(fork) => self.fork_counted(fork),
            Event::Exec(exec) => self.exec_counted(exec, ending),
            Event::Exit(exit) => self.exited(exit, ending),
            _ => {}
        }
    }

    /// ns since the trace began.
    fn relative(&self, time: Nanoseconds) -> u64 {
        time.0.saturating_sub(self.started.time.0)
    }

    fn at(&mut self, time: Nanoseconds) {
        let last = self.started.time.0.saturating_add(self.window.to_ns);
        self.now = self.now.max(Nanoseconds(time.0.min(last)));
    }

    /// Something that a traced process did.
    fn doing(&mut self, time: Nanoseconds) {
        self.at(time);
        self.events += 1;
    }

    fn ledger_bytes(&self, space: SpaceId) -> u64 {
        self.spaces
            .get(&space)
            .map_or(0, |space| unsigned(space.figures.reserved))
    }

    fn lost(&mut self, loss: &tracer_ledger::event::Loss) {
        self.at(loss.time);
        if loss.events + loss.faults + loss.stacks + loss.late > 0 {
            let since = self.relative(loss.time);
            self.losses.since_ns.get_or_insert(since);
        }
        self.losses.events += loss.events;
        self.losses.faults += loss.faults;
        self.losses.stacks += loss.stacks;
        self.losses.late += loss.late;
    }

    fn change(&mut self, change: Change, ending: Option<usize>) {
        match change {
            Change::Born {
                id,
                space,
                pid,
                tid,
                stack,
                origin,
                time,
                figures,
            } => {
                let time = self.relative(time);
                let run = self.owner_of(space, pid, time);
                self.born(run, id, tid, stack, origin, time, figures);
                self.account(space, time, figures, ending, id);
            }
            Change::Changed {
                id,
                space,
                time,
                difference,
            } => {
                let time = self.relative(time);
                let owner = self.owners.get(&id).copied();
                let inside = self.moved(owner, time);
                if let Some(account) = self.account_of(owner) {
                    account.changed(time, difference, inside);
                }
                self.account(space, time, difference, ending, id);
            }
            Change::Died {
                id,
                space,
                time,
                difference,
                released: true,
                ..
            } => {
                let time = self.relative(time);
                let owner = self.owners.remove(&id);
                let age = owner.and_then(|owner| owner.born);
                let age = age.map(|born| time.saturating_sub(born));
                let inside = self.moved(owner, time);
                if let Some(account) = self.account_of(owner) {
                    account.died(time, age, difference, inside);
                }
                self.account(space, time, difference, ending, id);
            }
            // Exit or exec took it: for the report it was never released.
            Change::Died {
                id,
                space,
                difference,
                released: false,
                ..
            } => {
                self.owners.remove(&id);
                if let Some(space) = self.spaces.get_mut(&space) {
                    add(&mut space.figures, difference);
                }
            }
        }
    }

    /// A fault whose stack was taken: if it was the first touch of a page, the stack touched it.
    fn touched(&mut self, sampled: &SampledFault, changes: &[Change]) {
        for change in changes {
            if let Change::Changed { id, difference, .. } = change
                && difference.touched > 0
                && let owner = self.owners.get(id).copied()
                && let Some(account) = self.account_of(owner)
            {
                let bytes = unsigned(difference.touched);
                account.touchers.add(sampled.stack, sampled.every, bytes);
            }
        }
    }

    /// Of a change inside the window: whether the reservation was born inside, too.
    fn moved(&self, owner: Option<Owner>, time: u64) -> Option<bool> {
        let from = self.window.from_ns;
        let born = owner.and_then(|owner| owner.born);
        (time >= from).then(|| born.is_some_and(|born| born >= from))
    }

    /// The account that a living reservation belongs to, unless its run has ended.
    fn account_of(&mut self, owner: Option<Owner>) -> Option<&mut site::SiteAccount> {
        let owner = owner?;
        let run = &mut self.runs[owner.run];
        if run.end.is_some() {
            return None;
        }
        run.sites.get_mut(owner.site as usize)
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one change")]
    fn born(
        &mut self,
        run_index: usize,
        id: ReservationId,
        tid: Tid,
        stack: StackId,
        origin: Origin,
        time: u64,
        figures: Difference,
    ) {
        let key = match origin {
            Origin::Map | Origin::Remap | Origin::Break | Origin::Attach => SiteKey::Called(stack),
            Origin::Inherited if stack != StackId::NONE => SiteKey::Inherited(stack),
            Origin::Inherited | Origin::PreExisting => SiteKey::PreExisting(id),
            Origin::Unseen => SiteKey::Unseen(id),
        };
        let called = matches!(key, SiteKey::Called(_));
        let seen = called || matches!(key, SiteKey::Unseen(_));
        let thread = if called {
            self.threads.current(tid)
        } else {
            None
        };
        let run = &mut self.runs[run_index];
        let time = time.max(run.first);
        let site = run.site(key, time);
        if let Some(account) = run.sites.get_mut(site as usize) {
            account.born(time, self.sequence, figures, thread);
            if seen && time >= self.window.from_ns {
                account.window.add(figures.reserved, true);
            }
            account.origin.get_or_insert(origin);
        }
        self.owners.insert(
            id,
            Owner {
                run: run_index,
                site,
                born: seen.then_some(time),
            },
        );
    }

    /// A space's totals, and the timelines of those who live in it.
    fn account(
        &mut self,
        space: SpaceId,
        time: u64,
        difference: Difference,
        ending: Option<usize>,
        id: ReservationId,
    ) {
        let Some(space) = self.spaces.get_mut(&space) else {
            return;
        };
        add(&mut space.figures, difference);
        let (mapped, touched) = (
            unsigned(space.figures.reserved),
            unsigned(space.figures.touched),
        );
        for &index in &space.runs {
            let run = &mut self.runs[index];
            run.progressed(time, mapped, touched);
            if ending == Some(index)
                && let Some(sight) = &mut run.last_sight
            {
                sight.correct(id, difference);
            }
        }
    }

    /// While the ledger takes over what was read, its sum is neither the old nor the new one.
    fn reading(&mut self, maps: &Maps) {
        if maps.purpose == MapsPurpose::Verify {
            return;
        }
        if let Some(space) = self.spaces.get(&maps.space) {
            for &run in &space.runs {
                self.runs[run].unseen_bytes = None;
            }
        }
    }

    /// Maps were read, and the ledger has them: nothing is unseen any more.
    fn read(&mut self, maps: &Maps) {
        if maps.purpose == MapsPurpose::Resync {
            self.losses.resyncs += 1;
        }
        let time = self.relative(maps.time);
        let Some(space) = self.spaces.get(&maps.space) else {
            return;
        };
        let (mapped, touched) = (
            unsigned(space.figures.reserved),
            unsigned(space.figures.touched),
        );
        for &index in &space.runs {
            let run = &mut self.runs[index];
            run.maps = Some(maps.mappings.len() as u64);
            if maps.purpose != MapsPurpose::Verify {
                run.unseen_bytes = Some(0);
                run.progressed(time, mapped, touched);
            }
        }
    }
}
