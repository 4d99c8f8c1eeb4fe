//! What has changed from one trace to another: matched across restarts, process ids, the layout of
//! addresses, and builds in other folders.
//!
//! Sums over processes are sums over every program that ran, as each was at its end: also of those that
//! did not run at one time.

pub mod model;

mod figures;

mod processes;

mod sites;

mod kinds;

mod prediction;

mod sentence;

mod compare;

pub use compare::diff;
pub(crate) use processes::pairs as process_pairs;

#[cfg(test)]
mod tests;
