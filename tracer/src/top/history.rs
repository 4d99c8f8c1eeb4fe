//! The past that one can step back into: the newest moments densely, older ones the thinner the older,
//! within a bound of memory. Stacks repeat from moment to moment and within one: packed (JSON, zstd) a moment
//! takes a small part of what it takes laid out. What has ended stays as it is: it is kept once, in the newest.

use std::{collections::HashMap, mem::size_of, sync::Arc};

use tracer_analysis::summary::{Process, Report, Reservation, Site};
use tracer_ledger::event::Frame;

/// The most moments.
const MOST: usize = 120;
/// Between two that are kept, at the least, ns.
const APART: u64 = 1_000_000_000;
/// Of a report of so many bytes: packing a larger one takes longer, and is done as much less often.
const QUICK: u64 = 8 << 20;
/// What comes late of a process that has ended has come by then, ns.
const SETTLED: u64 = 5_000_000_000;
/// zstd's quickest that is worth it.
const LEVEL: i32 = 1;
/// What a string or a small list takes besides its place in a struct, bytes: a guess.
const STRING: usize = 48;

/// A report as it was at a moment.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Rises from moment to moment.
    pub number: u64,
    /// All that was known.
    pub report: Arc<Report>,
}

impl Moment {
    /// When that was, ns since the trace began.
    #[must_use]
    pub fn t_ns(&self) -> u64 {
        self.report.duration_ns
    }
}

#[derive(Debug)]
struct PackedMoment {
    number: u64,
    t_ns: u64,
    packed: Vec<u8>,
}

/// See the module.
#[derive(Debug)]
pub struct History {
    /// Oldest first.
    kept: Vec<PackedMoment>,
    newest: Option<Moment>,
    next: u64,
    limit: u64,
}

impl History {
    /// Keeps at most about so many bytes, and the newest moment besides.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self {
            kept: Vec::new(),
            newest: None,
            next: 0,
            limit,
        }
    }

    /// Adds the newest; `pinned` is not thinned out.
    pub fn push(&mut self, report: Arc<Report>, pinned: Option<u64>) {
        let newest = Moment {
            number: self.next,
            report,
        };
        self.next += 1;
        if let Some(last) = self.newest.replace(newest) {
            self.keep(&last, pinned);
        }
    }

    fn keep(&mut self, moment: &Moment, pinned: Option<u64>) {
        let apart = APART * (weight(&moment.report) / QUICK).max(1);
        let close = self
            .kept
            .last()
            .is_some_and(|last| moment.t_ns() < last.t_ns.saturating_add(apart));
        if close && pinned != Some(moment.number) {
            return;
        }
        let Some(packed) = pack(&moment.report) else {
            return;
        };
        self.kept.push(PackedMoment {
            number: moment.number,
            t_ns: moment.t_ns(),
            packed,
        });
        while self.kept.len() >= MOST || self.bytes() > self.limit {
            let Some(least) = self.least(pinned) else {
                return;
            };
            self.kept.remove(least);
        }
    }

    /// The one that is missed least: close to its neighbours, seen from how long ago it was. Not the pinned
    /// one, and the first only if there is no other.
    fn least(&self, pinned: Option<u64>) -> Option<usize> {
        let newest = self.newest.as_ref()?.t_ns();
        let missed = |index: usize| {
            let at = |index: usize| self.kept.get(index).map_or(newest, |kept| kept.t_ns);
            let gap = at(index + 1).saturating_sub(at(index.saturating_sub(1)));
            let age = newest.saturating_sub(at(index)).max(1);
            u128::from(gap) * 1_000_000 / u128::from(age)
        };
        (0..self.kept.len())
            .filter(|index| Some(self.kept[*index].number) != pinned)
            .min_by_key(|index| (*index == 0, missed(*index)))
    }

    /// What those that are packed take, bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.kept.iter().map(|kept| kept.packed.len() as u64).sum()
    }

    /// Number and time (ns) of each, oldest first.
    pub fn moments(&self) -> impl DoubleEndedIterator<Item = (u64, u64)> {
        let kept = self.kept.iter().map(|kept| (kept.number, kept.t_ns));
        let newest = self.newest.iter();
        kept.chain(newest.map(|moment| (moment.number, moment.t_ns())))
    }

    /// The newest.
    #[must_use]
    pub fn newest(&self) -> Option<&Moment> {
        self.newest.as_ref()
    }

    /// The one of that number, if it is kept.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<Moment> {
        if let Some(newest) = self
            .newest
            .as_ref()
            .filter(|newest| newest.number == number)
        {
            return Some(newest.clone());
        }
        let kept = self.kept.iter().find(|kept| kept.number == number)?;
        let mut report = unpack(&kept.packed)?;
        if let Some(newest) = &self.newest {
            restore(&mut report, &newest.report);
        }
        Some(Moment {
            number,
            report: Arc::new(report),
        })
    }

    /// The one so many steps after (or before) that number; the last (or first) if there are not as many.
    #[must_use]
    pub fn step(&self, number: u64, steps: isize) -> Option<u64> {
        let numbers: Vec<u64> = self.moments().map(|(number, _)| number).collect();
        let at = numbers.iter().position(|one| *one >= number)?;
        let to = at.saturating_add_signed(steps);
        numbers.get(to.min(numbers.len() - 1)).copied()
    }

    /// The last one at that time or before, else the first.
    #[must_use]
    pub fn at(&self, t_ns: u64) -> Option<u64> {
        let before = self.moments().rfind(|(_, at)| *at <= t_ns);
        let (number, _) = before.or(self.moments().next())?;
        Some(number)
    }
}

