//! From the accounts to the model.

use std::cmp::Reverse;

use crate::Analysis;
use crate::accounts::courses;
use crate::accounts::grades;
use crate::accounts::merge::{Group, groups};
use crate::accounts::run::{End, Located, Run};
use crate::accounts::site::{Live, unsigned};
use crate::engine::recognise;
use crate::engine::view::LedgerView;
use crate::model::summary::{
    FailedCalls, LedgerCheck, Limits, Process, RangeDifference, Report, Reservation, SCHEMA, Site,
    Span, StackGrades, StacksSent, TimelinePoint, TracerCost, Trend, Verification,
};
use crate::patterns::Settled;
use crate::verdict::harm::{self, Position};
use crate::verdict::rate;
use crate::verdict::trend::{Course, grows_steadily, trend};
use crate::verdict::{Facts, SiteFacts, unusual, verdict};
use crate::words::calendar;
use crate::words::mapping_words;
use tracer_ledger::event::Learning;
use tracer_ledger::ledger::Checks;

impl Analysis {
    /// The whole model, with what lives now as the end of every run that has not ended.
    #[must_use]
    pub fn report(&self, ledger: &impl LedgerView) -> Report {
        let mut next_site = 1;
        // Sites are numbered from the biggest process on, which is what people read first; processes
        // stay in the order of their appearance.
        let runs = self.runs.iter().enumerate();
        let mut runs: Vec<(usize, &Run)> = runs.filter(|(_, run)| !run.is_launch_stub).collect();
        runs.sort_by_key(|(_, run)| Reverse(run.peak_bytes));
        let mut processes: Vec<(usize, Process)> = runs
            .into_iter()
            .map(|(index, run)| (index, self.process(index, run, ledger, &mut next_site)))
            .collect();
        processes.sort_by_key(|(index, _)| *index);
        let processes: Vec<_> = processes.into_iter().map(|(_, process)| process).collect();
        let stacks = StackGrades::sum(processes.iter().map(|process| &process.stacks));
        Report {
            schema: SCHEMA.into(),
            tracer_version: self.started.tracer_version.clone(),
            host: (&self.started).into(),
            started_at: calendar::rfc3339(self.started.realtime_ns),
            started_monotonic_ns: Some(self.started.time.0),
            duration_ns: self.relative(self.now),
            losses: self.losses,
            faults: self.started.faults.clone(),
            window: (!self.window.is_all()).then_some(self.window),
            events: self.events,
            failed_calls: self
                .failures
                .calls
                .iter()
                .map(|(call, count)| FailedCalls {
                    call: call.clone(),
                    count: *count,
                })
                .collect(),
            tracer: self
                .ended
                .map_or_else(TracerCost::default, |ended| TracerCost {
                    cpu_ns: ended.tracer_cpu_ns,
                    peak_bytes: ended.tracer_peak_bytes,
                    stacks: self.learning.map(sent),
                }),
            fault_stacks: self.fault_stacks,
            stacks,
            modules: self.modules.iter().cloned().collect(),
            processes,
        }
    }

    /// Each fault is an event: what was touched is known.
    pub(super) fn faults_followed(&self) -> bool {
        self.started.faults == "each"
    }

