//! What a live trace holds, and what it reads from `/proc` again and again: the figures, the maps, what is
//! resident, the counters for losses.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::{
    capture::procfs,
    capture::programs::Programs,
    capture::ring::{Ring, now},
    session::{
        beginnings::Beginnings,
        groups::Groups,
        losses::Losses,
        plan::Selection,
        processes::{self, Processes},
        refusals::Refusals,
        sink::Sink,
        stack_ids::StackIds,
    },
};
use tracer_ledger::event::{
    Accounted, Event, Looking, Maps, MapsPurpose, Nanoseconds, Pid, Reading, RefusedAgain, Sample,
    SpaceId, Usage, decode::Decoder,
};
use tracer_ledger::order::Order;

/// Between two rounds of readings of maps because a ledger is in doubt, at the least.
const RESYNC_PAUSE: Duration = Duration::from_millis(5);
/// They may take this share of the time.
const RESYNC_SHARE: u32 = 10;

/// A live trace, and all that it knows.
pub(super) struct Live {
    pub(super) programs: Programs,
    pub(super) ring: Ring,
    pub(super) decoder: Decoder,
    pub(super) order: Order,
    pub(super) stacks: StackIds,
    pub(super) sink: Sink,
    pub(super) processes: Processes,
    pub(super) programs_begun: Beginnings,
    pub(super) losses: Losses,
    pub(super) refusals: Refusals,
    pub(super) records: u64,
    /// Nothing of this process counts before its exec: until then it is a copy of ourselves.
    pub(super) held: Option<Pid>,
    pub(super) resident_due: Instant,
    pub(super) resync_due: Instant,
    /// One fault in so many carries a stack.
    pub(super) fault_stacks: u32,
    /// Children are traced too.
    pub(super) follow: bool,
    /// Where processes may join whom nobody traces yet.
    pub(super) joined: Option<Selection>,
    pub(super) groups: Groups,
    pub(super) limits_due: Instant,
}

impl Live {
    pub(super) fn read_maps(&mut self, pid: Pid, space: SpaceId, purpose: MapsPurpose) {
        match processes::maps(&self.processes, &self.programs, pid, space, purpose) {
            Ok(maps) => self.maps(maps),
            // It has ended: the ledger says that it could not be compared.
            Err(error) => log::debug!("{error:#}"),
        }
    }

    /// A reading of the maps: its begin and its end.
    pub(super) fn maps(&mut self, maps: Maps) {
        let reading = Reading {
            time: maps.began,
            space: maps.space,
        };
        self.order.push(maps.began, Event::Reading(reading));
        self.order.maps(maps);
    }

    /// Reads the maps of every address space whose ledger is in doubt: soon, but not all the time.
    pub(super) fn resynchronise(&mut self) {
        let began = Instant::now();
        let spaces: Vec<_> = self.processes.spaces().collect();
        for (space, pid) in spaces {
            let ledger = self.sink.book().ledger().space(space);
            if let Some(ledger) = ledger.filter(|ledger| ledger.needs_resync()) {
                let purpose = match (ledger.is_seeded(), ledger.lost_something()) {
                    (false, _) => MapsPurpose::Seed,
                    (true, true) => MapsPurpose::Resync,
                    (true, false) => MapsPurpose::Verify,
                };
                self.read_maps(pid, space, purpose);
            }
        }
        let pause = (began.elapsed() * RESYNC_SHARE).max(RESYNC_PAUSE);
        self.resync_due = Instant::now() + pause;
    }

    /// Present figures of every process.
    pub(super) fn sample(&mut self, count_maps: bool) {
        let samples: Vec<_> = self.processes.sample(count_maps).collect();
        for figures in samples {
            self.sampled(figures);
        }
    }

    pub(super) fn sampled(&mut self, (sample, usage): (Sample, Usage)) {
        // The CPU time first: the sample is measured by it.
        self.order.push(usage.time, Event::Usage(usage));
        self.order.push(sample.time, Event::Sample(sample));
    }

    /// Reads the maps of every address space, to be compared.
    pub(super) fn verify(&mut self) {
        let spaces: Vec<_> = self.processes.spaces().collect();
        for (space, pid) in spaces {
            self.read_maps(pid, space, MapsPurpose::Verify);
        }
    }

    pub(super) fn look_at_resident(&mut self) {
        let spaces: Vec<_> = self.processes.spaces().collect();
        for (space, pid) in spaces {
            let time = now();
            self.order
                .push(time, Event::Looking(Looking { time, space }));
            match processes::resident(&self.processes, &self.programs, pid, space) {
                Ok(event) => self.order.push(now(), event),
                Err(error) => log::debug!("{error:#}"),
            }
            self.share(pid);
        }
    }

    /// Whose the resident pages of a process are.
    pub(super) fn share(&mut self, pid: Pid) {
        if let Ok(shares) = procfs::shares(pid, now) {
            self.order.push(shares.time, Event::Shares(shares));
        }
    }

    /// How every process stands to the kernel's limits, and every control group to its own.
    pub(super) fn look_at_limits(&mut self) {
        for event in self.groups.look(&self.processes.pids()) {
            self.order.push(now(), event);
        }
        let spaces: Vec<_> = self.processes.spaces().collect();
        for (space, pid) in spaces {
            self.account(pid, space);
        }
    }

    /// What the kernel has of a process. (One that has ended meanwhile told it at its end.)
    pub(super) fn account(&mut self, pid: Pid, space: SpaceId) {
        let read = || Ok(procfs::account(pid)?);
        if let Ok((account, _)) = self.processes.read(&self.programs, pid, read) {
            let time = now();
            let accounted = Accounted {
                time,
                pid,
                space,
                account,
            };
            self.order.push(time, Event::Accounted(accounted));
        }
    }

    /// Refusals that the kernel has only counted: of one address space, or of all.
    pub(super) fn count_refusals(&mut self, of: Option<SpaceId>, time: Nanoseconds) {
        for again in self.refusals.counted(&self.programs, of) {
            let event = Event::RefusedAgain(RefusedAgain { time, ..again });
            self.order.push(time, event);
        }
    }

    /// A loss is an event; after it every ledger is brought back to the truth from the kernel's maps.
    pub(super) fn count_losses(&mut self) -> Result<()> {
        let late = self.order.take_late();
        let look = self
            .losses
            .look(&self.programs, late, self.order.missing())?;
        let lost = look.loss.is_some_and(|loss| loss.events + loss.late > 0);
        if lost || look.left_out {
            self.order.excuse(now());
            let spaces: Vec<_> = self.processes.spaces().collect();
            for (space, pid) in spaces {
                self.order
                    .excuse_turns(space, self.programs.reached(pid).turns);
            }
        }
        let Some(loss) = look.loss else {
            return Ok(());
        };
        log::info!(
            "lost {} calls, {} page faults, {} stacks; {} came too late",
            loss.events,
            loss.faults,
            loss.stacks,
            loss.late
        );
        self.order.push(loss.time, Event::Loss(loss));
        if lost {
            let key = |space| self.decoder.key_of(space);
            self.stacks.doubt(key, &mut self.programs);
            self.processes.catch_up(&self.programs);
            let spaces: Vec<_> = self.processes.spaces().collect();
            for (space, pid) in spaces {
                self.read_maps(pid, space, MapsPurpose::Resync);
            }
        }
        Ok(())
    }
}
