//! All traced address spaces and who uses them: [`Ledger`], the front of this module.
//!
//! Rule 2 of ARCHITECTURE.md: an address space is not a process. Threads and vfork share one, fork copies
//! it, exec leaves the old one for a new one, and the last to leave releases all.

use std::collections::BTreeMap;

use super::address_space::{AddressSpace, Ids};
use super::change::{Change, Origin, ReservationId};
use super::names::{Files, Names};
use super::page_size::PageSize;
use super::piece::Piece;
use super::reservation::{Birth, Reservation};
use super::rules::Rules;
use crate::event::{
    Event, Exec, Exit, Fork, Found, Loss, Maps, Nanoseconds, Pid, SampledFault, SpaceId, Stamp,
    Totals,
};

/// The model of all traced address spaces: feed it every event in true order.
///
/// What it does not do: it never asks the kernel, and it never repairs a difference from the kernel's
/// totals silently. It says [when it is not sure](AddressSpace::needs_resync), and it takes a
/// snapshot of the maps as an event.
#[derive(Clone, Debug)]
pub struct Ledger {
    page: PageSize,
    ids: Ids,
    names: Names,
    files: Files,
    spaces: BTreeMap<SpaceId, AddressSpace>,
    /// Which space a process uses: exactly the `users` of all `spaces`.
    users: BTreeMap<Pid, SpaceId>,
    /// What the last event was an exit or exec from.
    left: Option<LeftSpace>,
    /// What the host's kernel and the trace's settings make a difference to.
    rules: Rules,
}

/// The address space that a process left.
#[derive(Clone, Debug)]
struct LeftSpace {
    id: SpaceId,
    /// As it was in the end; `None`: others live on in it.
    buried: Option<AddressSpace>,
}

impl Ledger {
    /// A ledger of nothing; `page_bytes` as in [`crate::event::Started`].
    #[must_use]
    pub fn new(page_bytes: u64) -> Self {
        Self {
            page: PageSize::new(page_bytes),
            ids: Ids::default(),
            names: Names::default(),
            files: Files::default(),
            spaces: BTreeMap::new(),
            users: BTreeMap::new(),
            left: None,
            rules: Rules::default(),
        }
    }

    /// Applies one event and appends what it changed.
    pub fn apply(&mut self, event: &Event, changes: &mut Vec<Change>) {
        self.left = None;
        match event {
            Event::Found(found) => self.found(found, changes),
            Event::Maps(maps) => self.maps(maps, changes),
            Event::Call(call) => {
                let (space, ids) = self.space_for(&call.stamp, changes);
                space.call(ids, call);
                space.settle(call.stamp.time, changes);
            }
            Event::Fault(fault) | Event::SampledFault(SampledFault { fault, .. }) => {
                if let Some(space) = self.spaces.get_mut(&fault.stamp.space) {
                    space.fault(fault);
                    space.settle(fault.stamp.time, changes);
                }
            }
            Event::Looking(looking) => {
                if let Some(space) = self.spaces.get_mut(&looking.space) {
                    space.begin_look();
                }
            }
            Event::Resident(resident) => {
                if let Some(space) = self.spaces.get_mut(&resident.space) {
                    space.look(resident);
                    space.settle(resident.time, changes);
                }
            }
            Event::Fork(fork) => self.fork(fork, changes),
            Event::Exec(exec) => self.exec(exec, changes),
            Event::Exit(exit) => self.exit(exit, changes),
            Event::Loss(loss) => self.loss(loss),
            Event::Reading(reading) => {
                if let Some(space) = self.spaces.get_mut(&reading.space) {
                    space.reading_begins(reading.time);
                }
            }
            Event::Missing(missing) => {
                if let Some(space) = self.spaces.get_mut(&missing.space) {
                    space.lose(missing.time);
                }
            }
            Event::File(file) => self.files.learn(&mut self.names, file),
            Event::Backed(backed) => {
                if let Some(space) = self.spaces.get_mut(&backed.space) {
                    space.backed(&self.files, backed);
                }
            }
            Event::Named(named) => {
                if let Some(space) = self.spaces.get_mut(&named.space) {
                    space.named(&mut self.names, named);
                }
            }
            Event::Started(started) => self.rules = Rules::of(started),
            // Nothing of memory.
            Event::Thread(_)
            | Event::Rename(_)
            | Event::Sample(_)
            | Event::Stack(_)
            | Event::Failures(_)
            | Event::Incomplete(_)
            | Event::Module(_)
            | Event::Learning(_)
            | Event::Machine(_)
            | Event::Shown(_)
            | Event::Refused(_)
            | Event::RefusedAgain(_)
            | Event::Accounted(_)
            | Event::Usage(_)
            | Event::Shares(_)
            | Event::Mappings(_)
            | Event::Split(_)
            | Event::Group(_)
            | Event::OomKill(_)
            | Event::Unseen(_)
            | Event::Ended(_) => {}
        }
    }