    fn process(
        &self,
        index: usize,
        run: &Run,
        ledger: &impl LedgerView,
        next_site: &mut u32,
    ) -> Process {
        let (living, mapped, kernel, checks) = self.end_of(index, run, ledger);
        let end = run.end.map_or(self.relative(self.now), |end| end.time);
        let (groups, group_of_living) = groups(run, &living, &self.stacks);

        // Largest first; what is equal stays in the order of its appearance.
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by_key(|&group| {
            let group = &groups[group];
            Reverse((group.figures.reserved, group.released))
        });
        // What the process made itself is numbered first: those are the numbers that people read.
        let mut ids = vec![0; groups.len()];
        for pre_existing in [false, true] {
            for &group in &order {
                if groups[group].pre_existing == pre_existing {
                    ids[group] = *next_site;
                    *next_site += 1;
                }
            }
        }
        let mut settled: Vec<Vec<Settled<'_>>> = groups.iter().map(|_| Vec::new()).collect();
        for (located, &group) in living.iter().zip(&group_of_living) {
            settled[group].push(recognise::settled(&located.left));
        }
        let mut sites: Vec<Site> = order
            .iter()
            .map(|&group| self.site(ids[group], run, &groups[group], end))
            .collect();
        let histories: Vec<&[(u64, Live)]> = order
            .iter()
            .map(|&group| groups[group].history.as_slice())
            .collect();
        courses::give(&mut sites, &histories);
        let touched_steadily: Vec<Option<bool>> = order
            .iter()
            .map(|&group| self.touched_steadily(run, &groups[group], end))
            .collect();
        let is_of_files: Vec<bool> = order
            .iter()
            .map(|&group| recognise::is_of_files(&settled[group]))
            .collect();
        let in_order = order
            .iter()
            .map(|&group| (&groups[group], std::mem::take(&mut settled[group])));
        let pools = self.recognise_all(
            run,
            end,
            &mut sites,
            &touched_steadily,
            &in_order.collect::<Vec<_>>(),
        );
        let reservations = self.reservations(run, &living, &group_of_living, &ids, &groups, end);
        let cpus = u64::from(self.machine.cpus);
        let unusual = unusual(&self.patterns, cpus, &mut sites, &reservations);
        let virtual_bytes = Span {
            start: run.start_bytes.unwrap_or(mapped),
            peak: run.peak_bytes.max(mapped),
            end: mapped,
        };
        let check = LedgerCheck {
            bytes: mapped,
            kernel_bytes: kernel.unwrap_or(0),
            difference_bytes: kernel.map_or(0, |kernel| difference(kernel, mapped)),
            kernel_known: kernel.is_some(),
            ..self.checked(&checks)
        };
        let check = LedgerCheck {
            largest_difference_bytes: check
                .largest_difference_bytes
                .max(check.difference_bytes.unsigned_abs()),
            ..check
        };
        let timeline = timeline(run, end, mapped);
        let facts: Vec<SiteFacts<'_>> = sites
            .iter()
            .zip(touched_steadily)
            .zip(&pools)
            .zip(is_of_files)
            .zip(&order)
            .map(
                |((((site, touched_steadily), pool), is_of_files), &group)| {
                    let steadily = |figure: fn(Live) -> u64| {
                        let points = course_of(&groups[group], figure);
                        grows_steadily(course(run, &groups[group], &points, end))
                    };
                    SiteFacts {
                        site,
                        touched_steadily,
                        accessible_steadily: steadily(|live| live.accessible),
                        reserved_steadily: steadily(|live| live.reserved),
                        is_of_files,
                        pool: pool.as_deref(),
                    }
                },
            )
            .collect();
        let identity = &run.identity;
        let limits = Limits::of(&identity.limits, &self.machine, run.maps);
        let resident = (run.resident.samples > 0).then_some(run.resident.span);
        let present = |figure: fn(&TimelinePoint) -> u64| {
            let course: Vec<(u64, u64)> = timeline
                .iter()
                .map(|point| (point.t_ns, figure(point)))
                .collect();
            rate::present(&course, run.first, end)
        };
        let virtual_rate = present(|point| point.virtual_bytes);
        let resident_rate = present(|point| point.resident_bytes).filter(|_| resident.is_some());
        let harm = harm::harms(
            &limits,
            &Position {
                virtual_bytes,
                resident,
                virtual_rate,
                resident_rate,
            },
        );
        let before = self.before(run);
        let verdict = verdict(&Facts {
            virtual_bytes,
            resident,
            from_start: run.from_start,
            condensed: run.is_condensed,
            began: run.first,
            end,
            check: &check,
            harms: &harm,
            unusual: &unusual,
            before: before.as_ref(),
            sites: &facts,
        });
        Process {
            pid: run.pid.0,
            ppid: run.parent.0,
            comm: identity.comm.clone(),
            exe: identity.exe.clone(),
            cmdline: identity.cmdline.clone(),
            runtime: identity.runtime.clone(),
            first_ns: run.first,
            last_ns: end,
            from_start: run.from_start,
            exit: run.end.and_then(|End { exit, .. }| exit),
            virtual_bytes,
            resident_bytes: run.resident.span,
            samples: run.resident.samples,
            ledger: check,
            verdict,
            stacks: grades::of_run(run, &self.stacks),
            limits,
            harm,
            virtual_growth_per_hour: virtual_rate,
            resident_growth_per_hour: resident_rate,
            before,
            sites,
            reservations,
            timeline,
        }
    }

