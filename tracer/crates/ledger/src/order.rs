//! Records of several CPUs to events in true order (ARCHITECTURE.md, rule 1).
//!
//! Whatever changes an address space holds its `mmap_lock` for writing, so the calls on one address
//! space have a true order: that in which they were given the lock. The kernel's programs number them
//! (a *turn*, [`tracer_common::memory::Turn`]), without gaps: a call that failed tells its number too.
//! A call takes effect here at its turn, whenever its record comes; a number that is missing is a call
//! that has not returned yet, and what comes after it waits. What has no turn (faults, readings of the
//! maps, exits) is put among the rest by its time.
//!
//! Four things bound the wait: the ring says up to when everything has been seen (the *watermark*), a
//! call returns, a loss [excuses](Order::excuse_turns) what is missing, and at worst [`PATIENCE`] or
//! [`MOST_WAITING`] runs out, which is counted.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use tracer_common::{
    bits::{MAP_ANONYMOUS, MAP_FIXED, MREMAP_FIXED},
    kind::Kind,
};

use crate::event::{
    Action, Address, Backed, Call, Event, Fork, Maps, Missing, Nanoseconds, SpaceId, StackId,
    Totals,
    record::{RawCall, RawFailed, Turn},
};

/// The longest that a call which has not returned may hold back others. A `munmap` of a hundred
/// resident GiB takes seconds.
pub const PATIENCE: Nanoseconds = Nanoseconds(5_000_000_000);

/// The longest that a call which may be lost, or may not have returned yet, holds back others.
const GRACE: Nanoseconds = Nanoseconds(100_000_000);

/// The most events that wait: some 200 bytes each.
pub const MOST_WAITING: usize = 1 << 20;

/// What must have come before an event.
#[derive(Clone, Copy, Debug)]
enum Needs {
    /// Nothing.
    Nothing,
    /// Every turn before this one.
    Turn(SpaceId, u64),
    /// Every turn up to this one.
    After(SpaceId, u64),
}

/// What becomes of the first of those that wait.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// It comes out.
    Next,
    /// Something before it may still come.
    Waits,
    /// Something before it is given up: that is told first.
    Behind(Missing),
    /// It was given up itself: its place is gone.
    Late(Missing),
}

#[derive(Debug)]
struct Waiting {
    time: Nanoseconds,
    /// Order of arrival, for events of the same time.
    arrival: u64,
    needs: Needs,
    /// `None`: only its turn is used up.
    event: Option<Event>,
    /// What comes out right after it.
    then: Option<Box<Event>>,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        (self.time, self.arrival) == (other.time, other.arrival)
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.time, self.arrival).cmp(&(other.time, other.arrival))
    }
}

/// Puts events in order.
#[derive(Debug, Default)]
pub struct Order {
    waiting: BinaryHeap<Reverse<Waiting>>,
    /// What comes out next, whatever waits.
    next: Option<Box<Event>>,
    /// Turns that have come out, by address space.
    done: HashMap<SpaceId, u64>,
    arrivals: u64,
    let_through: Nanoseconds,
    /// What is missing up to then, or up to that turn, may be lost.
    excused: Nanoseconds,
    excused_turns: HashMap<SpaceId, u64>,
    ended: bool,
    /// Turns that were given up and have not come since.
    missing: u64,
    late: u64,
}

impl Order {
    /// An event that happens at `time`.
    pub fn push(&mut self, time: Nanoseconds, event: Event) {
        if time < self.let_through {
            self.late += 1;
        }
        self.wait(time, Needs::Nothing, Some(event));
    }

    /// A reading of the maps, placed at its end: after all calls that it may show.
    pub fn maps(&mut self, maps: Maps) {
        let needs = Needs::After(maps.space, maps.after);
        self.wait(maps.time, needs, Some(Event::Maps(maps)));
    }

    /// A process has forked: its address space was copied at its turn. vfork and threads copy nothing
    /// and have none.
    pub fn fork(&mut self, turn: Turn, mut fork: Fork) {
        if turn.number == 0 {
            return self.push(fork.stamp.time, Event::Fork(fork));
        }
        let needs = Needs::Turn(fork.stamp.space, turn.number);
        fork.stamp.time = turn.time;
        self.wait(turn.time, needs, Some(Event::Fork(fork)));
    }

