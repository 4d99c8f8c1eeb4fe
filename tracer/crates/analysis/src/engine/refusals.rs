//! What the kernel refused, into the accounts of its run; and from these into the model.

use std::collections::HashMap;

use crate::Analysis;
use crate::accounts::run::Run;
use crate::accounts::tide::WorkingLife;
use crate::engine::draft::SiteDraft;
use crate::model::ending::{Ending, OomKill as Whose};
use crate::model::refused::{RefusalCause, Refused as Row};
use crate::model::summary::Exit;
use crate::refusals::cause::cause;
use crate::refusals::told::{self, STACK_GROWTH, Told};
use tracer_ledger::event::{Call, OomKill, Pid, Refused, RefusedAgain, Split, StackId};

/// Places that are known at a time: a hostile process could make any number.
const MOST_PLACES: usize = 1 << 16;
/// Stacks of one run whose splits are counted.
const MOST_SPLITTERS: usize = 256;
/// `SIGSEGV`.
const SEGMENTATION_FAULT: u8 = 11;

/// Where the refusals of one place ([`Refused::place`]) are counted.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    run: usize,
    group: usize,
    /// So many are.
    counted: u64,
}

impl Analysis {
    pub(super) fn refused(&mut self, refused: &Refused) {
        self.doing(refused.stamp.time);
        let time = self.relative(refused.stamp.time);
        let Some(cause) = cause(refused, self.started.page_bytes) else {
            return;
        };
        let Some(&run) = self.current.get(&refused.stamp.pid) else {
            return;
        };
        let group = self.runs[run].refusals.refused(refused, cause, time);
        if self.places.len() >= MOST_PLACES && !self.places.contains_key(&refused.place) {
            let runs = &self.runs;
            self.places.retain(|_, place| runs[place.run].end.is_none());
        }
        let place = self.places.entry(refused.place).or_insert(Place {
            run,
            group,
            counted: 0,
        });
        (place.run, place.group) = (run, group);
        place.counted += 1;
    }

    pub(super) fn refused_again(&mut self, again: &RefusedAgain) {
        self.at(again.time);
        let last = self.relative(again.last);
        if let Some(place) = self.places.get_mut(&again.place) {
            let more = again.count.saturating_sub(place.counted);
            place.counted += more;
            self.runs[place.run].refusals.again(place.group, more, last);
        }
    }

    /// A call worked: perhaps one that had been refused before.
    pub(super) fn worked(&mut self, call: &Call) {
        let time = self.relative(call.stamp.time);
        if let Some(&run) = self.current.get(&call.stamp.pid) {
            self.runs[run].refusals.worked(call, time);
        }
    }

    /// A process has made a thread, or another process.
    pub(super) fn made_task(&mut self, pid: Pid, thread: bool) {
        let time = self.relative(self.now);
        if let Some(&run) = self.current.get(&pid) {
            self.runs[run].refusals.made_task(thread, time);
        }
    }

    pub(super) fn split(&mut self, split: &Split) {
        self.doing(split.stamp.time);
        let Some(&run) = self.current.get(&split.stamp.pid) else {
            return;
        };
        let splits = &mut self.runs[run].splits;
        if splits.len() < MOST_SPLITTERS || splits.contains_key(&split.stack) {
            *splits.entry(split.stack).or_default() += u64::from(split.more);
        }
    }

    pub(super) fn killed_for_want_of_memory(&mut self, kill: &OomKill) {
        self.at(kill.time);
        if let Some(&run) = self.current.get(&kill.pid) {
            self.runs[run].oom_kill = Some(kill.by_group);
        }
    }

    /// How a run ended; `None`: it has not, or it began another program.
    pub(super) fn ending(&self, run: &Run, life: &WorkingLife) -> Option<Ending> {
        let end = run.end?;
        let (code, signal) = match end.exit? {
            Exit::Code(code) => (Some(code), None),
            Exit::Signal(signal) => (None, Some(signal)),
        };
        let limited = run.identity.limits.cgroup_memory_max_bytes.is_some();
        let oom_kill = run
            .oom_kill
            .map(|by_group| match by_group.unwrap_or(limited) {
                true => Whose::Cgroup,
                false => Whose::Machine,
            });
        Some(Ending {
            began_ns: life.until.0,
            freed_bytes: life.freed_bytes,
            code,
            signal,
            oom_kill,
        })
    }

    /// What was refused, with the sites where it was called; how many were refused at each, and how many mappings it
    /// has made by splitting, is filled in.
    pub(super) fn told(
        &self,
        run: &Run,
        sites: &mut [SiteDraft<'_>],
        ending: Option<&Ending>,
    ) -> Vec<Told> {
        let groups = run.refusals.groups();
        let ended = ending
            .zip(run.end)
            .map(|(ending, end)| (ending, end.time.0));
        let mut all = Vec::new();
        if !groups.is_empty() || !run.splits.is_empty() {
            let by_identity: HashMap<_, usize> = sites
                .iter()
                .enumerate()
                .filter(|(_, one)| !one.site.pre_existing && !one.site.frames.is_empty())
                .map(|(at, one)| (self.stacks.identity(one.group.stack), at))
                .collect();
            let at = |stack: StackId| by_identity.get(&self.stacks.identity(stack)).copied();
            let made: Vec<(usize, u64)> = run
                .splits
                .iter()
                .filter_map(|(&stack, &more)| Some((at(stack)?, more)))
                .collect();
            let ids = |stack| at(stack).map(|at| sites[at].site.id);
            let by = |id| sites.iter().find(|one| one.site.id == id)?.called.who();
            all = told::told(groups, ids, by, ended);
            for row in all.iter().map(|one| &one.row) {
                let of_row = |one: &&mut SiteDraft<'_>| Some(one.site.id) == row.site;
                if let Some(one) = sites.iter_mut().find(of_row) {
                    one.site.refused += row.count;
                }
            }
            for (at, more) in made {
                let site = &mut sites[at].site;
                *site.mappings.get_or_insert(site.live) += more;
            }
        }
        if let Some((ending, end)) = ended {
            all.extend(self.stack_overflow(run, ending, end));
        }
        told::sort(&mut all);
        all
    }

    /// It died of a fault while its stack was about as large as it may be (`acct_stack_growth` in `mm/mmap.c`).
    fn stack_overflow(&self, run: &Run, ending: &Ending, end: u64) -> Option<Told> {
        let standing = &run.standing;
        let limit = standing.limits?.stack_bytes.filter(|limit| *limit > 0)?;
        let used = standing.stack.end;
        let full = used >= limit - limit / 16;
        (full && ending.signal == Some(SEGMENTATION_FAULT)).then(|| Told {
            row: Row {
                call: STACK_GROWTH.into(),
                errno: "ENOMEM".into(),
                cause: RefusalCause::RlimitStack,
                limit: Some(limit),
                used: Some(used),
                count: 1,
                first_ns: end,
                last_ns: end,
                ended_after: true,
                ..Row::default()
            },
            outstanding: true,
        })
    }
}
