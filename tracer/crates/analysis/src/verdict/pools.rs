//! Sites that take memory for one pool of a known kind, together: what a garbage collector takes at one
//! place it gives back at another, so that a single site of its heap says nothing of the heap.

use crate::accounts::merge::{SiteGroup, sum_of_courses};
use crate::accounts::run::Run;
use crate::accounts::site::LiveBytes;
use crate::accounts::time::TraceTime;
use crate::model::summary::Trend;
use crate::verdict::trend::{Course, grows_steadily, later_growth, trend};
use crate::verdict::work::Work;

/// The course of some sites together.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Of the reserved bytes.
    pub trend: Trend,
    /// The reserved bytes rise in every part of its time.
    pub grows_steadily: bool,
    /// More and more of it is accessible, until the end.
    pub accessible_steadily: bool,
    /// More and more of it is touched, until the end, and somebody followed that.
    pub touched_steadily: bool,
    /// By how much the later half of its time went above the earlier one, bytes.
    pub later_growth: u64,
    /// Calls that reserved.
    pub calls: u64,
    /// Reservations given back entirely.
    pub released: u64,
}

impl Pool {
    /// Of these groups of a run.
    pub fn of(
        run: &Run,
        groups: &[&SiteGroup<'_>],
        (end, work): (TraceTime, Option<&Work>),
        faults_followed: bool,
    ) -> Self {
        let courses: Vec<_> = groups.iter().map(|one| one.history.as_slice()).collect();
        let course_of = sum_of_courses(&courses);
        let points = |figure: fn(LiveBytes) -> u64| -> Vec<(u64, u64)> {
            let points = course_of.iter();
            points.map(|&(time, live)| (time.0, figure(live))).collect()
        };
        let reserved = points(|live| live.reserved);
        let accessible = points(|live| live.accessible);
        let touched = points(|live| live.touched);
        let of_reserved = Course {
            points: &reserved,
            calls: groups.iter().map(|one| one.calls).sum(),
            released: groups.iter().map(|one| one.ended).sum(),
            first: groups.iter().map(|one| one.first.0).min().unwrap_or(0),
            last: groups.iter().map(|one| one.last.0).max().unwrap_or(0),
            began: run.first.0,
            end: end.0,
            work,
        };
        let of_accessible = Course {
            points: &accessible,
            ..of_reserved
        };
        let of_touched = Course {
            points: &touched,
            ..of_reserved
        };
        Self {
            trend: trend(of_reserved),
            grows_steadily: grows_steadily(of_reserved),
            accessible_steadily: grows_steadily(of_accessible),
            touched_steadily: faults_followed && grows_steadily(of_touched),
            later_growth: later_growth(of_reserved),
            calls: of_reserved.calls,
            released: of_reserved.released,
        }
    }

    /// Its level rises, or more and more of it is touched.
    pub fn is_growing(&self) -> bool {
        self.trend == Trend::Growing || self.touched_steadily
    }
}
