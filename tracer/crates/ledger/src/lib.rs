#![doc = include_str!("../README.md")]
//!
//! ## The way of the data
//!
//! ```text
//! records of the ring → event::decode → order → ledger → changes
//! ```
//!
//! `clippy.toml` beside `Cargo.toml` refuses files, clocks and threads. "ARCHITECTURE.md, rule N" in comments is
//! the rule of that number above.

pub mod event;

pub mod order;

pub mod ledger;

pub use tracer_common::bits;
