//! One program run: a process from fork, exec or being found, to exec, exit or the trace's end.

use std::collections::{BTreeMap, HashMap};

use crate::accounts::curve::Curve;
use crate::accounts::groups::GroupKey;
use crate::accounts::pages::Pages;
use crate::accounts::site::{SiteAccount, SiteKey};
use crate::accounts::spaces::SpaceBytes;
use crate::accounts::standing::Standing;
use crate::accounts::tide::{Stand, Tide, WorkingLife};
use crate::accounts::time::TraceTime;
use crate::accounts::view::LivingReservation;
use crate::model::summary::{Exit, Span};
use crate::refusals::kept::Refusals;
use tracer_ledger::event::{Blind, Identity, Pid, Sample, Shown, SpaceId, StackId, Usage};
use tracer_ledger::ledger::Checks;
use tracer_ledger::ledger::change::Difference;

/// Points kept of a process's timeline.
pub const TIMELINE_POINTS: usize = 240;
/// Points kept of the CPU time that it has used: finer than what of it is looked at.
pub const CPU_POINTS: usize = 512;
/// Reservations kept of which the last byte was given back after the high tide: some of each kind.
const MOST_FALLEN: usize = 1_024;

/// The figures at a moment, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// Mapped.
    pub mapped: u64,
    /// Resident by the last sample.
    pub resident: u64,
    /// Touched and still mapped.
    pub touched: u64,
}

/// One program run. Sizes are bytes.
#[derive(Clone, Debug)]
pub struct Run {
    /// The process.
    pub pid: Pid,
    /// Its parent.
    pub parent: Pid,
    /// Its address space.
    pub space: SpaceId,
    /// What is known of it.
    pub identity: Identity,
    /// When it was first seen.
    pub first: TraceTime,
    /// Traced from its first instruction.
    pub from_start: bool,
    /// How it ended; `None`: it has not.
    pub end: Option<RunEnd>,
    /// What its address space was in the end; `None`: it has not ended, or its end was lost.
    pub last_sight: Option<Sight>,
    /// Bytes that the kernel has mapped and the ledger has not seen yet; `None`: unknown, until the
    /// maps were read.
    pub unseen_bytes: Option<u64>,
    /// Mapped bytes at the start; `None`: not known yet.
    pub start_bytes: Option<u64>,
    /// The most that was mapped.
    pub peak_bytes: u64,
    /// What samples said.
    pub resident: ResidentFigures,
    /// How it stands to the kernel's limits.
    pub standing: Standing,
    /// Whose its resident pages are.
    pub pages: Pages,
    /// The control group that limits it.
    pub group: Option<GroupKey>,
    /// What was told of the group after its end, as far as it is of its end.
    pub group_until: Option<TraceTime>,
    /// The living run that it was forked from, while both have the same pages.
    pub forked_from: Option<usize>,
    /// The living ones that were forked from it.
    pub children: Vec<usize>,
    /// `VmSize` by the kernel's last word.
    pub kernel_bytes: Option<u64>,
    /// Why not all that it does is seen; `None`: it is.
    pub blind: Option<Blind>,
    /// What it looked like when it was found running.
    pub shown: Option<Box<Shown>>,
    /// What was refused.
    pub refusals: Refusals,
    /// By how many mappings calls with each stack raised the most that there were.
    pub splits: BTreeMap<StackId, u64>,
    /// The kernel killed it for want of memory: of a control group's, if that is known.
    pub oom_kill: Option<Option<bool>>,
    /// The course.
    pub timeline: Curve<Point, TIMELINE_POINTS>,
    /// CPU time used so far, ns.
    pub cpu: Curve<u64, CPU_POINTS>,
    /// When its memory changed last.
    pub changed: TraceTime,
    /// Where its working life may have ended.
    tide: Tide,
    /// Where it did.
    pub life: Option<WorkingLife>,
    /// What lived at the tide and was given back since, as it was in the end: see [`MOST_FALLEN`].
    fallen: Vec<Located>,
    /// Every site, in the order of appearance.
    pub sites: Vec<SiteAccount>,
    /// This was only the moment between fork and exec of a launch: nothing of its own.
    pub is_launch_stub: bool,
    /// Sites, reservations and timeline were given up: too many processes have ended.
    pub is_condensed: bool,
    /// Of the sites given up: what calls took with each stack.
    condensed: Box<[StackCalls]>,
    by_key: HashMap<SiteKey, u32>,
    touched: u64,
}

/// How and when a run ended.
#[derive(Clone, Copy, Debug)]
pub struct RunEnd {
    /// When.
    pub time: TraceTime,
    /// `None`: it began another program.
    pub exit: Option<Exit>,
}

