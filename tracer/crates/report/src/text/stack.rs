//! A folded stack on two lines or three: whose doing, called by whom, by which way.

use std::io::{self, Write};

use super::line::{Line, Paint, cut_start, escape, width};
use super::writer::ReportWriter;
use crate::folding::{Folded, Step};

/// The most callers named.
const CALLERS: usize = 5;
const BY: &str = "by ";

impl<W: Write> ReportWriter<'_, W> {
    /// Location and callers; nothing if there are none. `above`: the level, and the title's function, if the
    /// line above does not show them.
    pub(super) fn callers(
        &mut self,
        indent: usize,
        above: (Option<(Paint, String)>, Option<&str>),
        location: Option<&str>,
        callers: &[String],
    ) -> io::Result<()> {
        let room = self.style.width - indent;
        let mut line = Line::new();
        line.to_column(indent);
        let mut empty = true;
        let (level, whose) = above;
        if let Some((paint, word)) = level {
            line.add(paint, &word);
            empty = false;
        }
        if let Some(whose) = whose {
            if !empty {
                line.add(Paint::Plain, "  ");
            }
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
            let caller = escape(caller);
            let arrow = if empty { "← " } else { "  ← " };
            let more = if index + 1 < callers.len() { 4 } else { 0 };
            let needed = width(arrow) + width(&caller) + more;
            if index == CALLERS || line.width() + needed > self.style.width {
                if line.width() + 5 <= self.style.width {
                    line.add(Paint::Dim, if empty { "← …" } else { "  ← …" });
                    empty = false;
                }
                break;
            }
            line.add(Paint::Dim, arrow).add(Paint::Plain, &caller);
            empty = false;
        }
        if empty { Ok(()) } else { self.line(&line) }
    }

    /// The way to the kernel on so many lines at most, with gaps if there is no room. Nothing for a
    /// mere wrapper of the system call.
    pub(super) fn way(&mut self, indent: usize, folded: &Folded, most: usize) -> io::Result<()> {
        if folded.way.iter().all(|step| step.edge) && folded.way.len() < 2 {
            return Ok(());
        }
        let room = self.style.width.saturating_sub(indent + BY.len());
        for (index, text) in fit_way(&folded.way, room, most).iter().enumerate() {
            let mut line = Line::new();
            line.to_column(indent);
            line.add(Paint::Dim, if index == 0 { BY } else { "   " });
            line.add(Paint::Dim, text);
            self.line(&line)?;
        }
        Ok(())
    }
}

/// What a gap looks like, as a step.
const GAP: &str = "…";

fn fit_way(way: &[Step], room: usize, most: usize) -> Vec<String> {
    let mut names: Vec<&str> = way.iter().map(|step| step.name.as_str()).collect();
    let mut edge: Vec<bool> = way.iter().map(|step| step.edge).collect();
    loop {
        let lines = broken(&names, room);
        if lines.len() <= most || names.len() < 3 {
            return lines;
        }
        // Wrappers go first, but not the last one, which is the call. Then from the outside inwards,
        // but not the first: what is near to the call says what the memory is for.
        let last = names.len() - 1;
        let wrapper = (0..last).find(|&index| edge[index]);
        let Some(out) = wrapper.or_else(|| (1..last).find(|&index| names[index] != GAP)) else {
            return lines;
        };
        names[out] = GAP;
        edge[out] = false;
        for index in (1..names.len()).rev() {
            if names[index] == GAP && names[index - 1] == GAP {
                names.remove(index);
                edge.remove(index);
            }
        }
    }
}

/// Steps in lines, never broken within one unless it is longer than a line.
fn broken(names: &[&str], room: usize) -> Vec<String> {
    // A line that another follows ends with the sign between steps.
    const BETWEEN: &str = " · ";
    const BREAK: &str = " ·";
    let room = room.saturating_sub(width(BREAK));
    let mut lines: Vec<String> = Vec::new();
    for name in names {
        let name = cut_start(name, room);
        match lines.last_mut() {
            Some(line) if width(line) + width(BETWEEN) + width(&name) <= room => {
                line.push_str(BETWEEN);
                line.push_str(&name);
            }
            Some(line) => {
                line.push_str(BREAK);
                lines.push(name);
            }
            None => lines.push(name),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{Step, fit_way};

    #[test]
    fn of_a_long_way_wrappers_are_left_out_first_and_then_what_is_far_from_the_call() {
        let way: Vec<Step> = ["outer", "second", "third", "wrapper", "mmap"]
            .map(|name| Step {
                name: name.into(),
                edge: matches!(name, "wrapper" | "mmap"),
            })
            .into();
        assert_eq!(
            fit_way(&way, 80, 2),
            ["outer · second · third · wrapper · mmap"]
        );
        assert_eq!(
            fit_way(&way, 19, 2),
            ["outer · second ·", "third · … · mmap"]
        );
        assert_eq!(fit_way(&way, 14, 2), ["outer · … ·", "mmap"]);
        assert_eq!(fit_way(&way, 19, 1), ["outer · … · mmap"]);
        let way: Vec<Step> = ["outer", "second", "third", "fourth", "mmap"]
            .map(|name| Step {
                name: name.into(),
                edge: name == "mmap",
            })
            .into();
        assert_eq!(
            fit_way(&way, 21, 2),
            ["outer · … · third ·", "fourth · mmap"]
        );
    }
}
