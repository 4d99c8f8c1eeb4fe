//! The only wiring: sources of events (a live trace, a recording) to the ledger, the analysis and the
//! recording.
//!
//! Read in this order: [`files`] (a recording as the source), then a live trace: [`plan`], its parts, and
//! [`live`].

pub(crate) mod files;

pub(crate) mod plan;

pub(crate) mod sink;

pub(crate) mod losses;

pub(crate) mod refusals;

pub(crate) mod code_changes;

mod learned;

pub(crate) mod stack_ids;

pub(crate) mod processes;

pub(crate) mod beginnings;

pub(crate) mod groups;

pub(crate) mod verification;

pub(crate) mod ending;

pub(crate) mod explain;

pub(crate) mod live;
