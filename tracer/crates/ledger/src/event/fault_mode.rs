//! How page faults are followed, as recordings and reports have it: a word.
//!
//! A word that this version does not know is read as `None`: nobody here can tell which faults such a trace
//! has, so nothing is told of what was touched, as where faults were not followed. `None` is written as the
//! empty word.

use std::borrow::Cow;

use serde::{Deserialize as _, Deserializer, Serializer};
use tracer_common::settings::FaultMode;

/// The word for a mode.
#[must_use]
pub fn word(mode: Option<FaultMode>) -> &'static str {
    mode.map_or("", FaultMode::word)
}

/// For `#[serde(with = "…")]`: writes the word.
///
/// # Errors
/// The serializer's.
pub fn serialize<S: Serializer>(
    mode: &Option<FaultMode>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(word(*mode))
}

/// For `#[serde(with = "…")]`: reads a word.
///
/// # Errors
/// The deserializer's, if there is no string.
pub fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<FaultMode>, D::Error> {
    let word = Cow::<str>::deserialize(deserializer)?;
    Ok(FaultMode::of_word(&word))
}
