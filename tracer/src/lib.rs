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
//! Rules of the house, enforced by `tests/architecture.rs`:
//! - The **core** ([`event`], [`order`], [`ledger`], [`analysis`]) is pure: no aya, no file system,
//!   no clock, no terminal, no threads. Time comes in events; a call returns what changed.
//! - The **edges** ([`capture`], [`stacks`], [`report`]'s writers, [`session`], [`top`]'s screen) are thin. Only
//!   [`session`] wires them together.
//! - A module imports only from those above it in the list below, and `session` from all.

pub mod event;

pub mod order;

pub mod ledger;

pub mod analysis;

pub mod capture;

pub mod stacks;

pub mod report;

pub mod session;

pub mod cli;

pub mod settings;

pub mod top;

pub mod commands;
