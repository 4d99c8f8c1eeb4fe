//! The model of a trial (`tracer.try/1`). Times are ns, sizes are bytes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::summary::Who;

/// The schema's name: only additions without a new number.
pub const SCHEMA: &str = "tracer.try/1";

/// What came within so many percent came as foretold.
pub const WITHIN_PERCENT: f64 = 10.0;

/// A command as it is, and with each knob.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trial {
    /// [`SCHEMA`].
    pub schema: String,
    /// Version of the tracer that made it.
    pub tracer_version: String,
    /// The command.
    pub command: Vec<String>,
    /// Each run was ended after this time; `null`: each ran to its own end.
    pub duration_ns: Option<u64>,
    /// The worst of what came of the knobs; `not-tried` if there was none.
    pub came: Came,
    /// It was ended before all was tried.
    pub interrupted: bool,
    /// The processes that knobs are for, and how each was without one.
    pub processes: Vec<Subject>,
}

/// A process as it is, and with each of its knobs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// Name.
    pub comm: String,
    /// Known runtime and version.
    pub runtime: Option<String>,
    /// As it is.
    pub as_it_is: Run,
    /// With each knob, alone.
    pub knobs: Vec<Tried>,
}

/// One run of the command, and this process of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Process id; `null`: the run had no such process.
    pub pid: Option<u32>,
    /// Mapped before its ending began; `null`: not known.
    pub virtual_bytes: Option<u64>,
    /// Resident then; `null`: not known.
    pub resident_bytes: Option<u64>,
    /// How the command ended.
    pub ended: Ended,
    /// From the process's first instruction to its end, or that of the run.
    pub took_ns: u64,
    /// Calls that the process was refused.
    pub refused: u64,
    /// Why not all that it did was measured; `null`: it was.
    pub unmeasured: Option<String>,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// It worked on until the trial ended it, when its time was over.
    #[default]
    AtItsTime,
}

/// A knob, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tried {
    /// As it was offered.
    pub knob: String,
    /// What it does, and what it costs; may be empty.
    pub effect: String,
    /// What was set for this run; `null`: nothing was.
    pub set: Option<String>,
    /// How, where that is not plain: behind which value, instead of which, in which variable.
    pub how: Option<String>,
    /// Why it was not tried; `null`: it was.
    pub not_tried: Option<String>,
    /// What came of it.
    pub came: Came,
    /// The process's mapped bytes as they were foretold; `null`: nothing was.
    pub predicted_virtual_bytes: Option<u64>,
    /// How far what has come is from that, percent of what was foretold.
    pub deviation_percent: Option<f64>,
    /// With it; `null`: it was not tried.
    pub run: Option<Run>,
    /// The last call site of the process as it is that the process with the knob has reached too; `null`: none.
    pub point: Option<Point>,
    /// Call sites of the process as it is, those that the knob is about left out.
    pub sites: u64,
    /// Of these, those that it reached with the knob.
    pub sites_reached: u64,
}

/// When both runs came to the same code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// The call site.
    pub site: Who,
    /// As it is: from the process's first instruction to its first call there.
    pub as_it_is_ns: u64,
    /// With the knob.
    pub with_it_ns: u64,
}

/// What came of a knob, the best first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Came {
    /// Within [`WITHIN_PERCENT`] of what was foretold, and it worked as before.
    AsForetold,
    /// It worked as before; nothing was foretold.
    Worked,
    /// It was not tried.
    #[default]
    NotTried,
    /// Nobody knows: not all was measured.
    NotMeasured,
    /// It worked as before, and came to something else than was foretold.
    Off,
    /// It did not work as before: it ended in another way, or was refused what it was not before.
    Failed,
}
