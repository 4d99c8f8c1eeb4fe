//! The only wiring: sources of events (a live trace, a recording) to the ledger, the analysis and the
//! recording.
//!
//! Read in this order: [`replay`] (a recording as the source), [`opened`] (a file of either kind), then a
//! live trace: [`plan`], its parts, and [`live`].

pub mod known;

pub mod metered;

pub mod replay;

pub mod opened;

pub mod plan;

pub mod sink;

pub mod losses;

mod learned;

pub mod stacks;

pub mod processes;

pub mod beginnings;

pub mod verification;

pub mod ending;

pub mod explain;

pub mod live;
