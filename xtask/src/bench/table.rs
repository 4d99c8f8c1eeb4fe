//! What is printed: each figure beside its target.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::figures::{Spread, Target, time};
use super::gateway::Real;
use super::rounds::{Measured, ROWS, Sample};
use super::tools::{Own, Readiness, Tool};

/// ns that tracing may add to a system call of another process.
const BYSTANDER: Target = Target { most: 100.0 };
/// ns of CPU that the collector may take for one event.
const COLLECTOR: Target = Target { most: 2000.0 };
/// ns from tracer's start to its first event.
const FIRST_EVENT: Target = Target { most: 1e9 };
/// Bytes that tracer may have resident.
const PEAK: Target = Target {
    most: 150.0 * 1024.0 * 1024.0,
};

/// The table.
pub(crate) fn text(measured: Option<&Measured>, real: Option<&Real>) -> String {
    let mut out = String::new();
    if let Some(measured) = measured {
        calls(&mut out, measured);
        events(&mut out, measured);
    }
    attaching(&mut out, measured, real);
    if let Some(real) = real {
        own(&mut out, real.name, &real.own);
    }
    out
}

/// Everything that was measured, for other programs.
pub(crate) fn json(measured: Option<&Measured>, real: Option<&Real>) -> Value {
    let readiness = |of: &Readiness| {
        json!({
            "attached_ns": of.attached.as_nanos() as u64,
            "first_event_ns": of.first_event.as_nanos() as u64,
        })
    };
    let sample = |of: &Sample| {
        json!({
            "round": of.round,
            "tool": of.tool.name(),
            "row": ROWS[of.row].name,
            "bare_ns": of.pair.bare,
            "with_ns": of.pair.with,
            "collector_ns": of.collector,
            "lost_share": of.lost,
        })
    };
    json!({
        "schema": "tracer.bench/1",
        "samples": measured.map(|of| of.samples.iter().map(sample).collect::<Vec<_>>()),
        "attach": measured.map(|of| of.readiness.iter().map(readiness).collect::<Vec<_>>()),
        "program": real.map(|of| json!({
            "name": of.name,
            "peak_bytes": of.own.peak_bytes,
            "cpu_ns": of.own.cpu_ns,
            "duration_ns": of.own.duration_ns,
            "events": of.own.events,
            "lost": of.own.lost,
            "attach": of.readiness.iter().map(readiness).collect::<Vec<_>>(),
        })),
    })
}

/// What one call or fault takes, and what each tool adds to it.
fn calls(out: &mut String, measured: &Measured) {
    let rounds = measured.samples.iter().map(|sample| sample.round).max();
    let rounds = rounds.map_or(0, |last| last + 1);
    let _ = writeln!(
        out,
        "What tracing adds to a call: CPU time of the calling thread, medians of {rounds} rounds; \
         shares of added time\nare taken within a round, least and greatest in brackets\n"
    );
    let _ = writeln!(
        out,
        "{:34} {:>9} {:>9} {:>9} {:>9} {:>8}  {:20} target",
        "", "bare", "tracer", "bpftrace", "empty", "tracer", "tracer's share of"
    );
    let _ = writeln!(
        out,
        "{:34} {:>9} {:>9} {:>9} {:>9} {:>8}  {:20}",
        "", "", "adds", "adds", "programs", "÷ bare", "bpftrace's"
    );
    let mut notes = String::new();
    for number in 0..ROWS.len() {
        let tools: &[_] = if number == 5 {
            &[Tool::Tracer, Tool::TracerCounting]
        } else {
            &[Tool::Tracer]
        };
        for tool in tools {
            call(out, &mut notes, measured, number, *tool);
        }
    }
    out.push_str(&notes);
}

