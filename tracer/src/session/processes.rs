//! The processes of a live trace: which are alive, in which address space, and what `/proc` says of
//! them from time to time.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use crate::{capture::procfs, capture::programs::Programs, capture::ring::now};
use tracer_ledger::event::{
    Event, Found, Maps, MapsPurpose, Pid, Resident, Sample, Shown, SpaceId, Usage,
};

/// Processes that are traced and alive, and the address space each lives in.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    alive: BTreeMap<Pid, Life>,
}

/// Where a process lives.
#[derive(Clone, Copy, Debug)]
struct Life {
    space: SpaceId,
    /// How many programs it has begun since it is traced, as far as was told.
    programs: u64,
}

impl Processes {
    /// A process lives in this address space from now on.
    pub(crate) fn insert(&mut self, pid: Pid, space: SpaceId) {
        self.alive.insert(pid, Life { space, programs: 0 });
    }

    /// A process has begun a program in this address space; the old one, if nobody else lives there.
    pub(crate) fn begin(&mut self, pid: Pid, space: SpaceId) -> Option<SpaceId> {
        let programs = self.alive.get(&pid).map_or(0, |life| life.programs) + 1;
        let old = self.remove(pid);
        self.alive.insert(pid, Life { space, programs });
        old
    }

    /// A process is gone; its address space, if it was the last one there.
    pub(crate) fn remove(&mut self, pid: Pid) -> Option<SpaceId> {
        let Life { space, .. } = self.alive.remove(&pid)?;
        let shared = self.alive.values().any(|other| other.space == space);
        (!shared).then_some(space)
    }

    /// Of programs that processes began, some were not told: what they are now counts.
    pub(crate) fn catch_up(&mut self, programs: &Programs) {
        for (pid, life) in &mut self.alive {
            life.programs = programs.reached(*pid).programs;
        }
    }

    /// Reads something of a process from `/proc`, given that it is still, and stays meanwhile, in the
    /// program that is known of it; also how many turns had been taken by the end of the reading.
    ///
    /// # Errors
    /// It is not, or `/proc` cannot be read.
    pub(crate) fn read<T>(
        &self,
        programs: &Programs,
        pid: Pid,
        read: impl FnOnce() -> Result<T>,
    ) -> Result<(T, u64)> {
        let told = self.alive.get(&pid).map_or(0, |life| life.programs);
        let value = read()?;
        let reached = programs.reached(pid);
        ensure!(
            reached.programs == told,
            "process {pid} has begun another program"
        );
        Ok((value, reached.turns))
    }

    /// Whether none is left.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.alive.is_empty()
    }

    #[must_use]
    pub(crate) fn pids(&self) -> Vec<Pid> {
        self.alive.keys().copied().collect()
    }

    /// One process of each living address space.
    pub(crate) fn spaces(&self) -> impl Iterator<Item = (SpaceId, Pid)> {
        let mut seen = BTreeMap::new();
        for (pid, life) in &self.alive {
            seen.entry(life.space).or_insert(*pid);
        }
        seen.into_iter()
    }

    /// Present figures of every process.
    pub(crate) fn sample(&self, count_maps: bool) -> impl Iterator<Item = (Sample, Usage)> + '_ {
        self.alive
            .keys()
            // A process that is on its way out has no figures any more.
            .filter_map(move |pid| sample(*pid, count_maps).ok())
    }
}

/// Present figures of one process.
pub(crate) fn sample(pid: Pid, count_maps: bool) -> Result<(Sample, Usage)> {
    let (mut sample, usage) = procfs::sample(pid, now())?;
    if count_maps {
        sample.maps = u32::try_from(procfs::maps(pid)?.len()).ok();
    }
    Ok((sample, usage))
}

/// What is known of a process that already runs.
pub(crate) fn found(pid: Pid, space: SpaceId) -> Result<Found> {
    Ok(Found {
        time: now(),
        pid,
        parent: procfs::parent(pid)?,
        space,
        identity: procfs::identity(pid)?,
        threads: procfs::threads(pid)?,
    })
}

/// The maps of a process, read now.
pub(crate) fn maps(
    processes: &Processes,
    programs: &Programs,
    pid: Pid,
    space: SpaceId,
    purpose: MapsPurpose,
) -> Result<Maps> {
    let began = now();
    let (mappings, after) = processes.read(programs, pid, || Ok(procfs::maps(pid)?))?;
    Ok(Maps {
        // After the number was read: the turns that it counts are all older.
        time: now(),
        began,
        pid,
        space,
        mappings,
        purpose,
        after,
    })
}

/// What the kernel shows of a process's mappings now.
pub(crate) fn shown(
    processes: &Processes,
    programs: &Programs,
    pid: Pid,
    space: SpaceId,
) -> Result<Event> {
    let read = || Ok((procfs::smaps(pid)?, procfs::stack_pointers(pid)?));
    let ((maps, mut stack_pointers), _) = processes.read(programs, pid, read)?;
    stack_pointers.sort_unstable();
    Ok(Event::Shown(Shown {
        time: now(),
        pid,
        space,
        maps,
        stack_pointers,
    }))
}

/// The pages of a process that are in memory now.
pub(crate) fn resident(
    processes: &Processes,
    programs: &Programs,
    pid: Pid,
    space: SpaceId,
) -> Result<Event> {
    let (ranges, _) = processes.read(programs, pid, || {
        let mapped: Vec<_> = procfs::maps(pid)?
            .iter()
            .map(|mapping| (mapping.start, mapping.end.0 - mapping.start.0))
            .collect();
        Ok(procfs::resident(pid, &mapped)?)
    })?;
    Ok(Event::Resident(Resident {
        time: now(),
        space,
        ranges,
    }))
}
