//! tracer: point it at a Linux process and know, for every byte of its virtual memory, who reserved
//! it, when, whether it was ever accessible, touched, charged, whether it was released or ever will
//! be.
//!
//! The data's way is the order of the modules:
//!
//! ```text
//! kernel tracepoints → capture → event::decode → order → ledger → (stacks → names) → analysis → report
//! ```
//!
//! The pure half is made of crates of its own, whose walls Cargo holds: `tracer-ledger` (events, their order,
//! the ledger), `tracer-analysis` (the model) and `tracer-report` (its writers). `tracer-recording` keeps events
//! in a file. What is here are the edges and what wires them together, in the order of the data:
//! [`capture`] (the kernel and `/proc`), [`stacks`] (addresses to names), `session` (the only wiring), `cli` and
//! `settings` (what was asked), [`top`] (the live view), `commands`, and [`run`], where it begins.

pub mod capture;

pub mod stacks;

mod session;

mod cli;

mod settings;

pub mod top;

mod commands;

mod entry;

pub use entry::run;