    /// What lives at the run's end, the ledger's bytes, the kernel's, and how they stood all along.
    fn end_of(
        &self,
        index: usize,
        run: &Run,
        ledger: &impl LedgerView,
    ) -> (Vec<Located>, u64, Option<u64>, Checks) {
        if run.end.is_some() {
            return run.last_sight.as_ref().map_or_else(
                // Its end was lost: the kernel's last word is better than the most it ever had.
                || {
                    let mapped = run.kernel_bytes.unwrap_or(run.peak_bytes);
                    (Vec::new(), mapped, None, Checks::default())
                },
                |sight| {
                    let checks = sight.checks.clone();
                    (
                        sight.living.clone(),
                        sight.mapped_bytes,
                        sight.kernel_bytes,
                        checks,
                    )
                },
            );
        }
        let owns = self
            .spaces
            .get(&run.space)
            .is_some_and(|space| space.runs.first() == Some(&index));
        let living = if owns {
            self.locate(index, ledger.living(run.space))
        } else {
            Vec::new()
        };
        let kernel = ledger.kernel_bytes(run.space);
        let checks = ledger.checks(run.space);
        (living, ledger.mapped_bytes(run.space), kernel, checks)
    }

    /// How the ledger stood against the kernel, but for the end.
    fn checked(&self, checks: &Checks) -> LedgerCheck {
        let verifications = checks.comparisons.iter().map(|comparison| Verification {
            t_ns: self.relative(comparison.time),
            mappings: comparison.mappings,
            in_motion_bytes: comparison.in_motion_bytes,
            differing: comparison.differing,
            difference_bytes: comparison.difference_bytes,
        });
        let differences = checks.found.iter().map(|found| {
            let range = found.range;
            RangeDifference {
                t_ns: self.relative(found.time),
                start: range.start.0,
                length: range.end.0 - range.start.0,
                ledger: range.ledger.map(mapping_words::protection),
                kernel: range.kernel.map(mapping_words::protection),
                name: found.name.clone(),
                cause: match (range.ledger, range.kernel) {
                    (None, _) => "mapped, and by no traced call",
                    (_, None) => "unmapped, and by no traced call",
                    _ => "protected anew, and by no traced call",
                }
                .to_owned(),
            }
        });
        LedgerCheck {
            checks: checks.totals,
            checks_differing: checks.totals_differing,
            verifications_count: checks.readings,
            verifications_differing: checks.readings_differing,
            largest_difference_bytes: checks.largest_bytes,
            verifications: verifications.collect(),
            differences: differences.collect(),
            ..LedgerCheck::default()
        }
    }

    fn site(&self, id: u32, run: &Run, group: &Group, end: u64) -> Site {
        let (frames, quality) = self.stacks.get(group.stack);
        let reserved = unsigned(group.figures.reserved);
        let points: Vec<(u64, u64)> = course_of(group, |live| live.reserved);
        let trend = trend(course(run, group, &points, end));
        Site {
            id,
            frames: frames.to_vec(),
            stack: quality,
            thread_names: group
                .threads
                .iter()
                .map(|&name| self.threads.name(name).to_owned())
                .collect(),
            name: group.name.clone(),
            pattern: None,
            pre_existing: group.pre_existing,
            calls: group.calls,
            live: group.live,
            reserved_bytes: reserved,
            accessible_bytes: unsigned(group.figures.accessible),
            touched_bytes: self
                .faults_followed()
                .then_some(unsigned(group.figures.touched)),
            // Of nothing, nothing is in memory: that is known without a look.
            resident_bytes: if group.live == 0 {
                Some(0)
            } else {
                group.resident
            },
            charged_bytes: unsigned(group.figures.charged),
            released_bytes: group.released,
            peak_bytes: group.peak,
            first_ns: group.first,
            last_ns: group.last,
            lifetime_ns: group.lifetimes.quantiles(),
            size_bytes: group.sizes.quantiles(),
            growth_per_hour: Some(trend)
                .filter(|trend| *trend == Trend::Growing)
                .and_then(|_| rate::present(&points, group.first, end)),
            trend,
            window: (!self.window.is_all()).then(|| group.window.sets(reserved)),
            touch_sites: group.touchers.report(&self.stacks),
            timeline: Vec::new(),
        }
    }

