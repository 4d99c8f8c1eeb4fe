//! Known kinds of reservation, as data: what a call site's reservations look like, what that means, and
//! what changes it.
//!
//! A pattern is recognised if all conditions of one of its `when`s hold. A condition on something that
//! is not known does not hold: no shape is guessed. Where several patterns hold, the surest is taken; of
//! equally sure ones the one whose frame is nearest to the kernel, for that is whose doing it is.

pub mod known;

mod condition;

mod format;

mod range;

mod shape;

pub(super) mod words;

pub use condition::{Observation, Settled};
pub use range::Ranges;
pub use shape::Shape;

use condition::When;

use crate::model::summary::{Level, Pattern};
use crate::words::toml_text::Mistake;

/// Patterns, in the order in which they were read.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    known: Vec<Known>,
}

/// One kind of reservation.
#[derive(Clone, Debug)]
struct Known {
    id: String,
    name: String,
    level: Level,
    /// The level while the site grows still.
    growing: Option<Level>,
    /// The level while most of it is touched; benign address space is then of unknown worth unless this
    /// says otherwise.
    touched: Option<Level>,
    /// Its sites take memory for one pool: what one of them gets, another may give back.
    pool: bool,
    meaning: String,
    advice: Vec<String>,
    knobs: Vec<Knob>,
    source: String,
    whens: Vec<When>,
    shapes: Vec<Shape>,
    /// More than this at a time are unusual.
    many: Option<u64>,
    /// More than this for each CPU are unusual.
    many_per_cpu: Option<u64>,
}

/// What changes a kind of reservation.
#[derive(Clone, Debug)]
struct Knob {
    /// The runtimes that have it (`node v22.*`); empty: it needs none.
    runtime: String,
    set: String,
    effect: String,
    /// Bytes of each reservation then.
    becomes: Option<u64>,
}

impl Patterns {
    /// Adds the patterns of a TOML text. One with the id of an earlier one takes its place.
    ///
    /// # Errors
    /// The first mistake in the text, and where it is. Nothing was added then.
    pub fn add(&mut self, toml: &str) -> Result<(), Mistake> {
        for known in format::read(toml)? {
            match self.known.iter_mut().find(|other| other.id == known.id) {
                Some(other) => *other = known,
                None => self.known.push(known),
            }
        }
        Ok(())
    }

    /// Every id, in the order in which they were read.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(|known| known.id.as_str())
    }

    /// Whether the sites of this kind take memory for one pool, and only say something together: a
    /// garbage collector gives back at other places than where it takes.
    #[must_use]
    pub fn is_pool(&self, id: &str) -> bool {
        self.known.iter().any(|known| known.pool && known.id == id)
    }

    /// What kind of reservations these are, if they are of a known kind.
    #[must_use]
    pub fn recognise(&self, seen: &Observation<'_>) -> Option<Pattern> {
        let functions = seen.frames.iter().map(|frame| frame.function.as_deref());
        let functions: Vec<Option<&str>> = functions.map(|name| name.map(words::plain)).collect();
        let mut best: Option<(&Known, condition::Match)> = None;
        for known in &self.known {
            for when in &known.whens {
                let Some(found) = when.holds(seen, &functions) else {
                    continue;
                };
                let is_better = best
                    .as_ref()
                    .is_none_or(|(_, other)| found.is_better_than(other));
                if is_better {
                    best = Some((known, found));
                }
            }
        }
        best.map(|(known, found)| known.recognised(found, seen))
    }

    /// Every shape and the number of its pattern, the surest first, else in the order in which they were
    /// read.
    #[must_use]
    pub fn shapes(&self) -> Vec<(usize, &Shape)> {
        let known = self.known.iter().enumerate();
        let mut shapes: Vec<(usize, &Shape)> = known
            .flat_map(|(number, known)| known.shapes.iter().map(move |shape| (number, shape)))
            .collect();
        shapes.sort_by(|(_, a), (_, b)| b.confidence.total_cmp(&a.confidence));
        shapes
    }

    /// A pattern by its number, recognised by a shape.
    #[must_use]
    pub fn seen(
        &self,
        number: usize,
        confidence: f64,
        evidence: Vec<String>,
        runtime: Option<&str>,
    ) -> Pattern {
        let found = condition::Match::by_shape(confidence, evidence);
        let seen = Observation {
            runtime,
            ..Observation::default()
        };
        self.known[number].recognised(found, &seen)
    }

    /// Why so many of a kind at a time are unusual, if they are.
    #[must_use]
    pub fn too_many(&self, id: &str, count: u64, cpus: u64) -> Option<String> {
        let known = self.known.iter().find(|known| known.id == id)?;
        if let Some(most) = known.many.filter(|most| count > *most) {
            return Some(format!("{count} at a time: more than {most} are unusual"));
        }
        let most = known.many_per_cpu?.saturating_mul(cpus);
        (count > most)
            .then(|| format!("{count} at a time: more than {most} are unusual on {cpus} CPUs"))
    }
}

impl Known {
    fn recognised(&self, found: condition::Match, seen: &Observation<'_>) -> Pattern {
        let mut evidence = found.evidence;
        let level = match self.growing {
            Some(level) if seen.growing => {
                evidence.push("still growing when the trace ended".into());
                level
            }
            _ if seen.mostly_touched => {
                let level = match self.level {
                    Level::Benign => self.touched.unwrap_or(Level::Unknown),
                    level => self.touched.unwrap_or(level),
                };
                if level != self.level {
                    evidence.push("more than half of it is touched".into());
                }
                level
            }
            _ => self.level,
        };
        let knob = self.knobs.iter().find(|knob| {
            knob.runtime.is_empty()
                || seen
                    .runtime
                    .is_some_and(|runtime| words::matches(&knob.runtime, runtime))
        });
        Pattern {
            id: self.id.clone(),
            name: self.name.clone(),
            level,
            confidence: found.confidence,
            evidence,
            advice: self.advice.clone(),
            meaning: self.meaning.clone(),
            knob: knob.map(|knob| knob.set.clone()),
            knob_effect: knob.map(|knob| knob.effect.clone()),
            knob_becomes_bytes: knob.and_then(|knob| knob.becomes),
            source: self.source.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
