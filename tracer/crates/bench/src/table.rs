//! What is printed: each figure beside its target.

use std::fmt::Write as _;

use super::busy::RATE;
use super::figures::{Spread, Target, mebibytes, time};
use super::gateway::Real;
use super::results::{Failure, Results};
use super::rounds::{Measured, ROWS};
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

/// Events that may be lost.
const NO_LOSS: Target = Target { most: 0.0 };

/// The share of the calls that were to be made which shows what so many cost.
const ENOUGH: f64 = 0.95;

pub(crate) fn text(results: &Results) -> String {
    let mut out = format!("{}\n\n", results.machine);
    if let Some(measured) = &results.measured {
        calls(&mut out, measured);
        events(&mut out, measured);
        out.push('\n');
    }
    let is_attached = |real: &Real| !real.readiness.is_empty();
    if results.measured.is_some() || results.real.as_ref().is_some_and(is_attached) {
        attaching(&mut out, results.measured.as_ref(), results.real.as_ref());
    }
    if let Some(busy) = &results.busy {
        own(&mut out, "a busy process", &busy.own);
        let rate = busy.calls as f64 / (busy.took_ns.max(1) as f64 / 1e9);
        let _ = writeln!(
            out,
            "{:34} {rate:>8.0} a second   lost ≤ 0: {}",
            "calls made",
            match NO_LOSS.verdict(busy.own.lost as f64) {
                "met" if rate < f64::from(RATE) * ENOUGH => "not shown",
                said => said,
            }
        );
    }
    if let Some(real) = &results.real {
        own(
            &mut out,
            &format!("{} from its start", real.name),
            &real.own,
        );
    }
    if let Some(recordings) = &results.recordings {
        recordings.text(&mut out);
    }
    if !results.failures.is_empty() {
        failed(&mut out, &results.failures);
    }
    out
}

/// The parts without an end, and why.
fn failed(out: &mut String, failures: &[Failure]) {
    let _ = writeln!(out, "\nNot measured to the end");
    for Failure { part, why } in failures {
        let _ = writeln!(out, "{part:34} {why:#}");
    }
}

/// What one call or fault takes, and what each tool adds to it.
fn calls(out: &mut String, measured: &Measured) {
    let rounds = measured.samples.iter().map(|sample| sample.round).max();
    let rounds = rounds.map_or(0, |last| last + 1);
    let _ = writeln!(
        out,
        "What tracing adds to a call: CPU time of the calling thread, medians of {rounds} rounds.\n\
         Shares are of the time added, within a round; least and greatest in brackets.\n"
    );
    let perf = measured.has(Tool::Perf);
    line(
        out,
        "",
        [
            "bare",
            "tracer",
            "bpftrace",
            "perf",
            "empty",
            "tracer",
            "tracer's share",
            "target",
        ],
        perf,
    );
    line(
        out,
        "",
        [
            "",
            "adds",
            "adds",
            "-g adds",
            "adds",
            "÷ bare",
            "of bpftrace's",
            "",
        ],
        perf,
    );
    for (number, row) in ROWS.iter().enumerate() {
        call(out, measured, number, Tool::Tracer);
        if row.is_fault() {
            call(out, measured, number, Tool::TracerCounting);
        }
    }
    let _ = writeln!(
        out,
        "empty: programs that do nothing on the tracepoints that tracer uses"
    );
}

/// One line of the table; the column of perf only if it was measured.
fn line(out: &mut String, name: &str, cells: [&str; 8], perf: bool) {
    let [bare, tracer, bpftrace, of_perf, empty, times, share, target] = cells;
    let _ = write!(out, "{name:34} {bare:>8} {tracer:>8} {bpftrace:>8} ");
    if perf {
        let _ = write!(out, "{of_perf:>8} ");
    }
    let text = format!("{empty:>8} {times:>7}  {share:17} {target}");
    let _ = writeln!(out, "{}", text.trim_end());
}

