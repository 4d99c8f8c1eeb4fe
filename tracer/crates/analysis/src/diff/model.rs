//! The model of a comparison (`tracer.diff/1`). Sizes are bytes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::summary::Level;
use tracer_ledger::event::{FaultMode, Frame, StackQuality};

/// The schema's name: only additions without a new number.
pub const SCHEMA: &str = "tracer.diff/1";

/// What has changed from one trace to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Diff {
    /// [`SCHEMA`].
    pub schema: String,
    /// It all in a few sentences.
    pub text: String,
    /// The earlier trace.
    pub old: Side,
    /// The later trace.
    pub new: Side,
    /// Mapped bytes at the end, of all processes together.
    pub virtual_bytes: Change,
    /// Resident bytes at the end, of all processes together; `null` where one was never looked at.
    pub resident_bytes: Change,
    /// Calls that were refused, of all processes together.
    #[serde(default)]
    pub refused: Change,
    /// What is refused now as it was not before: the most telling of it, in words; `null`: nothing.
    #[serde(default)]
    pub newly_refused: Option<String>,
    /// The worst level of any process, before and after.
    pub level: LevelChange,
    /// By kind of reservation, over all processes: the largest change first. What is of no known kind is
    /// one of them, without an id.
    pub kinds: Vec<KindChange>,
    /// What the old trace's verdicts have foretold of their knobs, and what has come of it.
    pub predictions: Vec<Prediction>,
    /// Every process of either side: the largest change first.
    pub processes: Vec<ProcessChange>,
}

/// One of the two traces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// When it began, RFC 3339 in UTC.
    pub started_at: String,
    /// How long it was, ns.
    pub duration_ns: u64,
    /// How page faults were followed: `each`, `count` or `off`.
    #[serde(with = "tracer_ledger::event::fault_mode")]
    #[schemars(with = "String")]
    pub faults: Option<FaultMode>,
    /// Events that were lost: with any, the figures are what is known.
    pub lost: u64,
}

/// A figure before and after; `null`: not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Before.
    pub old: Option<u64>,
    /// After.
    pub new: Option<u64>,
    /// After − before.
    pub change: Option<i64>,
}

impl Change {
    /// Of what is known of both.
    #[must_use]
    pub fn of(old: Option<u64>, new: Option<u64>) -> Self {
        let change = old.zip(new).map(|(old, new)| {
            let change = i128::from(new) - i128::from(old);
            // Symmetric: what is too much for the type is so in both directions.
            change.clamp(-i128::from(i64::MAX), i128::from(i64::MAX)) as i64
        });
        Self { old, new, change }
    }

    /// How much it is, whichever way; what is not known is nothing.
    #[must_use]
    pub fn size(self) -> u64 {
        self.change.unwrap_or(0).unsigned_abs()
    }
}

/// A level before and after; `null`: there was no process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LevelChange {
    /// Before.
    pub old: Option<Level>,
    /// After.
    pub new: Option<Level>,
}

/// How two things were found to be the same.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Matched {
    /// By all that a restart does not change.
    Exact,
    /// By most of it.
    Similar,
    /// There is none in the new trace.
    OnlyOld,
    /// There was none in the old trace.
    OnlyNew,
}

/// How many rows were matched how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Matches {
    /// See [`Matched::Exact`].
    pub exact: u64,
    /// See [`Matched::Similar`].
    pub similar: u64,
    /// See [`Matched::OnlyOld`].
    pub only_old: u64,
    /// See [`Matched::OnlyNew`].
    pub only_new: u64,
}

/// One process of both traces, or of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessChange {
    /// Its name, after if there is one.
    pub comm: String,
    /// How it was matched.
    pub matched: Matched,
    /// Process id before.
    pub old_pid: Option<u32>,
    /// Process id after.
    pub new_pid: Option<u32>,
    /// Mapped bytes at its end.
    pub virtual_bytes: Change,
    /// Resident bytes at its end.
    pub resident_bytes: Change,
    /// Calls that it was refused.
    #[serde(default)]
    pub refused: Change,
    /// Its verdict's level.
    pub level: LevelChange,
    /// Its verdict's headline before; empty: there was no process.
    #[serde(default)]
    pub old_headline: String,
    /// Its verdict's headline after; empty: there is no process.
    #[serde(default)]
    pub new_headline: String,
    /// How its call sites were matched.
    pub matches: Matches,
    /// By kind of reservation: the largest change first.
    pub patterns: Vec<KindChange>,
    /// By call site: the largest change first. Sites that nothing but addresses tells apart are one.
    pub sites: Vec<SiteChange>,
}

/// All reservations of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KindChange {
    /// The pattern's id (`v8-wasm-memory`); `null`: of no known kind.
    pub id: Option<String>,
    /// Name in words.
    pub name: String,
    /// What it adds up to.
    #[serde(flatten)]
    pub figures: Figures,
}

/// One call site of both traces, or of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SiteChange {
    /// How it was matched.
    pub matched: Matched,
    /// For a similar one: what part of the frames is the same, 0 to 1.
    pub similarity: Option<f64>,
    /// Site ids before.
    pub old_sites: Vec<u32>,
    /// Site ids after.
    pub new_sites: Vec<u32>,
    /// The kind of reservation, after if it is known: id.
    pub pattern: Option<String>,
    /// The same, in words.
    pub pattern_name: Option<String>,
    /// There before tracing, or made by the kernel.
    pub pre_existing: bool,
    /// File or kernel's name, where no call was seen.
    pub name: String,
    /// The stack of the largest of its sites, after if there is one, innermost first.
    pub frames: Vec<Frame>,
    /// How much of that stack is known.
    pub stack: StackQuality,
    /// What it adds up to.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Figures at the end of the traces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Figures {
    /// Bytes alive.
    pub reserved_bytes: Change,
    /// Of these, accessible.
    pub accessible_bytes: Change,
    /// Of these, ever touched.
    pub touched_bytes: Change,
    /// Of these, in memory at the last look.
    pub resident_bytes: Change,
    /// Of these, charged.
    pub charged_bytes: Change,
    /// Given back in the course of the trace.
    pub released_bytes: Change,
    /// Successful calls that reserved.
    pub calls: Change,
    /// Reservations alive.
    pub live: Change,
    /// Calls that were refused.
    #[serde(default)]
    pub refused: Change,
}

impl Figures {
    /// Every one of them.
    #[must_use]
    pub fn all(&self) -> [Change; 9] {
        [
            self.reserved_bytes,
            self.accessible_bytes,
            self.touched_bytes,
            self.resident_bytes,
            self.charged_bytes,
            self.released_bytes,
            self.calls,
            self.live,
            self.refused,
        ]
    }

    /// Something is known to have changed, or became known or unknown.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.all().iter().any(|change| change.old != change.new)
    }
}

/// What a knob was foretold to do, and what has come of it. The knob may not have been turned: then
/// something else has made the kind smaller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Prediction {
    /// The process.
    pub comm: String,
    /// The kind of reservation: id.
    pub id: String,
    /// The same, in words.
    pub name: String,
    /// What was to be set.
    pub knob: String,
    /// The process's mapped bytes before.
    pub old_bytes: u64,
    /// What they were foretold to become.
    pub predicted_bytes: u64,
    /// What they have become.
    pub new_bytes: u64,
    /// How far that is from what was foretold, in % of it; above 0: more.
    pub deviation_percent: f64,
}