/// Whether a process had ended for so long that nothing is heard of it any more.
fn is_settled(process: &Process, report: &Report) -> bool {
    process.exit.is_some() && process.last_ns.saturating_add(SETTLED) < report.duration_ns
}

/// Of what had ended no more than who it was.
fn without_ended(report: &Report) -> Report {
    let processes = report.processes.iter().map(|process| {
        if !is_settled(process, report) {
            return process.clone();
        }
        Process {
            pid: process.pid,
            ppid: process.ppid,
            comm: process.comm.clone(),
            first_ns: process.first_ns,
            last_ns: process.last_ns,
            exit: process.exit,
            ..Process::default()
        }
    });
    Report {
        processes: processes.collect(),
        modules: report.modules.clone(),
        host: report.host.clone(),
        schema: report.schema.clone(),
        tracer_version: report.tracer_version.clone(),
        started_at: report.started_at.clone(),
        failed_calls: report.failed_calls.clone(),
        stacks: report.stacks.clone(),
        ..*report
    }
}

/// Takes what had ended from a later report.
fn restore(report: &mut Report, newest: &Report) {
    let all = newest.processes.iter();
    let known: HashMap<(u32, u64), &Process> = all
        .map(|process| ((process.pid, process.first_ns), process))
        .collect();
    for index in 0..report.processes.len() {
        let process = &report.processes[index];
        let later = known.get(&(process.pid, process.first_ns));
        if let Some(later) = later.filter(|_| is_settled(process, report)) {
            report.processes[index] = (*later).clone();
        }
    }
}

fn pack(report: &Report) -> Option<Vec<u8>> {
    let text = serde_json::to_vec(&without_ended(report)).ok()?;
    zstd::bulk::compress(&text, LEVEL).ok()
}

fn unpack(packed: &[u8]) -> Option<Report> {
    let text = zstd::stream::decode_all(packed).ok()?;
    serde_json::from_slice(&text).ok()
}

