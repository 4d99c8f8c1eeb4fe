//! How things stand while a trace goes on.

use crate::Analysis;
use crate::accounts::run::Run;
use tracer_ledger::event::Pid;

/// How things stand, for a progress line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Events of the traced processes so far.
    pub events: u64,
    /// Lost so far, of whatever kind.
    pub lost: u64,
    /// Traced processes alive.
    pub processes: u64,
    /// The biggest of them.
    pub pid: Pid,
    /// Its name, as it is: to be escaped before it is shown.
    pub comm: String,
    /// Its mapped bytes; `None`: not known yet.
    pub virtual_bytes: Option<u64>,
    /// Its resident bytes; `None`: not sampled yet.
    pub resident_bytes: Option<u64>,
}

impl Analysis {
    /// How things stand.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let mapped = |run: &Run| run.mapped(self.ledger_bytes(run.space));
        let biggest = self
            .current
            .values()
            .map(|&run| &self.runs[run])
            .max_by_key(|run| (mapped(run), std::cmp::Reverse(run.pid)));
        let losses = &self.losses;
        Progress {
            events: self.events,
            lost: losses.total(),
            processes: self.current.len() as u64,
            pid: biggest.map_or(Pid(0), |run| run.pid),
            comm: biggest.map_or_else(String::new, |run| run.identity.comm.clone()),
            virtual_bytes: biggest.and_then(mapped),
            resident_bytes: biggest
                .filter(|run| run.resident.samples > 0)
                .map(|run| run.resident.span.end),
        }
    }
}
