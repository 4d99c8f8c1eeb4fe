//! One known kind of reservation, and what is said of a site of this kind.

use super::condition::{Match, Observation, Settled, When};
use super::guess;
use super::shape::Shape;
use super::versions::Versions;
use super::words;
use crate::model::summary::{Level, Pattern};
use crate::words::names::bare;

/// One kind of reservation.
#[derive(Clone, Debug)]
pub struct KnownKind {
    pub id: String,
    pub name: String,
    pub level: Level,
    /// The level while the site grows still.
    pub growing: Option<Level>,
    /// The level while most of it is touched; benign address space is then of unknown worth unless this
    /// says otherwise.
    pub touched: Option<Level>,
    /// Its sites take memory for one pool: what one of them gets, another may give back.
    pub pool: bool,
    /// The kind that may have what this one gives back, and the other way round.
    pub exchanges_with: Option<String>,
    /// Whoever happens to be there when it grows is the caller, so that its many sites say less than their sum: in
    /// tables they are one row.
    pub row: Option<TableRow>,
    pub meaning: String,
    pub advice: Vec<String>,
    pub knobs: Vec<Knob>,
    pub source: String,
    pub whens: Vec<When>,
    pub shapes: Vec<Shape>,
    /// More than this at a time are unusual.
    pub many: Option<u64>,
    /// More than this for each CPU are unusual.
    pub many_per_cpu: Option<u64>,
}

/// A row of a table that many sites of one kind are read as. Tables are written from a report alone, of any trace: they
/// know the patterns that come with the tool, and of added ones the rows say nothing.
#[derive(Clone, Debug)]
pub struct TableRow {
    /// What stands there.
    pub name: String,
    /// Functions, one of which is in the stacks of its sites: names without what [`bare`] takes away.
    pub functions: Vec<String>,
}

impl TableRow {
    /// Whether a call of this function is one for it.
    pub fn is_through(&self, function: &str) -> bool {
        let function = bare(function);
        self.functions
            .iter()
            .any(|words| words::matches(words, function))
    }
}

/// What changes a kind of reservation.
#[derive(Clone, Debug)]
pub struct Knob {
    /// The runtimes that have it (`node *`); empty: it needs none.
    pub runtime: String,
    /// Words for the file name of a module, one of whose functions is in the stack; empty: it needs none.
    pub module: String,
    /// Their versions.
    pub versions: Versions,
    pub set: String,
    pub effect: String,
    /// How large each reservation is then.
    pub becomes: Option<Becomes>,
}

/// What is left of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Becomes {
    /// Of whatever size it is.
    Bytes(u64),
    /// One of so many parts.
    OneOf(u64),
}

impl Becomes {
    /// Bytes of each, in the mean of those that live: what is smaller than that already stays. `None`: their sizes are
    /// not known.
    fn of(self, living: &[Settled<'_>]) -> Option<u64> {
        let number = living.len() as u64;
        let then = |one: &Settled<'_>| match self {
            Self::Bytes(bytes) => bytes.min(one.reserved),
            Self::OneOf(parts) => one.reserved / parts,
        };
        match (self, number) {
            (Self::Bytes(bytes), 0) => Some(bytes),
            (Self::OneOf(_), 0) => None,
            _ => Some(living.iter().map(then).sum::<u64>() / number),
        }
    }
}

impl KnownKind {
    /// The pattern in the model, by what was found of it.
    pub fn recognised(&self, found: Match, seen: &Observation<'_>) -> Pattern {
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
        let is_through = |module: &str| {
            let mut modules = seen
                .frames
                .iter()
                .filter_map(|frame| frame.module.as_deref());
            module.is_empty() || modules.any(|path| words::matches(module, words::file_name(path)))
        };
        let mut knobs = self.knobs.iter().filter(|knob| is_through(&knob.module));
        let knob = knobs.find(|knob| {
            knob.runtime.is_empty()
                || seen.runtime.is_some_and(|runtime| {
                    words::matches(&knob.runtime, runtime) && knob.versions.hold(runtime)
                })
        });
        let pattern = Pattern {
            id: self.id.clone(),
            name: self.name.clone(),
            level,
            confidence: found.confidence,
            evidence,
            advice: self.advice.clone(),
            meaning: self.meaning.clone(),
            knob: knob.map(|knob| knob.set.clone()),
            knob_effect: knob.map(|knob| knob.effect.clone()),
            knob_becomes_bytes: knob.and_then(|knob| knob.becomes?.of(&seen.settled)),
            source: self.source.clone(),
        };
        if found.witnessed {
            pattern
        } else {
            guess::called_one(pattern)
        }
    }
}
