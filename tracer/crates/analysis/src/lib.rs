//! Analysis: from events and what the ledger changed for them to one serialisable model
//! ([`summary::Report`]), the same for a live trace and for a recording.
//!
//! The rooms, in the order of the data: `engine` (events in, the model out), which keeps `accounts` and `refusals`, asks
//! [`patterns`] what a call site is and `verdict` what that means; [`model`] (all that is serialised), [`words`]
//! (figures and names as people read them) and [`naming`] (what a stack is called). Beside them what looks at a finished model: [`diff`], [`budget`], [`trial`]; and
//! [`explain`], which looks at a process without a trace.
//!
//! Everything here is pure: no file, no clock, no thread. `clippy.toml` beside `Cargo.toml` refuses what would break
//! that.

pub mod model;

pub mod words;

pub mod naming;

pub mod patterns;

mod accounts;

pub mod refusals;

mod verdict;

mod engine;

pub mod explain;

pub mod diff;

pub mod budget;

pub mod trial;

#[cfg(test)]
mod constructed;

pub use accounts::view::{LedgerView, LivingReservation, SpaceView};
pub use engine::{Analysis, book, progress::Progress, replay};
pub use model::{checked, meaning, summary, window};
pub use patterns::known;
pub use verdict::harm;
pub use words::residency_words::why_resident;
pub use words::{names, shell, signals, toml_text, units};