/// Calls that took memory with one stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackCalls {
    /// Their stack.
    pub stack: StackId,
    /// How many.
    pub calls: u64,
    /// What they took, bytes.
    pub bytes: u64,
}

/// What was seen of a run's address space: in the end, or now.
#[derive(Clone, Debug, Default)]
pub struct Sight {
    /// What lives, if it is the run's own.
    pub living: Vec<Located>,
    /// Bytes in the ledger.
    pub mapped_bytes: u64,
    /// The kernel's figure.
    pub kernel_bytes: Option<u64>,
    /// How the ledger stood against the kernel.
    pub checks: Checks,
    /// The run's own ledger is not sure of itself.
    pub is_in_doubt: bool,
}

/// A living reservation and where it is accounted.
#[derive(Clone, Debug)]
pub struct Located {
    /// What is left of it.
    pub left: LivingReservation,
    /// Index into [`Run::sites`]; `None`: its birth was never told.
    pub site: Option<u32>,
    /// When it was born; `None`: before tracing.
    pub born: Option<TraceTime>,
    /// See [`crate::accounts::spaces::Accounted::after`].
    pub after: u64,
}

/// Resident size by samples.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResidentFigures {
    /// How often it was sampled.
    pub samples: u64,
    /// First, most, last.
    pub span: Span,
    /// `VmHWM` in the first sample.
    first_mark: u64,
}

impl Run {
    /// A run that begins.
    #[must_use]
    pub fn new(
        pid: Pid,
        parent: Pid,
        space: SpaceId,
        identity: Identity,
        first: TraceTime,
    ) -> Self {
        Self {
            pid,
            parent,
            space,
            identity,
            first,
            from_start: false,
            end: None,
            last_sight: None,
            unseen_bytes: None,
            start_bytes: None,
            peak_bytes: 0,
            resident: ResidentFigures::default(),
            standing: Standing::default(),
            pages: Pages::default(),
            group: None,
            group_until: None,
            forked_from: None,
            children: Vec::new(),
            kernel_bytes: None,
            blind: None,
            shown: None,
            refusals: Refusals::default(),
            splits: BTreeMap::new(),
            oom_kill: None,
            timeline: Curve::default(),
            cpu: Curve::default(),
            changed: first,
            tide: Tide::new(first),
            life: None,
            fallen: Vec::new(),
            sites: Vec::new(),
            is_launch_stub: false,
            is_condensed: false,
            condensed: Box::default(),
            by_key: HashMap::new(),
            touched: 0,
        }
    }

