//! Lines that every text has: a label and what stands beside it, wrapped; wrapped text with an indent.

use std::io::{self, Write};

use super::line::{Line, Paint, wrap};
use tracer_analysis::summary::Level;

/// Where the text beside a label begins.
pub const LABEL: usize = 10;

/// How wide a text is, and whether it may have colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Columns.
    pub width: usize,
    /// Whether colours are allowed.
    pub color: bool,
}

impl Page {
    /// One line.
    ///
    /// # Errors
    /// Those of `out`, as of all that follow.
    pub fn line(&self, line: &Line, out: &mut impl Write) -> io::Result<()> {
        line.write(self.color, out)
    }

    /// A label and a text beside it, wrapped.
    pub fn labelled(
        &self,
        label: &str,
        paint: Paint,
        text: &str,
        body: Paint,
        out: &mut impl Write,
    ) -> io::Result<()> {
        for (index, part) in wrap(text, self.width - LABEL).iter().enumerate() {
            let mut line = Line::new();
            if index == 0 {
                line.add(paint, label);
            }
            line.to_column(LABEL).add(body, part);
            self.line(&line, out)?;
        }
        Ok(())
    }

    /// Wrapped text, indented.
    pub fn indented(
        &self,
        indent: usize,
        paint: Paint,
        text: &str,
        out: &mut impl Write,
    ) -> io::Result<()> {
        for part in wrap(text, self.width - indent) {
            let mut line = Line::new();
            line.to_column(indent).add(paint, &part);
            self.line(&line, out)?;
        }
        Ok(())
    }
}

/// A level as the word that a report begins with.
#[must_use]
pub fn level(level: Level) -> (&'static str, Paint) {
    match level {
        Level::Benign => ("BENIGN", Paint::Good),
        Level::Watch => ("WATCH", Paint::Warn),
        Level::Leak => ("LEAK", Paint::Bad),
        Level::Refused => ("REFUSED", Paint::Bad),
        Level::Unknown => ("UNKNOWN", Paint::Bright),
    }
}
