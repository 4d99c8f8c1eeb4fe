//! A call site where it is not the subject: a title, and two lines at most below it.

use super::line::{cut_end, cut_middle, cut_start, escape, width};
use crate::folding::Folded;

/// The most callers named.
const CALLERS: usize = 4;

/// What a site is called, if its kind is not known: the function whose doing it is, or its name where
/// no call was seen. Escaped, and cut to so many columns.
pub(crate) fn title(folded: &Folded, name: &str, called: bool, room: usize) -> String {
    match &folded.title {
        Some(title) if width(&escape(title)) <= room => escape(title),
        // Of an address within a module both ends say something.
        Some(_) if folded.short.contains("+0x") => cut_middle(&folded.short, room),
        Some(_) => cut_start(&folded.short, room),
        None if called => cut_end("unknown code", room),
        None if name.is_empty() => cut_end("without a name or a call", room),
        None => cut_start(name, room),
    }
}

/// Where and by whom it was called, and by which way; each line escaped and cut to so many columns.
/// `whole`: the title does not say whose doing it is. No line begins with what a traced process says, so
/// that none is taken for something else.
pub(crate) fn below(folded: &Folded, whole: bool, room: usize) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    if whole {
        parts.extend(folded.title.as_ref().map(|_| folded.short.clone()));
    }
    parts.extend(folded.callers.iter().take(CALLERS).cloned());
    if folded.callers.len() > CALLERS {
        parts.push("…".into());
    }
    let mut lines = Vec::new();
    let mut line = String::new();
    if let Some(location) = &folded.location {
        line.push_str(&format!("at {location}"));
    }
    for part in parts {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&format!("← {part}"));
    }
    if !line.is_empty() {
        lines.push(cut_end(&line, room));
    }
    if folded.way.iter().any(|step| !step.edge) || folded.way.len() > 1 {
        let steps: Vec<&str> = folded.way.iter().map(|step| step.name.as_str()).collect();
        lines.push(cut_middle(&format!("by {}", steps.join(" · ")), room));
    }
    lines
}