    /// Whether more and more of it is touched, until the end; `None`: nobody followed.
    fn touched_steadily(&self, run: &Run, group: &Group, end: u64) -> Option<bool> {
        let points: Vec<(u64, u64)> = course_of(group, |live| live.touched);
        self.faults_followed()
            .then(|| grows_steadily(course(run, group, &points, end)))
    }

    fn reservations(
        &self,
        run: &Run,
        living: &[Located],
        group_of_living: &[usize],
        ids: &[u32],
        groups: &[Group],
        end: u64,
    ) -> Vec<Reservation> {
        let mut reservations: Vec<Reservation> = living
            .iter()
            .zip(group_of_living)
            .map(|(located, &group)| {
                let left = &located.left;
                Reservation {
                    start: left.start.0,
                    length: left.length,
                    protection: mapping_words::protection(left.protection),
                    flags: mapping_words::flags(left.flags),
                    site: ids[group],
                    born_ns: located.born,
                    age_ns: end.saturating_sub(located.born.unwrap_or(run.first)),
                    reserved_bytes: left.reserved,
                    accessible_bytes: left.accessible,
                    touched_bytes: self.faults_followed().then_some(left.touched),
                    resident_bytes: left.resident,
                    pre_existing: groups[group].pre_existing,
                    name: left.name.clone(),
                }
            })
            .collect();
        reservations.sort_by_key(|one| (Reverse(one.reserved_bytes), one.start));
        reservations
    }
}

fn sent(learning: Learning) -> StacksSent {
    StacksSent {
        known: learning.all.known,
        whole: learning.all.whole,
        known_after_10s: learning.settled.known,
        whole_after_10s: learning.settled.whole,
        rules: learning.rules,
        hashes: learning.hashes,
        memory_bytes: learning.memory_bytes,
    }
}

fn course_of(group: &Group, figure: impl Fn(Live) -> u64) -> Vec<(u64, u64)> {
    let points = group.history.iter();
    points.map(|&(time, live)| (time, figure(live))).collect()
}

fn course<'a>(run: &Run, group: &Group, points: &'a [(u64, u64)], end: u64) -> Course<'a> {
    Course {
        points,
        calls: group.calls,
        released: group.lifetimes.count(),
        first: group.first,
        last: group.last,
        began: run.first,
        end,
    }
}

fn timeline(run: &Run, end: u64, mapped: u64) -> Vec<TimelinePoint> {
    let mut points: Vec<TimelinePoint> = run
        .timeline
        .points()
        .iter()
        .map(|&(t_ns, point)| TimelinePoint {
            t_ns,
            virtual_bytes: point.mapped,
            resident_bytes: point.resident,
            touched_bytes: point.touched,
        })
        .collect();
    if let Some(last) = points.last().copied()
        && (last.t_ns < end || last.virtual_bytes != mapped)
    {
        points.push(TimelinePoint {
            t_ns: end.max(last.t_ns),
            virtual_bytes: mapped,
            ..last
        });
    }
    points
}

/// Kernel − ledger; saturates only where the figures are no sizes any more.
fn difference(kernel: u64, ledger: u64) -> i64 {
    i64::try_from(i128::from(kernel) - i128::from(ledger)).unwrap_or(i64::MAX)
}
