//! What a trace has of a budget's subject.

use super::expression::{Chosen, Subject};
use super::figures::Figure;
use super::measured::{Measured, forgotten, nameless, unmeasured};
use super::metrics::{Measure, Metric, is_own};
use crate::model::summary::{Process, Report, Site};

/// Measures a subject that is no level. Of a process of which not everything was measured, whatever figure may be more.
#[must_use]
pub fn measure(report: &Report, subject: &Subject) -> Measured {
    let seen = match subject {
        Subject::Level => Measured::default(),
        Subject::Total(metric) => metric.doubt.on(total(report, metric), report),
        Subject::Part(chosen, figure) => {
            let measured = match chosen {
                Chosen::Process(_) => Measured::sum(
                    processes(report, subject).map(|process| of_process(report, process, figure)),
                ),
                Chosen::Pattern(_) | Chosen::Site(_) => {
                    of_sites(report, concerned(report, subject), figure).or_more(nameless(report))
                }
            };
            figure.doubt.on(measured, report)
        }
    };
    seen.or_more(unmeasured(processes(report, subject)))
}

/// The processes that a subject is about.
pub fn processes<'a>(
    report: &'a Report,
    subject: &'a Subject,
) -> impl Iterator<Item = &'a Process> + 'a {
    let processes = report.processes.iter();
    processes.filter(move |process| match subject {
        Subject::Part(Chosen::Process(comm), _) => process.comm == *comm,
        Subject::Part(..) | Subject::Total(_) | Subject::Level => true,
    })
}

fn total(report: &Report, metric: &Metric) -> Measured {
    match metric.measure {
        Measure::OfSites => {
            let sites = report.processes.iter().flat_map(|process| &process.sites);
            let own = sites.filter(|site| (metric.sites)(site));
            of_sites(report, own, metric.figure)
        }
        Measure::OfProcesses(of_process) => Measured::sum(report.processes.iter().map(of_process)),
        Measure::OfTrace(of_trace) => of_trace(report),
    }
}

fn of_process(report: &Report, process: &Process, figure: &Figure) -> Measured {
    match figure.of_process {
        Some(of_process) => of_process(process),
        None => of_sites(report, process.sites.iter(), figure),
    }
}

fn of_sites<'a>(
    report: &Report,
    sites: impl Iterator<Item = &'a Site>,
    figure: &Figure,
) -> Measured {
    let sum = Measured::sum(sites.map(|site| (figure.of_site)(report, site)));
    sum.or_more(forgotten(report))
}

/// The sites that a subject is about.
pub fn concerned<'a>(
    report: &'a Report,
    subject: &'a Subject,
) -> impl Iterator<Item = &'a Site> + 'a {
    let sites = processes(report, subject).flat_map(|process| &process.sites);
    sites.filter(move |site| match subject {
        Subject::Total(metric) => (metric.sites)(site),
        Subject::Level => is_own(site),
        Subject::Part(Chosen::Process(_), _) => true,
        Subject::Part(Chosen::Pattern(id), _) => {
            site.pattern.as_ref().is_some_and(|one| one.id == *id)
        }
        Subject::Part(Chosen::Site(text), _) => is_in_stack(text, site),
    })
}

/// In a function, or in `file:line`.
fn is_in_stack(text: &str, site: &Site) -> bool {
    site.frames.iter().any(|frame| {
        let function = frame.function.as_ref();
        let place = frame.file.as_ref().map(|file| match frame.line {
            Some(line) => format!("{file}:{line}"),
            None => file.clone(),
        });
        function.is_some_and(|function| function.contains(text))
            || place.is_some_and(|place| place.contains(text))
    })
}
