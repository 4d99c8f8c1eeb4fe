//! How a run stands to what limits it, from its accounts: what [`harm`](crate::verdict::harm) judges.

use crate::Analysis;
use crate::accounts::groups::GroupPoint;
use crate::accounts::run::Run;
use crate::accounts::standing::Used;
use crate::accounts::time::TraceTime;
use crate::model::limits::GroupUse;
use crate::model::summary::Process;
use crate::verdict::harm::{Counted, GroupPosition, Growth, Position};
use crate::verdict::rate;

impl Analysis {
    /// How a run stands, of which `end` is the end.
    pub(super) fn position(&self, run: &Run, process: &Process, end: TraceTime) -> Position {
        // What has ended reaches nothing any more.
        let lives = run.end.is_none();
        let growth = |course: &[(u64, u64)]| Growth {
            rate: rate::present(course, run.first.0, end.0),
            goes_on: lives && rate::lasts(course, run.first.0, end.0),
        };
        let mapped: Vec<(u64, u64)> = process
            .timeline
            .iter()
            .map(|point| (point.t_ns, point.virtual_bytes))
            .collect();
        // Without figures by kind all that is resident counts.
        let mut kept = plain(run.pages.kept.points());
        if kept.is_empty() {
            let points = process.timeline.iter();
            kept = points
                .map(|point| (point.t_ns, point.resident_bytes))
                .collect();
        }
        let standing = &run.standing;
        let counted = |used: Used, limit: Option<u64>| {
            limit.map(|limit| Counted {
                used: used.end,
                peak: used.peak,
                limit,
            })
        };
        let limits = standing.limits.unwrap_or_default();
        Position {
            virtual_bytes: process.virtual_at_work(),
            resident: process.resident_at_work(),
            virtual_growth: growth(&mapped),
            kept_growth: growth(&kept),
            address_space_limit: limits.address_space_bytes,
            data: counted(standing.data, limits.data_bytes),
            stack: counted(standing.stack, limits.stack_bytes),
            locked: counted(standing.locked, limits.locked_bytes),
            mappings: standing.mappings.map(|used| (used.end, used.peak)),
            mappings_growth: growth(&plain(standing.mappings_course.points())),
            group: self.group_position(run, end, growth),
        }
    }

    /// How the control group that limits a run stood while it lived.
    fn group_position(
        &self,
        run: &Run,
        end: TraceTime,
        growth: impl Fn(&[(u64, u64)]) -> Growth,
    ) -> Option<GroupPosition> {
        let account = self.groups.get(run.group.as_ref()?)?;
        // What became of it is read after its end, when its pages are gone; what it used, before.
        let until = run.group_until.unwrap_or(end);
        let after = account.within(run.first, until);
        let mut points = account.within(run.first, end.min(until));
        if points.is_empty() {
            points.clone_from(&after);
        }
        let (first, last) = (points.first()?.1, points.last()?.1);
        let after = after.last()?.1;
        let most = points.iter().map(|(_, point)| *point);
        let most = most.max_by_key(GroupPoint::working).unwrap_or(last);
        let peak = points.iter().map(|(_, point)| point.usage).max();
        let hits = after.hits.saturating_sub(first.hits);
        let kills = after.kills.saturating_sub(first.kills);
        let peak = peak.unwrap_or(0).max(last.usage);
        let peak = match account.last.limit_bytes {
            // It was reached, if only for a moment.
            Some(limit) if hits > 0 => peak.max(limit),
            _ => peak,
        };
        let working: Vec<(u64, u64)> = points
            .iter()
            .map(|(time, point)| (time.0, point.working()))
            .collect();
        let group = &account.last;
        Some(GroupPosition {
            limit: group.limit_bytes,
            used: last.usage,
            peak,
            working: most.working(),
            growth: growth(&working),
            swap: group.swap_bytes.zip(group.swap_limit_bytes),
            about: GroupUse {
                path: group.path.clone(),
                own_bytes: (run.resident.samples > 0).then_some(run.resident.span.end),
                unmapped_bytes: most.usage.saturating_sub(most.traced),
                reclaimable_bytes: most.reclaimable,
                limit_hits: hits,
                oom_kills: kills,
            },
        })
    }
}

fn plain(points: &[(TraceTime, u64)]) -> Vec<(u64, u64)> {
    points
        .iter()
        .map(|&(time, value)| (time.0, value))
        .collect()
}
