//! How a process stood while it worked, and how it ended: a part of [`crate::model::summary`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::summary::{Process, Span};

/// How a process stood before its ending began: what levels, budgets and comparisons are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Working {
    /// When its ending began; without one, when it was last seen; ns since the trace began.
    pub until_ns: u64,
    /// Mapped bytes then.
    pub virtual_bytes: u64,
    /// Resident bytes then, at most [`Self::virtual_bytes`], pages that it maps several times counted once; `null`:
    /// nobody looked.
    pub resident_bytes: Option<u64>,
    /// Mappings then; `null`: not known.
    pub mappings: Option<u64>,
}

impl Process {
    /// Mapped bytes at the start, at their most, and at the end of its working life: what levels, budgets and
    /// comparisons are about.
    #[must_use]
    pub fn virtual_at_work(&self) -> Span {
        let span = self.virtual_bytes;
        let end = self
            .working
            .map_or(span.end, |working| working.virtual_bytes);
        Span { end, ..span }
    }

    /// The same of the resident bytes; `None`: nobody looked.
    #[must_use]
    pub fn resident_at_work(&self) -> Option<Span> {
        let span = self.resident_bytes;
        let working = self.working.and_then(|working| working.resident_bytes);
        (self.samples > 0).then(|| Span {
            end: working.unwrap_or(span.end),
            // At its most it had them several times as well.
            peak: span
                .peak
                .saturating_sub(self.residency.mapped_again_bytes.unwrap_or(0))
                .max(working.unwrap_or(span.end)),
            ..span
        })
    }
}

/// The ending of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ending {
    /// When it began to give back what it had for good; without that, when it ended; ns since the trace began.
    pub began_ns: u64,
    /// What it gave back from then on, before the kernel took the rest, bytes.
    pub freed_bytes: u64,
    /// By `exit`, with this code.
    pub code: Option<u8>,
    /// By this signal.
    pub signal: Option<u8>,
    /// Killed for want of memory: whose; `null`: it was not.
    pub oom_kill: Option<OomKill>,
}

/// Whose memory had come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OomKill {
    /// A control group's.
    Cgroup,
    /// The machine's.
    Machine,
}