/// About what of a report is packed takes in memory, bytes.
fn weight(report: &Report) -> u64 {
    let frames = |frames: &[Frame]| frames.len() * (size_of::<Frame>() + 2 * STRING);
    let site = |site: &Site| {
        let touchers: usize = site.touch_sites.iter().map(|one| frames(&one.frames)).sum();
        let pattern = site.pattern.as_ref().map_or(0, |_| 12 * STRING);
        size_of::<Site>() + frames(&site.frames) + touchers + pattern + site.timeline.len() * 32
    };
    let process = |process: &Process| {
        let sites: usize = process.sites.iter().map(site).sum();
        let reservations = process.reservations.len() * (size_of::<Reservation>() + 2 * STRING);
        size_of::<Process>() + sites + reservations + process.timeline.len() * 32
    };
    let all = report.processes.iter();
    let packed = all.filter(|process| !is_settled(process, report));
    packed.map(process).sum::<usize>() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracer_analysis::summary::Exit;

    fn at(seconds: u64) -> Arc<Report> {
        Arc::new(Report {
            duration_ns: seconds * 1_000_000_000,
            processes: vec![Process::default()],
            ..Report::default()
        })
    }

    #[test]
    fn an_hour_is_kept_in_a_hundred_and_twenty_moments_the_newer_the_denser() {
        let mut history = History::new(u64::MAX);
        for second in 0..3600 {
            history.push(at(second), None);
        }
        let seconds: Vec<u64> = history
            .moments()
            .map(|(_, t_ns)| t_ns / 1_000_000_000)
            .collect();
        assert_eq!(seconds.len(), MOST);
        assert!(seconds.is_sorted());
        assert_eq!(seconds[0], 0, "{seconds:?}");
        let since = |from: u64| seconds.iter().filter(|second| **second >= from).count();
        assert!(since(3540) > 15, "the last minute: {seconds:?}");
        assert!(
            since(3000) > since(3540) + 15,
            "nine before it: {seconds:?}"
        );
    }

    #[test]
    fn what_was_packed_comes_back_as_it_was() {
        let mut history = History::new(u64::MAX);
        history.push(at(1), None);
        history.push(at(2), None);
        assert_eq!(history.get(0).map(|moment| moment.report), Some(at(1)));
        assert_eq!(history.get(7).map(|moment| moment.number), None);
    }

    #[test]
    fn what_has_ended_is_kept_once_and_comes_back_with_any_moment() {
        let at = |seconds: u64, ended: u64| {
            let ended = (0..ended).map(|pid| Process {
                pid: u32::try_from(pid).unwrap(),
                exit: Some(Exit::Code(0)),
                // Nothing that repeats.
                exe: (pid * 40..pid * 40 + 40)
                    .map(|number| format!("{:x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
                    .collect(),
                ..Process::default()
            });
            let mut report = Report::clone(&at(seconds));
            report.processes.extend(ended);
            Arc::new(report)
        };
        let kept = |ended| {
            let mut history = History::new(u64::MAX);
            history.push(at(10, ended), None);
            history.push(at(20, ended), None);
            history
        };
        assert_eq!(kept(50).get(0).map(|one| one.report), Some(at(10, 50)));
        let grown = kept(500).bytes() - kept(1).bytes();
        assert!(grown < 499 * 40, "{grown} bytes for 499 that have ended");
    }

    #[test]
    fn memory_is_bounded_and_what_is_pinned_stays() {
        let one = pack(&at(10)).map_or(0, |packed| packed.len() as u64 + 10);
        let mut history = History::new(10 * one);
        for second in 0..100 {
            history.push(at(second), Some(3));
        }
        assert!(history.bytes() <= 10 * one);
        assert!(history.get(3).is_some());
        assert_eq!(history.newest().map(|moment| moment.number), Some(99));
    }

    #[test]
    fn of_many_in_a_second_one_is_kept() {
        let mut history = History::new(u64::MAX);
        for step in 0..100 {
            let report = Report {
                duration_ns: step * 100_000_000,
                ..Report::default()
            };
            history.push(Arc::new(report), None);
        }
        assert_eq!(history.moments().count(), 11);
    }

    #[test]
    fn the_newest_is_there_however_little_may_be_kept() {
        let mut history = History::new(1);
        history.push(at(1), None);
        history.push(at(2), None);
        assert_eq!(history.moments().collect::<Vec<_>>(), [(1, 2_000_000_000)]);
        assert_eq!(history.at(0), Some(1));
    }

    #[test]
    fn steps_end_at_both_ends() {
        let mut history = History::new(u64::MAX);
        for second in 0..5 {
            history.push(at(second), None);
        }
        assert_eq!(history.step(2, -1), Some(1));
        assert_eq!(history.step(2, 1), Some(3));
        assert_eq!(history.step(0, -1), Some(0));
        assert_eq!(history.step(4, 1), Some(4));
    }
}