fn call(out: &mut String, measured: &Measured, number: usize, tool: Tool) {
    let row = &ROWS[number];
    let added = |tool| measured.spread(number, tool, |sample| sample.pair.added());
    let shown = |tool| added(tool).map_or_else(|| "–".to_owned(), |spread| time(spread.median));
    let name = match tool {
        Tool::TracerCounting => format!("{}, --faults count", row.name),
        _ => row.name.to_owned(),
    };
    // Of a call that neither looks at, a share of the little that both add would be noise.
    let share = measured
        .share_of_bpftrace(number, tool)
        .filter(|_| !row.is_bystander());
    let (target, value) = if row.is_bystander() {
        (Some((BYSTANDER, time(BYSTANDER.most))), added(tool))
    } else {
        let target = row.most.map(|most| (Target { most }, most.to_string()));
        (target, share)
    };
    // Another process's calls make no events: none of theirs was lost.
    let lost = if row.is_bystander() {
        0.0
    } else {
        measured.lost(number, tool)
    };
    let verdict = match (target, value) {
        (Some((target, most)), Some(spread)) => {
            format!("≤ {most}: {}", verdict(target, spread.median, lost))
        }
        _ => with_loss(String::new(), lost),
    };
    let bare = measured.bare(number);
    let times = measured.spread(number, tool, |sample| sample.pair.times());
    line(
        out,
        &name,
        [
            &bare.map_or_else(String::new, |bare| time(bare.median)),
            &shown(tool),
            &shown(Tool::Bpftrace),
            &shown(Tool::Perf),
            &shown(Tool::Floor),
            &times.map_or_else(String::new, |times| format!("{:.2}", times.median)),
            &share.map_or_else(String::new, |share| share.to_string()),
            &verdict,
        ],
        measured.has(Tool::Perf),
    );
}

/// What was lost cost less than it should have: a target that is met so is not shown to be met.
fn verdict(target: Target, value: f64, lost: f64) -> String {
    let said = match target.verdict(value) {
        "met" if lost > 0.0 => "not shown",
        said => said,
    };
    with_loss(said.to_owned(), lost)
}

/// The share of the events that were lost, after what there is to say.
fn with_loss(said: String, lost: f64) -> String {
    if lost == 0.0 {
        return said;
    }
    let percent = format!("{:.1} % lost", lost * 100.0);
    if said.is_empty() {
        percent
    } else {
        format!("{said}, {percent}")
    }
}

/// What one of them takes the collector.
fn events(out: &mut String, measured: &Measured) {
    let _ = writeln!(out, "\nWhat it takes the collector, in its own process");
    for (number, row) in ROWS.iter().enumerate().filter(|(_, row)| row.records > 0) {
        let took = measured.spread(number, Tool::Tracer, |sample| {
            sample.collector / f64::from(row.records)
        });
        let Some(took) = took else { continue };
        let _ = writeln!(
            out,
            "{:34} {:>8} an event ({}–{})   ≤ {}: {}",
            row.name,
            time(took.median),
            time(took.least),
            time(took.greatest),
            time(COLLECTOR.most),
            verdict(COLLECTOR, took.median, measured.lost(number, Tool::Tracer))
        );
    }
}

