//! The list of processes: one line each, the program that runs in it now.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::rows::difference;
use super::tree;
use tracer_analysis::summary::{Exit, Level, Process, Report};
use tracer_ledger::event::FaultMode;
use tracer_report::text::process::command;

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

/// What lines are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListColumn {
    /// The worst first, then the largest.
    #[default]
    Verdict,
    /// Bytes mapped.
    Virtual,
    /// What these are more than at the baseline.
    Grown,
    /// Bytes touched.
    Touched,
    /// Bytes resident.
    Resident,
    /// How long it has run, or ran.
    Lived,
}

impl ListColumn {
    /// Each; those with a digit in its order.
    pub const ALL: [Self; 6] = [
        Self::Verdict,
        Self::Virtual,
        Self::Grown,
        Self::Touched,
        Self::Resident,
        Self::Lived,
    ];

    /// The one after it; after the last the first.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|one| *one == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }

    /// In one word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Virtual => "virtual",
            Self::Grown => "grown",
            Self::Touched => "touched",
            Self::Resident => "resident",
            Self::Lived => "lived",
        }
    }
}

/// How lines are chosen and ordered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOrder {
    /// What they are sorted by, the largest (or worst) first.
    pub column: ListColumn,
    /// The smallest first.
    pub reverse: bool,
    /// Only lines with these letters in pid, name, command line or headline, whatever their case.
    pub filter: String,
    /// Children stand below their parents.
    pub tree: bool,
    /// Those that have ended are left out.
    pub only_alive: bool,
}

/// One line.
#[derive(Clone, Debug)]
pub struct ProcessLine {
    /// Its process id.
    pub pid: u32,
    /// Its parent's.
    pub ppid: u32,
    /// Its index in the report.
    pub index: usize,
    /// How many of its forebears stand above it.
    pub depth: usize,
    /// Its sizes.
    pub totals: Totals,
    /// What is mapped more than at the baseline; `None`: there is none.
    pub grown: Option<i64>,
    /// How bad it is; `None`: there was nothing to judge.
    pub level: Option<Level>,
    /// How it ended, if it has.
    pub exit: Option<Exit>,
    /// How long it has run under this trace, ns.
    pub lived_ns: u64,
}

/// The list, and what is not in it.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// What is shown.
    pub lines: Vec<ProcessLine>,
    /// How many there are in all.
    pub all: usize,
    /// Of these, alive.
    pub alive: usize,
    /// Left out by the filter.
    pub left_out: usize,
    /// The worst of those that have ended, and how many are as bad, if that is worth a word.
    pub worst_ended: Option<(Level, usize)>,
}

/// The present program of each process: those that run first, in the order that is asked for.
#[must_use]
pub fn list(report: &Report, baseline: Option<&Report>, order: &ListOrder) -> List {
    // In the order of their appearance: the last one of a pid is what runs there now.
    let mut last: HashMap<u32, usize> = HashMap::with_capacity(report.processes.len());
    for (index, process) in report.processes.iter().enumerate() {
        last.insert(process.pid, index);
    }
    let then: Option<HashMap<(u32, u64), u64>> = baseline.map(|baseline| {
        let all = baseline.processes.iter();
        all.map(|one| ((one.pid, one.first_ns), one.virtual_bytes.end))
            .collect()
    });
    let now = report.processes.iter().enumerate();
    let now = now.filter(|(index, process)| last.get(&process.pid) == Some(index));
    let mut found = List::default();
    let wanted = order.filter.to_lowercase();
    for (index, process) in now {
        let line = line(report, index, then.as_ref());
        found.all += 1;
        found.alive += usize::from(process.exit.is_none());
        if let Some(level) = line.level.filter(|level| is_bad(*level))
            && process.exit.is_some()
        {
            found.worst_ended = Some(match found.worst_ended {
                Some((worst, count)) if worst == level => (worst, count + 1),
                Some((worst, count)) if worst.badness() > level.badness() => (worst, count),
                _ => (level, 1),
            });
        }
        if order.only_alive && process.exit.is_some() {
            continue;
        }
        if !wanted.is_empty() && !mentions(process, &wanted) {
            found.left_out += 1;
            continue;
        }
        found.lines.push(line);
    }
    sort(&mut found.lines, order);
    if order.tree {
        found.lines = tree::below_parents(&found.lines);
    }
    found
}

fn line(report: &Report, index: usize, then: Option<&HashMap<(u32, u64), u64>>) -> ProcessLine {
    let process = &report.processes[index];
    let totals = Totals::of(process, report);
    let was = then.map(|then| {
        let was = then.get(&(process.pid, process.first_ns));
        was.copied().unwrap_or(process.virtual_bytes.start)
    });
    ProcessLine {
        pid: process.pid,
        ppid: process.ppid,
        index,
        depth: 0,
        totals,
        // What a process gave back by ending is no figure of its own.
        grown: was
            .filter(|_| process.exit.is_none())
            .map(|was| difference(totals.mapped, was)),
        level: judged(process),
        exit: process.exit,
        lived_ns: process.last_ns.saturating_sub(process.first_ns),
    }
}

/// Whether somebody is to look at it.
fn is_bad(level: Level) -> bool {
    level.badness() >= Level::Watch.badness()
}

/// Its level; `None` where there was nothing to judge: nothing is known of it that anybody has called for.
#[must_use]
pub fn judged(process: &Process) -> Option<Level> {
    let verdict = &process.verdict;
    let nothing = verdict.level == Level::Unknown && verdict.who.is_empty();
    (!nothing).then_some(verdict.level)
}

fn sort(lines: &mut [ProcessLine], order: &ListOrder) {
    lines.sort_by_key(|line| {
        let size = i128::from(line.totals.mapped);
        let value = match order.column {
            ListColumn::Verdict => Some(match line.level {
                Some(level) if is_bad(level) => level.badness() as i128,
                _ => 0,
            }),
            ListColumn::Virtual => Some(size),
            ListColumn::Grown => line.grown.map(i128::from),
            ListColumn::Touched => line.totals.touched.map(Into::into),
            ListColumn::Resident => line.totals.resident.map(Into::into),
            ListColumn::Lived => Some(line.lived_ns.into()),
        };
        let placed = value.map(|value| if order.reverse { value } else { -value });
        (
            line.exit.is_some(),
            value.is_none(),
            placed,
            Reverse(line.totals.mapped),
        )
    });
}

/// Whether the letters are in what a line says of a process.
fn mentions(process: &Process, wanted: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(wanted);
    has(&process.pid.to_string())
        || has(&process.comm)
        || has(&command(&process.cmdline))
        || process.cmdline.iter().any(|word| has(word))
        || process.runtime.as_deref().is_some_and(has)
        || has(process.verdict.level.word())
        || has(&process.verdict.headline)
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
