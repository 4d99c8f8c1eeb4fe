//! The courses of a process's call sites, for whoever draws them: in bounded memory, so those of the
//! largest.

use crate::accounts::curve::thinned;
use crate::accounts::site::{HISTORY_POINTS, LiveBytes};
use crate::accounts::time::TraceTime;
use crate::model::summary::{Site, SitePoint};

/// Points given of all sites of a process together: a JSON report stays some MB of size.
const POINTS: usize = 20_000;

/// Gives each site its course, from its account's history; those first that were once the largest, until
/// [`POINTS`] are given; from there on none.
pub fn give<'a>(sites: impl Iterator<Item = (&'a mut Site, &'a [(TraceTime, LiveBytes)])>) {
    let mut sites: Vec<_> = sites.collect();
    sites.sort_by_key(|(site, _)| std::cmp::Reverse(site.peak_bytes));
    let mut left = POINTS;
    for (site, history) in sites {
        let points = changes(history);
        if points.len() > left {
            return;
        }
        left -= points.len();
        site.timeline = points;
    }
}

/// Where it changes; at most as many points as are kept of one account.
fn changes(history: &[(TraceTime, LiveBytes)]) -> Vec<SitePoint> {
    let mut points: Vec<(TraceTime, LiveBytes)> = thinned(history, HISTORY_POINTS);
    points.dedup_by_key(|point| point.1);
    let points = points.into_iter().map(|(time, live)| SitePoint {
        t_ns: time.0,
        reserved_bytes: live.reserved,
        accessible_bytes: live.accessible,
        touched_bytes: live.touched,
    });
    points.collect()
}

#[cfg(test)]
mod tests {
    use super::{POINTS, give};
    use crate::accounts::site::{HISTORY_POINTS, LiveBytes};
    use crate::accounts::time::TraceTime;
    use crate::model::summary::Site;

    fn live(reserved: u64) -> LiveBytes {
        LiveBytes {
            reserved,
            ..LiveBytes::default()
        }
    }

    #[test]
    fn a_course_holds_what_changed_and_ends_as_it_did() {
        let history = [(1, 5), (2, 5), (3, 7), (9, 0)];
        let history = history.map(|(time, bytes)| (TraceTime(time), live(bytes)));
        let mut sites = [Site::default()];
        give(sites.iter_mut().map(|site| (site, &history[..])));
        let points = sites[0].timeline.iter();
        let points: Vec<_> = points.map(|one| (one.t_ns, one.reserved_bytes)).collect();
        assert_eq!(points, [(1, 5), (3, 7), (9, 0)]);
    }

    #[test]
    fn of_too_many_sites_the_largest_have_a_course() {
        let history: Vec<_> = (0..HISTORY_POINTS as u64)
            .map(|step| (TraceTime(step << 20), live(step)))
            .collect();
        let most = POINTS / HISTORY_POINTS;
        let mut sites: Vec<Site> = (0..most as u64 + 2)
            .map(|peak_bytes| Site {
                peak_bytes,
                ..Site::default()
            })
            .collect();
        give(sites.iter_mut().map(|site| (site, &history[..])));
        let without = sites.iter().filter(|site| site.timeline.is_empty());
        assert_eq!(
            without.map(|one| one.peak_bytes).collect::<Vec<_>>(),
            [0, 1]
        );
    }
}
