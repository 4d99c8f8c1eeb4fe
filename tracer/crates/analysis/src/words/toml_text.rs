//! TOML that people write for this tool: read strictly, and a mistake in it is told with its line.

use std::fmt;

use serde::de::DeserializeOwned;

/// What is wrong with a text, on which line, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// From 1 on.
    pub line: usize,
    /// What, and what to do; one line.
    pub what: String,
}

impl Mistake {
    /// At this offset in the text, bytes.
    #[must_use]
    pub fn at(text: &str, offset: usize, what: String) -> Self {
        let before = &text.as_bytes()[..offset.min(text.len())];
        Self {
            line: 1 + before.iter().filter(|&&byte| byte == b'\n').count(),
            what,
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.what)
    }
}

impl std::error::Error for Mistake {}

/// Reads a text.
///
/// # Errors
/// The first mistake.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Mistake> {
    toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        Mistake::at(text, offset, error.message().replace('\n', " "))
    })
}
