//! The answer on one process, from what was judged: a headline that stands alone, who, why, what it hurts, what changes
//! it, what to do next. Every face prints these and makes no sentence of its own.

mod because;

pub mod change;

mod headline;

pub mod next;

mod who;

use super::facts::Facts;
use super::harm;
use super::suspects::SiteFacts;
use crate::model::summary::{Before, Kind, Level, Verdict};

/// The most call sites that an answer names.
const NAMED: usize = 3;

/// What was judged, and of what.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'j> {
    /// The level.
    pub level: Level,
    /// The sites that leak.
    pub leaking: &'j [&'j SiteFacts<'j>],
    /// The sites to be watched.
    pub watched: &'j [&'j SiteFacts<'j>],
    /// The largest sites that make up most of what grew.
    pub subject: &'j [&'j SiteFacts<'j>],
    /// The sites that go on growing, by however little.
    pub going_on: &'j [&'j SiteFacts<'j>],
    /// What grew, by known kinds.
    pub kinds: &'j [Kind],
    /// What was there before, if that is most of it.
    pub before: Option<&'j Before>,
    /// It is small, and does not grow.
    pub is_small: bool,
    /// Much was copied on write.
    pub copies: bool,
    /// More and more mappings, in a sentence.
    pub splits: Option<&'j str>,
}

impl Judged<'_> {
    /// The sites that the answer is about.
    fn about(&self) -> &[&SiteFacts<'_>] {
        let going_on = match self.level {
            Level::Unknown => self.going_on,
            _ => &[],
        };
        [self.leaking, self.watched, going_on, self.subject]
            .into_iter()
            .find(|sites| !sites.is_empty())
            .unwrap_or_default()
    }
}

/// Fills in a verdict all that is no paragraph.
pub fn answer(facts: &Facts<'_>, judged: &Judged<'_>, verdict: Verdict) -> Verdict {
    Verdict {
        headline: headline::headline(facts, judged),
        who: who::who(facts, judged),
        because: because::because(facts, judged),
        hurts: harm::told(facts.harms),
        change: change::change(facts, judged),
        next: next::next(facts, judged),
        ..verdict
    }
}
