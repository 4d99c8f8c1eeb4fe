//! How the text looks.

use crate::selection::Selection;

/// How the text looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal; taken as 60 at least and 200 at most.
    pub width: usize,
    /// Whether colours are allowed.
    pub color: bool,
    /// What is shown.
    pub selection: Selection,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            width: 100,
            color: false,
            selection: Selection::default(),
        }
    }
}