    /// A living address space.
    #[must_use]
    pub fn space(&self, id: SpaceId) -> Option<&AddressSpace> {
        self.spaces.get(&id)
    }

    /// All living address spaces.
    pub fn spaces(&self) -> impl Iterator<Item = (SpaceId, &AddressSpace)> {
        self.spaces.iter().map(|(&id, space)| (id, space))
    }

    /// The address space that a process uses.
    #[must_use]
    pub fn space_of(&self, pid: Pid) -> Option<SpaceId> {
        self.users.get(&pid).copied()
    }

    /// The address space that a process left with the last event, if that was its exit or exec: where no other
    /// lives on in it, as it was in the end, the totals of that event included. It is forgotten with the next
    /// event.
    #[must_use]
    pub fn left(&self) -> Option<&AddressSpace> {
        let left = self.left.as_ref()?;
        left.buried.as_ref().or_else(|| self.spaces.get(&left.id))
    }

    fn found(&mut self, found: &Found, changes: &mut Vec<Change>) {
        if self.users.get(&found.pid) == Some(&found.space) {
            return;
        }
        self.leave(found.pid, found.time, changes);
        let space = self.join(found.space, found.pid, found.time);
        space.overcommit_never = found.identity.limits.overcommit_memory == Some(2);
    }

    fn maps(&mut self, maps: &Maps, changes: &mut Vec<Change>) {
        let Some(space) = self.spaces.get_mut(&maps.space) else {
            return;
        };
        space.reconcile(&mut self.ids, &mut self.names, maps);
        space.settle(maps.time, changes);
    }

    fn fork(&mut self, fork: &Fork, changes: &mut Vec<Change>) {
        if !fork.followed {
            return;
        }
        let time = fork.stamp.time;
        self.leave(fork.child, time, changes);
        if fork.child_space == fork.stamp.space {
            // Its totals were read without the lock, and others may be changing them.
            self.join(fork.child_space, fork.child, time);
            return;
        }
        self.end(fork.child_space, time, changes);
        let (parent, ids) = self.space_for(&fork.stamp, changes);
        let mut child = copy(parent, ids, fork);
        if fork.totals != Totals::default() {
            child.account(time, fork.totals);
        }
        if child.journal.is_some() {
            // Of what is a guess, it may have more or less than its parent.
            let guesses = parent.pieces.iter();
            let guesses = guesses.filter(|(_, piece)| piece.attributes.guessed);
            child.wonder_about(guesses.map(|(range, _)| range), time);
        }
        child.settle(time, changes);
        self.users.insert(fork.child, fork.child_space);
        self.spaces.insert(fork.child_space, child);
    }

    fn exec(&mut self, exec: &Exec, changes: &mut Vec<Change>) {
        let Stamp {
            time, space, pid, ..
        } = exec.stamp;
        self.left = self.leave(pid, time, changes);
        self.end(space, time, changes);
        let new = self.join(space, pid, time);
        new.overcommit_never = exec.identity.limits.overcommit_memory == Some(2);
        new.account(time, exec.totals);
    }

    fn exit(&mut self, exit: &Exit, changes: &mut Vec<Change>) {
        let Stamp { time, pid, .. } = exit.stamp;
        if let Some(totals) = exit.totals
            && let Some(space) = self.users.get(&pid).and_then(|id| self.spaces.get_mut(id))
            // Else others may be changing them.
            && space.users == [pid]
        {
            space.account_last(totals);
            space.settle(time, changes);
        }
        self.left = self.leave(pid, time, changes);
    }

    /// Lost faults and stacks leave the map as it is; lost calls, and calls that came too late to be
    /// put in order, do not.
    fn loss(&mut self, loss: &Loss) {
        if loss.faults > 0 {
            for space in self.spaces.values_mut() {
                space.may_have_been_written();
            }
        }
        if loss.events == 0 && loss.late == 0 {
            return;
        }
        for space in self.spaces.values_mut() {
            space.lose(loss.time);
        }
    }

