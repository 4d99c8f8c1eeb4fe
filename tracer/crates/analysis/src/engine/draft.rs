//! The first step to the model of a process: what the accounts say of it and of each of its call sites.

use std::cmp::Reverse;
use std::rc::Rc;

use crate::Analysis;
use crate::accounts::courses;
use crate::accounts::grades::grades;
use crate::accounts::merge::{SiteGroup, groups};
use crate::accounts::objects::Objects;
use crate::accounts::run::{Located, Run, Sight};
use crate::accounts::site::{LiveBytes, unsigned};
use crate::accounts::time::TraceTime;
use crate::engine::called;
use crate::engine::measured::unmeasured;
use crate::model::summary::{
    Limits, Process, Reservation, Residency, Site, Span, TimelinePoint, Trend, Working,
};
use crate::naming::folding::Folded;
use crate::patterns::Settled;
use crate::refusals::told::Told;
use crate::verdict::trend::{Course, grows_steadily, has_rate, idle_since, may_grow, trend};
use crate::verdict::work::Work;
use crate::verdict::{Pool, rate};
use crate::words::mapping_words;
use tracer_ledger::ledger::change::Difference;

/// Idle for less is not worth a word, ns.
const IDLE: u64 = 1_000_000_000;

/// A process on its way into the model: begun by [`Analysis::draft`], then `recognise`, `judge`, and
/// [`ProcessDraft::finish`].
pub struct ProcessDraft<'a> {
    pub run: &'a Run,
    /// When its working life ended, or the trace.
    pub end: TraceTime,
    /// How it worked; `None`: that is not known.
    pub work: Option<Rc<Work>>,
    /// Of the weight that its sites had then, what was gone in the end, 0 to 1.
    pub returned: f64,
    /// All but its sites, which are still in the drafts below.
    pub process: Process,
    /// Largest first.
    pub sites: Vec<SiteDraft<'a>>,
    /// What was refused, the most telling first.
    pub told: Vec<Told>,
}

/// A call site on its way into the model, and what the model does not say of it.
pub struct SiteDraft<'a> {
    /// What it is to become; its kind is known after `recognise`.
    pub site: Site,
    /// Its stack, folded to what matters.
    pub called: Folded,
    /// Its accounts.
    pub group: SiteGroup<'a>,
    /// What is left of its reservations, as the patterns look at it.
    pub settled: Vec<Settled<'a>>,
    /// More and more of it is reserved, until the end.
    pub reserved_steadily: bool,
    /// More and more of it is accessible, until the end.
    pub accessible_steadily: bool,
    /// More and more of it is touched, until the end, and somebody followed that.
    pub touched_steadily: bool,
    /// It grows at a rate, by the clock or by its process's work.
    pub has_rate: bool,
    /// If it grows: when its process worked last, ns since the trace began; `None`: it does still, or nobody knows.
    pub idle_since: Option<u64>,
    /// It grew until nothing was heard of its process any more: whether it would go on is not known.
    pub may_grow: bool,
    /// The pool that it takes memory for: known after `recognise`.
    pub pool: Option<Rc<Pool>>,
    /// All sites with which it exchanges memory, as one: known after `recognise`.
    pub exchange: Option<Rc<Pool>>,
}

impl ProcessDraft<'_> {
    /// The last step.
    pub fn finish(self) -> Process {
        Process {
            sites: self.sites.into_iter().map(|one| one.site).collect(),
            refused: self.told.into_iter().map(|one| one.row).collect(),
            ..self.process
        }
    }
}

