//! The third step: how fast a process grows, what it could run into, and what it all means.

use crate::Analysis;
use crate::accounts::run::Run;
use crate::engine::draft::{ProcessDraft, SiteDraft};
use crate::model::summary::{Exit, TimelinePoint};
use crate::patterns::Settled;
use crate::verdict::harm;
use crate::verdict::{Facts, Freed, Refusals, SiteFacts, Whose, rate, unusual, verdict};
use tracer_ledger::event::FileKind;

impl Analysis {
    /// Fills in rates, harm and verdict; kinds of which there are too many are marked.
    pub(super) fn judge(&self, draft: &mut ProcessDraft<'_>) {
        let (run, end) = (draft.run, draft.end.0);
        let process = &mut draft.process;
        let unusual = unusual(
            &self.patterns,
            self.machine.cpus,
            draft.sites.iter_mut().map(|one| &mut one.site),
            &process.reservations,
        );
        let present = |figure: fn(&TimelinePoint) -> u64| {
            let points = process.timeline.iter();
            let course: Vec<(u64, u64)> = points.map(|point| (point.t_ns, figure(point))).collect();
            rate::present(&course, run.first.0, end)
        };
        let (virtual_bytes, resident) = (process.virtual_at_work(), process.resident_at_work());
        let virtual_rate = present(|point| point.virtual_bytes);
        let resident_rate = present(|point| point.resident_bytes).filter(|_| resident.is_some());
        process.harm = harm::harms(&process.limits, &self.position(run, process, draft.end));
        process.virtual_growth_per_hour = virtual_rate;
        process.resident_growth_per_hour = resident_rate;
        let facts: Vec<SiteFacts<'_>> = draft.sites.iter().map(SiteDraft::facts).collect();
        process.verdict = verdict(&Facts {
            virtual_bytes,
            resident,
            copied_bytes: process.residency.copied_bytes.unwrap_or(0),
            from_start: run.from_start,
            condensed: run.is_condensed,
            whose: Whose {
                pid: process.pid,
                cmdline: &process.cmdline,
                runtime: process.runtime.as_deref(),
                lives: run.end.is_none(),
            },
            began: run.first.0,
            end,
            freed: freed(run),
            returned: draft.returned,
            strict: !matches!(process.limits.overcommit_memory, Some(0 | 1)),
            check: &process.ledger,
            rose: rose(&process.timeline, run.first.0, end),
            harms: &process.harm,
            unusual: &unusual,
            before: process.before.as_ref(),
            refusals: Refusals {
                told: &draft.told,
                ending: process.ending.as_ref(),
                until_ns: process.last_ns,
                limits: &process.limits,
            },
            sites: &facts,
        });
    }
}

/// When one of a process's figures last rose above its earlier peak, by more than a process needs to breathe, ns.
fn rose(timeline: &[TimelinePoint], from: u64, to: u64) -> u64 {
    const BREATH: u64 = 256 << 10;
    let figures: [fn(&TimelinePoint) -> u64; 3] = [
        |point| point.virtual_bytes,
        |point| point.resident_bytes,
        |point| point.touched_bytes,
    ];
    let of_figure = |figure: &fn(&TimelinePoint) -> u64| {
        let (mut peak, mut at) = (0u64, from);
        for point in timeline.iter().filter(|point| point.t_ns <= to) {
            if figure(point) > peak + BREATH.max(peak / 200) {
                (peak, at) = (figure(point), point.t_ns);
            }
        }
        at
    };
    figures.iter().map(of_figure).max().unwrap_or(from)
}

/// What a run gave back as it ended.
fn freed(run: &Run) -> Option<Freed> {
    let (life, end) = run.life.zip(run.end)?;
    life.tide?;
    Some(Freed {
        bytes: life.freed_bytes,
        began: life.until.0,
        took: end.time.since(life.until),
        by: match end.exit {
            None => "exec".into(),
            Some(Exit::Code(_)) => "exit".into(),
            Some(Exit::Signal(signal)) => format!("signal {signal}"),
        },
    })
}

impl SiteDraft<'_> {
    /// What the verdict looks at.
    fn facts(&self) -> SiteFacts<'_> {
        SiteFacts {
            site: &self.site,
            called: &self.called,
            touched_steadily: self.touched_steadily,
            accessible_steadily: self.accessible_steadily,
            reserved_steadily: self.reserved_steadily,
            has_rate: self.has_rate,
            idle_since: self.idle_since,
            may_grow: self.may_grow,
            touched_again: self.group.touched_again,
            is_of_files: is_of_files(&self.settled),
            pool: self.pool.as_deref(),
            exchange: self.exchange.as_deref(),
        }
    }
}

/// All of it is of files, of which the pages can be read again: not of memory that only has a file's name.
fn is_of_files(settled: &[Settled<'_>]) -> bool {
    const IN_MEMORY: [&str; 5] = ["/memfd:", "/dev/", "/SYSV", "/anon_hugepage", "/[aio]"];
    let is_file = |one: &Settled<'_>| match one.kind_of_file {
        Some(kind) => kind == FileKind::Regular,
        None => {
            one.name.starts_with('/')
                && !IN_MEMORY.iter().any(|prefix| one.name.starts_with(prefix))
        }
    };
    !settled.is_empty() && settled.iter().all(is_file)
}

#[cfg(test)]
mod tests {
    use super::rose;
    use crate::model::summary::TimelinePoint;

    const SECOND: u64 = 1_000_000_000;

    fn course(value: impl Fn(u64) -> u64) -> Vec<TimelinePoint> {
        let points = (0..=10).map(|second| TimelinePoint {
            t_ns: second * SECOND,
            virtual_bytes: 1 << 30,
            resident_bytes: value(second) << 20,
            touched_bytes: value(second) << 20,
        });
        points.collect()
    }

    #[test]
    fn it_rose_last_when_it_went_above_all_that_was_before() {
        let rose = |value: &dyn Fn(u64) -> u64| rose(&course(value), 0, 10 * SECOND) / SECOND;
        assert_eq!(rose(&|second| 10 * second.min(6)), 6);
        assert_eq!(rose(&|second| 100 + second % 3), 2, "it comes and goes");
        assert_eq!(rose(&|second| second), 10);
        assert_eq!(rose(&|second| if second == 9 { 20 } else { 10 }), 9);
    }
}