    /// The space of a call, made on the spot if its begin was lost.
    fn space_for(
        &mut self,
        stamp: &Stamp,
        changes: &mut Vec<Change>,
    ) -> (&mut AddressSpace, &mut Ids) {
        if self.users.get(&stamp.pid) != Some(&stamp.space) {
            self.leave(stamp.pid, stamp.time, changes);
            self.join(stamp.space, stamp.pid, stamp.time);
        }
        let space = self.spaces.entry(stamp.space).or_insert_with(|| {
            AddressSpace::new(stamp.space, self.page, self.rules, stamp.time, stamp.pid)
        });
        (space, &mut self.ids)
    }

    /// A process uses a space from now on; it is new if nobody uses it yet.
    fn join(&mut self, id: SpaceId, pid: Pid, time: Nanoseconds) -> &mut AddressSpace {
        self.users.insert(pid, id);
        let space = self
            .spaces
            .entry(id)
            .or_insert_with(|| AddressSpace::new(id, self.page, self.rules, time, pid));
        if !space.users.contains(&pid) {
            space.users.push(pid);
        }
        space
    }

    /// A process no longer uses its space; the last one ends it.
    fn leave(
        &mut self,
        pid: Pid,
        time: Nanoseconds,
        changes: &mut Vec<Change>,
    ) -> Option<LeftSpace> {
        let id = self.users.remove(&pid)?;
        let space = self.spaces.get_mut(&id)?;
        space.users.retain(|user| *user != pid);
        let is_last = space.users.is_empty();
        let buried = is_last.then(|| self.bury(id, time, changes)).flatten();
        Some(LeftSpace { id, buried })
    }

    /// A space ends whoever uses it: the kernel uses its number again, so their ends were lost.
    fn end(&mut self, id: SpaceId, time: Nanoseconds, changes: &mut Vec<Change>) {
        let users = self
            .spaces
            .get(&id)
            .map(|space| space.users.clone())
            .unwrap_or_default();
        for pid in users {
            self.leave(pid, time, changes);
        }
    }

    fn bury(
        &mut self,
        id: SpaceId,
        time: Nanoseconds,
        changes: &mut Vec<Change>,
    ) -> Option<AddressSpace> {
        let space = self.spaces.remove(&id)?;
        for reservation in space.reservations.values() {
            changes.push(Change::Died {
                id: reservation.id,
                space: id,
                time,
                born: reservation.born,
                difference: reservation.figures().negated(),
                released: false,
            });
        }
        Some(space)
    }
}

/// The child's copy of its parent's space (`dup_mmap` in `kernel/fork.c`): every reservation under a
/// new id, its site and its age kept. What the parent touched is touched in the child where fork hands
/// the pages on.
fn copy(parent: &AddressSpace, ids: &mut Ids, fork: &Fork) -> AddressSpace {
    let mut child = AddressSpace::new(
        fork.child_space,
        parent.page,
        parent.rules,
        fork.stamp.time,
        fork.child,
    );
    let mut copies: BTreeMap<ReservationId, ReservationId> = BTreeMap::new();
    for (range, piece) in parent.pieces.iter() {
        let Some(original) = parent.reservations.get(&piece.owner) else {
            continue;
        };
        if piece.attributes.dont_fork {
            continue;
        }
        let owner = *copies
            .entry(piece.owner)
            .or_insert_with(|| child.inherit(ids, original));
        let pages = parent.page.pages(&range);
        child.lay(
            range,
            Piece {
                owner,
                attributes: piece.attributes.inherited(),
            },
        );
        if !piece.attributes.is_copied_by_fork() {
            continue;
        }
        let mut touched = 0;
        for run in parent.touched.runs(&pages) {
            touched += child.touched.insert_range(&run);
        }
        child.note_touched(owner, child.bytes_of(touched));
    }
    child.main_stack = parent.main_stack.and_then(|id| copies.get(&id).copied());
    child.seeded = parent.seeded;
    child.overcommit_never = parent.overcommit_never;
    child.journal = parent.journal.clone();
    child
}

impl AddressSpace {
    /// A reservation as the child has it, without a byte yet.
    fn inherit(&mut self, ids: &mut Ids, original: &Reservation) -> ReservationId {
        let id = self.begin(
            ids,
            Birth {
                origin: Origin::Inherited,
                maker: original.maker(),
                asked: original.address.0..original.address.0 + original.asked_bytes,
                flags: original.flags,
                protection: original.protection,
            },
        );
        if let Some(copy) = self.reservations.get_mut(&id) {
            copy.name = original.name.clone();
            copy.file = original.file;
            copy.offset = original.offset;
        }
        id
    }
}
