//! The reports on constructed traces: golden files of what is printed.
//!
//! `UPDATE_GOLDEN=1 cargo test -p tracer-report --test it` writes the golden files anew; look at the
//! difference before you commit it.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test fails as its test does"
)]

mod faces;
mod json;
mod markdown;
mod measured;
mod text;
mod window;
