//! The patterns that come with the tool, and those of the user's own files.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, anyhow};
use tracer_analysis::{known, patterns::Patterns};

/// The embedded patterns, and then those of these files: where an id is the same, the file's counts.
///
/// # Errors
/// A file cannot be read, or is not right: with the line, what is wrong, and what to do.
pub(crate) fn patterns_with(files: &[PathBuf]) -> Result<Patterns> {
    let mut patterns = known::patterns();
    for file in files {
        let text = fs::read_to_string(file)
            .with_context(|| format!("cannot read the patterns in {}", file.display()))?;
        patterns
            .add(&text)
            .map_err(|mistake| anyhow!("{}:{mistake}", file.display()))?;
    }
    Ok(patterns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_wrong_or_missing_is_refused_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.toml");
        fs::write(&path, "[[pattern]]\nid = \"own\"\nlevle = \"leak\"\n").unwrap();
        let error = patterns_with(std::slice::from_ref(&path)).unwrap_err();
        let said = format!("{error:#}");
        assert!(
            said.starts_with(&format!("{}:3: unknown field `levle`", path.display())),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
        let missing = format!(
            "{:#}",
            patterns_with(&[PathBuf::from("/none")]).unwrap_err()
        );
        assert!(
            missing.contains("cannot read the patterns in /none"),
            "{missing}"
        );
    }
}
