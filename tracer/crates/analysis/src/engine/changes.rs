//! What the ledger changed, into the accounts.

use crate::Analysis;
use crate::accounts::run::Located;
use crate::accounts::site::{SiteAccount, SiteKey, add, unsigned};
use crate::accounts::spaces::Accounted;
use crate::accounts::time::TraceTime;
use crate::accounts::view::{LedgerView, LivingReservation};
use crate::accounts::windowed::Place;
use tracer_ledger::event::{Backed, SampledFault, SpaceId, StackId, Tid};
use tracer_ledger::ledger::change::{Change, Difference, Origin, ReservationId};

impl Analysis {
    pub(super) fn change(&mut self, change: &Change, ledger: &impl LedgerView) {
        match *change {
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
                let key = key(origin, stack, id);
                let accounted = self.born(run, key, tid, origin, time, figures);
                self.accounted.insert(id, accounted);
                self.last_born = Some(accounted);
                self.add_to_space(space, time, figures);
            }
            Change::Changed {
                id,
                space,
                time,
                difference,
            } => {
                let time = self.relative(time);
                let accounted = self.accounted.get(&id).copied();
                let place = self.place(accounted, time);
                if let Some((account, _)) = self.turn(accounted, time, difference) {
                    account.changed(time, difference, place);
                }
                self.add_to_space(space, time, difference);
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
                let accounted = self.accounted.remove(&id);
                let age = accounted.and_then(|one| one.born);
                let age = age.map(|born| time.since(born));
                let place = self.place(accounted, time);
                if let Some((account, after)) = self.turn(accounted, time, difference) {
                    account.died(time, age, difference, place);
                    self.fell(accounted.filter(|_| after != 0), || {
                        ledger.fallen(space, id)
                    });
                }
                self.add_to_space(space, time, difference);
            }
            // Exit or exec took it: for the report it was never released.
            Change::Died {
                id,
                space,
                difference,
                released: false,
                ..
            } => {
                self.accounted.remove(&id);
                if let Some(space) = self.spaces.get_mut(&space) {
                    add(&mut space.figures, difference);
                }
            }
        }
    }

    /// What the call before has mapped is of a file.
    pub(super) fn backed(&mut self, backed: &Backed) {
        self.at(backed.time);
        let path = self.files.path(backed.id()).cloned();
        if let Some(path) = path
            && let Some(account) = self.account_of(self.last_born)
        {
            account.files.add(&path);
        }
    }

    /// A fault whose stack was taken: if it was the first touch of a page, the stack touched it.
    pub(super) fn touched(&mut self, sampled: &SampledFault, changes: &[Change]) {
        for change in changes {
            if let Change::Changed { id, difference, .. } = change
                && difference.touched > 0
                && let accounted = self.accounted.get(id).copied()
                && let Some(account) = self.account_of(accounted)
            {
                let bytes = unsigned(difference.touched);
                account.touchers.add(sampled.stack, sampled.every, bytes);
            }
        }
    }

    /// Where a change of a reservation lies against the window.
    fn place(&self, accounted: Option<Accounted>, time: TraceTime) -> Place {
        let from = TraceTime(self.window.from_ns);
        let born = accounted.and_then(|one| one.born);
        if time < from {
            Place::Outside
        } else if born.is_some_and(|born| born >= from) {
            Place::InsideOfNew
        } else {
            Place::InsideOfOlder
        }
    }

    /// The account of a reservation that changes by this, unless its run has ended: see `Run::turn`.
    fn turn(
        &mut self,
        accounted: Option<Accounted>,
        time: TraceTime,
        difference: Difference,
    ) -> Option<(&mut SiteAccount, u64)> {
        let accounted = accounted?;
        let run = &mut self.runs[accounted.run];
        if run.end.is_some() {
            return None;
        }
        run.turn(accounted.site, time, difference)
    }

    /// A reservation was given back, and that was no high tide.
    fn fell(
        &mut self,
        accounted: Option<Accounted>,
        fallen: impl FnOnce() -> Option<LivingReservation>,
    ) {
        let Some(Accounted {
            run,
            site,
            born,
            after,
        }) = accounted
        else {
            return;
        };
        let located = || {
            Some(Located {
                left: fallen()?,
                site: Some(site),
                born,
                after,
            })
        };
        self.runs[run].fell(located, after);
    }

    /// The account that a living reservation belongs to, unless its run has ended.
    fn account_of(&mut self, accounted: Option<Accounted>) -> Option<&mut SiteAccount> {
        let accounted = accounted?;
        let run = &mut self.runs[accounted.run];
        if run.end.is_some() {
            return None;
        }
        run.sites.get_mut(accounted.site as usize)
    }

    /// A reservation of a run came to be.
    fn born(
        &mut self,
        index: usize,
        key: SiteKey,
        tid: Tid,
        origin: Origin,
        time: TraceTime,
        figures: Difference,
    ) -> Accounted {
        let called = matches!(key, SiteKey::Called(_));
        let seen = called || matches!(key, SiteKey::Unseen(_));
        let thread = if called {
            self.threads.current(tid)
        } else {
            None
        };
        let run = &mut self.runs[index];
        let time = time.max(run.first);
        let site = run.site(key, time);
        let mut after = 0;
        if let Some((account, tide)) = run.turn(site, time, figures) {
            after = tide;
            account.born(time, self.sequence, figures, thread);
            if seen && time.0 >= self.window.from_ns {
                account.window.add(figures.reserved, Place::InsideOfNew);
            }
            account.origin.get_or_insert(origin);
        }
        Accounted {
            run: index,
            site,
            born: seen.then_some(time),
            after,
        }
    }

    /// A space's totals, and the timelines of those who live in it.
    fn add_to_space(&mut self, space: SpaceId, time: TraceTime, difference: Difference) {
        let Some(space) = self.spaces.get_mut(&space) else {
            return;
        };
        add(&mut space.figures, difference);
        for &index in &space.runs {
            let run = &mut self.runs[index];
            run.changed = run.changed.max(time);
            run.progressed(time, space.bytes());
        }
    }
}

/// What a reservation is accounted under.
fn key(origin: Origin, stack: StackId, id: ReservationId) -> SiteKey {
    match origin {
        Origin::Map | Origin::Remap | Origin::Break | Origin::Attach => SiteKey::Called(stack),
        Origin::Inherited if stack != StackId::NONE => SiteKey::Inherited(stack),
        Origin::Inherited | Origin::PreExisting => SiteKey::PreExisting(id),
        Origin::Unseen => SiteKey::Unseen(id),
    }
}
