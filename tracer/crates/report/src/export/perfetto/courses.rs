//! The course of each kind of reservation: the sum of its sites' courses, which are step functions.

use std::collections::BTreeMap;

use tracer_analysis::summary::{Process, Site};

/// A counter's points: when, ns since the trace began, and bytes from then on.
pub(super) type Points = Vec<(u64, u64)>;

/// The courses of a process's reservations, by the name of their track. What they end with adds up to what
/// the process has in the end.
pub(super) fn by_kind(process: &Process) -> Vec<(String, Points)> {
    let mut kinds: BTreeMap<(Order, String), Vec<&Site>> = BTreeMap::new();
    for site in &process.sites {
        kinds.entry(kind(site)).or_default().push(site);
    }
    let courses = kinds.into_iter().map(|((order, name), sites)| {
        let points = match order {
            Order::WithoutCourse => end(&sites, process.last_ns),
            _ => sum(&sites, process.last_ns),
        };
        (name, points)
    });
    courses.collect()
}

/// How tracks of kinds follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    Known,
    Unknown,
    Before,
    WithoutCourse,
}

fn kind(site: &Site) -> (Order, String) {
    if site.timeline.is_empty() {
        let name = "of sites whose course was not kept: what they had while it worked";
        return (Order::WithoutCourse, name.into());
    }
    match &site.pattern {
        _ if site.pre_existing => (Order::Before, "before the first traced call".into()),
        Some(pattern) => (Order::Known, format!("{} ({})", pattern.name, pattern.id)),
        None => (Order::Unknown, "of no known kind".into()),
    }
}

fn end(sites: &[&Site], last: u64) -> Points {
    let living = sites.iter().map(|site| {
        let end = site.timeline.last();
        end.map_or(site.reserved_bytes, |point| point.reserved_bytes)
    });
    vec![(last, living.fold(0, u64::saturating_add))]
}

/// Ends with what the sites have in the end.
fn sum(sites: &[&Site], last: u64) -> Points {
    let mut changes: BTreeMap<u64, i128> = BTreeMap::new();
    for site in sites {
        let mut before = 0;
        for point in &site.timeline {
            let now = i128::from(point.reserved_bytes);
            *changes.entry(point.t_ns.min(last)).or_default() += now - before;
            before = now;
        }
    }
    let mut total = 0;
    let mut points: Points = changes
        .into_iter()
        .map(|(time, change)| {
            total += change;
            (time, u64::try_from(total).unwrap_or(0))
        })
        .collect();
    let last = end(sites, last);
    points.retain(|(time, _)| *time < last[0].0);
    points.dedup_by_key(|(_, bytes)| *bytes);
    points.extend(last);
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracer_analysis::summary::{Pattern, SitePoint};

    fn site(kind: Option<&str>, course: &[(u64, u64)], left: u64) -> Site {
        Site {
            pattern: kind.map(|id| Pattern {
                id: id.into(),
                name: id.to_uppercase(),
                ..Pattern::default()
            }),
            timeline: course
                .iter()
                .map(|&(t_ns, reserved_bytes)| SitePoint {
                    t_ns,
                    reserved_bytes,
                    ..SitePoint::default()
                })
                .collect(),
            reserved_bytes: left,
            ..Site::default()
        }
    }

    #[test]
    fn courses_of_one_kind_are_added_and_end_as_the_report_does() {
        let process = Process {
            last_ns: 100,
            sites: vec![
                site(Some("a"), &[(10, 5), (30, 7)], 7),
                site(Some("a"), &[(20, 100), (30, 0)], 0),
                site(None, &[(40, 1)], 1),
                site(Some("a"), &[], 3),
                Site {
                    pre_existing: true,
                    ..site(Some("a"), &[(0, 50)], 50)
                },
            ],
            ..Process::default()
        };
        let courses = by_kind(&process);
        let expected = [
            ("A (a)", vec![(10, 5), (20, 105), (30, 7), (100, 7)]),
            ("of no known kind", vec![(40, 1), (100, 1)]),
            ("before the first traced call", vec![(0, 50), (100, 50)]),
            (
                "of sites whose course was not kept: what they had while it worked",
                vec![(100, 3)],
            ),
        ];
        let courses: Vec<(&str, Points)> = courses
            .iter()
            .map(|(name, points)| (name.as_str(), points.clone()))
            .collect();
        assert_eq!(courses, expected);
    }
}
