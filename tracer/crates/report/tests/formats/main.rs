//! The formats of other people's tools: on a kept recording of a real program every total is the report's, and
//! the tools themselves read them.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "what is pure is tested by what is not"
)]
#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test fails as its test does"
)]

mod differential;
mod figures;
mod gone;
mod hostile;
mod perfetto;
mod pprof;
mod totals;
