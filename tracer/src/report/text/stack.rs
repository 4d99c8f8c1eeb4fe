//! A folded stack on two lines or three: whose doing, called by whom, by which way.

use std::io::{self, Write};

use super::Writer;
use super::line::{Line, Paint, cut_start, width};
use crate::event::StackQuality;
use crate::report::folding::Folded;

/// The most callers named.
const CALLERS: usize = 5;

impl<W: Write> Writer<'_, W> {
    /// Location and callers; nothing if there are none. `whose`: the title's function, if the line
    /// above does not show it.
    pub(super) fn callers(
        &mut self,
        indent: usize,
        whose: Option<&str>,
        location: Option<&str>,
        callers: &[String],
    ) -> io::Result<()> {
        let room = self.style.width - indent;
        let mut line = Line::new();
        line.to_column(indent);
        let mut empty = true;
        if let Some(whose) = whose {
            line.add(Paint::Bright, &cut_start(whose, room / 2));
            empty = false;
        }
        if let Some(location) = location {
            if !empty {
                line.add(Paint::Plain, "  ");
            }
            let left = (indent + room).saturating_sub(line.width());
            line.add(Paint::Plain, &cut_start(location, left));
            empty = false;
        }
        for (index, caller) in callers.iter().enumerate() {
            let arrow = if empty { "← " } else { "  ← " };
            let more = if index + 1 < callers.len() { 4 } else { 0 };
            let needed = width(arrow) + width(caller) + more;
            if index == CALLERS || line.width() + needed > self.style.width {
                if line.width() + 5 <= self.style.width {
                    line.add(Paint::Dim, if empty { "← …" } else { "  ← …" });
                    empty = false;
                }
                break;
            }
            line.add(Paint::Dim, arrow).add(Paint::Plain, caller);
            empty = false;
        }
        if empty { Ok(()) } else { self.line(&line) }
    }

    /// The way to the kernel on one line, its middle left out if there is no room.
    pub(super) fn way(&mut self, indent: usize, folded: &Folded) -> io::Result<()> {
        if folded.way.is_empty() {
            return Ok(());
        }
        let room = self.style.width.saturating_sub(indent + 3);
        let mut line = Line::new();
        line.to_column(indent);
        line.add(Paint::Dim, &format!("by {}", fit_way(&folded.way, room)));
        self.line(&line)
    }
}

fn fit_way(way: &[String], room: usize) -> String {
    const BETWEEN: &str = " · ";
    let whole = way.join(BETWEEN);
    if width(&super::line::escape(&whole)) <= room {
        return whole;
    }
    // The end nearest to the kernel and the beginning say most: the middle goes first.
    for left_out in 1..way.len() {
        let kept = way.len() - left_out;
        let (before, after) = (kept / 2, kept - kept / 2);
        let mut parts: Vec<&str> = way[..before].iter().map(String::as_str).collect();
        parts.push("…");
        parts.extend(way[way.len() - after..].iter().map(String::as_str));
        let text = parts.join(BETWEEN);
        if width(&super::line::escape(&text)) <= room {
            return text;
        }
    }
    cut_start(&whole, room)
}

/// What is wrong with a stack, in words.
pub(super) fn doubt(quality: StackQuality) -> Option<&'static str> {
    match quality {
        StackQuality::Complete => None,
        StackQuality::Cut => {
            Some("stack cut: it was deeper than could be read, outer callers unknown")
        }
        StackQuality::Broken => {
            Some("stack broken: the walk lost its way, outer callers missing or wrong")
        }
        StackQuality::None => Some("no stack: lost, or none could be taken"),
    }
}

#[cfg(test)]
mod tests {
    use super::fit_way;

    #[test]
    fn the_middle_of_a_long_way_is_left_out() {
        let way: Vec<String> = ["outer", "second", "third", "fourth", "mmap"]
            .map(String::from)
            .into();
        assert_eq!(fit_way(&way, 80), "outer · second · third · fourth · mmap");
        assert_eq!(fit_way(&way, 30), "outer · … · fourth · mmap");
        assert_eq!(fit_way(&way, 9), "… · mmap");
    }
}
