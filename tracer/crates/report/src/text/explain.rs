//! What a process's mappings are, as a text.

use std::io::{self, Write};

use super::harm;
use super::line::{Line, Paint, cut_end};
use super::page::{self, Page};
use super::table::{Column, Layout};
use tracer_analysis::explain::{Explanation, Range, Recognised};
use tracer_analysis::summary::Level;
use tracer_analysis::units::{bytes, count, counted, percent};

const COLUMNS: [Column; 5] = [
    Column::new("count", 0),
    Column::new("reserved", 0),
    Column::new("accessible", 3),
    Column::new("resident", 1),
    Column::new("charged", 2),
];
/// Before the titles.
const INDENT: usize = 3;
/// Kinds beyond these are summed up, unless all are to be shown.
const KINDS: usize = 8;
/// A kind that is less than this share of it all needs no explanation.
const SHARE: u64 = 50;
/// Ranges of no known kind that are listed.
const RANGES: usize = 4;
/// Smaller ranges are not listed, bytes.
const SMALL: u64 = 1 << 20;

/// Writes the text. `full`: every kind, every larger range.
///
/// # Errors
/// Those of `out`.
pub fn write(seen: &Explanation, page: &Page, full: bool, out: &mut impl Write) -> io::Result<()> {
    heading(seen, page, out)?;
    let (text, near) = harm::harm(
        &seen.limits,
        &seen.harm,
        seen.charged_bytes,
        seen.verdict.level,
    );
    page.answer(&seen.verdict, (&text, near), out)?;
    writeln!(out)?;
    kinds(seen, page, full, out)?;
    unknown(seen, page, full, out)?;
    writeln!(out)?;
    let remark = format!(
        "One look at the mappings does not tell whether it grows, nor what is touched or given back: `tracer attach --pid \
         {}` does. Who asked for what is there only `tracer run` tells, from the first instruction on.",
        seen.pid
    );
    page.indented(0, Paint::Dim, &remark, out)
}

fn heading(seen: &Explanation, page: &Page, out: &mut impl Write) -> io::Result<()> {
    let mut line = Line::new();
    line.add(Paint::Bright, &cut_end(&seen.comm, 32));
    let mut parts = vec![format!("pid {}", seen.pid)];
    parts.extend(seen.runtime.as_deref().map(|runtime| cut_end(runtime, 24)));
    parts.push(counted(seen.threads, "thread", "threads"));
    parts.push("as it is now, not traced".into());
    line.add(Paint::Plain, &format!(" · {}", parts.join(" · ")));
    page.line(&line, out)
}

fn kinds(seen: &Explanation, page: &Page, full: bool, out: &mut impl Write) -> io::Result<()> {
    let shown = if full {
        seen.kinds.len()
    } else {
        KINDS.min(seen.kinds.len())
    };
    let (shown, folded) = seen.kinds.split_at(shown);
    let mut cells: Vec<Vec<String>> = shown.iter().map(kind_cells).collect();
    let rest: u64 = folded.iter().map(|kind| kind.reserved_bytes).sum();
    cells.push(vec![
        String::new(),
        bytes(seen.unexplained_bytes.max(rest)),
        String::new(),
        String::new(),
        String::new(),
    ]);
    let layout = Layout::new(&COLUMNS, &cells, INDENT, page.width);
    page.line(&layout.header("what it is", &COLUMNS), out)?;
    for (rank, (kind, cells)) in shown.iter().zip(&cells).enumerate() {
        let mut line = Line::new();
        line.right(Paint::Dim, &(rank + 1).to_string(), INDENT - 1)
            .to_column(INDENT);
        line.add(Paint::Bright, &layout.fit(&kind.pattern.name));
        layout.figures(&mut line, cells, Paint::Plain);
        page.line(&line, out)?;
        let matters = kind.reserved_bytes >= seen.virtual_bytes / SHARE;
        if full || matters || kind.pattern.level == Level::Watch {
            explained(kind, page, out)?;
        }
    }
    if !folded.is_empty() {
        let text = format!(
            "{} more: {}",
            counted(folded.len() as u64, "kind", "kinds"),
            bytes(rest)
        );
        page.indented(INDENT, Paint::Dim, &text, out)?;
    }
    Ok(())
}

fn kind_cells(kind: &Recognised) -> Vec<String> {
    vec![
        count(kind.count),
        bytes(kind.reserved_bytes),
        bytes(kind.accessible_bytes),
        bytes(kind.resident_bytes),
        bytes(kind.charged_bytes),
    ]
}

fn explained(kind: &Recognised, page: &Page, out: &mut impl Write) -> io::Result<()> {
    let pattern = &kind.pattern;
    let (word, _) = page::level(pattern.level);
    let indent = INDENT + 2;
    let sure = format!(
        "{}, {:.0} % sure",
        word.to_lowercase(),
        pattern.confidence * 100.0
    );
    let text = format!("{sure}: {}", pattern.evidence.join("; "));
    page.indented(indent, Paint::Dim, &text, out)?;
    page.indented(indent, Paint::Plain, &pattern.meaning, out)?;
    let apart = kind.ranges.iter().filter(|range| range.taken_apart).count();
    if apart > 0 {
        let text = format!(
            "{} by the kernel with what lies beside: where they begin and end is told by the shape",
            if apart as u64 == kind.count {
                "all merged".into()
            } else {
                format!("{apart} of {} merged", kind.count)
            }
        );
        page.indented(indent, Paint::Dim, &text, out)?;
    }
    if let Some(knob) = &pattern.knob {
        let effect = pattern
            .knob_effect
            .as_ref()
            .map(|effect| format!(" ({effect})"));
        let text = format!("changes it: {knob}{}", effect.unwrap_or_default());
        page.indented(indent, Paint::Plain, &text, out)?;
    }
    Ok(())
}

fn unknown(seen: &Explanation, page: &Page, full: bool, out: &mut impl Write) -> io::Result<()> {
    if seen.unexplained_bytes == 0 {
        return Ok(());
    }
    let text = format!(
        "of no known kind: {}, {} of it all",
        bytes(seen.unexplained_bytes),
        percent(seen.unexplained_bytes, seen.virtual_bytes)
    );
    page.indented(INDENT, Paint::Bright, &text, out)?;
    let most = if full { usize::MAX } else { RANGES };
    let largest = seen
        .unexplained
        .iter()
        .filter(|range| range.length >= SMALL)
        .take(most);
    for range in largest {
        page.indented(INDENT + 2, Paint::Dim, &words(range), out)?;
    }
    Ok(())
}

/// `7f6874000000 64.0 MiB ---, 12 KiB resident, not charged`.
fn words(range: &Range) -> String {
    let mut text = format!(
        "{:x} {} {}",
        range.start,
        bytes(range.length),
        range.protection
    );
    text.push_str(&format!(
        ", {} accessible, {} resident",
        bytes(range.accessible_bytes),
        bytes(range.resident_bytes)
    ));
    if range.charged_bytes > 0 {
        text.push_str(&format!(", {} charged", bytes(range.charged_bytes)));
    }
    if !range.name.is_empty() {
        text.push_str(&format!(", {}", range.name));
    }
    text
}
