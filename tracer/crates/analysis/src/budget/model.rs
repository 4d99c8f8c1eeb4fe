//! The model of what budgets were held against (`tracer.check/1`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::summary::Level;

/// The schema's name: only additions without a new number.
pub const SCHEMA: &str = "tracer.check/1";

/// Every budget and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// [`SCHEMA`].
    pub schema: String,
    /// All in all: over if one is over, else unmeasured if one is or something was in the way.
    pub state: State,
    /// What was in the way of the whole measurement: the command failed, the recording is cut off.
    pub trouble: Vec<String>,
    /// In the order in which they were given.
    pub budgets: Vec<Judged>,
}

/// What became of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Kept, for certain.
    Within,
    /// Broken, for certain.
    Over,
    /// Neither can be said.
    Unmeasured,
}

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// A number of things.
    Count,
    /// A verdict's level.
    Level,
}

/// One budget, held against a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// As it was written.
    pub expression: String,
    /// Why it is there, if anybody said so.
    pub reason: Option<String>,
    /// What became of it.
    pub state: State,
    /// What the figures are counted in.
    pub unit: Unit,
    /// What is equal to the limit breaks it too.
    pub inclusive: bool,
    /// The limit; of one in % what that comes to; `null`: it is a level, or not known.
    pub limit: Option<i64>,
    /// The limit in % of the baseline's figure, if it was given so.
    pub limit_percent: Option<f64>,
    /// The limit, if it is a level.
    pub limit_level: Option<Level>,
    /// What was measured: at least this.
    pub least: Option<i64>,
    /// What was measured: at most this. The same as the least: exactly. `null`: no end is known.
    pub most: Option<i64>,
    /// What was measured, if it is a level.
    pub level: Option<Level>,
    /// What the baseline has of it; for a growth only.
    pub baseline: Option<u64>,
    /// How much is above the limit, at least; `null` unless it is.
    pub over: Option<i64>,
    /// Why it could not be measured, or what else is to be known.
    pub note: Option<String>,
    /// The call sites that make it up, those with the most first.
    pub sites: Vec<Part>,
}

/// What one call site has of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// Site id in the report.
    pub site: u32,
    /// How much, in the budget's unit; of a level, bytes reserved, of `refused` what was asked for.
    pub amount: i64,
}
