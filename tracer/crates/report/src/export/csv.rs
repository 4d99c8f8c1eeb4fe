//! A table for spreadsheets and data frames: a row a call site, RFC 4180
//! (<https://www.rfc-editor.org/rfc/rfc4180>). Sizes in bytes, times in ns since the trace began; an empty cell is
//! a figure that is not known.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, and names are the traced
//! process's own choice: such a text gets a `'` before it, which spreadsheets take for "this is text"
//! (<https://owasp.org/www-community/attacks/CSV_Injection>). Control characters are escaped.

use std::io::{self, Write};

use csv::WriterBuilder;

use super::samples::{Sample, Step, Value, label, samples};
use crate::text::line::escape;
use tracer_analysis::summary::{Report, Trend};
use tracer_ledger::event::StackQuality;

/// The first row.
const HEADER: [&str; 27] = [
    "pid",
    "comm",
    "site",
    "pattern",
    "pattern_level",
    "pattern_confidence",
    "threads",
    "name",
    "pre_existing",
    "stack_quality",
    "calls",
    "live",
    "reserved_bytes",
    "accessible_bytes",
    "touched_bytes",
    "resident_bytes",
    "charged_bytes",
    "released_bytes",
    "peak_bytes",
    "grown_bytes",
    "growth_bytes_per_hour",
    "first_ns",
    "last_ns",
    "median_lifetime_ns",
    "trend",
    "stack",
    "refused",
];

/// Writes the table.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut table = WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(out);
    table.write_record(HEADER).map_err(own)?;
    for sample in samples(report) {
        table.write_record(row(sample)).map_err(own)?;
    }
    table.flush()
}

/// What the file or pipe said: that nobody reads any more is no failure, and must be seen to be that.
fn own(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

fn row(sample: Sample<'_>) -> [String; HEADER.len()] {
    let Sample { process, site } = sample;
    let known = |figure: Option<u64>| figure.map_or_else(String::new, |figure| figure.to_string());
    let pattern = site.pattern.as_ref();
    [
        process.pid.to_string(),
        text(&process.comm),
        site.id.to_string(),
        text(pattern.map_or("", |pattern| &pattern.id)),
        pattern.map_or("", |pattern| pattern.level.word()).into(),
        pattern.map_or_else(String::new, |pattern| pattern.confidence.to_string()),
        text(&site.thread_names.join(";")),
        text(&site.name),
        site.pre_existing.to_string(),
        quality(site.stack).into(),
        site.calls.to_string(),
        site.live.to_string(),
        site.reserved_bytes.to_string(),
        site.accessible_bytes.to_string(),
        known(site.touched_bytes),
        known(site.resident_bytes),
        site.charged_bytes.to_string(),
        site.released_bytes.to_string(),
        site.peak_bytes.to_string(),
        known(Value::Grown.of(site)),
        site.growth_per_hour
            .map_or_else(String::new, |rate| rate.median.to_string()),
        site.first_ns.to_string(),
        site.last_ns.to_string(),
        known(site.lifetime_ns.map(|lifetimes| lifetimes.p50)),
        trend(site.trend).into(),
        text(&stack(sample)),
        site.refused.to_string(),
    ]
}

/// Outermost first, without the process.
fn stack(sample: Sample<'_>) -> String {
    let steps = sample.steps();
    let names = steps[1..].iter().map(|step| match step {
        Step::Said(text) => text.replace(';', ":"),
        Step::Frame(frame) => label(frame).replace(';', ":"),
    });
    names.collect::<Vec<_>>().join(";")
}

/// A text that is no formula.
fn text(text: &str) -> String {
    let text = escape(text);
    // Some readers trim, and some take the wide forms for the same.
    match text.trim_start().chars().next() {
        Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠') => format!("'{text}"),
        _ => text,
    }
}

/// As in JSON.
fn quality(quality: StackQuality) -> &'static str {
    match quality {
        StackQuality::Complete => "complete",
        StackQuality::Cut => "cut",
        StackQuality::Broken => "broken",
        StackQuality::None => "none",
    }
}

/// As in JSON.
fn trend(trend: Trend) -> &'static str {
    match trend {
        Trend::OneOff => "one-off",
        Trend::Settled => "settled",
        Trend::Growing => "growing",
        Trend::Churn => "churn",
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn no_text_is_a_formula_or_moves_the_cursor() {
        for (name, cell) in [
            ("node", "node"),
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("+1", "'+1"),
            ("-bash", "'-bash"),
            ("@SUM(A1)", "'@SUM(A1)"),
            (" =1", "' =1"),
            ("\t=1", "\\x09=1"),
            ("a\r\nb", "a\\x0d\\x0ab"),
        ] {
            assert_eq!(text(name), cell);
        }
    }
}
