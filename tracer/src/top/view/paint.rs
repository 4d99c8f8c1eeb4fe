//! The text report's lines in a buffer: what they are made of is escaped there.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
};

use tracer_report::text::line::{Line, Paint};

/// What is drawn on.
pub(super) struct Canvas<'a> {
    pub(super) buffer: &'a mut Buffer,
    /// Colours are allowed.
    pub(super) color: bool,
}

impl Canvas<'_> {
    pub(super) fn style(&self, paint: Paint) -> Style {
        let colored = |color| {
            let bold = Style::new().add_modifier(Modifier::BOLD);
            if self.color { bold.fg(color) } else { bold }
        };
        match paint {
            Paint::Plain => Style::new(),
            Paint::Bright => Style::new().add_modifier(Modifier::BOLD),
            Paint::Dim => Style::new().add_modifier(Modifier::DIM),
            Paint::Good => colored(Color::Green),
            Paint::Warn => colored(Color::Yellow),
            Paint::Bad => colored(Color::Red),
        }
    }
}

/// A line of plain text.
pub(super) fn plain(text: &str) -> Line {
    painted(Paint::Plain, text)
}

/// The same, painted.
pub(super) fn painted(paint: Paint, text: &str) -> Line {
    let mut line = Line::new();
    line.add(paint, text);
    line
}

/// Lines from the top of the area on; what has no room is cut off.
pub(super) fn put(canvas: &mut Canvas<'_>, area: Rect, lines: &[Line]) {
    for (line, row) in lines.iter().zip(area.rows()) {
        let mut column = row.x;
        for (paint, text) in line.pieces() {
            let style = canvas.style(paint);
            let left = usize::from(row.right().saturating_sub(column));
            (column, _) = canvas.buffer.set_stringn(column, row.y, text, left, style);
        }
    }
}

/// Shows a row as the selected one: in one colour, whatever its pieces have.
pub(super) fn select(canvas: &mut Canvas<'_>, row: Rect) {
    let reversed = Style::reset().add_modifier(Modifier::REVERSED);
    canvas.buffer.set_style(row, reversed);
}

/// The first row shown, so that the one at `at` is seen on a page of so many.
pub(super) fn first(at: usize, page: usize) -> usize {
    at.checked_div(page).map_or(0, |pages| pages * page)
}
