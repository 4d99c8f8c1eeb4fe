//! A budget held against a trace.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::expression::{Budget, Chosen, Limit, Subject};
use super::measure::{concerned, measure};
use super::measured::{Measured, lost_events, unmeasured};
use super::metrics::is_own;
use super::model::{Judged, Outcome, Part, SCHEMA, State};
use super::suggest::no_such;
use crate::diff::diff;
use crate::diff::model::SiteChange;
use crate::model::summary::{Level, Process, Report, Site, Trend};

/// Sites named for each budget.
const SITES: usize = 16;

/// Holds budgets against a trace, and their growths against a baseline. `trouble`: what was in the way of
/// the whole measurement, so that none counts as kept.
#[must_use]
pub fn check(
    budgets: &[Budget],
    report: &Report,
    baseline: Option<&Report>,
    trouble: Vec<String>,
) -> Outcome {
    let grown = baseline
        .filter(|_| budgets.iter().any(|budget| budget.growth))
        .map(|baseline| diff(baseline, report));
    let rows: Vec<&SiteChange> = grown
        .iter()
        .flat_map(|diff| &diff.processes)
        .flat_map(|process| &process.sites)
        .collect();
    let budgets: Vec<Judged> = budgets
        .iter()
        .map(|budget| {
            let mut judged = judge(budget, report, baseline);
            judged.sites = if budget.growth {
                grown_parts(report, &budget.subject, &rows)
            } else {
                parts(report, &budget.subject)
            };
            judged
        })
        .collect();
    let has = |state| budgets.iter().any(|budget| budget.state == state);
    let state = if !trouble.is_empty() {
        State::Unmeasured
    } else if has(State::Over) {
        State::Over
    } else if has(State::Unmeasured) {
        State::Unmeasured
    } else {
        State::Within
    };
    Outcome {
        schema: SCHEMA.into(),
        state,
        trouble,
        budgets,
    }
}

/// The first budget on a kind that is neither known nor in any of the reports: what to say of it.
#[must_use]
pub fn unknown_patterns<'a>(
    budgets: &[Budget],
    known: impl Iterator<Item = &'a str>,
    reports: &[&'a Report],
) -> Option<String> {
    let seen = reports
        .iter()
        .flat_map(|report| &report.processes)
        .flat_map(|process| &process.sites)
        .filter_map(|site| Some(site.pattern.as_ref()?.id.as_str()));
    let known: BTreeSet<&str> = known.chain(seen).collect();
    budgets.iter().find_map(|budget| match &budget.subject {
        Subject::Part(Chosen::Pattern(id), _) if !known.contains(id.as_str()) => Some(format!(
            "in the budget `{}`: {}",
            budget.expression,
            no_such("pattern", id, known.iter().copied())
        )),
        _ => None,
    })
}

fn judge(budget: &Budget, report: &Report, baseline: Option<&Report>) -> Judged {
    let judged = Judged {
        expression: budget.expression.clone(),
        reason: budget.reason.clone(),
        state: State::Unmeasured,
        unit: budget.subject.unit(),
        inclusive: budget.inclusive,
        limit: None,
        limit_percent: None,
        limit_level: None,
        least: None,
        most: None,
        level: None,
        baseline: None,
        over: None,
        note: None,
        sites: Vec::new(),
    };
    if let Limit::Level(limit) = budget.limit {
        return level(judged, report, limit);
    }
    if let Some(note) = nobody(report, &budget.subject) {
        return Judged {
            note: Some(note),
            ..judged
        };
    }
    let now = measure(report, &budget.subject);
    let before = if budget.growth {
        let Some(baseline) = baseline else {
            let note = "there is no baseline to hold it against".to_owned();
            return Judged {
                note: Some(note),
                ..judged
            };
        };
        Some(measure(baseline, &budget.subject))
    } else {
        None
    };
    amount(judged, budget, report, &now, before.as_ref())
}

fn amount(
    judged: Judged,
    budget: &Budget,
    report: &Report,
    now: &Measured,
    before: Option<&Measured>,
) -> Judged {
    // Growth from what may be more is less, and the other way round.
    let exactly_0 = Measured {
        most: Some(0),
        ..Measured::default()
    };
    let base = before.unwrap_or(&exactly_0);
    let base_most = base.most.map(i128::from);
    let least = base_most.map(|base| i128::from(now.least) - base);
    let most = now
        .most
        .map(|most| i128::from(most) - i128::from(base.least));
    let known_base = base.most.filter(|most| *most == base.least);
    let limit = match budget.limit {
        Limit::Amount(amount) => Some(i128::from(amount)),
        Limit::Percent(percent) => known_base.map(|base| (base as f64 * percent / 100.0) as i128),
        Limit::Level(_) => None,
    };
    let above = |value: i128, limit: i128| value > limit || (budget.inclusive && value == limit);
    let state = match (limit, least, most) {
        (Some(limit), Some(least), _) if above(least, limit) => State::Over,
        (Some(limit), _, Some(most)) if !above(most, limit) => State::Within,
        _ => State::Unmeasured,
    };
    let why = now.why.clone().or_else(|| base.why.clone());
    let note = match state {
        State::Unmeasured => why,
        State::Over => None,
        State::Within => matches!(budget.subject, Subject::Part(Chosen::Site(_), _))
            .then(|| concerned(report, &budget.subject).next().is_none())
            .filter(|none| *none)
            .map(|_| "no call site has this in its stack".to_owned()),
    };
    let short = |value: i128| value.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    let over = limit.zip(least).filter(|_| state == State::Over);
    Judged {
        state,
        limit: limit.map(short),
        limit_percent: match budget.limit {
            Limit::Percent(percent) => Some(percent),
            Limit::Amount(_) | Limit::Level(_) => None,
        },
        least: least.map(short),
        most: most.map(short),
        baseline: before.and(known_base),
        over: over.map(|(limit, least)| short(least - limit)),
        note,
        ..judged
    }
}

