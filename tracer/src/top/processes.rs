//! The list of processes: one line each, the program that runs in it now.

use std::cmp::Reverse;

use super::rows::{Column, difference};
use tracer_analysis::summary::{Exit, Level, Process, Report};
use tracer_ledger::event::FaultMode;

/// The sizes of a process, bytes; `None`: not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Mapped.
    pub mapped: u64,
    /// Of this, touched.
    pub touched: Option<u64>,
    /// In memory.
    pub resident: Option<u64>,
}

impl Totals {
    /// At the end of the report.
    #[must_use]
    pub fn of(process: &Process, report: &Report) -> Self {
        let last = process.timeline.last();
        Self {
            mapped: process.virtual_bytes.end,
            touched: last
                .map(|point| point.touched_bytes)
                .filter(|_| report.faults == Some(FaultMode::Each)),
            resident: (process.samples > 0).then_some(process.resident_bytes.end),
        }
    }

    /// The same at its first sight.
    #[must_use]
    pub fn first(process: &Process, report: &Report) -> Self {
        let first = process.timeline.first();
        Self {
            mapped: process.virtual_bytes.start,
            touched: first
                .map(|point| point.touched_bytes)
                .filter(|_| report.faults == Some(FaultMode::Each)),
            resident: (process.samples > 0).then_some(process.resident_bytes.start),
        }
    }
}

/// One line.
#[derive(Clone, Debug)]
pub struct ProcessLine {
    /// Its process id.
    pub pid: u32,
    /// Its index in the report.
    pub index: usize,
    /// Its sizes.
    pub totals: Totals,
    /// What is mapped more than at the baseline; `None`: there is none.
    pub grown: Option<i64>,
    /// How bad it is.
    pub level: Level,
    /// How it ended, if it has.
    pub exit: Option<Exit>,
}

/// The present program of each process: those that run first, the largest first, or as the column says.
#[must_use]
pub fn lines(
    report: &Report,
    baseline: Option<&Report>,
    column: Column,
    reverse: bool,
) -> Vec<ProcessLine> {
    let mut lines: Vec<ProcessLine> = Vec::new();
    for (index, process) in report.processes.iter().enumerate() {
        let totals = Totals::of(process, report);
        let was = baseline.map(|baseline| {
            let was = same(baseline, process);
            was.map_or(process.virtual_bytes.start, |was| was.virtual_bytes.end)
        });
        let line = ProcessLine {
            pid: process.pid,
            index,
            totals,
            grown: was.map(|was| difference(totals.mapped, was)),
            level: process.verdict.level,
            exit: process.exit,
        };
        // In the order of their appearance: the last one of a pid is what runs there now.
        match lines.iter_mut().find(|known| known.pid == line.pid) {
            Some(known) => *known = line,
            None => lines.push(line),
        }
    }
    lines.sort_by_key(|line| {
        let value = match column {
            Column::Grown => line.grown.map(i128::from),
            Column::Touched => line.totals.touched.map(Into::into),
            Column::Resident => line.totals.resident.map(Into::into),
            Column::Since => Some(-(line.index as i128)),
            _ => Some(line.totals.mapped.into()),
        };
        let placed = value.map(|value| if reverse { value } else { -value });
        (
            line.exit.is_some(),
            value.is_none(),
            placed,
            Reverse(line.totals.mapped),
        )
    });
    lines
}

/// The program that runs in a process: the last of its pid.
#[must_use]
pub fn current(report: &Report, pid: u32) -> Option<&Process> {
    report.processes.iter().rfind(|process| process.pid == pid)
}

/// The same program in another report.
#[must_use]
pub fn same<'a>(report: &'a Report, process: &Process) -> Option<&'a Process> {
    report
        .processes
        .iter()
        .find(|one| one.pid == process.pid && one.first_ns == process.first_ns)
}
