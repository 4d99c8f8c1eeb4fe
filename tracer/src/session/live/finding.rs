//! Processes that run already: those of a selection, their children, and whoever joins later.

use anyhow::Result;

use super::state::Live;
use crate::{
    capture::procfs,
    capture::ring::{Drained, now},
    session::plan::{Selection, check_traceable},
    session::processes,
};
use tracer_ledger::event::{Event, Looking, MapsPurpose, Pid};

impl Live {
    /// Finds the processes of a selection, and the children of those that are traced, that are not traced
    /// yet. Once a process is, its children are by themselves: so every round finds fewer.
    pub(super) fn find_new(&mut self, selection: &Selection) -> Result<()> {
        let mut drained = Drained::default();
        loop {
            let mut pids = match selection.now() {
                // A control group that has been removed: what is traced already goes on.
                Err(error) if !self.processes.is_empty() => {
                    log::info!("{error:#}");
                    return Ok(());
                }
                pids => pids?,
            };
            if self.follow {
                let known = self.processes.pids();
                let of = |pid: &Pid| procfs::descendants(*pid).unwrap_or_default();
                pids.extend(known.iter().flat_map(of));
            }
            // Of this process every event would make another.
            pids.retain(|pid| pid.0 != std::process::id() && !self.programs.is_selected(*pid));
            let mut found = false;
            for pid in pids {
                // It may have ended meanwhile, or have been made since we follow its parent.
                if self.programs.is_selected(pid) {
                    continue;
                }
                match self.find(pid) {
                    Ok(()) => {
                        found = true;
                        log::info!("process {pid} is traced");
                    }
                    Err(error) => log::info!("{error:#}"),
                }
                // What is traced already goes on meanwhile.
                self.drain(&mut drained)?;
            }
            if !found {
                return Ok(());
            }
        }
    }

    /// Finds those that have joined a control group.
    pub(super) fn find_joined(&mut self) -> Result<()> {
        let Some(selection) = &self.joined else {
            return Ok(());
        };
        match selection.now() {
            Ok(pids) if pids.iter().all(|pid| self.programs.is_selected(*pid)) => Ok(()),
            Ok(_) => {
                let selection = selection.clone();
                self.find_new(&selection)
            }
            Err(error) => {
                // It has been removed: nobody joins it any more.
                log::warn!("{error:#}");
                self.joined = None;
                Ok(())
            }
        }
    }

    /// Traces a process that runs already: first its calls, then its maps are read (ARCHITECTURE.md, rule 3).
    pub(super) fn find(&mut self, pid: Pid) -> Result<()> {
        check_traceable(pid)?;
        self.programs.select(pid, self.follow)?;
        let space = self.decoder.expect(pid);
        let seed = processes::found(pid, space).and_then(|found| {
            Ok((
                found,
                processes::maps(
                    &self.processes,
                    &self.programs,
                    pid,
                    space,
                    MapsPurpose::Seed,
                )?,
            ))
        });
        let (found, maps) = match seed {
            Ok(seed) => seed,
            Err(error) => {
                self.programs.deselect(pid);
                return Err(error.context(format!("cannot trace process {pid}")));
            }
        };
        self.processes.insert(pid, space);
        self.order.push(found.time, Event::Found(found));
        self.maps(maps);
        if let Ok(figures) = processes::sample(pid, true) {
            self.sampled(figures);
        }
        self.account(pid, space);
        if let Some(group) = self.groups.entered(pid) {
            self.order.push(now(), group);
        }
        if let Ok(shown) = processes::shown(&self.processes, &self.programs, pid, space) {
            self.order.push(now(), shown);
        }
        let time = now();
        self.order
            .push(time, Event::Looking(Looking { time, space }));
        if let Ok(resident) = processes::resident(&self.processes, &self.programs, pid, space) {
            self.order.push(now(), resident);
        }
        self.share(pid);
        Ok(())
    }
}
