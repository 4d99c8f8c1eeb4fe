//! The formats of other people's tools: on a kept recording of a real program every total is the report's, and
//! the tools themselves read them.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test fails as its test does"
)]

mod command;
mod differential;
mod hostile;
mod perfetto;
mod pprof;
mod real;
mod totals;
