//! The processes of a live trace: which are alive, in which address space, and what `/proc` says of
//! them from time to time.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::{
    capture::{procfs, programs::Programs, ring::now},
    event::{Event, Found, Maps, MapsPurpose, Pid, Resident, Sample, SpaceId},
};

/// Processes that are traced and alive, and the address space each lives in.
#[derive(Debug, Default)]
pub struct Processes {
    alive: BTreeMap<Pid, SpaceId>,
}

impl Processes {
    /// A process lives in this address space from now on.
    pub fn insert(&mut self, pid: Pid, space: SpaceId) {
        self.alive.insert(pid, space);
    }

    /// A process is gone; true if it was the last one in its address space, which comes along.
    pub fn remove(&mut self, pid: Pid) -> Option<(SpaceId, bool)> {
        let space = self.alive.remove(&pid)?;
        Some((space, !self.alive.values().any(|other| *other == space)))
    }

    /// Whether none is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.alive.is_empty()
    }

    /// Whether this process is one of them.
    #[must_use]
    pub fn contains(&self, pid: Pid) -> bool {
        self.alive.contains_key(&pid)
    }

    /// All of them.
    #[must_use]
    pub fn pids(&self) -> Vec<Pid> {
        self.alive.keys().copied().collect()
    }

    /// One process of each living address space.
    pub fn spaces(&self) -> impl Iterator<Item = (SpaceId, Pid)> {
        let mut seen = BTreeMap::new();
        for (pid, space) in &self.alive {
            seen.entry(*space).or_insert(*pid);
        }
        seen.into_iter()
    }

    /// Present figures of every process.
    pub fn sample(&self, count_maps: bool) -> impl Iterator<Item = Sample> + '_ {
        self.alive
            .keys()
            // A process that is on its way out has no figures any more.
            .filter_map(move |pid| sample(*pid, count_maps).ok())
    }
}

/// Present figures of one process.
pub fn sample(pid: Pid, count_maps: bool) -> Result<Sample> {
    let mut sample = procfs::sample(pid, now())?;
    if count_maps {
        sample.maps = u32::try_from(procfs::maps(pid)?.len()).ok();
    }
    Ok(sample)
}

/// What is known of a process that already runs.
pub fn found(pid: Pid, space: SpaceId) -> Result<Found> {
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
pub fn maps(programs: &Programs, pid: Pid, space: SpaceId, purpose: MapsPurpose) -> Result<Maps> {
    let began = now();
    let mappings = procfs::maps(pid)?;
    let after = programs.turns(pid);
    Ok(Maps {
        // After the number was read: the turns that it counts are all older.
        time: now(),
        after,
        began,
        pid,
        space,
        mappings,
        purpose,
    })
}

/// The pages of a process that are in memory now.
pub fn resident(pid: Pid, space: SpaceId) -> Result<Event> {
    let mapped: Vec<_> = procfs::maps(pid)?
        .iter()
        .map(|mapping| (mapping.start, mapping.end.0 - mapping.start.0))
        .collect();
    let ranges = procfs::resident(pid, &mapped)?;
    Ok(Event::Resident(Resident {
        time: now(),
        space,
        ranges,
    }))
}