impl Analysis {
    /// What the accounts say of a run, of which `sight` is the end.
    pub(super) fn draft<'a>(
        &self,
        run: &'a Run,
        sight: &'a Sight,
        next_site: &mut u32,
    ) -> ProcessDraft<'a> {
        let last = run.end.map_or(self.relative(self.now), |end| end.time);
        let life = run.working_life(last);
        let end = life.until;
        let work = Work::of(run.cpu.points(), run.first.0, end.0).map(Rc::new);
        let mapped = sight.mapped_bytes;
        let since = life.tide.map_or(0, |tide| tide.reserved_since);
        let worked_with = mapped.saturating_add_signed(since.saturating_neg());
        let mut sites = self.draft_sites(run, sight, (end, work.as_deref()), next_site);
        let ending = self.ending(run, &life);
        let told = self.told(run, &mut sites, ending.as_ref());
        let identity = &run.identity;
        let ledger = self.checked(sight);
        let why = unmeasured(run, &ledger);
        let residency = self.residency(run, sight);
        let process = Process {
            pid: run.pid.0,
            ppid: run.parent.0,
            comm: identity.comm.clone(),
            exe: identity.exe.clone(),
            cmdline: identity.cmdline.clone(),
            runtime: identity.runtime.clone(),
            first_ns: run.first.0,
            last_ns: last.0,
            from_start: run.from_start,
            exit: run.end.and_then(|end| end.exit),
            ending,
            working: Some(Working {
                until_ns: end.0,
                virtual_bytes: worked_with,
                resident_bytes: life.stand.resident.map(|one| {
                    let again = residency.mapped_again_bytes.unwrap_or(0);
                    one.min(worked_with).saturating_sub(again)
                }),
                mappings: life.stand.mappings,
            }),
            virtual_bytes: Span {
                start: run.start_bytes.unwrap_or(mapped),
                peak: run.peak_bytes.max(mapped).max(worked_with),
                end: mapped,
            },
            resident_bytes: run.resident.span,
            samples: run.resident.samples,
            ledger,
            measured: why.is_none(),
            why,
            stacks: grades(run.stack_calls(), &self.stacks),
            limits: Limits::of(
                &identity.limits,
                &self.machine,
                run.standing.mappings.map(|used| used.end),
            ),
            residency,
            mappings: run.standing.mapping_count(identity.limits.max_map_count),
            before: self.before(run),
            reservations: self.reservations(run, &sites, end),
            timeline: timeline(run, last, mapped),
            ..Process::default()
        };
        ProcessDraft {
            run,
            end,
            work,
            returned: returned(&sites),
            process,
            sites,
            told,
        }
    }

    /// What a run's resident memory is. Where faults are not followed nobody knows who copied what.
    fn residency(&self, run: &Run, sight: &Sight) -> Residency {
        let residency = run.pages.residency();
        let copied = residency.copied_bytes;
        let mut objects = Objects::default();
        let again = sight
            .living
            .iter()
            .map(|one| objects.again(&one.left).resident);
        let again: u64 = again.sum();
        Residency {
            mapped_again_bytes: Some(again).filter(|again| *again > 0),
            copied_bytes: copied.filter(|_| self.faults_followed()),
            ..residency
        }
    }

    fn draft_sites<'a>(
        &self,
        run: &Run,
        sight: &'a Sight,
        working: (TraceTime, Option<&Work>),
        next_site: &mut u32,
    ) -> Vec<SiteDraft<'a>> {
        let mut groups = groups(run, &sight.living, &self.stacks);
        // Largest first; what is equal stays in the order of its appearance.
        groups.sort_by_key(|group| Reverse((group.figures.reserved, group.released)));
        let mut sites: Vec<SiteDraft<'a>> = groups
            .into_iter()
            .map(|group| self.draft_site(run, group, working))
            .collect();
        // What the process made itself is numbered first: those are the numbers that people read.
        for pre_existing in [false, true] {
            let those = sites
                .iter_mut()
                .filter(|one| one.group.pre_existing == pre_existing);
            for one in those {
                one.site.id = *next_site;
                *next_site += 1;
            }
        }
        let histories = sites
            .iter_mut()
            .map(|one| (&mut one.site, one.group.whole.as_slice()));
        courses::give(histories);
        called::call(&mut sites);
        sites
    }

    fn draft_site<'a>(
        &self,
        run: &Run,
        group: SiteGroup<'a>,
        working: (TraceTime, Option<&Work>),
    ) -> SiteDraft<'a> {
        let reserved = course_of(&group, |live| live.reserved);
        let of_reserved = course(run, &group, &reserved, working);
        let steadily = |figure: fn(LiveBytes) -> u64| {
            let points = course_of(&group, figure);
            grows_steadily(course(run, &group, &points, working))
        };
        let site = self.site(&group, of_reserved);
        let grows = site.trend == Trend::Growing;
        let idle_since = idle_since(of_reserved).filter(|since| {
            let idle = of_reserved.end.saturating_sub(*since);
            grows && idle >= IDLE.max(of_reserved.end.saturating_sub(of_reserved.began) / 10)
        });
        SiteDraft {
            site,
            called: Folded::default(),
            settled: group.living.iter().map(|one| settled(one)).collect(),
            reserved_steadily: grows_steadily(of_reserved),
            accessible_steadily: steadily(|live| live.accessible),
            touched_steadily: self.faults_followed() && steadily(|live| live.touched),
            has_rate: grows && has_rate(of_reserved),
            idle_since,
            may_grow: may_grow(of_reserved, run.changed.0),
            pool: None,
            exchange: None,
            group,
        }
    }

    /// All of a site that its accounts say; without its number. `reserved`: the course of its reserved bytes.
    fn site(&self, group: &SiteGroup<'_>, reserved: Course<'_>) -> Site {
        let (frames, quality) = self.stacks.get(group.stack);
        let trend = trend(reserved);
        let reserved_bytes = unsigned(group.figures.reserved);
        Site {
            id: 0,
            key: String::new(),
            place: None,
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
            reserved_bytes,
            accessible_bytes: unsigned(group.figures.accessible),
            touched_bytes: self
                .faults_followed()
                .then_some(unsigned(group.figures.touched).saturating_sub(group.touched_again)),
            // Of nothing, nothing is in memory: that is known without a look.
            resident_bytes: if group.live == 0 {
                Some(0)
            } else {
                group.resident
            },
            charged_bytes: unsigned(group.figures.charged),
            released_bytes: group.released,
            peak_bytes: group.peak,
            first_ns: group.first.0,
            last_ns: group.last.0,
            lifetime_ns: group.lifetimes.quantiles().filter(|_| group.ended > 0),
            size_bytes: group.sizes.quantiles(),
            growth_per_hour: Some(trend)
                .filter(|trend| *trend == Trend::Growing)
                .and_then(|_| rate::present(reserved.points, reserved.first, reserved.end)),
            trend,
            files: group.files.paths(),
            mappings: None,
            refused: 0,
            window: (!self.window.is_all()).then(|| group.window.sets(reserved_bytes)),
            touch_sites: group.touchers.report(&self.stacks),
            timeline: Vec::new(),
        }
    }

    /// What is left of the reservations of all sites, largest first.
    fn reservations(&self, run: &Run, sites: &[SiteDraft<'_>], end: TraceTime) -> Vec<Reservation> {
        let mut reservations: Vec<Reservation> = sites
            .iter()
            .flat_map(|one| {
                let living = one.group.living.iter();
                living.map(|located| self.reservation(run, located, &one.site, end))
            })
            .collect();
        reservations.sort_by_key(|one| (Reverse(one.reserved_bytes), one.start));
        reservations
    }

    fn reservation(
        &self,
        run: &Run,
        located: &Located,
        site: &Site,
        end: TraceTime,
    ) -> Reservation {
        let left = &located.left;
        Reservation {
            start: left.start.0,
            length: left.length,
            protection: mapping_words::protection(left.protection),
            flags: mapping_words::flags(left.flags),
            site: site.id,
            born_ns: located.born.map(|born| born.0),
            age_ns: end.since(located.born.unwrap_or(run.first)),
            reserved_bytes: left.reserved,
            accessible_bytes: left.accessible,
            touched_bytes: self.faults_followed().then_some(left.touched),
            resident_bytes: left.resident,
            pre_existing: site.pre_existing,
            name: left.name.clone(),
        }
    }
}

