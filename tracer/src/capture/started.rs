//! All processes that were started here, also those whose parents have gone: so that none is left behind.

use std::{
    collections::HashSet,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{
        PidfdFlags, Signal, WaitOptions, getpid, pidfd_open, pidfd_send_signal,
        set_child_subreaper, waitpid,
    },
};

use super::procfs;
use tracer_ledger::event::Pid;

/// How long they may take to end after SIGTERM, and how long after SIGKILL.
const GRACE: Duration = Duration::from_secs(2);
/// Between two looks at who is left: a child may have been born meanwhile.
const LOOK: Duration = Duration::from_millis(100);

/// What this process starts from now on, and what comes of that.
#[derive(Debug)]
pub(crate) struct Started {
    /// There before: not started here.
    others: HashSet<Pid>,
}

impl Started {
    /// From now on whoever loses its parent below this process becomes its child (`PR_SET_CHILD_SUBREAPER`, prctl(2)).
    ///
    /// # Errors
    /// The kernel does not allow it.
    pub(crate) fn begin() -> Result<Self> {
        set_child_subreaper(Some(getpid())).context("cannot adopt what loses its parent")?;
        let others = procfs::descendants(own())?.into_iter().collect();
        Ok(Self { others })
    }

    /// Ends all of it: SIGTERM, and SIGKILL for what does not hear.
    ///
    /// # Errors
    /// Something cannot be ended.
    pub(crate) fn end(&self) -> Result<()> {
        let mut left = Vec::new();
        let mut ended = HashSet::new();
        for signal in [Signal::TERM, Signal::KILL] {
            let deadline = Instant::now() + GRACE;
            let mut told = HashSet::new();
            loop {
                left = self.living()?;
                // Nothing is left of those that have; of somebody else's child the kernel says that it is none.
                for pid in ended.iter().filter_map(|pid| raw(*pid)) {
                    let _ = waitpid(Some(pid), WaitOptions::NOHANG);
                }
                ended.extend(left.iter().map(|(pid, _)| *pid));
                if left.is_empty() {
                    return Ok(());
                }
                let now = Instant::now();
                if now >= deadline {
                    break;
                }
                for (pid, process) in &left {
                    if told.insert(*pid) {
                        let _ = pidfd_send_signal(process, signal);
                    }
                }
                let mut ends: Vec<_> = left
                    .iter()
                    .map(|(_, process)| PollFd::new(process, PollFlags::IN))
                    .collect();
                let look = Timespec::try_from(LOOK.min(deadline - now))?;
                // A signal or an end that was missed is seen at the next look.
                let _ = poll(&mut ends, Some(&look));
            }
        }
        let pids: Vec<String> = left.iter().map(|(pid, _)| pid.0.to_string()).collect();
        bail!("cannot end what was started: {}", pids.join(", "))
    }

    /// Those that have not ended.
    fn living(&self) -> Result<Vec<(Pid, OwnedFd)>> {
        let opened: Vec<_> = self
            .found()?
            .into_iter()
            .filter_map(|pid| Some((pid, pidfd_open(raw(pid)?, PidfdFlags::empty()).ok()?)))
            .collect();
        // What is still below us after it was opened is the process that was meant.
        let still: HashSet<Pid> = self.found()?.into_iter().collect();
        Ok(opened
            .into_iter()
            .filter(|(pid, _)| still.contains(pid))
            .collect())
    }

    fn found(&self) -> Result<Vec<Pid>> {
        let mut others = self.others.clone();
        for other in &self.others {
            // It may have gone.
            others.extend(procfs::descendants(*other).unwrap_or_default());
        }
        let all = procfs::descendants(own())?;
        Ok(all
            .into_iter()
            .filter(|pid| !others.contains(pid))
            .collect())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            log::error!("{error:#}");
        }
    }
}

fn raw(pid: Pid) -> Option<rustix::process::Pid> {
    rustix::process::Pid::from_raw(i32::try_from(pid.0).ok()?)
}

fn own() -> Pid {
    Pid(getpid().as_raw_nonzero().get().unsigned_abs())
}
