//! Budgets: what is too much, and whether a trace is within it.
//!
//! A budget says what breaks it: `METRIC > LIMIT` or `METRIC >= LIMIT`. All figures are those at the end of
//! the trace (of a process that has ended: at its end), summed over every program that ran.
//!
//! | metric | what |
//! |---|---|
//! | `virtual` | mapped bytes, as the kernel counts them |
//! | `resident` | bytes in memory |
//! | `touched`, `charged`, `reserved`, `calls` | of all call sites, also what was there before the trace |
//! | `never-released` | reserved in the trace and still alive |
//! | `unexplained` | the part of `never-released` that is of no known kind for sure, as in the verdict |
//! | `grown` | mapped bytes at the end above those at the start, of each process that grew |
//! | `difference` | between ledger and kernel, without its sign |
//! | `maps` | mappings at the last look |
//! | `processes` | process ids seen |
//! | `level` | the worst verdict: benign < unknown < watch < leak |
//! | `pattern(ID).FIGURE` | sites of a known kind |
//! | `site("TEXT").FIGURE` | sites with TEXT in a function, or in `file:line`, of their stack |
//! | `process("COMM").FIGURE` | processes of this name |
//! | `growth(METRIC)` | the same in the trace less that in the baseline; also against `5%` of it |
//!
//! FIGURE: `reserved`, `accessible`, `touched`, `resident`, `charged`, `live`, `calls`, `released`, `peak` (of
//! several sites the sum of their peaks, which they need not have had at one time).
//! `METRIC > LIMIT over baseline` is `growth(METRIC) > LIMIT`.
//!
//! What is not known is an interval: a budget is broken only if all of it is above the limit, kept only if
//! all of it is below, and else not measured. So no loss ever lets a budget pass.

pub mod expression;

pub mod model;

mod parse;

pub mod file;

mod measure;

mod judge;

pub use judge::{check, unknown_patterns};
pub use parse::parse;

#[cfg(test)]
mod tests;
