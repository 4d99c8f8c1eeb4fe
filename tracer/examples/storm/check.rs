//! A recording of a storm against the kernel's own words from within it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use anyhow::{Result, bail};
use serde::Serialize;
use tracer_ledger::event::{
    Action, Address, Call, Event, MapsPurpose, Nanoseconds, Pid, SpaceId, StackId, Stamp,
};
use tracer_ledger::ledger::{AddressSpace, Ledger, RangeDifference};
use tracer_recording::{End, Reader};

use super::explain::{described, explain};
use super::record::{self, Snapshot};

/// Ranges of a snapshot that are printed.
const RANGES_SHOWN: usize = 3;
/// Bytes of the least that can be mapped.
const PAGE: usize = 4096;
/// Calls of the recording that are remembered, to say who touched a range last.
const REMEMBERED: usize = 20_000;

/// What came out.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// Events in the recording.
    pub events: u64,
    /// Snapshots that were compared.
    pub compared: u64,
    /// Of these, made at a pause of the first process.
    pub pauses: u64,
    /// Pauses at which the ledger was sure of itself.
    pub sure: u64,
    /// Processes whose snapshots were compared.
    pub processes: u64,
    /// Snapshots of processes that the ledger did not know at the time.
    pub unknown: u64,
    /// Snapshots that differed where the ledger was sure. An error counts once: the ledger is corrected.
    pub differing: u64,
    /// The ranges that differed.
    pub ranges: u64,
    /// Snapshots at which the ledger was not sure of everything.
    pub unsure: u64,
    /// Of these, at which it was wrong there.
    pub doubted_and_wrong: u64,
    /// Snapshots at which the bytes of a ledger that was sure were not the kernel's total.
    pub totals_wrong: u64,
    /// Calls from before a snapshot that the recording has behind calls from after it.
    pub misplaced: u64,
    /// Calls and process events that the recording says were lost.
    pub lost: u64,
    /// Events that the tracer could not put in their place.
    pub late: u64,
    /// Readings of the maps that brought a ledger back to the truth.
    pub resyncs: u64,
}

impl Outcome {
    /// Whether the ledger was the kernel's truth at each snapshot, wherever it was sure of itself. That it
    /// was in doubt of a range now and then, said so, and asked the kernel, is no error: what some calls
    /// did before they failed nobody can tell.
    pub fn is_exact(&self) -> bool {
        let wrong = [
            self.unknown,
            self.differing,
            self.totals_wrong,
            self.misplaced,
            self.lost,
            self.late,
        ];
        self.compared > 0 && wrong.iter().all(|count| *count == 0)
    }
}

/// Applies the events of a recording to a ledger and compares it with each snapshot at its time. Says
/// on stderr what is wrong, `shown` times of each kind.
pub fn check(recording: &Path, snapshots: &Path, shown: u64) -> Result<Outcome> {
    let mut reader = Reader::open(recording)?;
    let Some(Event::Started(started)) = reader.read()? else {
        bail!("{} does not begin", recording.display());
    };
    let mut check = Check {
        ledger: Ledger::new(started.page_bytes),
        waiting: record::read(snapshots)?,
        reached: BTreeMap::new(),
        recent: VecDeque::new(),
        first: None,
        shown,
        compared_pids: BTreeSet::new(),
        outcome: Outcome::default(),
    };
    let mut changes = Vec::new();
    while let Some(event) = reader.read()? {
        check.before(&event);
        check.ledger.apply(&event, &mut changes);
        changes.clear();
        check.outcome.events += 1;
    }
    if let Some(end @ End::Cut { .. }) = reader.end() {
        bail!("{}: {end}", recording.display());
    }
    let pids: Vec<_> = check.waiting.keys().copied().collect();
    for pid in pids {
        check.compare_until(pid, Nanoseconds(u64::MAX));
    }
    check.outcome.processes = check.compared_pids.len() as u64;
    Ok(check.outcome)
}

struct Check {
    ledger: Ledger,
    /// Snapshots whose time has not come.
    waiting: BTreeMap<Pid, VecDeque<Snapshot>>,
    /// The newest snapshot that each space was compared with.
    reached: BTreeMap<SpaceId, Nanoseconds>,
    /// Calls, faults and forks lately.
    recent: VecDeque<Event>,
    /// The process that the storm began with.
    first: Option<Pid>,
    /// Of each kind of error, so many are told.
    shown: u64,
    compared_pids: BTreeSet<Pid>,
    outcome: Outcome,
}

impl Check {
    /// What is to be done before an event is applied: if it is from after a snapshot of the address
    /// space that it is about, the ledger must be as the snapshot is. No call was under way then, so
    /// begins and ends of calls both tell.
    fn before(&mut self, event: &Event) {
        self.reach_event(event);
        if matches!(event, Event::Call(_) | Event::Fault(_) | Event::Fork(_)) {
            self.recent.push_back(event.clone());
            if self.recent.len() > REMEMBERED {
                self.recent.pop_front();
            }
        }
    }