fn call(out: &mut String, notes: &mut String, measured: &Measured, number: usize, tool: Tool) {
    let row = &ROWS[number];
    let added = |tool| {
        measured
            .spread(number, tool, |sample| sample.pair.added())
            .map_or_else(|| "–".to_owned(), |spread| time(spread.median))
    };
    let name = match tool {
        Tool::TracerCounting => format!("{}, --faults count", row.name),
        _ => row.name.to_owned(),
    };
    let share = measured.share_of_bpftrace(number, tool);
    let (most, value) = if row.is_bystander() {
        let added = measured.spread(number, tool, |sample| sample.pair.added());
        (Some((BYSTANDER, time(BYSTANDER.most))), added)
    } else {
        let target = row.most.map(|most| (Target { most }, most.to_string()));
        (target, share)
    };
    let verdict = match (most, value) {
        (Some((target, most)), Some(spread)) => {
            format!("≤ {most}: {}", target.verdict(spread.median))
        }
        _ => String::new(),
    };
    let _ = writeln!(
        out,
        "{name:34} {:>9} {:>9} {:>9} {:>9} {:>8}  {:20} {verdict}",
        measured
            .bare(number)
            .map_or_else(String::new, |bare| time(bare.median)),
        added(tool),
        added(Tool::Bpftrace),
        added(Tool::Floor),
        measured
            .spread(number, tool, |sample| sample.pair.times())
            .map_or_else(String::new, |times| format!("{:.2}", times.median)),
        share.map_or_else(String::new, |share| share.to_string()),
    );
    let lost = measured.spread(number, tool, |sample| sample.lost);
    if let Some(lost) = lost.filter(|lost| lost.greatest > 0.0) {
        let _ = writeln!(
            notes,
            "  {name}: in its stays {:.1} % of the events were lost ({:.1}–{:.1}), and cost less for that",
            lost.median * 100.0,
            lost.least * 100.0,
            lost.greatest * 100.0
        );
    }
}

/// What one of them takes the collector.
fn events(out: &mut String, measured: &Measured) {
    let _ = writeln!(out, "\nWhat it takes the collector, in its own process");
    // Records of one of them: of a pair mmap's end, munmap's begin and end; of a fault itself.
    for (number, records) in [(0, 3.0), (1, 3.0), (2, 3.0), (3, 3.0), (4, 4.0), (5, 1.0)] {
        let took = measured.spread(number, Tool::Tracer, |sample| sample.collector / records);
        let Some(took) = took else { continue };
        let _ = writeln!(
            out,
            "{:34} {:>9} an event ({}–{})   ≤ {}: {}",
            ROWS[number].name,
            time(took.median),
            time(took.least),
            time(took.greatest),
            time(COLLECTOR.most),
            COLLECTOR.verdict(took.median)
        );
    }
}

/// From tracer's start to its first event.
fn attaching(out: &mut String, measured: Option<&Measured>, real: Option<&Real>) {
    let _ = writeln!(
        out,
        "\nFrom tracer's start to the first event that it has handled"
    );
    let small = measured.map(|of| ("a small busy process", &of.readiness));
    let real = real.map(|of| (of.name, &of.readiness));
    for (name, readiness) in [small, real].into_iter().flatten() {
        let times = |of: fn(&Readiness) -> std::time::Duration| {
            Spread::of(readiness.iter().map(|one| of(one).as_nanos() as f64))
        };
        let (Some(attached), Some(first)) = (times(|of| of.attached), times(|of| of.first_event))
        else {
            continue;
        };
        let _ = writeln!(
            out,
            "{name:34} {:>9} ({}–{}), attached after {}   ≤ {}: {}",
            time(first.median),
            time(first.least),
            time(first.greatest),
            time(attached.median),
            time(FIRST_EVENT.most),
            FIRST_EVENT.verdict(first.greatest)
        );
    }
}

/// What tracer takes for itself.
fn own(out: &mut String, name: &str, own: &Own) {
    let seconds = own.duration_ns as f64 / 1e9;
    let _ = writeln!(
        out,
        "\ntracer itself, in {seconds:.0} s of {name} from its start"
    );
    let _ = writeln!(
        out,
        "{:34} {:>9}   ≤ {}: {}",
        "peak memory",
        mebibytes(own.peak_bytes as f64),
        mebibytes(PEAK.most),
        PEAK.verdict(own.peak_bytes as f64)
    );
    let _ = writeln!(
        out,
        "{:34} {:>9}   {:.1} % of a core, {} events, {} lost",
        "CPU",
        time(own.cpu_ns as f64),
        own.cpu_ns as f64 / own.duration_ns.max(1) as f64 * 100.0,
        own.events,
        own.lost
    );
}

fn mebibytes(bytes: f64) -> String {
    format!("{:.1} MiB", bytes / f64::from(1 << 20))
}
