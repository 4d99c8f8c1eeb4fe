//! What is known by its shape alone is a guess, and is called one.
//!
//! Anybody may reserve 64 MiB that are aligned to 64 MiB. A shape says whose a reservation is only together with a second
//! witness: the stack of the call, the runtime, the program, a module that is mapped, the name of the mapping, a thread
//! whose stack pointer leads there. Without one (or where the pattern itself says `guess`) it is not surer than
//! [`MOST`], is only said to look like its kind, and has no knob: what nobody is sure of, nobody is to change.

use crate::model::summary::Pattern;

/// The most that a shape alone says.
const MOST: f64 = 0.7;
/// What stands before the kind's name.
const WORDS: &str = "looks like";

/// The pattern as it is told without a second witness.
pub fn called_one(pattern: Pattern) -> Pattern {
    Pattern {
        name: format!("{WORDS} {}", pattern.name),
        confidence: pattern.confidence.min(MOST),
        knob: None,
        knob_effect: None,
        knob_becomes_bytes: None,
        ..pattern
    }
}
