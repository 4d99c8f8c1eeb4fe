//! What grew and what went between two traces, by stack.
//!
//! Folded: two figures a line, before and after, as `difffolded.pl` writes them. Drawn: a differential flame
//! graph, as wide as it is after, red where it grew and blue where it shrank
//! (<https://www.brendangregg.com/blog/2014-11-09/differential-flame-graphs.html>).

use std::io::{self, Write};

use super::flamegraph::{amount, draw, nothing, options};
use super::folded::{Folded, Names};
use super::samples::{Stack, Value, add_up};
use tracer_analysis::diff::model::{Change, Diff, Figures, SiteChange};

/// What either trace had before its first call: some were there at the start, some before tracing.
const BEFORE: &str = "there before";

/// Writes a figure of every stack, before and after.
///
/// # Errors
/// Those of `out`; the figure is not known of both traces.
pub fn write_folded(diff: &Diff, value: Value, out: &mut impl Write) -> io::Result<()> {
    for (stack, (old, new)) in fold(diff, value)? {
        writeln!(out, "{stack} {old} {new}")?;
    }
    Ok(())
}

/// Draws a figure of every stack. Of what is no more nothing can be drawn: it is said in the subtitle.
///
/// # Errors
/// Those of `out`; the figure is not known of both traces, or is 0 everywhere in the later one.
pub fn write_flamegraph(diff: &Diff, value: Value, out: &mut impl Write) -> io::Result<()> {
    let folded = fold(diff, value)?;
    let (old, new) = sums(&folded)?;
    if new == 0 {
        return Err(nothing(value));
    }
    let gone = folded.values().filter(|(_, new)| *new == 0);
    let gone = gone.fold(0, |sum, (old, _)| sum + old);
    let title = format!("Virtual memory, {}: what grew and what went", value.word());
    let mut subtitle = format!("{} → {}", amount(value, old), amount(value, new));
    if gone > 0 {
        let gone = amount(value, gone);
        subtitle.push_str(&format!(
            "; not drawn: {gone} of stacks that have nothing any more"
        ));
    }
    let mut options = options(value, title, subtitle);
    let drawn: Vec<String> = folded
        .iter()
        .filter(|(_, (_, new))| *new > 0)
        .map(|(stack, (old, new))| format!("{stack} {old} {new}"))
        .collect();
    draw(&drawn, &mut options, out)
}

fn fold(diff: &Diff, value: Value) -> io::Result<Folded<(u64, u64)>> {
    let mut names = Names::default();
    let mut folded = Folded::new();
    for process in &diff.processes {
        let pid = process.new_pid.or(process.old_pid).unwrap_or(0);
        for site in &process.sites {
            let change = of(value, &site.figures);
            let (Some(old), Some(new)) = (change.old, change.new) else {
                return Err(value.unknown());
            };
            if (old, new) == (0, 0) {
                continue;
            }
            let stack = stack(site, format!("{} {pid}", process.comm));
            let sums: &mut (u64, u64) = folded.entry(names.line(&stack.steps())).or_default();
            *sums = (sums.0.saturating_add(old), sums.1.saturating_add(new));
        }
    }
    sums(&folded)?;
    Ok(folded)
}

fn sums(folded: &Folded<(u64, u64)>) -> io::Result<(u64, u64)> {
    let old = add_up(folded.values().map(|(old, _)| *old))?;
    let new = add_up(folded.values().map(|(_, new)| *new))?;
    Ok((old, new))
}

fn stack(site: &SiteChange, process: String) -> Stack<'_> {
    let calls = site.figures.calls;
    Stack {
        process,
        before: site.pre_existing.then_some(BEFORE),
        calls: calls.new.max(calls.old).unwrap_or(0),
        name: &site.name,
        frames: &site.frames,
        quality: site.stack,
    }
}

fn of(value: Value, figures: &Figures) -> Change {
    match value {
        Value::Accessible => figures.accessible_bytes,
        Value::Touched => figures.touched_bytes,
        Value::Resident => figures.resident_bytes,
        Value::Calls => figures.calls,
        // What grew from one trace to the other is the comparison itself.
        Value::Reserved | Value::Grown => figures.reserved_bytes,
    }
}
