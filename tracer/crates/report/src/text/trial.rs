//! A trial as text: each process as it is, then with each knob, what was foretold beside what has come.

use std::io::{self, Write};

use super::line::{Line, Paint, width};
use super::page::Page;
use tracer_analysis::signals;
use tracer_analysis::trial::model::{Came, Ended, Run, Subject, Trial, Tried};
use tracer_analysis::units::{bytes, counted, duration};

/// Above the figures, in their order.
const HEADERS: [&str; 6] = ["virtual", "resident", "foretold", "off by", "exit", "time"];
/// Of these, the one that is given up where there is little room.
const SPARE: usize = 1;
/// Where figures begin: behind the title of their line.
const TITLE: usize = 10;
/// Between two columns.
const GAP: usize = 2;
/// Before what is said of a knob.
const INDENT: usize = 2;

type Row = [String; HEADERS.len()];

/// Writes it.
///
/// # Errors
/// Those of `out`.
pub fn write(trial: &Trial, page: &Page, out: &mut impl Write) -> io::Result<()> {
    let page = Page {
        width: page.width.clamp(60, 200),
        ..*page
    };
    let command = trial.command.join(" ");
    page.indented(0, Paint::Bright, &command, out)?;
    for process in &trial.processes {
        subject(process, trial.duration_ns, &page, out)?;
    }
    writeln!(out)?;
    page.indented(0, paint(trial.came), &summary(trial), out)
}

fn subject(
    process: &Subject,
    duration_ns: Option<u64>,
    page: &Page,
    out: &mut impl Write,
) -> io::Result<()> {
    let was = figures(&process.as_it_is, None);
    let tried: Vec<(&Tried, Option<Row>)> = process
        .knobs
        .iter()
        .map(|one| (one, one.run.as_ref().map(|run| figures(run, Some(one)))))
        .collect();
    let rows = std::iter::once(&was).chain(tried.iter().filter_map(|(_, row)| row.as_ref()));
    let table = Table::new(&rows, page.width);
    let headers = HEADERS.map(str::to_owned);
    writeln!(out)?;
    page.line(&table.line("", &headers, Paint::Dim), out)?;
    page.line(&table.line("as it is", &was, Paint::Plain), out)?;
    about(process, duration_ns, page, out)?;
    for (one, row) in &tried {
        writeln!(out)?;
        // Never broken: it is there to be copied.
        let mut line = Line::new();
        line.add(Paint::Bright, one.set.as_ref().unwrap_or(&one.knob));
        page.line(&line, out)?;
        if let Some(row) = row {
            page.line(&table.line("  with it", row, Paint::Plain), out)?;
        }
        let (word, paint) = (word(one.came), paint(one.came));
        let mut line = Line::new();
        line.to_column(INDENT).add(paint, word);
        page.line(&line, out)?;
        for sentence in said(one, &process.as_it_is) {
            page.indented(INDENT, Paint::Plain, &sentence, out)?;
        }
    }
    Ok(())
}

/// Which process it is, and how long it was let run.
fn about(
    process: &Subject,
    duration_ns: Option<u64>,
    page: &Page,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut text = process.comm.clone();
    if let Some(runtime) = &process.runtime {
        text.push_str(&format!(" · {runtime}"));
    }
    if let Some(time) = duration_ns {
        text.push_str(&format!(" · each run for {} at most", duration(time)));
    }
    page.indented(INDENT, Paint::Dim, &text, out)?;
    if let Some(why) = &process.as_it_is.unmeasured {
        page.indented(INDENT, Paint::Warn, &format!("not measured: {why}"), out)?;
    }
    Ok(())
}

fn figures(run: &Run, tried: Option<&Tried>) -> Row {
    let size = |size: Option<u64>| size.map_or_else(|| "?".into(), bytes);
    let foretold = tried.map(|one| one.predicted_virtual_bytes);
    let off = tried.and_then(|one| one.deviation_percent);
    [
        size(run.virtual_bytes),
        size(run.resident_bytes),
        // Of the process as it is nothing is foretold.
        foretold.map_or_else(String::new, size),
        off.map_or_else(String::new, |off| format!("{off:+.1} %")),
        exit(run.ended),
        duration(run.took_ns),
    ]
}

