//! Budgets: what is too much, and whether a trace is within it.
//!
//! A budget says what breaks it: `METRIC > LIMIT` or `METRIC >= LIMIT`. All figures are those at the end of
//! the trace (of a process that has ended: at its end), summed over every program that ran.
//!
//! Of the whole trace a metric is a row of [`metrics::METRICS`], of some call sites or processes
//! ([`expression::CHOICES`]) a row of [`figures::FIGURES`]; `level` is the worst verdict. `growth(METRIC)` is the same
//! in the trace less that in the baseline, also against `5%` of it; `METRIC > LIMIT over baseline` is
//! `growth(METRIC) > LIMIT`. What the command's help says of them ([`help`]) is written from their rows.
//!
//! What is not known is an interval: a budget is broken only if all of it is above the limit, kept only if
//! all of it is below, and else not measured. So no loss ever lets a budget pass.

pub mod expression;

pub mod model;

pub mod metrics;

pub mod figures;

pub mod measured;

pub mod help;

mod suggest;

mod parse;

pub mod file;

mod measure;

mod judge;

pub use judge::{check, unknown_patterns};
pub use parse::parse;

#[cfg(test)]
mod tests;
