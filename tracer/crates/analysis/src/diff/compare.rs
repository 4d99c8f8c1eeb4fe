//! Two traces, compared.

use std::cmp::Reverse;

use super::model::{Change, Diff, LevelChange, ProcessChange, SCHEMA, Side};
use super::processes::{Pair, pairs};
use super::{kinds, prediction, sentence, sites};

use crate::model::summary::{Level, Process, Refused, Report, Site};
use crate::refusals::words;

/// What has changed.
#[must_use]
pub fn diff(old: &Report, new: &Report) -> Diff {
    let pairs = pairs(old, new);
    let mut processes: Vec<ProcessChange> = pairs.iter().map(process).collect();
    processes.sort_by_key(|process| {
        let virtual_bytes = process.virtual_bytes;
        let bytes = virtual_bytes.old.max(virtual_bytes.new);
        (Reverse(virtual_bytes.size()), Reverse(bytes))
    });
    fn all(report: &Report) -> impl Iterator<Item = &Site> {
        report.processes.iter().flat_map(|process| &process.sites)
    }
    let total = |figure: fn(&Report) -> Option<u64>| Change::of(figure(old), figure(new));
    let mut diff = Diff {
        schema: SCHEMA.into(),
        text: String::new(),
        old: side(old),
        new: side(new),
        virtual_bytes: total(|report| {
            let ends = report.processes.iter().map(|one| one.virtual_at_work().end);
            Some(ends.fold(0, u64::saturating_add))
        }),
        resident_bytes: total(|report| {
            let mut ends = report.processes.iter().map(resident);
            ends.try_fold(0u64, |sum, end| Some(sum.saturating_add(end?)))
        }),
        refused: total(|report| {
            let counts = report.processes.iter().map(Process::refused_calls);
            Some(counts.fold(0, u64::saturating_add))
        }),
        newly_refused: newly_refused(old, new),
        level: LevelChange {
            old: worst(old),
            new: worst(new),
        },
        kinds: kinds::changes(all(old), all(new)),
        predictions: pairs.iter().flat_map(prediction::of).collect(),
        processes,
    };
    diff.text = sentence::sentence(&diff);
    diff
}

/// The worst level of any process.
fn worst(report: &Report) -> Option<Level> {
    let levels = report.processes.iter().map(|one| one.verdict.level);
    levels.max_by_key(|level| level.badness())
}

fn side(report: &Report) -> Side {
    Side {
        started_at: report.started_at.clone(),
        duration_ns: report.duration_ns,
        faults: report.faults,
        lost: report.losses.total(),
    }
}

/// At the end of its working life; `None`: it was never looked at.
fn resident(process: &Process) -> Option<u64> {
    process.resident_at_work().map(|span| span.end)
}

/// Of what is refused now, and was not by that limit to that code before, the first.
fn newly_refused(old: &Report, new: &Report) -> Option<String> {
    fn rows(report: &Report) -> impl Iterator<Item = &Refused> {
        report.processes.iter().flat_map(|process| &process.refused)
    }
    let is_known = |row: &&Refused| {
        rows(old)
            .any(|known| (&known.call, known.cause, &known.by) == (&row.call, row.cause, &row.by))
    };
    let row = rows(new).find(|row| !is_known(row))?;
    Some(words::what_by(row))
}

fn process(pair: &Pair<'_>) -> ProcessChange {
    let (old_sites, new_sites) = (of(pair.old), of(pair.new));
    let (sites_changed, matches) = sites::changes(old_sites, new_sites);
    // Of a process that is not there, nothing is mapped.
    let change = |figure: fn(&Process) -> Option<u64>| {
        Change::of(
            pair.old.map_or(Some(0), figure),
            pair.new.map_or(Some(0), figure),
        )
    };
    let shown = pair.new.or(pair.old);
    ProcessChange {
        comm: shown.map_or_else(String::new, |process| process.comm.clone()),
        matched: pair.matched,
        old_pid: pair.old.map(|process| process.pid),
        new_pid: pair.new.map(|process| process.pid),
        virtual_bytes: change(|process| Some(process.virtual_at_work().end)),
        resident_bytes: change(resident),
        refused: change(|process| Some(process.refused_calls())),
        level: LevelChange {
            old: pair.old.map(|process| process.verdict.level),
            new: pair.new.map(|process| process.verdict.level),
        },
        old_headline: headline(pair.old),
        new_headline: headline(pair.new),
        matches,
        patterns: kinds::changes(old_sites.iter(), new_sites.iter()),
        sites: sites_changed,
    }
}

fn headline(process: Option<&Process>) -> String {
    process.map_or_else(String::new, |process| process.verdict.headline.clone())
}

fn of(process: Option<&Process>) -> &[Site] {
    process.map_or(&[], |process| &process.sites)
}
