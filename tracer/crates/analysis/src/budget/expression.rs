//! What a budget says, as it was understood.

use super::figures::{self, Figure};
use super::metrics::Metric;
use super::model::Unit;
use crate::model::summary::Level;

/// One budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// As it was written.
    pub expression: String,
    /// Why it is there, if anybody said so.
    pub reason: Option<String>,
    /// What is measured.
    pub subject: Subject,
    /// Less what the baseline has of it.
    pub growth: bool,
    /// What is equal to the limit breaks it too.
    pub inclusive: bool,
    /// What is too much.
    pub limit: Limit,
}

/// What is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Of the whole trace.
    Total(&'static Metric),
    /// The worst verdict.
    Level,
    /// Of some sites or processes.
    Part(Chosen, &'static Figure),
}

/// Which sites or processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// The sites of a kind, by its id.
    Pattern(String),
    /// The sites with this in their stack.
    Site(String),
    /// The processes of this name.
    Process(String),
}

/// How sites or processes are chosen: `WORD(ARGUMENT).FIGURE`.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// As it is written.
    pub word: &'static str,
    /// What the help calls what is chosen by.
    pub argument: &'static str,
    /// What it chooses.
    pub choose: fn(String) -> Chosen,
    /// What `tracer check --help` says of it.
    pub help: &'static str,
}

/// All of them, in the order in which they are told.
pub static CHOICES: [Choice; 3] = [
    Choice {
        word: "pattern",
        argument: "ID",
        choose: Chosen::Pattern,
        help: "sites of a known kind",
    },
    Choice {
        word: "site",
        argument: "\"TEXT\"",
        choose: Chosen::Site,
        help: "sites with TEXT in a function or file:line of their stack",
    },
    Choice {
        word: "process",
        argument: "\"COMM\"",
        choose: Chosen::Process,
        help: "processes of this name",
    },
];

/// What is too much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// Bytes or a count.
    Amount(u64),
    /// Of the baseline's figure.
    Percent(f64),
    /// A level.
    Level(Level),
}

impl Subject {
    /// What it is counted in.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match self {
            Self::Total(metric) => metric.unit,
            Self::Level => Unit::Level,
            Self::Part(_, figure) => figure.unit,
        }
    }

    /// What a single site has of it; of a level, what it has reserved.
    #[must_use]
    pub fn figure(&self) -> &'static Figure {
        match self {
            Self::Total(metric) => metric.figure,
            Self::Level => &figures::RESERVED,
            Self::Part(_, figure) => figure,
        }
    }
}
