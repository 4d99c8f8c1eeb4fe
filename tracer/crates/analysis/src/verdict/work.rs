//! When a process worked, by the CPU time that it used: a clock that stands while the process does not work, so that
//! neither an idle tail nor a slow machine changes how it grows.
//!
//! What is work depends on what grows: where less than a tenth of the CPU time is used that was used while it grew,
//! nothing goes on of what made it grow.

use crate::accounts::time::TraceTime;

/// Windows are no shorter, ns: samples are few.
const SHORTEST: u64 = 500_000_000;
/// Nor more of them in a life.
const MOST: u64 = 200;
/// A shorter growth does not tell at what rate the process works, ns.
const TOO_SHORT: u64 = 500_000_000;

/// The CPU time that a process used in each window of its working life, ns.
#[derive(Clone, Debug)]
pub struct Work {
    began: u64,
    end: u64,
    window: u64,
    /// CPU time used since [`Work::began`] at each window's beginning, and at the end of the last.
    used: Vec<u64>,
}

impl Work {
    /// Of a life from `began` to `end` (ns), by what was used in all at some moments; `None`: that is not known.
    #[must_use]
    pub fn of(points: &[(TraceTime, u64)], began: u64, end: u64) -> Option<Self> {
        let life = end.saturating_sub(began);
        let first = points.first()?;
        if points.len() < 2 || life == 0 {
            return None;
        }
        let window = SHORTEST.max(life / MOST);
        let windows = life.div_ceil(window);
        let mark = |number: u64| began.saturating_add(number * window).min(end);
        let used = (0..=windows)
            .map(|number| between(points, mark(number)).saturating_sub(first.1))
            .collect();
        Some(Self {
            began,
            end,
            window,
            used,
        })
    }

    fn used_by(&self, time: u64) -> u64 {
        let time = time.clamp(self.began, self.end) - self.began;
        let number = (time / self.window) as usize;
        let last = self.used.len() - 1;
        let (from, to) = (
            self.used[number.min(last)],
            self.used[(number + 1).min(last)],
        );
        let share = u128::from(to - from) * u128::from(time % self.window);
        from + (share / u128::from(self.window)) as u64
    }

    /// The clock of what has this course (ns, bytes), of which the first call was at `first`.
    #[must_use]
    pub fn clock(&self, points: &[(u64, u64)], first: u64) -> Clock {
        let (from, to) = rise(points, first).unwrap_or((self.began, self.end));
        let (from, to) = if to - from < TOO_SHORT {
            (self.began, self.end)
        } else {
            (from, to)
        };
        let used = u128::from(self.used_by(to) - self.used_by(from));
        let time = u128::from(to - from).max(1);
        let mut before = vec![0];
        let mut idle_since = self.began;
        for (number, pair) in (0..).zip(self.used.windows(2)) {
            let start = self.began + number * self.window;
            let length = self.window.min(self.end - start);
            let used_here = u128::from(pair[1] - pair[0]);
            let works = used_here > 0 && used_here * 10 * time >= used * u128::from(length);
            if works {
                idle_since = start + length;
            }
            before.push(before[before.len() - 1] + if works { length } else { 0 });
        }
        Clock {
            began: self.began,
            end: self.end,
            window: self.window,
            before,
            idle_since,
        }
    }
}

/// From when to when a course has risen from a twentieth to nineteen of what it rose in all; `None`: it did not.
fn rise(points: &[(u64, u64)], first: u64) -> Option<(u64, u64)> {
    let start = points.iter().rfind(|point| point.0 <= first)?.1;
    let peak = points.iter().map(|point| point.1).max()?;
    let rise = peak.checked_sub(start).filter(|rise| *rise > 0)?;
    let reached = |level: u64| {
        let mut after = points.iter().filter(|point| point.0 >= first);
        after.find(|point| point.1 >= level).map(|point| point.0)
    };
    let from = reached(start + rise / 20)?;
    let to = reached(start + rise - rise / 20)?;
    Some((from, to.max(from)))
}

