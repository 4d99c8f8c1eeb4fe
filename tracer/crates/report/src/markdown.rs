//! The report as Markdown, to be pasted into an issue's thread: versions, verdict, limits, the largest call
//! sites with their evidence and stacks.
//!
//! GitHub's dialect (tables, `<details>`); what a traced process can choose goes through [`super::markup`].

use std::io::{self, Write};

use super::figures::Figures;
use super::markup::{cell, code, fence, plain};
use super::names::{full_name, location};
use super::rows::{Common, SiteRow, folded, point_out, rows};
use super::selection::{Candidate as _, Selection};
use super::text::harm;
use super::text::level_word;
use super::text::line::escape;
use super::text::page;
use super::text::process::{about, trust};
use tracer_analysis::refusals::words;
use tracer_analysis::summary::{Level, Next, Process, Remedy, Report, Site, Who};
use tracer_analysis::units::{bytes, count, counted, duration, moment, percent, rate};
use tracer_analysis::why_resident;

/// ns.
const HOUR: u64 = 3_600_000_000_000;
/// Rows of the table of a process.
const ROWS: usize = 10;
/// Frames of a stack.
const FRAMES: usize = 40;

/// Writes the report.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, selection: &Selection, out: &mut impl Write) -> io::Result<()> {
    let (shown, small) = selection.processes(report);
    for (rank, process) in shown.iter().enumerate() {
        if rank > 0 {
            writeln!(out)?;
        }
        self::process(report, process, selection, out)?;
    }
    if shown.is_empty() {
        writeln!(out, "Nothing was traced.")?;
    }
    if !small.is_empty() {
        let text = counted(small.len() as u64, "small process", "small processes");
        writeln!(out, "\nand {text} more.")?;
    }
    writeln!(out)?;
    machine(report, out)
}

fn machine(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let lost = match report.losses.total() {
        0 => "none lost".to_owned(),
        lost => format!("**{} lost**", count(lost)),
    };
    let cost = match report.tracer.peak_bytes {
        0 => String::new(),
        peak => format!(
            " · tracer {} of a core, {}",
            percent(report.tracer.cpu_ns, report.duration_ns),
            bytes(peak)
        ),
    };
    let kernel = format!("Linux {} {}", report.host.kernel, report.host.arch);
    writeln!(
        out,
        "<sub>tracer {} · {} · traced for {} from {} · {}, {lost}{cost}</sub>",
        escape(&report.tracer_version),
        code(&kernel),
        duration(report.duration_ns),
        escape(&report.started_at),
        counted(report.events, "event", "events"),
    )
}

fn process(
    report: &Report,
    process: &Process,
    selection: &Selection,
    out: &mut impl Write,
) -> io::Result<()> {
    let (word, _) = page::level(process.verdict.level);
    let sure = match process.verdict.level {
        Level::Unknown => String::new(),
        _ => format!(", {:.0} % sure", process.verdict.confidence * 100.0),
    };
    writeln!(out, "### {}: {word}{sure}\n", code(&process.comm))?;
    if let Some(why) = process.unmeasured() {
        writeln!(
            out,
            "> **Not measured in full:** {}. The figures may be wrong; no budget passes.\n",
            plain(why)
        )?;
    }
    let verdict = &process.verdict;
    writeln!(out, "**{}**\n", plain(&verdict.headline))?;
    if !verdict.because.is_empty() {
        writeln!(out, "{}\n", plain(&verdict.because.join(" ")))?;
    }
    let (harm, _) = harm::of(process);
    let resident = process.resident_at_work().map_or_else(
        || "unknown".to_owned(),
        |span| {
            let size = with_peak(span.end, span.peak);
            let why = why_resident(process).into_iter().map(|line| plain(&line));
            std::iter::once(size)
                .chain(why)
                .collect::<Vec<_>>()
                .join("; ")
        },
    );
    let size = process.virtual_at_work();
    writeln!(out, "| | |\n|---|---|")?;
    for (name, value) in [
        ("who", who(&verdict.who)),
        ("hurts", plain(&harm)),
        ("change", change(&verdict.change)),
        ("next", next(&verdict.next)),
        (
            "process",
            plain(&about(process, report.duration_ns).join(" · ")),
        ),
        ("command", cell(&process.cmdline.join(" "))),
        ("virtual", with_peak(size.end, size.peak)),
        ("resident", resident),
        ("ledger", trust(process).0),
    ] {
        if !value.is_empty() {
            writeln!(out, "| {name} | {value} |")?;
        }
    }
    refused(process, selection, out)?;
    sites(process, selection, out)
}

/// The call sites that the headline is about, a line each.
fn who(all: &[Who]) -> String {
    let line = |one: &Who| {
        let place = one
            .place
            .as_deref()
            .map_or_else(String::new, |place| format!(" {}", cell(place)));
        let speed = one.rate.map_or_else(String::new, |by_hour| {
            format!(" · +{}", rate(by_hour, HOUR))
        });
        let size = bytes(one.bytes);
        format!("{}{place} · {size}{speed} · {}", cell(&one.name), one.site)
    };
    all.iter().map(line).collect::<Vec<_>>().join("<br>")
}

fn change(all: &[Remedy]) -> String {
    let line = |one: &Remedy| format!("{} → {}", cell(&one.knob), plain(&one.comes_to()));
    all.iter().map(line).collect::<Vec<_>>().join("<br>")
}

