//! What a verdict on a process is found from.

use super::suspects::SiteFacts;
use crate::model::summary::{Before, Ending, Harm, LedgerCheck, Limits, Span};
use crate::refusals::told::Told;

/// Growth below this is not worth a sentence, bytes.
pub const WORTH_TELLING: u64 = 1 << 20;

/// What a verdict is found from.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Mapped bytes; the end is that of its working life.
    pub virtual_bytes: Span,
    /// Resident bytes then, if anybody looked.
    pub resident: Option<Span>,
    /// Copied on write since a fork, bytes.
    pub copied_bytes: u64,
    /// Traced from the first instruction.
    pub from_start: bool,
    /// Its sites were given up.
    pub condensed: bool,
    /// When it was first seen, ns since the trace began.
    pub began: u64,
    /// When its working life ended, or the trace, ns since it began.
    pub end: u64,
    /// What it gave back as it ended.
    pub freed: Option<Freed>,
    /// The share of its memory that it had given back in the end, 0 to 1.
    pub returned: f64,
    /// The kernel counts strictly what is charged (`vm.overcommit_memory` 2), or nobody knows.
    pub strict: bool,
    /// The ledger against the kernel.
    pub check: &'a LedgerCheck,
    /// Nothing of it has risen in the last two fifths of its time.
    pub rests: bool,
    /// How it stands to its limits.
    pub harms: &'a [Harm],
    /// Kinds of which there are unusually many at a time, and why.
    pub unusual: &'a [String],
    /// What was there before tracing, if anybody looked.
    pub before: Option<&'a Before>,
    /// What it was refused, and what came of it.
    pub refusals: Refusals<'a>,
    /// Every site, largest first.
    pub sites: &'a [SiteFacts<'a>],
}

/// What a process was refused, and what came of it.
#[derive(Clone, Copy, Debug)]
pub struct Refusals<'a> {
    /// The most telling first.
    pub told: &'a [Told],
    /// How it ended; `None`: it lives on, or began another program.
    pub ending: Option<&'a Ending>,
    /// When that was; without it, until when it was seen; ns since the trace began.
    pub until_ns: u64,
    /// What could do harm to it.
    pub limits: &'a Limits,
}

/// What a process gave back as it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freed {
    /// Mapped bytes.
    pub bytes: u64,
    /// When that began, ns since the trace began.
    pub began: u64,
    /// How long it took, to the end, ns.
    pub took: u64,
    /// `exit`, `exec`, or by which signal it ended.
    pub by: String,
}

impl Facts<'_> {
    /// Nearly all of its memory was given back as it ended.
    pub fn gave_all_back(&self) -> bool {
        const NEARLY_ALL: f64 = 0.9;
        self.freed.is_some() && self.returned >= NEARLY_ALL
    }

    /// Mapped bytes more than at the start.
    pub fn grown_bytes(&self) -> u64 {
        let span = self.virtual_bytes;
        span.end.saturating_sub(span.start)
    }

    /// For how long it was seen, ns.
    pub fn lifetime(&self) -> u64 {
        self.end.saturating_sub(self.began)
    }
}
