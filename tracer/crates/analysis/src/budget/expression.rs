//! What a budget says, as it was understood.

use super::model::Unit;
use crate::model::summary::Level;

/// One budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// As it was written.
    pub expression: String,
    /// Why it is there, if anybody said so.
    pub reason: Option<String>,
    /// What is measured.
    pub subject: Subject,
    /// Less what the baseline has of it.
    pub growth: bool,
    /// What is equal to the limit breaks it too.
    pub inclusive: bool,
    /// What is too much.
    pub limit: Limit,
}

/// What is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Of the whole trace.
    Total(Total),
    /// The worst verdict.
    Level,
    /// Of the sites of a kind, by its id.
    Pattern(String, Figure),
    /// Of the sites with this in their stack.
    Site(String, Figure),
    /// Of the processes of this name.
    Process(String, Figure),
}

/// What is too much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// Bytes or a count.
    Amount(u64),
    /// Of the baseline's figure.
    Percent(f64),
    /// A level.
    Level(Level),
}

/// Figures of the whole trace: see [the module](super).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// Mapped.
    Virtual,
    /// In memory.
    Resident,
    /// Ever touched.
    Touched,
    /// Charged.
    Charged,
    /// Mapped since the start.
    Grown,
    /// Of all sites.
    Reserved,
    /// Of the trace's own sites.
    NeverReleased,
    /// The same, of no known kind.
    Unexplained,
    /// Between ledger and kernel.
    Difference,
    /// Mappings.
    Maps,
    /// Process ids.
    Processes,
    /// Calls.
    Calls,
}

/// Each by its name.
pub const TOTALS: [(&str, Total); 12] = [
    ("virtual", Total::Virtual),
    ("resident", Total::Resident),
    ("touched", Total::Touched),
    ("charged", Total::Charged),
    ("grown", Total::Grown),
    ("reserved", Total::Reserved),
    ("never-released", Total::NeverReleased),
    ("unexplained", Total::Unexplained),
    ("difference", Total::Difference),
    ("maps", Total::Maps),
    ("processes", Total::Processes),
    ("calls", Total::Calls),
];

/// Figures of sites or processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Bytes alive.
    Reserved,
    /// Of these, accessible.
    Accessible,
    /// Of these, ever touched.
    Touched,
    /// Of these, in memory.
    Resident,
    /// Of these, charged.
    Charged,
    /// Reservations alive.
    Live,
    /// Calls.
    Calls,
    /// Bytes given back.
    Released,
    /// The most bytes alive.
    Peak,
}

/// Each by its name.
pub const FIGURES: [(&str, Figure); 9] = [
    ("reserved", Figure::Reserved),
    ("accessible", Figure::Accessible),
    ("touched", Figure::Touched),
    ("resident", Figure::Resident),
    ("charged", Figure::Charged),
    ("live", Figure::Live),
    ("calls", Figure::Calls),
    ("released", Figure::Released),
    ("peak", Figure::Peak),
];

impl Subject {
    /// What it is counted in.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match self {
            Self::Level => Unit::Level,
            Self::Total(Total::Maps | Total::Processes | Total::Calls)
            | Self::Pattern(_, Figure::Live | Figure::Calls)
            | Self::Site(_, Figure::Live | Figure::Calls)
            | Self::Process(_, Figure::Live | Figure::Calls) => Unit::Count,
            Self::Total(_) | Self::Pattern(..) | Self::Site(..) | Self::Process(..) => Unit::Bytes,
        }
    }
}
