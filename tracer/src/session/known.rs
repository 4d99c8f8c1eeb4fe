//! The patterns that come with the tool, and those of the user's own files.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, anyhow};

use crate::analysis::patterns::Patterns;

/// The files of `tracer/patterns`, by their names.
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

/// The embedded patterns, and then those of these files: where an id is the same, the file's counts.
///
/// # Errors
/// A file cannot be read, or is not right: with the line, what is wrong, and what to do.
pub fn with(files: &[PathBuf]) -> Result<Patterns> {
    let mut patterns = Patterns::default();
    for (name, text) in EMBEDDED {
        patterns
            .add(text)
            .map_err(|mistake| anyhow!("tracer/patterns/{name}:{mistake}"))?;
    }
    for file in files {
        let text = fs::read_to_string(file)
            .with_context(|| format!("cannot read the patterns in {}", file.display()))?;
        patterns
            .add(&text)
            .map_err(|mistake| anyhow!("{}:{mistake}", file.display()))?;
    }
    Ok(patterns)
}
