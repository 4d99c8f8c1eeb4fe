//! Whether what the answer offers is true: a command's trace as it is, and with each knob turned, and what was foretold
//! beside what has come.
//!
//! In this order: [`offers`] (which knobs), [`turn()`] (how one is turned: in the environment, or as an argument), and
//! [`judge()`] (what has come of it).

pub mod model;

mod knob;

mod size;

mod turn;

mod judge;

pub use judge::{Offer, came, chosen, judge, offers, subject, telling};
pub use turn::{Turned, shown, turn};

#[cfg(test)]
mod tests;
