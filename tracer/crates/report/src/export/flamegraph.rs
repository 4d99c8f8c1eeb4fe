//! A flame graph: an SVG that a browser opens (<https://www.brendangregg.com/flamegraphs.html>), drawn by
//! inferno. A frame is as wide as what was reserved in it and by what it called. The outermost is at the top: real
//! stacks are deeper than a screen is high, and the other way round a browser opens the graph where it is empty. The
//! colour says what kind of code it is: green for scripts, yellow for C++ and Rust, orange for the kernel, aqua
//! for inlined functions, red for the rest; its shade is the name's, the same in every graph.

use std::io::{self, Write};

use inferno::flamegraph::color::{MultiPalette, Palette};
use inferno::flamegraph::{self, Direction, Options};

use super::folded::{Folded, fold};
use super::samples::{Value, subject};
use crate::text::line::escape;
use tracer_analysis::summary::Report;
use tracer_analysis::units::{bytes, count, counted, moment};

/// Names longer than this are cut in the title.
const TITLE_NAME: usize = 40;

/// Draws a figure of every stack. A site of which it is not known is not drawn, and said to be left out.
///
/// # Errors
/// Those of `out`; the figure is known of no site, or is 0 everywhere.
pub fn write(report: &Report, value: Value, out: &mut impl Write) -> io::Result<()> {
    let (folded, unknown) = fold(report, value)?;
    if folded.is_empty() {
        return Err(nothing(value));
    }
    let mut subtitle = format!("{}, {}", amount(value, folded.values().sum()), when(report));
    if unknown > 0 {
        let sites = counted(unknown, "call site", "call sites");
        let word = value.word();
        subtitle.push_str(&format!("; {word} is unknown of {sites}: left out"));
    }
    let mut options = options(value, title(report, value), subtitle);
    draw(&lines(&folded), &mut options, out)
}

/// What inferno would draw an error for.
pub(super) fn nothing(value: Value) -> io::Error {
    io::Error::other(format!(
        "there is nothing to draw: no call site has anything {}",
        match value {
            Value::Calls => "called",
            value => value.word(),
        }
    ))
}

/// How every graph looks.
pub(super) fn options(value: Value, title: String, subtitle: String) -> Options<'static> {
    let mut options = Options::default();
    options.colors = Palette::Multi(MultiPalette::Java);
    options.deterministic = true;
    options.direction = Direction::Inverted;
    options.title = title;
    options.subtitle = Some(subtitle);
    options.count_name = value.unit().into();
    options
}

/// Draws lines in their order.
pub(super) fn draw(
    lines: &[String],
    options: &mut Options<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    options.no_sort = true;
    flamegraph::from_lines(options, lines.iter().map(String::as_str), out)
}

fn lines(folded: &Folded<u64>) -> Vec<String> {
    let lines = folded.iter();
    lines
        .map(|(stack, value)| format!("{stack} {value}"))
        .collect()
}

/// A figure with its unit.
pub(super) fn amount(value: Value, figure: u64) -> String {
    match value {
        Value::Calls => counted(figure, "call", "calls"),
        value => format!("{} {}", bytes(figure), value.word()),
    }
}

fn title(report: &Report, value: Value) -> String {
    let Some(process) = subject(report) else {
        return format!("Virtual memory, {}", value.word());
    };
    let comm: String = escape(&process.comm).chars().take(TITLE_NAME).collect();
    let others = match report.processes.len() {
        1 => String::new(),
        several => format!(" and {} more", count(several as u64 - 1)),
    };
    format!(
        "Virtual memory, {}: {comm} {} ({}){others}",
        value.word(),
        process.pid,
        process.verdict.level.word()
    )
}

fn when(report: &Report) -> String {
    let end = report.duration_ns;
    match report.window {
        Some(window) => format!(
            "{}–{} of {}",
            moment(window.from_ns),
            moment(window.to_ns.min(end)),
            report.started_at
        ),
        None => format!("{} from {} on", moment(end), report.started_at),
    }
}
