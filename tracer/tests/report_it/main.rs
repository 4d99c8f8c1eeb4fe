//! Analysis and report from outside: constructed traces, and golden files of what is printed.
//!
//! `UPDATE_GOLDEN=1 cargo test -p tracer --test report_it` writes the golden files anew; look at the
//! difference before you commit it.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test fails as its test does"
)]

mod analysis;
mod attached;
mod before;
mod case;
mod golden;
mod json;
mod ledger;
mod markdown;
mod patterns;
mod runtimes;
mod text;
mod top;
mod verdict;
mod window;
