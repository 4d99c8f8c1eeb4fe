//! What a process's mappings are, without tracing: from `/proc/PID/smaps` and the limits, by the shapes of
//! known kinds. Who asked, when, what was touched and whether it grows cannot be known this way, and is
//! not said.

mod answer;

mod model;

mod claims;

pub mod sentence;

mod explanation;

pub use claims::Snapshot;
pub use explanation::{About, explain};
pub use model::{Explanation, Range, Recognised, SCHEMA};

#[cfg(test)]
mod tests;
