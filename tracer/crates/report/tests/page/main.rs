//! The page, opened in a real browser: every control used, every figure held against the JSON report of the
//! same recording, no complaint on the console, and no request to anywhere.

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

mod answered;
mod big;
mod browser;
mod compared;
mod controls;
mod drawings;
mod figures;
mod hostile;
mod looks;
mod made;
mod window;
