//! Traces for tests: what a ledger would say without one ([`trace`], the builder; [`attached`], a process that
//! ran already; [`case`], the gateway's start-up and a leak, as found in real traces), recordings of real
//! programs ([`kept`]), and the comparison with what was printed before ([`golden`]).
//!
//! A helper of a test fails as its test does: it panics.

#![allow(
    missing_docs,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "read by tests only"
)]

mod ask;

mod told;

pub mod trace;

pub mod attached;

pub mod case;

pub mod kept;

pub mod refused;

pub mod golden;
