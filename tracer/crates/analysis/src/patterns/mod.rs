//! Known kinds of reservation, as data: what a call site's reservations look like, what that means, and
//! what changes it.
//!
//! A pattern is recognised if all conditions of one of its `when`s hold. A condition on something that
//! is not known does not hold: no shape is guessed. Where several patterns hold, the surest is taken; of
//! equally sure ones the one whose frame is nearest to the kernel, for that is whose doing it is.

mod range;

mod versions;

pub(super) mod words;

mod condition;

mod shape;

mod guess;

mod kind;

mod fields;

mod format;

mod recognise;

pub mod known;

pub use condition::{Observation, Settled};
pub use range::SizeRanges;
pub use recognise::Patterns;
pub use shape::Shape;

#[cfg(test)]
mod tests;

#[cfg(test)]
mod known_tests;
