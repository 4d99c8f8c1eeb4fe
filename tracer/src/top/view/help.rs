//! The keys, and what the view is made of.

use ratatui::layout::Rect;

use super::paint::{Canvas, painted, put};
use crate::top::{keys::KEYS, state::State};
use tracer_report::text::line::{Line, Paint, wrap};

/// Where the words begin.
const INDENT: usize = 13;

/// What is not about keys.
const WORDS: &[&str] = &[
    "Grown: since the mark, else in the last minute as far as it is kept.",
    "Times: since the process began, or was attached to. –: nothing was judged. ?: not known. ≥: faults were lost.",
    "Bar: all that is mapped in the order of the addresses, without the gaps; a CAPITAL: mostly touched.",
];

pub(super) fn draw(state: &State, canvas: &mut Canvas<'_>, area: Rect) {
    let width = usize::from(area.width);
    let mut lines: Vec<Line> = Vec::new();
    for (key, what) in KEYS {
        let mut line = painted(Paint::Bright, key);
        line.to_column(INDENT).add(Paint::Plain, what);
        lines.push(line);
    }
    let output = state.output.iter().map(String::as_str);
    for text in WORDS.iter().copied().chain(output) {
        lines.extend(
            wrap(text, width)
                .iter()
                .map(|part| painted(Paint::Dim, part)),
        );
    }
    lines.push(painted(Paint::Bright, "any key: back"));
    put(canvas, area, &lines);
}
