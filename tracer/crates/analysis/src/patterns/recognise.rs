//! Which kind a call site or a shape is of.

use super::condition::{Match, Observation};
use super::format;
use super::kind::KnownKind;
use super::shape::Shape;
use super::words::plain;
use crate::model::summary::Pattern;
use crate::words::toml_text::Mistake;
use tracer_ledger::event::Frame;

/// Patterns, in the order in which they were read.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    known: Vec<KnownKind>,
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

    /// Pairs of kinds of which one may have what the other gives back: only together they say whether they grow.
    pub fn exchanges(&self) -> impl Iterator<Item = (&str, &str)> {
        let known = self.known.iter();
        known.filter_map(|known| Some((known.id.as_str(), known.exchanges_with.as_deref()?)))
    }

    /// The row of a table that a call site with this stack (innermost frame first) is read in where there are many of
    /// them.
    pub(super) fn row(&self, frames: &[Frame]) -> Option<&str> {
        let mut functions = frames.iter().filter_map(|frame| frame.function.as_deref());
        // The innermost that is known decides: the arena of a loader's `malloc` is no library.
        functions.find_map(|function| {
            let mut rows = self.known.iter().filter_map(|known| known.row.as_ref());
            let row = rows.find(|row| row.is_through(function))?;
            Some(row.name.as_str())
        })
    }

    /// What kind of reservations these are, if they are of a known kind.
    #[must_use]
    pub fn recognise(&self, seen: &Observation<'_>) -> Option<Pattern> {
        let functions = seen.frames.iter().map(|frame| frame.function.as_deref());
        let functions: Vec<Option<&str>> = functions.map(|name| name.map(plain)).collect();
        let mut best: Option<(&KnownKind, Match)> = None;
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

    /// A pattern by its number, recognised by a shape; `witnessed`: something else says whose it is.
    #[must_use]
    pub fn seen(
        &self,
        number: usize,
        confidence: f64,
        evidence: Vec<String>,
        witnessed: bool,
        runtime: Option<&str>,
    ) -> Pattern {
        let found = Match::by_shape(confidence, evidence, witnessed);
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
