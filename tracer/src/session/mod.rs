//! The only wiring: sources of events (a live trace, a recording) to the ledger, the analysis and the
//! recording.
//!
//! Read in this order: [`files`] (a recording as the source), then a live trace: [`plan`], its parts, and
//! [`live`].

pub mod files;

pub mod plan;

pub mod sink;

pub mod losses;

pub mod code_changes;

mod learned;

pub mod stacks;

pub mod processes;

pub mod beginnings;

pub mod verification;

pub mod ending;

pub mod explain;

pub mod live;