    fn reach_event(&mut self, event: &Event) {
        match event {
            Event::Call(call) => {
                let space = call.stamp.space;
                self.reach(space, call.stamp.pid, call.stamp.time);
                if Some(&call.stamp.time) < self.reached.get(&space) {
                    self.outcome.misplaced += 1;
                    if self.outcome.misplaced <= self.shown {
                        eprintln!("misplaced: {}", described(event));
                    }
                }
            }
            Event::Fault(fault) => self.reach(fault.stamp.space, fault.stamp.pid, fault.stamp.time),
            Event::Fork(fork) => {
                self.reach(fork.stamp.space, fork.stamp.pid, fork.stamp.time);
                if fork.child_space != fork.stamp.space {
                    self.reached.remove(&fork.child_space);
                }
            }
            Event::Exec(exec) => {
                self.compare_until(exec.stamp.pid, exec.stamp.time);
                self.first.get_or_insert(exec.stamp.pid);
                self.reached.remove(&exec.stamp.space);
            }
            Event::Exit(exit) => self.compare_until(exit.stamp.pid, exit.stamp.time),
            Event::Loss(loss) => {
                self.outcome.lost += loss.events;
                self.outcome.late += loss.late;
            }
            Event::Maps(maps) if maps.purpose == MapsPurpose::Resync => self.outcome.resyncs += 1,
            _ => {}
        }
    }

    /// An event of this time is about to change a space.
    fn reach(&mut self, space: SpaceId, pid: Pid, time: Nanoseconds) {
        let users = self.ledger.space(space).map(|space| space.users().to_vec());
        for user in users.unwrap_or_default() {
            self.compare_until(user, time);
        }
        self.compare_until(pid, time);
    }

    fn compare_until(&mut self, pid: Pid, time: Nanoseconds) {
        while let Some(waiting) = self.waiting.get_mut(&pid)
            && waiting.front().is_some_and(|first| first.before <= time)
            && let Some(snapshot) = waiting.pop_front()
        {
            self.compare(&snapshot);
        }
    }

    fn compare(&mut self, snapshot: &Snapshot) {
        let space = self.ledger.space_of(snapshot.pid);
        let Some((id, space)) = space.and_then(|id| Some((id, self.ledger.space(id)?))) else {
            self.outcome.unknown += 1;
            if self.outcome.unknown <= self.shown {
                eprintln!("process {} is unknown at {}", snapshot.pid, snapshot.moment);
            }
            return;
        };
        let (differences, doubted): (Vec<_>, Vec<_>) = space
            .compare(&snapshot.mappings)
            .into_iter()
            .partition(|difference| is_sure_of(space, difference));
        let outcome = &mut self.outcome;
        self.compared_pids.insert(snapshot.pid);
        outcome.compared += 1;
        outcome.pauses += u64::from(self.first == Some(snapshot.pid));
        outcome.unsure += u64::from(space.needs_resync());
        let at_pause = self.first == Some(snapshot.pid);
        outcome.sure += u64::from(at_pause && !space.needs_resync());
        let wrong = space.mapped_bytes() != total(snapshot);
        outcome.totals_wrong += u64::from(wrong && !space.needs_resync());
        outcome.doubted_and_wrong += u64::from(!doubted.is_empty());
        self.reached.insert(id, snapshot.before);
        if differences.is_empty() {
            return;
        }
        outcome.differing += 1;
        outcome.ranges += differences.len() as u64;
        if outcome.differing <= self.shown {
            let (pid, moment) = (snapshot.pid, &snapshot.moment);
            let ranges = differences.len();
            eprintln!("process {pid}, {moment}: {ranges} ranges differ");
            for difference in differences.iter().take(RANGES_SHOWN) {
                explain(&self.recent, snapshot, difference);
            }
        }
        for difference in &differences {
            self.correct(id, snapshot, difference);
        }
    }

    /// Makes the ledger what the kernel says, by a call that nobody made, so that later errors can be
    /// told from this one.
    fn correct(&mut self, space: SpaceId, snapshot: &Snapshot, difference: &RangeDifference) {
        let (address, length) = (difference.start, difference.end.0 - difference.start.0);
        let action = match difference.kernel {
            None => Action::Unmap { address, length },
            Some(protection) => Action::Map {
                address,
                length,
                protection,
                flags: (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED) as u32,
                file_offset: None,
            },
        };
        let stamp = Stamp {
            time: snapshot.before,
            space,
            pid: snapshot.pid,
            ..Stamp::default()
        };
        let call = Call {
            stamp,
            stack: StackId::NONE,
            action,
            totals: None,
            took_ns: 0,
        };
        self.ledger.apply(&Event::Call(call), &mut Vec::new());
    }
}

/// Whether the ledger claims to know any page of this.
fn is_sure_of(space: &AddressSpace, difference: &RangeDifference) -> bool {
    (difference.start.0..difference.end.0)
        .step_by(PAGE)
        .any(|page| space.is_sure_at(Address(page)))
}

fn total(snapshot: &Snapshot) -> u64 {
    let mapped = snapshot
        .mappings
        .iter()
        .filter(|mapping| mapping.name != "[vsyscall]");
    mapped.map(|mapping| mapping.end.0 - mapping.start.0).sum()
}
