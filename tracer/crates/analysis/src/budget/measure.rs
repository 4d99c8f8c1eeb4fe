//! A figure of a trace, and how far it is known.

use std::collections::HashSet;

use super::expression::{Figure, Subject, Total};
use crate::model::summary::{Pattern, Process, Report, Site};
use tracer_ledger::event::fault_mode;

/// A figure: at least this, at most that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// At least.
    pub least: u64,
    /// At most; `None`: no end is known.
    pub most: Option<u64>,
    /// Why it is not known exactly.
    pub why: Option<String>,
}

impl Measured {
    /// Known.
    fn exactly(value: u64) -> Self {
        Self::between(value, Some(value), None)
    }

    fn between(least: u64, most: Option<u64>, why: Option<String>) -> Self {
        Self { least, most, why }
    }

    fn add(self, other: Self) -> Self {
        let most = self.most.zip(other.most);
        Self {
            least: self.least.saturating_add(other.least),
            most: most.map(|(one, other)| one.saturating_add(other)),
            why: self.why.or(other.why),
        }
    }

    /// More of it may have been.
    fn or_more(self, why: Option<String>) -> Self {
        match why {
            None => self,
            Some(why) => Self {
                most: None,
                why: Some(why),
                ..self
            },
        }
    }

    /// It may have been anything.
    fn or_anything(self, why: Option<String>) -> Self {
        match why {
            None => self,
            Some(why) => Self::between(0, None, Some(why)),
        }
    }
}

fn sum(of: impl Iterator<Item = Measured>) -> Measured {
    of.fold(Measured::exactly(0), Measured::add)
}

/// Measures a subject that is no level.
#[must_use]
pub fn measure(report: &Report, subject: &Subject) -> Measured {
    let measured = match subject {
        Subject::Level => Measured::default(),
        Subject::Total(total) => self::total(report, *total),
        Subject::Process(comm, figure) => {
            let named = report.processes.iter().filter(|one| one.comm == *comm);
            sum(named.map(|process| of_process(report, process, *figure)))
        }
        Subject::Pattern(_, figure) | Subject::Site(_, figure) => {
            let sites = concerned(report, subject).map(|site| of_site(report, site, *figure));
            sum(sites)
                .or_more(forgotten(report))
                .or_more(nameless(report))
        }
    };
    let figure = match subject {
        Subject::Pattern(_, figure) | Subject::Site(_, figure) | Subject::Process(_, figure) => {
            Some(*figure)
        }
        Subject::Total(_) | Subject::Level => None,
    };
    let faults = matches!(figure, Some(Figure::Touched))
        || matches!(subject, Subject::Total(Total::Touched));
    let measured = if faults {
        measured.or_more(lost(report.losses.faults, "page fault", "page faults"))
    } else {
        measured
    };
    let why = lost_events(report);
    // A lost release makes a peak too high, a lost stack makes what is known unknown.
    match (figure, subject) {
        (Some(Figure::Peak), _) => measured.or_anything(why),
        (_, Subject::Total(Total::Unexplained)) => {
            measured.or_anything(why).or_anything(nameless(report))
        }
        _ => measured.or_more(why),
    }
}

/// Why nothing that depends on every event can be known, if it cannot.
#[must_use]
pub fn lost_events(report: &Report) -> Option<String> {
    let events = report.losses.events.saturating_add(report.losses.late);
    lost(events, "event", "events")
}

fn lost(number: u64, one: &str, many: &str) -> Option<String> {
    let what = if number == 1 { one } else { many };
    let were = if number == 1 { "was" } else { "were" };
    (number > 0).then(|| format!("{number} {what} {were} lost: a larger --ring-size may help"))
}

fn nameless(report: &Report) -> Option<String> {
    lost(report.losses.stacks, "stack", "stacks")
}

/// Of some processes the sites were given up.
fn forgotten(report: &Report) -> Option<String> {
    let has_none = |process: &&Process| process.sites.is_empty() && process.virtual_bytes.end > 0;
    let process = report.processes.iter().find(has_none)?;
    Some(format!(
        "the call sites of {} (pid {}) were not kept",
        process.comm, process.pid
    ))
}

