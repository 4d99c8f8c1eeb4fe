//! What an earlier report said of processes that had ended: it stays so.

use std::collections::HashMap;

use crate::accounts::run::Run;
use crate::model::summary::{Process, Report};

/// What comes late of a process that has ended (names of its stacks, who killed it) has come by then, ns.
const SETTLED: u64 = 5_000_000_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Ended<'a> {
    /// By pid and beginning (ns), which one run has.
    by_run: HashMap<(u32, u64), &'a Process>,
    /// The largest number of a site.
    last_site: u32,
}

impl<'a> Ended<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        let settled = report.duration_ns.saturating_sub(SETTLED);
        let ended = |process: &&Process| process.exit.is_some() && process.last_ns < settled;
        let all = || report.processes.iter().filter(ended);
        let sites = all().flat_map(|process| &process.sites);
        Self {
            by_run: all()
                .map(|process| ((process.pid, process.first_ns), process))
                .collect(),
            last_site: sites.map(|site| site.id).max().unwrap_or(0),
        }
    }

    /// Of one that is not made anew; not with details that are not kept any more.
    pub(super) fn process(&self, run: &Run) -> Option<&'a Process> {
        let process = self.by_run.get(&(run.pid.0, run.first.0))?;
        let is_same = run.end.is_some_and(|end| end.time.0 == process.last_ns)
            && (!run.is_condensed || process.sites.is_empty());
        is_same.then_some(*process)
    }

    /// The first number that is free.
    pub(super) fn next_site(&self) -> u32 {
        self.last_site + 1
    }
}
