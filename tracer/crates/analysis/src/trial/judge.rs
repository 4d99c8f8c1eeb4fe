//! Which knobs there are to try, and what has come of one.

use super::model::{Came, Ended, Point, Run, Subject, Tried, WITHIN_PERCENT};
use super::turn::Turned;
use crate::diff::process_pairs;
use crate::model::summary::{Process, Remedy, Report, Site, Who};

/// The most knobs that are tried.
const MOST: usize = 3;

/// A knob, and the process that it is for.
#[derive(Clone, Debug)]
pub struct Offer<'a> {
    /// The process as it is.
    pub process: &'a Process,
    /// What its answer offers.
    pub remedy: Remedy,
}

/// The knobs of a report's answers, those of the worst process first, each once.
#[must_use]
pub fn offers(report: &Report) -> Vec<Offer<'_>> {
    let mut offers: Vec<Offer<'_>> = Vec::new();
    for process in telling(report) {
        for remedy in &process.verdict.change {
            if offers.iter().all(|offer| offer.remedy.knob != remedy.knob) {
                let remedy = remedy.clone();
                offers.push(Offer { process, remedy });
            }
        }
    }
    offers.truncate(MOST);
    offers
}

/// These knobs, for the worst process; what is offered of them as it is offered.
#[must_use]
pub fn chosen<'a>(report: &'a Report, knobs: &[String]) -> Vec<Offer<'a>> {
    let offered = offers(report);
    let Some(&process) = telling(report).first() else {
        return Vec::new();
    };
    let chosen = knobs.iter().map(|knob| {
        let known = offered.iter().find(|offer| offer.remedy.knob == *knob);
        known.cloned().unwrap_or_else(|| Offer {
            process,
            remedy: Remedy {
                knob: knob.clone(),
                ..Remedy::default()
            },
        })
    });
    chosen.collect()
}

/// A process as it is, and nothing tried yet.
#[must_use]
pub fn subject(process: &Process, report: &Report, ended: Ended) -> Subject {
    Subject {
        comm: process.comm.clone(),
        runtime: process.runtime.clone(),
        as_it_is: run_of(Some(process), report, ended),
        knobs: Vec::new(),
    }
}

/// The processes, the worst first, of equals the largest.
#[must_use]
pub fn telling(report: &Report) -> Vec<&Process> {
    let mut processes: Vec<&Process> = report.processes.iter().collect();
    processes.sort_by_key(|process| {
        let badness = process.verdict.level.badness();
        std::cmp::Reverse((badness, process.virtual_at_work().end))
    });
    processes
}

/// A process of a run that ended like this.
fn run_of(process: Option<&Process>, report: &Report, ended: Ended) -> Run {
    let Some(process) = process else {
        return Run {
            ended,
            took_ns: report.duration_ns,
            ..Run::default()
        };
    };
    Run {
        pid: Some(process.pid),
        virtual_bytes: Some(process.virtual_at_work().end),
        resident_bytes: process.resident_at_work().map(|span| span.end),
        ended,
        took_ns: process.last_ns.saturating_sub(process.first_ns),
        refused: process.refused_calls(),
        unmeasured: process.unmeasured().map(str::to_owned),
    }
}

/// What has come of a knob. `as_it_is` and `with_it`: each run's report, and how the command ended.
#[must_use]
pub fn judge(
    offer: &Offer<'_>,
    turned: &Turned,
    (before, before_ended): (&Report, Ended),
    (after, after_ended): (&Report, Ended),
) -> Tried {
    let old = offer.process;
    let new = process_pairs(before, after)
        .into_iter()
        .find(|pair| pair.old.is_some_and(|found| std::ptr::eq(found, old)))
        .and_then(|pair| pair.new);
    let was = run_of(Some(old), before, before_ended);
    let run = run_of(new, after, after_ended);
    let predicted = turned.predicted_virtual_bytes;
    let deviation_percent = predicted.zip(run.virtual_bytes).map(|(predicted, came)| {
        (came as f64 - predicted as f64) * 100.0 / predicted.max(1) as f64
    });
    let Reached {
        point,
        sites,
        sites_reached,
    } = reached(offer, new);
    Tried {
        knob: offer.remedy.knob.clone(),
        effect: offer.remedy.effect.clone(),
        set: Some(turned.set.clone()),
        how: turned.how.clone(),
        not_tried: None,
        came: state(&was, &run, deviation_percent),
        predicted_virtual_bytes: predicted,
        deviation_percent,
        run: Some(run),
        point,
        sites,
        sites_reached,
    }
}

fn state(was: &Run, is: &Run, deviation_percent: Option<f64>) -> Came {
    if is.ended != was.ended || is.pid.is_none() || is.refused > was.refused {
        return Came::Failed;
    }
    if was.unmeasured.is_some() || is.unmeasured.is_some() {
        return Came::NotMeasured;
    }
    match deviation_percent {
        Some(off) if off.abs() <= WITHIN_PERCENT => Came::AsForetold,
        Some(_) => Came::Off,
        None => Came::Worked,
    }
}

/// How far a process came.
#[derive(Debug, Default)]
struct Reached {
    point: Option<Point>,
    sites: u64,
    sites_reached: u64,
}

/// The call sites that a process came to as it is, and how many of them it came to with the knob.
fn reached(offer: &Offer<'_>, new: Option<&Process>) -> Reached {
    let old = offer.process;
    let of_knob = old.verdict.kinds.iter().filter(|kind| {
        let knob = kind.knob.as_ref();
        knob == Some(&offer.remedy.knob)
    });
    let left_out: Vec<u32> = of_knob
        .flat_map(|kind| kind.sites.iter().copied())
        .collect();
    let until = old.working.map_or(old.last_ns, |working| working.until_ns);
    let counts = |site: &&Site| {
        !site.pre_existing
            && site.calls > 0
            && !site.key.is_empty()
            && site.first_ns <= until
            && !left_out.contains(&site.id)
    };
    let mut reached = Reached::default();
    let mut last = None;
    for site in old.sites.iter().filter(counts) {
        reached.sites += 1;
        let same = |other: &&Site| other.key == site.key && other.calls > 0;
        let Some(other) = new.and_then(|new| new.sites.iter().find(same)) else {
            continue;
        };
        reached.sites_reached += 1;
        if last.is_none_or(|(latest, _): (&Site, &Site)| site.first_ns > latest.first_ns) {
            last = Some((site, other));
        }
    }
    reached.point = last.zip(new).map(|((site, other), new)| Point {
        site: Who {
            site: site.key.clone(),
            name: site.name.clone(),
            place: site.place.clone(),
            bytes: site.reserved_bytes,
            ..Who::default()
        },
        as_it_is_ns: site.first_ns.saturating_sub(old.first_ns),
        with_it_ns: other.first_ns.saturating_sub(new.first_ns),
    });
    reached
}

/// The worst that came of those that were tried; nothing was tried: that.
#[must_use]
pub fn came(processes: &[Subject]) -> Came {
    let knobs = processes.iter().flat_map(|process| &process.knobs);
    let tried = knobs.map(|tried| tried.came);
    tried
        .filter(|came| *came != Came::NotTried)
        .max()
        .unwrap_or_default()
}
