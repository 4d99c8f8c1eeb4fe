//! An exact ledger of virtual memory: what a process has reserved, from the system calls that change it.
//!
//! ```text
//! records of the ring → event::decode → order → ledger → changes
//! ```
//!
//! Everything here is pure: no file, no clock, no thread, no terminal. Time comes in events; a call returns what
//! changed. `clippy.toml` beside `Cargo.toml` refuses what would break that.
//!
//! - [`event`]: the closed set of events that a live trace and a recording consist of.
//! - [`order`]: records of several CPUs to events in true order.
//! - [`ledger`]: events to address spaces, reservations and what changed.
//! - [`bits`]: those of the kernel's interface, in which protections and flags are told.

pub mod event;

pub mod order;

pub mod ledger;

pub use tracer_common::bits;