    /// A call has failed that had its turn.
    pub fn failed(&mut self, failed: RawFailed) {
        let RawFailed { turn, stamp, .. } = failed;
        let event = what_failed(&failed).map(|action| {
            let mut stamp = stamp;
            let took_ns = took(&mut stamp.time, turn);
            Event::Call(Call {
                stamp,
                stack: StackId::NONE,
                action,
                totals: Some(failed.totals),
                took_ns,
            })
        });
        self.wait(turn.time, Needs::Turn(stamp.space, turn.number), event);
    }

    /// A call has succeeded; `stack` is what its stack word stands for.
    pub fn call(&mut self, call: RawCall, stack: StackId) {
        let turn = call.turn;
        let mut stamp = call.stamp;
        let mut action = action(&call);
        if turn.number == 0 {
            if changes_the_map(&action) {
                action = Action::Unclear;
            }
            let event = Event::Call(Call {
                stamp,
                stack,
                action,
                totals: None,
                took_ns: 0,
            });
            return self.push(stamp.time, event);
        }
        let took_ns = took(&mut stamp.time, turn);
        let then = call.file.map(|file| {
            Box::new(Event::Backed(Backed {
                time: stamp.time,
                space: stamp.space,
                address: call.address,
                length: call.length,
                device: file.device,
                inode: file.inode,
            }))
        });
        let event = Event::Call(Call {
            stamp,
            stack,
            action,
            totals: (call.totals != Totals::default()).then_some(call.totals),
            took_ns,
        });
        let needs = Needs::Turn(stamp.space, turn.number);
        self.wait_with(turn.time, needs, Some(event), then);
    }

    fn wait(&mut self, time: Nanoseconds, needs: Needs, event: Option<Event>) {
        self.wait_with(time, needs, event, None);
    }

    fn wait_with(
        &mut self,
        time: Nanoseconds,
        needs: Needs,
        event: Option<Event>,
        then: Option<Box<Event>>,
    ) {
        self.arrivals += 1;
        self.waiting.push(Reverse(Waiting {
            time,
            arrival: self.arrivals,
            needs,
            event,
            then,
        }));
    }

    /// The next event in order, given that everything older than `watermark` has been pushed.
    pub fn pop(&mut self, watermark: Nanoseconds) -> Option<Event> {
        if let Some(next) = self.next.take() {
            return Some(*next);
        }
        loop {
            let first = &self.waiting.peek()?.0;
            if first.time >= watermark {
                return None;
            }
            let (time, needs) = (first.time, first.needs);
            match self.place(time, needs, watermark) {
                Place::Waits => return None,
                Place::Behind(missing) => return Some(Event::Missing(missing)),
                Place::Late(missing) => {
                    self.waiting.pop();
                    return Some(Event::Missing(missing));
                }
                Place::Next => {}
            }
            let Reverse(first) = self.waiting.pop()?;
            self.let_through = self.let_through.max(first.time);
            self.next = first.then;
            if let Some(event) = first.event {
                self.begins_anew(&event);
                return Some(event);
            }
        }
    }

    /// Whether the first of those that wait may come out. What is behind a gap that is given up comes
    /// next time; what comes when its gap was given up already has lost its place.
    fn place(&mut self, time: Nanoseconds, needs: Needs, watermark: Nanoseconds) -> Place {
        let (space, before) = match needs {
            Needs::Nothing => return Place::Next,
            Needs::Turn(space, number) => (space, number - 1),
            Needs::After(space, number) => (space, number),
        };
        let done = self.done.entry(space).or_default();
        if *done < before {
            let excused = time <= self.excused
                || self
                    .excused_turns
                    .get(&space)
                    .is_some_and(|to| before <= *to);
            let patience = if excused { GRACE } else { PATIENCE };
            let waited = watermark.0 - time.0;
            if !self.ended && waited <= patience.0 && self.waiting.len() <= MOST_WAITING {
                return Place::Waits;
            }
            self.late += u64::from(!excused && !self.ended);
            if !self.ended {
                self.missing += before - *done;
            }
            *done = before;
            return Place::Behind(Missing { time, space });
        }
        if matches!(needs, Needs::Turn(..)) {
            if *done > before {
                self.late += 1;
                self.missing = self.missing.saturating_sub(1);
                let time = watermark;
                return Place::Late(Missing { time, space });
            }
            *done = before + 1;
        }
        Place::Next
    }

