//! The engine: events, and what the ledger changed for them, into the accounts; and from these the one
//! serialisable model ([`Report`](crate::summary::Report)), the same for a live trace and for a recording.
//!
//! For each event the ledger comes first, then [`Analysis::apply`] with what the ledger changed
//! ([`book::Book`] keeps the two together).
//!
//! Read in this order: [`analysis`] (what is kept, and where each event goes), `changes` (what the ledger changed, into
//! the accounts), `kernel_word` (what the kernel itself says of sizes), `limits` (and of limits and whose pages are),
//! `processes` (the beginnings and ends of runs), `refusals` (what the kernel refused them),
//! `progress` (how things stand meanwhile); then the way to the model, step by step: `assemble` (with `ended`: what
//! needs no making anew), `draft` (with `called`: what each site is called), `recognise`, `judge`. [`book`] and
//! [`replay`] are who calls it.

mod analysis;

mod changes;

mod kernel_word;

mod limits;

mod processes;

mod refusals;

pub mod progress;

mod ended;

mod assemble;

mod draft;

mod called;

mod before;

mod checked;

mod measured;

mod recognise;

mod position;

mod judge;

pub mod book;

pub mod replay;

pub use analysis::Analysis;
