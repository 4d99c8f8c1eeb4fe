//! What a verdict on a process is found from.

use super::suspects::SiteFacts;
use crate::model::summary::{Before, Harm, LedgerCheck, Span};

/// Growth below this is not worth a sentence, bytes.
pub const WORTH_TELLING: u64 = 1 << 20;

/// What a verdict is found from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Mapped bytes.
    pub virtual_bytes: Span,
    /// Resident bytes, if anybody looked.
    pub resident: Option<Span>,
    /// Copied on write since a fork, bytes.
    pub copied_bytes: u64,
    /// Traced from the first instruction.
    pub from_start: bool,
    /// Its sites were given up.
    pub condensed: bool,
    /// When it was first seen, ns since the trace began.
    pub began: u64,
    /// When it ended, or the trace, ns since it began.
    pub end: u64,
    /// The ledger against the kernel.
    pub check: &'a LedgerCheck,
    /// How it stands to its limits.
    pub harms: &'a [Harm],
    /// Kinds of which there are unusually many at a time, and why.
    pub unusual: &'a [String],
    /// What was there before tracing, if anybody looked.
    pub before: Option<&'a Before>,
    /// Every site, largest first.
    pub sites: &'a [SiteFacts<'a>],
}

impl Facts<'_> {
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