/// From tracer's start to its first event.
fn attaching(out: &mut String, measured: Option<&Measured>, real: Option<&Real>) {
    let _ = writeln!(
        out,
        "From tracer's start to the first event that it has handled"
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
    let _ = writeln!(out, "\ntracer itself, in {seconds:.0} s of {name}");
    let _ = writeln!(
        out,
        "{:34} {:>8}   ≤ {}: {}",
        "peak memory",
        mebibytes(own.peak_bytes as f64),
        mebibytes(PEAK.most),
        PEAK.verdict(own.peak_bytes as f64)
    );
    let _ = writeln!(
        out,
        "{:34} {:>8}   {:.1} % of a core, {} events, {} lost",
        "CPU",
        time(own.cpu_ns as f64),
        own.cpu_ns as f64 / own.duration_ns.max(1) as f64 * 100.0,
        own.events,
        own.lost
    );
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::busy::Busy;
    use super::super::figures::Pair;
    use super::super::rounds::Sample;
    use super::*;

    fn of(machine: &str, measured: Measured) -> Results {
        Results {
            machine: machine.to_owned(),
            measured: Some(measured),
            ..Results::default()
        }
    }

    fn sample(tool: Tool, row: usize, bare: f64, with: f64) -> Sample {
        Sample {
            round: 0,
            tool,
            row,
            pair: Pair { bare, with },
            collector: 3000.0,
            lost: 0.0,
        }
    }

    fn measured() -> Measured {
        let bystander = ROWS.len() - 1;
        Measured {
            samples: vec![
                sample(Tool::Tracer, 0, 2000.0, 3000.0),
                sample(Tool::Bpftrace, 0, 2000.0, 6000.0),
                sample(Tool::Tracer, bystander, 100.0, 250.0),
            ],
            readiness: vec![Readiness {
                attached: Duration::from_millis(200),
                first_event: Duration::from_millis(1200),
            }],
        }
    }

    fn line_of<'a>(text: &'a str, name: &str) -> &'a str {
        text.lines()
            .find(|line| line.starts_with(name))
            .expect("the line is there")
    }

    #[test]
    fn each_figure_stands_beside_its_target() {
        let text = text(&of("a machine", measured()));
        let words = |name| {
            line_of(&text, name)
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            words("mmap+munmap, 4 frames"),
            "mmap+munmap, 4 frames 2.00 µs 1.00 µs 4.00 µs – 1.50 0.25 (0.25–0.25) ≤ 0.35: met"
        );
        assert!(words("another process").ends_with("2.50 ≤ 100 ns: missed"));
        assert!(words("a small busy process").ends_with("≤ 1.00 s: missed"));
    }

    #[test]
    fn a_target_is_not_met_by_losing_what_would_have_cost() {
        let target = Target { most: 1.0 };
        assert_eq!(verdict(target, 0.5, 0.0), "met");
        assert_eq!(verdict(target, 0.5, 0.25), "not shown, 25.0 % lost");
        assert_eq!(verdict(target, 1.5, 0.25), "missed, 25.0 % lost");
        let mut measured = measured();
        for sample in &mut measured.samples {
            sample.lost = 0.4;
        }
        let text = text(&of("", measured.clone()));
        let line = line_of(&text, "mmap+munmap, 4 frames");
        assert!(line.ends_with("≤ 0.35: not shown, 40.0 % lost"), "{line}");
        let line = line_of(&text, "another process");
        assert!(line.ends_with("≤ 100 ns: missed"), "{line}");
    }

    #[test]
    fn perf_has_a_column_only_where_it_was_measured() {
        let mut measured = measured();
        assert!(!text(&of("", measured.clone())).contains("perf"));
        measured
            .samples
            .push(sample(Tool::Perf, 0, 2000.0, 12_000.0));
        let text = text(&of("", measured.clone()));
        assert!(line_of(&text, "mmap+munmap, 4 frames").contains("10.00 µs"));
    }

    #[test]
    fn what_tracer_takes_is_held_against_its_target() {
        let real_own = Own {
            peak_bytes: 151 << 20,
            cpu_ns: 600_000_000,
            duration_ns: 60_000_000_000,
            events: 10,
            lost: 0,
        };
        let real = Real {
            name: "a program",
            own: real_own,
            readiness: Vec::new(),
        };
        let results = Results {
            real: Some(real),
            ..Results::default()
        };
        let lines = text(&results);
        assert!(line_of(&lines, "peak memory").ends_with("≤ 150.0 MiB: missed"));
        assert!(line_of(&lines, "CPU").ends_with("1.0 % of a core, 10 events, 0 lost"));
        let busy = Busy {
            own: Own {
                lost: 1,
                ..real_own
            },
            calls: 200_000,
            took_ns: 2_000_000_000,
        };
        let lines = text(&Results {
            busy: Some(busy),
            ..Results::default()
        });
        assert!(line_of(&lines, "calls made").ends_with("100000 a second   lost ≤ 0: missed"));
        let slower = |took_ns| Results {
            busy: Some(Busy {
                own: real_own,
                took_ns,
                ..busy
            }),
            ..Results::default()
        };
        let lines = text(&slower(2_000_000_000));
        assert!(line_of(&lines, "calls made").ends_with("lost ≤ 0: met"));
        // Fewer calls than were asked for lose nothing more easily.
        let lines = text(&slower(2_200_000_000));
        assert!(line_of(&lines, "calls made").ends_with("lost ≤ 0: not shown"));
        let json = results.json();
        assert_eq!(json["program"]["peak_bytes"], 151 << 20);
    }

    #[test]
    fn what_was_not_measured_is_told_after_what_was() {
        let mut results = of("a machine", measured());
        assert!(!text(&results).contains("Not measured"));
        results.part("a real program", |_| {
            Err(anyhow::anyhow!("it ended").context("cannot attach"))
        });
        let text = text(&results);
        assert!(line_of(&text, "mmap+munmap, 4 frames").ends_with("met"));
        assert!(line_of(&text, "a real program").ends_with(" cannot attach: it ended"));
        let at = |what| text.find(what).expect("it is there");
        assert!(at("mmap+munmap") < at("Not measured to the end"));
    }
}