fn total(report: &Report, total: Total) -> Measured {
    let processes = || report.processes.iter();
    let sites = |figure| {
        let sites = processes().flat_map(|process| &process.sites);
        sum(sites.map(|site| of_site(report, site, figure))).or_more(forgotten(report))
    };
    match total {
        Total::Virtual => sum(processes().map(|one| Measured::exactly(one.virtual_bytes.end))),
        Total::Resident => sum(processes().map(resident)),
        Total::Grown => sum(processes().map(|one| {
            let span = one.virtual_bytes;
            Measured::exactly(span.end.saturating_sub(span.start))
        })),
        Total::Touched => sites(Figure::Touched),
        Total::Charged => sites(Figure::Charged),
        Total::Reserved => sites(Figure::Reserved),
        Total::Calls => sites(Figure::Calls),
        Total::NeverReleased | Total::Unexplained => {
            let subject = Subject::Total(total);
            let own = concerned(report, &subject);
            sum(own.map(|site| Measured::exactly(site.reserved_bytes))).or_more(forgotten(report))
        }
        Total::Difference => sum(processes().map(|one| {
            if one.ledger.kernel_known {
                return Measured::exactly(one.ledger.difference_bytes.unsigned_abs());
            }
            let why = format!(
                "the kernel's total of {} (pid {}) is unknown",
                one.comm, one.pid
            );
            Measured::between(0, None, Some(why))
        })),
        Total::Maps => sum(processes().map(|one| match one.limits.maps {
            Some(maps) => Measured::exactly(maps),
            None => {
                let why = format!(
                    "the mappings of {} (pid {}) were not counted",
                    one.comm, one.pid
                );
                Measured::between(0, None, Some(why))
            }
        })),
        Total::Processes => {
            let pids: HashSet<u32> = processes().map(|one| one.pid).collect();
            Measured::exactly(pids.len() as u64)
        }
    }
}

/// A process that nobody has looked at has no more in memory than it has mapped.
fn resident(process: &Process) -> Measured {
    if process.samples > 0 {
        return Measured::exactly(process.resident_bytes.end);
    }
    let why = format!(
        "nobody has looked at what {} (pid {}) had in memory: it was there too shortly",
        process.comm, process.pid
    );
    Measured::between(0, Some(process.virtual_bytes.end), Some(why))
}

fn of_process(report: &Report, process: &Process, figure: Figure) -> Measured {
    match figure {
        Figure::Reserved => Measured::exactly(process.virtual_bytes.end),
        Figure::Peak => Measured::exactly(process.virtual_bytes.peak),
        Figure::Resident => resident(process),
        _ => {
            let sites = process
                .sites
                .iter()
                .map(|site| of_site(report, site, figure));
            sum(sites).or_more(forgotten(report))
        }
    }
}

fn of_site(report: &Report, site: &Site, figure: Figure) -> Measured {
    let value = match figure {
        Figure::Reserved => site.reserved_bytes,
        Figure::Accessible => site.accessible_bytes,
        Figure::Charged => site.charged_bytes,
        Figure::Live => site.live,
        Figure::Calls => site.calls,
        Figure::Released => site.released_bytes,
        Figure::Peak => site.peak_bytes,
        Figure::Touched => {
            return site.touched_bytes.map_or_else(
                || {
                    let why = format!(
                        "page faults were not followed one by one (--faults {}): trace with --faults each",
                        fault_mode::word(report.faults)
                    );
                    Measured::between(0, None, Some(why))
                },
                Measured::exactly,
            );
        }
        Figure::Resident => {
            return site.resident_bytes.map_or_else(
                || {
                    let why = "nobody has looked at what is in memory".to_owned();
                    Measured::between(0, Some(site.reserved_bytes), Some(why))
                },
                Measured::exactly,
            );
        }
    };
    Measured::exactly(value)
}

/// The sites that a subject is about.
pub fn concerned<'a>(
    report: &'a Report,
    subject: &'a Subject,
) -> impl Iterator<Item = &'a Site> + 'a {
    let processes = report
        .processes
        .iter()
        .filter(move |process| match subject {
            Subject::Process(comm, _) => process.comm == *comm,
            _ => true,
        });
    let sites = processes.flat_map(|process| &process.sites);
    sites.filter(move |site| match subject {
        Subject::Total(Total::NeverReleased | Total::Grown) | Subject::Level => !site.pre_existing,
        Subject::Total(Total::Unexplained) => {
            let is_known = site.pattern.as_ref().is_some_and(Pattern::is_sure);
            !site.pre_existing && !is_known
        }
        Subject::Total(Total::Difference | Total::Processes) => false,
        Subject::Total(_) | Subject::Process(..) => true,
        Subject::Pattern(id, _) => site.pattern.as_ref().is_some_and(|one| one.id == *id),
        Subject::Site(text, _) => site.frames.iter().any(|frame| {
            let function = frame.function.as_ref();
            let place = frame.file.as_ref().map(|file| match frame.line {
                Some(line) => format!("{file}:{line}"),
                None => file.clone(),
            });
            function.is_some_and(|function| function.contains(text))
                || place.is_some_and(|place| place.contains(text))
        }),
    })
}

/// What one site has of a subject, as far as it is known.
#[must_use]
pub fn part(report: &Report, site: &Site, subject: &Subject) -> u64 {
    let figure = match subject {
        Subject::Pattern(_, figure) | Subject::Site(_, figure) | Subject::Process(_, figure) => {
            *figure
        }
        Subject::Total(Total::Resident) => Figure::Resident,
        Subject::Total(Total::Touched) => Figure::Touched,
        Subject::Total(Total::Charged) => Figure::Charged,
        Subject::Total(Total::Calls) => Figure::Calls,
        Subject::Total(Total::Maps) => Figure::Live,
        Subject::Total(_) | Subject::Level => Figure::Reserved,
    };
    of_site(report, site, figure).least
}