    /// The account for a key, begun at `time` if there is none.
    pub fn site(&mut self, key: SiteKey, time: TraceTime) -> u32 {
        *self.by_key.entry(key).or_insert_with(|| {
            self.sites.push(SiteAccount::new(key, time));
            u32::try_from(self.sites.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// The account of a site that is about to change by this; and, if that comes after the last high tide, which
    /// tide that was (else 0).
    pub fn turn(
        &mut self,
        site: u32,
        time: TraceTime,
        difference: Difference,
    ) -> Option<(&mut SiteAccount, u64)> {
        let stand = self.stand();
        let is_high = self.tide.change(time, difference, stand);
        if is_high {
            self.fallen.clear();
        }
        let account = self.sites.get_mut(site as usize)?;
        if is_high {
            return Some((account, 0));
        }
        let epoch = self.tide.epoch();
        account.ebbs(epoch);
        Some((account, epoch))
    }

    /// The last byte of a reservation was given back; it was as said before.
    pub fn fell(&mut self, fallen: impl FnOnce() -> Option<Located>, after: u64) {
        if after != self.tide.epoch() && self.fallen.len() < MOST_FALLEN {
            self.fallen.extend(fallen());
        }
    }

    /// How it stands.
    fn stand(&self) -> Stand {
        Stand {
            resident: (self.resident.samples > 0).then_some(self.resident.span.end),
            mappings: self.standing.mappings.map(|used| used.end),
        }
    }

    /// Its working life: until it ended, or `now`.
    #[must_use]
    pub fn working_life(&self, now: TraceTime) -> WorkingLife {
        self.life.unwrap_or_else(|| WorkingLife {
            until: now,
            tide: None,
            freed_bytes: 0,
            stand: self.stand(),
        })
    }

    /// Bytes mapped, given those the ledger knows; `None` while that is not enough to tell.
    #[must_use]
    pub fn mapped(&self, ledger_bytes: u64) -> Option<u64> {
        Some(ledger_bytes + self.unseen_bytes?)
    }

    /// The address space changed.
    pub fn progressed(&mut self, time: TraceTime, ledger: SpaceBytes) {
        self.touched = ledger.touched;
        let Some(mapped) = self.mapped(ledger.mapped) else {
            return;
        };
        self.start_bytes.get_or_insert(mapped);
        self.peak_bytes = self.peak_bytes.max(mapped);
        self.timeline.record(
            time.max(self.first),
            Point {
                mapped,
                resident: self.resident.span.end,
                touched: ledger.touched,
            },
        );
    }

    /// The kernel's periodic figures.
    pub fn sampled(&mut self, time: TraceTime, sample: Sample, ledger_bytes: u64) {
        self.resident
            .add(sample.resident_bytes, sample.resident_peak_bytes);
        self.kernel_bytes = Some(sample.virtual_bytes);
        if let Some(maps) = sample.maps {
            self.standing.mapped(time, u64::from(maps));
        }
        let ledger = SpaceBytes {
            mapped: ledger_bytes,
            touched: self.touched,
        };
        self.progressed(time, ledger);
    }

    /// The kernel's word of what it uses.
    pub fn used(&mut self, time: TraceTime, usage: &Usage) {
        if let Some(cpu_ns) = usage.cpu_ns {
            self.cpu.record(time, cpu_ns);
        }
    }

    /// Ends the run; what is of no use for a report is given up.
    pub fn end(&mut self, end: RunEnd) {
        self.end = Some(end);
        self.end_working_life(end.time);
        self.is_launch_stub = end.exit.is_none()
            && self.sites.iter().all(|site| site.calls == 0)
            && self.refusals.groups().is_empty();
        if self.is_launch_stub {
            self.condense();
        }
        self.by_key = HashMap::new();
    }

    /// What lived is what lived at the tide.
    fn end_working_life(&mut self, time: TraceTime) {
        let mut life = self.tide.ended(time, self.stand());
        let fallen = std::mem::take(&mut self.fallen);
        self.tide = Tide::new(self.first);
        match (&mut self.last_sight, life.tide) {
            (Some(sight), Some(tide)) => {
                sight.living.retain(|one| one.after != tide.epoch);
                sight.living.extend(fallen);
            }
            // Its end was lost: how it stood then is not known.
            (None, _) => life.tide = None,
            (Some(_), None) => {}
        }
        self.life = Some(life);
    }

    /// What calls took with each stack.
    pub fn stack_calls(&self) -> impl Iterator<Item = StackCalls> {
        let of_sites = self.sites.iter().filter_map(|site| match site.key {
            SiteKey::Called(stack) => Some(StackCalls {
                stack,
                calls: site.calls,
                bytes: site.taken,
            }),
            _ => None,
        });
        self.condensed.iter().copied().chain(of_sites)
    }

    /// Keeps only the figures of the whole.
    pub fn condense(&mut self) {
        self.condensed = self.stack_calls().collect();
        self.is_condensed = true;
        self.sites = Vec::new();
        self.timeline = Curve::default();
        self.standing.condense();
        self.pages.condense();
        self.cpu = Curve::default();
        self.shown = None;
        if let Some(sight) = &mut self.last_sight {
            sight.living = Vec::new();
        }
    }
}

impl ResidentFigures {
    fn add(&mut self, now: u64, mark: u64) {
        if self.samples == 0 {
            self.span.start = now;
            self.first_mark = mark;
        }
        self.samples += 1;
        self.span.end = now;
        self.span.peak = self.span.peak.max(now);
        // A mark from before the first sample is not of this trace.
        if mark > self.first_mark {
            self.span.peak = self.span.peak.max(mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ResidentFigures, Run};
    use crate::accounts::spaces::SpaceBytes;
    use crate::accounts::time::TraceTime;
    use tracer_ledger::event::{Identity, Pid, SpaceId};

    #[test]
    fn a_high_water_mark_from_before_the_trace_is_not_its_peak() {
        let mut figures = ResidentFigures::default();
        figures.add(10, 50);
        figures.add(12, 50);
        assert_eq!(figures.span.peak, 12);
        figures.add(11, 60);
        assert_eq!(figures.span.peak, 60);
    }

    #[test]
    fn before_the_maps_were_read_no_size_is_made_up() {
        let mut run = Run::new(
            Pid(1),
            Pid(0),
            SpaceId(1),
            Identity::default(),
            TraceTime(0),
        );
        let mapped = |mapped| SpaceBytes { mapped, touched: 0 };
        run.progressed(TraceTime(5), mapped(4096));
        assert!(run.timeline.points().is_empty() && run.start_bytes.is_none());
        run.unseen_bytes = Some(0);
        run.progressed(TraceTime(6), mapped(8192));
        assert_eq!((run.start_bytes, run.peak_bytes), (Some(8192), 8192));
    }
}
