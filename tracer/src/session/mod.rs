//! The only wiring: sources of events (a live trace, a recording) to the ledger, the analysis and the
//! recording.
//!
//! Read in this order: [`book`] (one event into ledger and analysis), [`stacks`] (stacks to ids and
//! names), [`live`] (a live trace), [`replay`] (a recording).

pub mod book;

pub mod stacks;

pub mod processes;

pub mod ending;

pub mod live;

pub mod replay;
