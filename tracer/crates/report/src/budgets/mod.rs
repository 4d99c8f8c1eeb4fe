//! What became of budgets, for people and for CI systems.

pub mod text;

pub mod github;

pub mod junit;

use std::collections::HashMap;

use super::folding::{Folded, fold};
use super::text::brief;
use super::text::line::{cut_end, escape};
use super::wrappers::Wrappers;
use tracer_analysis::budget::model::{Judged, State, Unit};
use tracer_analysis::summary::{Level, Process, Report, Site};
use tracer_analysis::units::{bytes, count, percent};

/// Columns of a site's title.
const TITLE: usize = 48;

/// `over budget`.
#[must_use]
pub fn state(state: State) -> &'static str {
    match state {
        State::Within => "within",
        State::Over => "over budget",
        State::Unmeasured => "not measured",
    }
}

/// What was measured, and how far that is from the limit: `21.5 GiB, 21.4 GiB over`. Escaped.
#[must_use]
pub fn measured(judged: &Judged) -> String {
    if judged.unit == Unit::Level {
        let level = judged.level.map_or("unknown", Level::word);
        return match &judged.note {
            Some(note) => format!("{level}; {}", escape(note)),
            None => level.into(),
        };
    }
    let figure = figure(judged);
    let note = judged.note.as_deref().map(escape);
    match judged.state {
        State::Over => {
            let over = judged.over.unwrap_or(0);
            let by = if over == 0 {
                "just the limit".to_owned()
            } else {
                format!("{} over", amount(judged.unit, over))
            };
            format!("{figure}, {by}")
        }
        State::Within => {
            let mut text = figure;
            if let Some((limit, most)) = judged.limit.zip(judged.most)
                && limit > 0
            {
                let share = percent(most.max(0).unsigned_abs(), limit.unsigned_abs());
                text.push_str(&format!(", {share} of the limit"));
            }
            if let Some(note) = note {
                text.push_str(&format!(": {note}"));
            }
            text
        }
        State::Unmeasured => match note {
            Some(note) if judged.least.is_some_and(|least| least > 0) => {
                format!("{figure}: {note}")
            }
            Some(note) => note,
            None => figure,
        },
    }
}

/// `+1.7 GiB on 21.5 GiB (+7.9 %)`, `at least 3`.
fn figure(judged: &Judged) -> String {
    let sign = |value: i64| {
        if judged.baseline.is_some() && value > 0 {
            "+"
        } else {
            ""
        }
    };
    let value = |value: i64| format!("{}{}", sign(value), amount(judged.unit, value));
    let mut text = match (judged.least, judged.most) {
        (Some(least), Some(most)) if least == most => value(least),
        (_, Some(most)) if judged.state == State::Within => format!("at most {}", value(most)),
        (Some(least), _) => format!("at least {}", value(least)),
        (None, _) => "unknown".into(),
    };
    if let Some(base) = judged.baseline {
        let base_text = amount(judged.unit, i64::try_from(base).unwrap_or(i64::MAX));
        text.push_str(&format!(" on {base_text}"));
        if let Some(least) = judged.least.filter(|_| base > 0) {
            text.push_str(&format!(" ({:+.1} %)", least as f64 * 100.0 / base as f64));
        }
    }
    text
}

fn amount(unit: Unit, value: i64) -> String {
    let sign = if value < 0 { "−" } else { "" };
    let size = value.unsigned_abs();
    match unit {
        Unit::Bytes | Unit::Level => format!("{sign}{}", bytes(size)),
        Unit::Count => format!("{sign}{}", count(size)),
    }
}

/// One call site of a budget. Escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// [`Site::key`].
    pub key: String,
    /// What it is called.
    pub title: String,
    /// Its process's name, if there are several.
    pub process: Option<String>,
    /// What it has of the figure.
    pub amount: String,
    /// Where, by whom, by which way: lines of so many columns at most.
    pub below: Vec<String>,
}

/// The sites of a report, by number, to be named.
pub struct SitesById<'a> {
    by_id: HashMap<u32, (&'a Process, &'a Site)>,
    wrappers: HashMap<*const Process, Wrappers>,
    several: bool,
}

impl<'a> SitesById<'a> {
    /// Of a report.
    #[must_use]
    pub fn of(report: &'a Report) -> Self {
        let processes = report.processes.iter();
        let all =
            processes.flat_map(|process| process.sites.iter().map(move |site| (process, site)));
        Self {
            by_id: all
                .map(|(process, site)| (site.id, (process, site)))
                .collect(),
            wrappers: HashMap::new(),
            several: report.processes.len() > 1,
        }
    }

    /// The first `most` of a budget's sites, by what they have of it.
    #[must_use]
    pub fn named(&mut self, judged: &Judged, most: usize, width: usize) -> Vec<Named> {
        let parts = judged.sites.iter().take(most);
        let found: Vec<_> = parts
            .filter_map(|part| Some((part, *self.by_id.get(&part.site)?)))
            .collect();
        found
            .into_iter()
            .map(|(part, (process, site))| {
                let wrappers = self.wrappers.entry(process).or_insert_with(|| {
                    Wrappers::of(process.sites.iter().map(|site| site.frames.as_slice()))
                });
                let folded = if site.frames.is_empty() {
                    Folded::default()
                } else {
                    fold(&site.frames, wrappers)
                };
                let title = match &site.pattern {
                    Some(pattern) => cut_end(&pattern.name, TITLE),
                    None => {
                        let called = site.calls > 0 || site.refused > 0;
                        brief::title(&folded, &site.name, called, TITLE)
                    }
                };
                let of = |comm: &str| self.several.then(|| cut_end(comm, 16));
                Named {
                    key: site.key.clone(),
                    title,
                    process: of(&process.comm),
                    amount: amount(judged.unit, part.amount),
                    below: brief::below(&folded, site.pattern.is_some(), width),
                }
            })
            .collect()
    }
}
