//! The analysis from outside, on constructed traces.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "what is pure is tested by what is not"
)]
#![allow(clippy::unwrap_used, reason = "a test")]

mod accounts;
mod before;
mod ended;
mod limits;
mod measured;
mod patterns;
mod refusals;
mod runtimes;
mod verdict;
mod working;