fn exit(ended: Ended) -> String {
    match ended {
        Ended::Code(code) => code.to_string(),
        Ended::Signal(signal) => {
            u8::try_from(signal).map_or_else(|_| format!("signal {signal}"), signals::name)
        }
        Ended::AtItsTime => "works on".into(),
    }
}

/// A level of its own for what came.
fn word(came: Came) -> &'static str {
    match came {
        Came::AsForetold => "AS FORETOLD",
        Came::Worked => "WORKS",
        Came::NotTried => "NOT TRIED",
        Came::NotMeasured => "NOT MEASURED",
        Came::Off => "NOT AS FORETOLD",
        Came::Failed => "FAILS",
    }
}

fn paint(came: Came) -> Paint {
    match came {
        Came::AsForetold | Came::Worked => Paint::Good,
        Came::NotTried | Came::NotMeasured | Came::Off => Paint::Warn,
        Came::Failed => Paint::Bad,
    }
}

/// What is to be said of a knob beside its figures.
fn said(one: &Tried, was: &Run) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(why) = &one.not_tried {
        said.push(why.clone());
    }
    if let Some(how) = &one.how {
        said.push(format!("set {how}"));
    }
    if !one.effect.is_empty() {
        said.push(one.effect.clone());
    }
    let Some(run) = &one.run else {
        return said;
    };
    if let Some(why) = &run.unmeasured {
        said.push(format!("not measured: {why}"));
    }
    if run.pid.is_none() {
        said.push("the run has no such process".into());
    }
    if run.ended == was.ended {
        said.push(format!("{}, as it does as it is", ended(run.ended)));
    } else {
        said.push(format!(
            "{}; as it is, it {}",
            ended(run.ended),
            ended(was.ended)
        ));
    }
    if run.refused > was.refused {
        let calls = counted(run.refused, "call was", "calls were");
        said.push(format!("{calls} refused, {} as it is", was.refused));
    }
    if let Some(point) = &one.point {
        let place = point.site.place.as_ref().filter(|place| !place.is_empty());
        let place = place.map_or_else(String::new, |place| format!(" {place}"));
        said.push(format!(
            "reached {}{place} after {}, as it is after {}; {} of its {} other call sites",
            point.site.name,
            duration(point.with_it_ns),
            duration(point.as_it_is_ns),
            one.sites_reached,
            one.sites,
        ));
    }
    said
}

fn ended(ended: Ended) -> String {
    match ended {
        Ended::Code(code) => format!("exits with {code}"),
        Ended::Signal(_) => format!("dies of {}", exit(ended)),
        Ended::AtItsTime => "works until its time is over".into(),
    }
}

fn summary(trial: &Trial) -> String {
    let all: Vec<&Tried> = trial.processes.iter().flat_map(|one| &one.knobs).collect();
    let mut text = match all.len() {
        0 => "nothing was tried: no knob is known that changes it".to_owned(),
        number => counted(number as u64, "knob", "knobs"),
    };
    for came in [
        Came::AsForetold,
        Came::Worked,
        Came::Off,
        Came::Failed,
        Came::NotMeasured,
        Came::NotTried,
    ] {
        let number = all.iter().filter(|one| one.came == came).count();
        if number > 0 {
            text.push_str(&format!(", {number} {}", word(came).to_lowercase()));
        }
    }
    if trial.interrupted {
        text.push_str("; ended before all was tried");
    }
    text
}

/// Columns of figures, right-aligned.
struct Table {
    widths: Vec<(usize, usize)>,
}

impl Table {
    fn new<'a>(rows: &(impl Iterator<Item = &'a Row> + Clone), room: usize) -> Self {
        let mut widths: Vec<(usize, usize)> = HEADERS
            .iter()
            .enumerate()
            .map(|(at, header)| {
                let cells = rows.clone().map(|row| width(&row[at]));
                (at, cells.max().unwrap_or(0).max(width(header)))
            })
            .collect();
        let needed: usize = widths.iter().map(|(_, width)| width + GAP).sum();
        if TITLE + needed > room {
            widths.retain(|(at, _)| *at != SPARE);
        }
        Self { widths }
    }

    fn line(&self, title: &str, cells: &Row, paint: Paint) -> Line {
        let mut line = Line::new();
        line.add(Paint::Bright, title);
        let mut column = TITLE;
        for (at, width) in &self.widths {
            column += GAP + width;
            line.right(paint, &cells[*at], column);
        }
        line
    }
}