    /// The turns of a new address space count from 1.
    fn begins_anew(&mut self, event: &Event) {
        let space = match event {
            Event::Fork(fork) if fork.child_space != fork.stamp.space => fork.child_space,
            Event::Exec(exec) => exec.stamp.space,
            _ => return,
        };
        self.done.remove(&space);
        self.excused_turns.remove(&space);
    }

    /// All that is left up to and including `end`, in order: at the end of a trace, when nothing
    /// older will come.
    pub fn finish(&mut self, end: Nanoseconds) -> impl Iterator<Item = Event> + '_ {
        self.ended = true;
        std::iter::from_fn(move || self.pop(Nanoseconds(end.0 + 1)))
    }

    /// Records were lost before `time`: nobody waits for long for turns that are missing up to then.
    pub fn excuse(&mut self, time: Nanoseconds) {
        self.excused = self.excused.max(time);
    }

    /// The same for an address space of which it is known how many turns had been taken by then.
    pub fn excuse_turns(&mut self, space: SpaceId, turns: u64) {
        self.excused_turns.insert(space, turns);
    }

    /// Takes the number of events that could not be put in their place since the last call.
    pub fn take_late(&mut self) -> u64 {
        std::mem::take(&mut self.late)
    }

    /// How many turns were given up so far, those that came later not counted: calls that are lost.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// Events held back.
    #[must_use]
    pub fn held(&self) -> usize {
        self.waiting.len()
    }
}

/// Moves a call from its return to its turn; how far that is, ns.
fn took(time: &mut Nanoseconds, turn: Turn) -> u64 {
    let took = time.0.saturating_sub(turn.time.0);
    *time = turn.time;
    took
}

/// What a failed call may have changed.
fn what_failed(failed: &RawFailed) -> Option<Action> {
    let (address, length, error) = (failed.address, failed.length, failed.error);
    match failed.kind {
        Kind::Mprotect => Some(Action::ProtectFailed {
            address,
            length,
            protection: failed.argument as u8,
            error,
        }),
        Kind::Madvise => Some(Action::AdviseFailed {
            address,
            length,
            advice: u32::from(failed.argument),
            error,
        }),
        Kind::Mremap if u32::from(failed.argument) & MREMAP_FIXED != 0 => {
            let [new_address, new_length] = failed.extra?;
            Some(Action::RemapFailed {
                old_address: address,
                old_length: length,
                new_address: Address(new_address),
                new_length,
            })
        }
        Kind::Mmap if u32::from(failed.argument) & MAP_FIXED != 0 => Some(Action::MapFailed {
            address,
            length,
            flags: failed.argument,
            error,
        }),
        // A clone that succeeded, and had the lock: for a shadow stack of the new thread, or the like.
        Kind::Fork if error == 0 => Some(Action::Unclear),
        _ => None,
    }
}

fn action(call: &RawCall) -> Action {
    let RawCall {
        address, length, ..
    } = *call;
    match call.kind {
        Kind::Munmap => Action::Unmap { address, length },
        Kind::Shmdt => Action::Detach { address },
        Kind::Mremap => {
            let [new_address, new_length] = call.extra.unwrap_or_default();
            Action::Remap {
                old_address: address,
                old_length: length,
                new_address: Address(new_address),
                new_length,
                flags: call.flags,
            }
        }
        Kind::Brk => Action::Break {
            old: address,
            new: Address(length),
        },
        Kind::Mprotect => Action::Protect {
            address,
            length,
            protection: call.protection,
        },
        Kind::Madvise => Action::Advise {
            address,
            length,
            advice: call.flags,
        },
        Kind::Shmat => Action::Attach {
            address,
            length,
            flags: call.flags,
        },
        Kind::RemapFilePages => Action::RemapFilePages { address, length },
        Kind::Mmap => Action::Map {
            address,
            length,
            protection: call.protection,
            flags: call.flags,
            file_offset: call
                .extra
                .filter(|_| call.flags & MAP_ANONYMOUS == 0)
                .map(|extra| extra[0]),
        },
        // The decoder makes a `RawCall` of no other kind.
        _ => Action::Unclear,
    }
}

/// Whether a call cannot do this without a turn. `madvise` mostly needs none, and `mprotect` of nothing
/// returns before it (`do_mprotect_pkey()`, mm/mprotect.c).
fn changes_the_map(action: &Action) -> bool {
    !matches!(
        action,
        Action::Advise { .. } | Action::Protect { length: 0, .. }
    )
}

#[cfg(test)]
mod tests;
