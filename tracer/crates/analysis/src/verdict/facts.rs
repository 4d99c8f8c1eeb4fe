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
    /// Which process it is.
    pub whose: Whose<'a>,
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
    /// When it last rose above all that it was before, ns since the trace began.
    pub rose: u64,
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

/// Which process it is, for who wants to trace it again.
#[derive(Clone, Copy, Debug)]
pub struct Whose<'a> {
    /// Its id.
    pub pid: u32,
    /// Program and arguments.
    pub cmdline: &'a [String],
    /// What runs it, with its version: `node v22.22.0`.
    pub runtime: Option<&'a str>,
    /// It lives when the trace ends.
    pub lives: bool,
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

    /// Whether nothing of it has risen in the last two fifths of a time that is long enough to tell: so it rested two
    /// thirds as long as it grew. (What grows at one speed and rests for a third has brought a quarter of its growth in
    /// the later half: it is still called growing.)
    pub fn rests(&self) -> bool {
        const ENOUGH: u64 = 4_000_000_000;
        let life = self.lifetime();
        life >= ENOUGH && self.end.saturating_sub(self.rose) >= life / 5 * 2
    }

    /// For how long it was seen, ns.
    pub fn lifetime(&self) -> u64 {
        self.end.saturating_sub(self.began)
    }
}
