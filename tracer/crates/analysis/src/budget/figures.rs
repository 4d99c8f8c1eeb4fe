//! The figures of call sites and of processes: to add one, add it here, and to [`FIGURES`].

use super::measured::{Doubt, Measured};
use super::model::Unit;
use crate::diff::model::{Change, Figures};
use crate::model::summary::{Process, Report, Site};
use tracer_ledger::event::fault_mode;

/// A figure of call sites.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// As it is written.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    /// Of one site.
    pub of_site: fn(&Report, &Site) -> Measured,
    /// Of a process, where that is something else than the sum over its sites.
    pub of_process: Option<fn(&Process) -> Measured>,
    /// Of a site that a comparison has found in both traces, or in one.
    pub of_change: fn(&Figures) -> Change,
    /// What losses make of it.
    pub doubt: Doubt,
}

/// A figure is known by its name.
impl PartialEq for Figure {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Figure {}

/// All of them, in the order in which they are told.
pub static FIGURES: [&Figure; 10] = [
    &RESERVED,
    &ACCESSIBLE,
    &TOUCHED,
    &RESIDENT,
    &CHARGED,
    &LIVE,
    &CALLS,
    &RELEASED,
    &PEAK,
    &REFUSED,
];

/// Bytes alive.
pub static RESERVED: Figure = Figure {
    name: "reserved",
    unit: Unit::Bytes,
    of_site: |_, site| Measured::exactly(site.reserved_bytes),
    of_process: Some(|process| Measured::exactly(process.virtual_at_work().end)),
    of_change: |figures| figures.reserved_bytes,
    doubt: Doubt::Events,
};

/// Of these, accessible.
pub static ACCESSIBLE: Figure = Figure {
    name: "accessible",
    unit: Unit::Bytes,
    of_site: |_, site| Measured::exactly(site.accessible_bytes),
    of_process: None,
    of_change: |figures| figures.accessible_bytes,
    doubt: Doubt::Events,
};

/// Of these, ever touched.
pub static TOUCHED: Figure = Figure {
    name: "touched",
    unit: Unit::Bytes,
    of_site: touched,
    of_process: None,
    of_change: |figures| figures.touched_bytes,
    doubt: Doubt::EventsAndFaults,
};

/// Of these, in memory.
pub static RESIDENT: Figure = Figure {
    name: "resident",
    unit: Unit::Bytes,
    of_site: resident,
    of_process: Some(resident_of_process),
    of_change: |figures| figures.resident_bytes,
    doubt: Doubt::Events,
};

/// Of these, charged.
pub static CHARGED: Figure = Figure {
    name: "charged",
    unit: Unit::Bytes,
    of_site: |_, site| Measured::exactly(site.charged_bytes),
    of_process: None,
    of_change: |figures| figures.charged_bytes,
    doubt: Doubt::Events,
};

/// Reservations alive.
pub static LIVE: Figure = Figure {
    name: "live",
    unit: Unit::Count,
    of_site: |_, site| Measured::exactly(site.live),
    of_process: None,
    of_change: |figures| figures.live,
    doubt: Doubt::Events,
};

/// Calls.
pub static CALLS: Figure = Figure {
    name: "calls",
    unit: Unit::Count,
    of_site: |_, site| Measured::exactly(site.calls),
    of_process: None,
    of_change: |figures| figures.calls,
    doubt: Doubt::Events,
};

/// Bytes given back.
pub static RELEASED: Figure = Figure {
    name: "released",
    unit: Unit::Bytes,
    of_site: |_, site| Measured::exactly(site.released_bytes),
    of_process: None,
    of_change: |figures| figures.released_bytes,
    doubt: Doubt::Events,
};

/// The most bytes alive. Of several sites the sum of their peaks, which they need not have had at one time.
pub static PEAK: Figure = Figure {
    name: "peak",
    unit: Unit::Bytes,
    of_site: |_, site| Measured::exactly(site.peak_bytes),
    of_process: Some(|process| Measured::exactly(process.virtual_bytes.peak)),
    // A comparison has no peaks: what has come to be reserved tells the sites that raised them.
    of_change: |figures| figures.reserved_bytes,
    doubt: Doubt::EitherWay,
};

/// Calls refused.
pub static REFUSED: Figure = Figure {
    name: "refused",
    unit: Unit::Count,
    of_site: |_, site| Measured::exactly(site.refused),
    // Not every one has a stack.
    of_process: Some(refused_of_process),
    of_change: |figures| figures.refused,
    doubt: Doubt::Events,
};

/// All that a process was refused.
pub fn refused_of_process(process: &Process) -> Measured {
    Measured::exactly(process.refused_calls())
}

fn touched(report: &Report, site: &Site) -> Measured {
    site.touched_bytes.map_or_else(
        || {
            let why = format!(
                "page faults were not followed one by one (--faults {}): trace with --faults each",
                fault_mode::word(report.faults)
            );
            Measured::unknown(None, why)
        },
        Measured::exactly,
    )
}

/// A site that nobody has looked at has no more in memory than it has reserved.
fn resident(_: &Report, site: &Site) -> Measured {
    site.resident_bytes.map_or_else(
        || {
            let why = "nobody has looked at what is in memory".to_owned();
            Measured::unknown(Some(site.reserved_bytes), why)
        },
        Measured::exactly,
    )
}

/// A process that nobody has looked at has no more in memory than it has mapped.
pub fn resident_of_process(process: &Process) -> Measured {
    if let Some(resident) = process.resident_at_work() {
        return Measured::exactly(resident.end);
    }
    let why = format!(
        "nobody has looked at what {} (pid {}) had in memory: it was there too shortly",
        process.comm, process.pid
    );
    Measured::unknown(Some(process.virtual_at_work().end), why)
}