/// The worst of all verdicts. Of a trace with losses, or of which not everything was measured, it may have been
/// worse.
fn level(judged: Judged, report: &Report, limit: Level) -> Judged {
    let levels = report.processes.iter().map(|one| one.verdict.level);
    let worst = levels.max_by_key(|level| level.badness());
    let above = worst.is_some_and(|level| {
        level.badness() > limit.badness() || (judged.inclusive && level == limit)
    });
    let why = if worst.is_none() {
        Some("nothing was traced".to_owned())
    } else {
        lost_events(report).or_else(|| unmeasured(report.processes.iter()))
    };
    let state = match (above, &why) {
        (true, _) => State::Over,
        (false, Some(_)) => State::Unmeasured,
        (false, None) => State::Within,
    };
    let note = match state {
        State::Unmeasured => why,
        State::Over => headline(report),
        State::Within => None,
    };
    Judged {
        state,
        limit_level: Some(limit),
        level: worst,
        note,
        ..judged
    }
}

/// The headline of the worst process, the largest of those that are as bad.
fn headline(report: &Report) -> Option<String> {
    let by = |process: &&Process| (process.verdict.level.badness(), process.virtual_bytes.peak);
    let worst = report.processes.iter().max_by_key(by)?;
    Some(worst.verdict.headline.clone()).filter(|text| !text.is_empty())
}

/// A budget on a process that is not there would always pass.
fn nobody(report: &Report, subject: &Subject) -> Option<String> {
    if report.processes.is_empty() {
        return Some("nothing was traced".into());
    }
    let Subject::Part(Chosen::Process(comm), _) = subject else {
        return None;
    };
    let names: BTreeSet<&str> = report
        .processes
        .iter()
        .map(|one| one.comm.as_str())
        .collect();
    if names.contains(comm.as_str()) {
        return None;
    }
    Some(no_such("process", comm, names.into_iter()))
}

fn parts(report: &Report, subject: &Subject) -> Vec<Part> {
    if *subject == Subject::Level {
        return guilty(report);
    }
    let parts = concerned(report, subject).map(|site| Part {
        site: site.id,
        amount: signed((subject.figure().of_site)(report, site).least),
    });
    largest(parts.collect())
}

/// What a verdict is about: of the processes that have the worst one, the sites that grow still, or where calls were
/// refused; if there are none, all that they have made.
fn guilty(report: &Report) -> Vec<Part> {
    let processes = report.processes.iter();
    let worst = processes
        .clone()
        .map(|one| one.verdict.level.badness())
        .max();
    let own: Vec<&Site> = processes
        .filter(|process| Some(process.verdict.level.badness()) == worst)
        .flat_map(|process| &process.sites)
        .filter(|site| is_own(site))
        .collect();
    if worst == Some(Level::Refused.badness()) {
        let rows = report.processes.iter().flat_map(|process| &process.refused);
        let asked = rows.filter_map(|row| {
            Some(Part {
                site: row.site?,
                amount: signed(row.requested_bytes.max(1)),
            })
        });
        return largest(asked.collect());
    }
    let is_growing = |site: &Site| site.trend == Trend::Growing;
    let any = own.iter().any(|site| is_growing(site));
    let parts = own.into_iter().filter(|site| !any || is_growing(site));
    largest(
        parts
            .map(|site| Part {
                site: site.id,
                amount: signed(site.reserved_bytes),
            })
            .collect(),
    )
}

/// What has grown, by site: of sites that are told apart only by addresses, the largest stands for all.
fn grown_parts(report: &Report, subject: &Subject, rows: &[&SiteChange]) -> Vec<Part> {
    let concerned: BTreeSet<u32> = concerned(report, subject).map(|site| site.id).collect();
    let parts = rows.iter().filter_map(|row| {
        let site = *row.new_sites.first()?;
        let is_concerned = concerned.contains(&site);
        let change = (subject.figure().of_change)(&row.figures);
        Some(Part {
            site,
            amount: change.change.filter(|_| is_concerned)?,
        })
    });
    largest(parts.collect())
}

/// Those with the most of it; none that has nothing.
fn largest(mut parts: Vec<Part>) -> Vec<Part> {
    parts.retain(|part| part.amount > 0);
    parts.sort_by_key(|part| (Reverse(part.amount), part.site));
    parts.truncate(SITES);
    parts
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