/// What is left of a reservation, as the patterns look at it.
fn settled(located: &Located) -> Settled<'_> {
    let left = &located.left;
    Settled {
        start: left.start.0,
        reserved: left.reserved,
        accessible: left.accessible,
        accessible_at: left.accessible_at,
        protection: left.protection,
        flags: left.flags,
        name: &left.name,
        kind_of_file: left.file.map(|file| file.kind),
    }
}

/// The course of one figure: ns since the trace began, and bytes.
fn course_of(group: &SiteGroup<'_>, figure: impl Fn(LiveBytes) -> u64) -> Vec<(u64, u64)> {
    let points = group.history.iter();
    points.map(|&(time, live)| (time.0, figure(live))).collect()
}

fn course<'a>(
    run: &Run,
    group: &SiteGroup<'_>,
    points: &'a [(u64, u64)],
    (end, work): (TraceTime, Option<&'a Work>),
) -> Course<'a> {
    Course {
        points,
        calls: group.calls,
        released: group.ended,
        first: group.first.0,
        last: group.last.0,
        began: run.first.0,
        end: end.0,
        work,
    }
}

/// Of what sites had (accessible bytes above all, as the tide weighs them), what is gone in the end.
fn returned(sites: &[SiteDraft<'_>]) -> f64 {
    let weight = |figures: &Difference| {
        (unsigned(figures.accessible) as f64) + (unsigned(figures.reserved) as f64) / 1024.0
    };
    let own = || sites.iter().filter(|one| !one.group.pre_existing);
    let had: f64 = own().map(|one| weight(&one.group.figures)).sum();
    let has: f64 = own().map(|one| weight(&one.group.left)).sum();
    if had > 0.0 {
        (1.0 - has / had).max(0.0)
    } else {
        0.0
    }
}

fn timeline(run: &Run, end: TraceTime, mapped: u64) -> Vec<TimelinePoint> {
    let mut points: Vec<TimelinePoint> = run
        .timeline
        .points()
        .iter()
        .map(|&(time, point)| TimelinePoint {
            t_ns: time.0,
            virtual_bytes: point.mapped,
            resident_bytes: point.resident,
            touched_bytes: point.touched,
        })
        .collect();
    if let Some(last) = points.last().copied()
        && (last.t_ns < end.0 || last.virtual_bytes != mapped)
    {
        points.push(TimelinePoint {
            t_ns: end.0.max(last.t_ns),
            virtual_bytes: mapped,
            ..last
        });
    }
    points
}