fn next(all: &[Next]) -> String {
    let line = |one: &Next| format!("{}: {}", plain(&one.why), cell(&one.command));
    all.iter().map(line).collect::<Vec<_>>().join("<br>")
}

/// What the kernel refused, a row for each place.
fn refused(process: &Process, selection: &Selection, out: &mut impl Write) -> io::Result<()> {
    if process.refused.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n| refused | by |\n|---|---|")?;
    let most = if selection.all { usize::MAX } else { ROWS };
    for row in process.refused.iter().take(most) {
        let parts = words::parts(row).join(" · ");
        writeln!(out, "| {} | {} |", plain(&words::what(row)), plain(&parts))?;
    }
    let hidden = process.refused.len().saturating_sub(most);
    if hidden > 0 {
        let more = counted(hidden as u64, "more place", "more places");
        writeln!(out, "\nand {more}")?;
    }
    Ok(())
}

fn sites(process: &Process, selection: &Selection, out: &mut impl Write) -> io::Result<()> {
    let living = folded(process)
        .into_iter()
        .filter(|(site, _)| site.reserved_bytes > 0);
    let mut rows = rows(living.collect(), selection.all);
    point_out(&mut rows, &process.verdict);
    let chosen = selection.choose(rows, ROWS, |figures| figures.reserved);
    if chosen.shown.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n| site | never released | reserved | accessible | touched | resident | live/calls | since |\n\
         |--:|---|--:|--:|--:|--:|--:|--:|"
    )?;
    for row in &chosen.shown {
        let figures = figures(row.figures());
        let number = match row.common {
            Common::Stack(_) => row.sites[0].key.clone(),
            Common::Pool(_) => counted(row.sites.len() as u64, "site", "sites"),
        };
        writeln!(
            out,
            "| {number} | {} | {} |",
            title(row),
            figures.join(" | ")
        )?;
    }
    if chosen.hidden > 0 {
        let more = counted(chosen.hidden, "more site", "more sites");
        writeln!(out, "\nand {more}, {}", bytes(chosen.hidden_bytes))?;
    }
    writeln!(out, "\n<details><summary>Evidence and stacks</summary>\n")?;
    for row in &chosen.shown {
        evidence(row, out)?;
    }
    writeln!(out, "</details>")
}

fn title(row: &SiteRow<'_>) -> String {
    let site = row.sites[0];
    let whose = match &row.common {
        Common::Stack(folded) => folded.title.as_deref().map(|title| {
            let location = folded.location.as_deref().map(cell);
            [Some(cell(title)), location]
                .map(Option::unwrap_or_default)
                .join(" ")
        }),
        Common::Pool(_) => None,
    };
    let kind = site
        .pattern
        .as_ref()
        .map(|pattern| format!("{}, {}", plain(&pattern.name), level_word(pattern)));
    match (kind, whose) {
        (Some(kind), Some(whose)) => format!("{kind}<br>{whose}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "of no known kind".into(),
    }
}

fn figures(figures: &Figures) -> [String; 6] {
    let known = |value: Option<u64>| value.map_or_else(|| "?".into(), bytes);
    [
        bytes(figures.reserved),
        bytes(figures.accessible),
        known(figures.touched),
        known(figures.resident),
        format!("{}/{}", count(figures.live), count(figures.calls)),
        moment(figures.first_ns),
    ]
}

fn evidence(row: &SiteRow<'_>, out: &mut impl Write) -> io::Result<()> {
    let site = row.sites[0];
    match &site.pattern {
        Some(pattern) => {
            writeln!(
                out,
                "**{}. {}**: {}\n",
                site.key,
                plain(&pattern.name),
                plain(&pattern.meaning)
            )?;
            for evidence in &pattern.evidence {
                writeln!(out, "- {}", plain(evidence))?;
            }
            if let Some(knob) = &pattern.knob {
                let effect = pattern.knob_effect.as_deref().map(plain);
                let effect = effect
                    .map(|effect| format!(" ({effect})"))
                    .unwrap_or_default();
                writeln!(out, "- changes it: {}{effect}", code(knob))?;
            }
            for advice in &pattern.advice {
                writeln!(out, "- {}", plain(advice))?;
            }
        }
        None => writeln!(out, "**{}**", site.key)?,
    }
    stack(site, out)
}

fn stack(site: &Site, out: &mut impl Write) -> io::Result<()> {
    if site.frames.is_empty() {
        return writeln!(out);
    }
    let lines: Vec<String> = site
        .frames
        .iter()
        .take(FRAMES)
        .map(|frame| match location(frame) {
            Some(location) => escape(&format!("{}  {location}", full_name(frame))),
            None => escape(&full_name(frame)),
        })
        .collect();
    let fence = fence(lines.iter().map(String::as_str), 3);
    writeln!(out, "\n{fence}text")?;
    for line in &lines {
        writeln!(out, "{line}")?;
    }
    if site.frames.len() > FRAMES {
        writeln!(
            out,
            "and {} more",
            counted((site.frames.len() - FRAMES) as u64, "frame", "frames")
        )?;
    }
    writeln!(out, "{fence}\n")
}

fn with_peak(end: u64, peak: u64) -> String {
    let (end, peak) = (bytes(end), bytes(peak));
    if peak == end {
        end
    } else {
        format!("{end}, {peak} at its peak")
    }
}