/// What was used by a moment, between two that are known.
fn between(points: &[(TraceTime, u64)], time: u64) -> u64 {
    let after = points.partition_point(|point| point.0.0 <= time);
    let Some(&(from, used)) = after.checked_sub(1).and_then(|at| points.get(at)) else {
        return points.first().map_or(0, |point| point.1);
    };
    let Some(&(to, more)) = points.get(after) else {
        return used;
    };
    let share = u128::from(more.saturating_sub(used)) * u128::from(time - from.0);
    used + (share / u128::from(to.since(from).max(1))) as u64
}

/// The time that a process has worked.
#[derive(Clone, Debug)]
pub struct Clock {
    began: u64,
    end: u64,
    window: u64,
    /// Time worked before each window, and in all.
    before: Vec<u64>,
    /// When it worked last, ns since the trace began.
    pub idle_since: u64,
}

impl Clock {
    /// For how long it had worked by then, ns.
    #[must_use]
    pub fn at(&self, time: u64) -> u64 {
        let time = time.clamp(self.began, self.end) - self.began;
        let number = (time / self.window) as usize;
        let last = self.before.len() - 1;
        let (from, to) = (
            self.before[number.min(last)],
            self.before[(number + 1).min(last)],
        );
        from + (to - from).min(time % self.window)
    }
}

#[cfg(test)]
mod tests {
    use super::{Work, rise};
    use crate::accounts::time::TraceTime;

    const SECOND: u64 = 1_000_000_000;

    /// A fifth of a CPU for 10 s, nothing for 40 s, and the same again for 10 s.
    fn work() -> Work {
        let used = |fifth: u64| (fifth.min(50) + fifth.saturating_sub(250)) * SECOND / 25;
        let points: Vec<_> = (0..=300)
            .map(|fifth| (TraceTime(fifth * SECOND / 5), used(fifth)))
            .collect();
        Work::of(&points, 0, 60 * SECOND).unwrap()
    }

    #[test]
    fn the_clock_stands_while_the_process_does() {
        let points: Vec<_> = (0..10).map(|s| (s * SECOND, s)).collect();
        let clock = work().clock(&points, 0);
        let at = |second: u64| (clock.at(second * SECOND) + SECOND / 2) / SECOND;
        assert!(at(5).abs_diff(5) <= 1 && at(10).abs_diff(10) <= 1);
        assert_eq!(at(10).max(at(12)), at(49));
        assert!(at(60).abs_diff(20) <= 1, "{}", at(60));
        assert_eq!(clock.idle_since, 60 * SECOND);
    }

    #[test]
    fn a_little_work_is_none_beside_what_made_it_grow() {
        let used =
            |fifth: u64| SECOND / 5 * fifth.min(50) + SECOND / 100 * fifth.saturating_sub(50);
        let points: Vec<_> = (0..=300)
            .map(|fifth| (TraceTime(fifth * SECOND / 5), used(fifth)))
            .collect();
        let work = Work::of(&points, 0, 60 * SECOND).unwrap();
        let leak: Vec<_> = (0..10).map(|s| (s * SECOND, s)).collect();
        let clock = work.clock(&leak, 0);
        assert_eq!(clock.idle_since, 10 * SECOND);
        assert_eq!(clock.at(60 * SECOND), 10 * SECOND);
    }

    #[test]
    fn without_figures_there_is_no_clock() {
        assert!(Work::of(&[], 0, SECOND).is_none());
        assert!(Work::of(&[(TraceTime(0), 7)], 0, SECOND).is_none());
    }

    #[test]
    fn a_rise_is_from_a_twentieth_to_nineteen() {
        let points: Vec<_> = (0..=100).map(|s| (s, s)).collect();
        assert_eq!(rise(&points, 0), Some((5, 95)));
        assert_eq!(rise(&[(0, 7), (9, 7)], 0), None);
    }
}
