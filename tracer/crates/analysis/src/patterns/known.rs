//! The patterns that come with the tool.

use crate::patterns::Patterns;

/// The files of `patterns`, by their names.
const EMBEDDED: [(&str, &str); 4] = [
    (
        "allocators.toml",
        include_str!("../../patterns/allocators.toml"),
    ),
    (
        "mappings.toml",
        include_str!("../../patterns/mappings.toml"),
    ),
    (
        "runtimes.toml",
        include_str!("../../patterns/runtimes.toml"),
    ),
    ("v8.toml", include_str!("../../patterns/v8.toml")),
];

/// The embedded patterns.
///
/// # Panics
/// One of the embedded files is not right, which a test of every one of them rules out.
#[must_use]
pub fn patterns() -> Patterns {
    let mut patterns = Patterns::default();
    for (name, text) in EMBEDDED {
        if let Err(mistake) = patterns.add(text) {
            panic!("patterns/{name}:{mistake}");
        }
    }
    patterns
}
