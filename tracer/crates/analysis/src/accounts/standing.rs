//! How a run stands to the kernel's limits, by what counts against each: the kernel's own account of its address
//! space, and its mappings.

use crate::accounts::curve::Curve;
use crate::accounts::time::TraceTime;
use crate::model::residency::MappingCount;
use tracer_ledger::event::{Account, ResourceLimits};

/// Points kept of a figure's course.
pub const POINTS: usize = 120;

/// What counts against a limit: now, and at the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Now.
    pub end: u64,
    /// At the most.
    pub peak: u64,
}

impl Used {
    fn becomes(&mut self, value: u64) {
        self.end = value;
        self.peak = self.peak.max(value);
    }
}

/// What the kernel said of a run.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Of the last account; `None`: the kernel was never asked.
    pub limits: Option<ResourceLimits>,
    /// Private and writable bytes (`RLIMIT_DATA`).
    pub data: Used,
    /// Bytes in mappings that grow down (`RLIMIT_STACK`).
    pub stack: Used,
    /// Locked bytes (`RLIMIT_MEMLOCK`).
    pub locked: Used,
    /// Mappings; `None`: nobody counted.
    pub mappings: Option<Used>,
    /// The course of their number.
    pub mappings_course: Curve<u64, POINTS>,
}

impl Standing {
    /// The kernel's account at a moment.
    pub fn accounted(&mut self, time: TraceTime, account: &Account, page_bytes: u64) {
        let bytes = |pages: u64| pages.saturating_mul(page_bytes);
        self.limits = Some(account.limits);
        self.data.becomes(bytes(account.data_pages));
        self.stack.becomes(bytes(account.totals.stack_pages));
        self.locked.becomes(bytes(account.locked_pages));
        self.mapped(time, account.mappings);
    }

    /// So many mappings, by whoever counted last.
    pub fn mapped(&mut self, time: TraceTime, count: u64) {
        self.mappings.get_or_insert_default().becomes(count);
        self.mappings_course.record(time, count);
    }

    /// Mappings, against what the machine allows.
    #[must_use]
    pub fn mapping_count(&self, limit: Option<u64>) -> MappingCount {
        MappingCount {
            end: self.mappings.map(|used| used.end),
            peak: self.mappings.map(|used| used.peak),
            limit,
        }
    }

    /// Gives up the course.
    pub fn condense(&mut self) {
        self.mappings_course = Curve::default();
    }
}
