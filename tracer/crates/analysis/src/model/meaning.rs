//! What it all means, as the model says it: the verdict on a process, the kind of a call site. A part of
//! [`crate::model::summary`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::limits::Harm;
use crate::words::units::bytes;

/// How bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Address space, not memory, or memory that is what it should be.
    Benign,
    /// Worth watching.
    Watch,
    /// A call was refused, and the process died of it or gave up.
    Refused,
    /// It grows and does not come back.
    Leak,
    /// Not known.
    #[default]
    Unknown,
}

impl Level {
    /// Each, the least bad first: what is unknown is worse than what is known to do no harm.
    pub const ALL: [Self; 5] = [
        Self::Benign,
        Self::Unknown,
        Self::Watch,
        Self::Refused,
        Self::Leak,
    ];

    /// Its place among [`Self::ALL`]: the more, the worse.
    #[must_use]
    pub fn badness(self) -> usize {
        Self::ALL
            .iter()
            .position(|level| *level == self)
            .unwrap_or(0)
    }

    /// As in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Benign => "benign",
            Self::Watch => "watch",
            Self::Refused => "refused",
            Self::Leak => "leak",
            Self::Unknown => "unknown",
        }
    }
}

/// The answer: what every face prints of a process first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// All of it as one paragraph.
    pub text: String,
    /// Its level.
    pub level: Level,
    /// 0 to 1: how sure the level is. Of `unknown` 0.
    #[serde(default)]
    pub confidence: f64,
    /// One sentence that stands alone: what it is, who by name, how much. At most 160 characters.
    #[serde(default)]
    pub headline: String,
    /// The call sites that the headline is about, the most telling first.
    #[serde(default)]
    pub who: Vec<Who>,
    /// Why: short sentences.
    #[serde(default)]
    pub because: Vec<String>,
    /// The limits that are near, were hit, or will be.
    #[serde(default)]
    pub hurts: Vec<Harm>,
    /// What changes it: for this runtime, and known to work.
    #[serde(default)]
    pub change: Vec<Remedy>,
    /// What answers what is still open.
    #[serde(default)]
    pub next: Vec<Next>,
    /// Reserved since the process was first seen and still held.
    #[serde(default)]
    pub grown_bytes: u64,
    /// Of this, not of a known kind for sure.
    #[serde(default)]
    pub unexplained_bytes: u64,
    /// What the process has reserved since it was first seen and still has, by known kinds, the largest
    /// first; only what is recognised for sure.
    #[serde(default)]
    pub kinds: Vec<Kind>,
}

/// A call site that a headline is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Who {
    /// [`Site::key`](crate::model::summary::Site::key).
    pub site: String,
    /// Its function, or what stands for it where no name is known.
    pub name: String,
    /// Source file and line, or the module; `null`: not known.
    #[serde(rename = "where")]
    pub place: Option<String>,
    /// Its own callers, nearest first: who asked, where the function itself is only a way to memory.
    pub callers: Vec<String>,
    /// Bytes it has reserved and not released; of a refused call: the bytes it asked for.
    pub bytes: u64,
    /// If it grows: bytes in an hour at present; `null`: it does not, or that is not sure.
    pub rate: Option<u64>,
}

/// Something to set, and what it comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Remedy {
    /// One word to copy, or a command.
    pub knob: String,
    /// What it does, and what it costs; may be empty.
    pub effect: String,
    /// The process's mapped bytes then, all else the same; `null`: not known.
    pub predicted_virtual_bytes: Option<u64>,
}

impl Remedy {
    /// What it comes to: `about 9.6 GiB virtual then (WebAssembly gets slower)`.
    #[must_use]
    pub fn comes_to(&self) -> String {
        let then = self.predicted_virtual_bytes;
        let then = then.map(|size| format!("about {} virtual then", bytes(size)));
        match (then, self.effect.as_str()) {
            (Some(then), "") => then,
            (Some(then), effect) => format!("{then} ({effect})"),
            (None, effect) => effect.to_owned(),
        }
    }
}

/// A command that answers what is still open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Next {
    /// What is open.
    pub why: String,
    /// The command.
    pub command: String,
}

/// The sites of one known kind, together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kind {
    /// See [`Pattern::id`].
    pub id: String,
    /// Name in words.
    pub name: String,
    /// Site ids.
    pub sites: Vec<u32>,
    /// Reservations alive at the end.
    pub live: u64,
    /// Bytes alive at the end.
    pub reserved_bytes: u64,
    /// See [`Pattern::knob`].
    pub knob: Option<String>,
    /// See [`Pattern::knob_effect`].
    pub knob_effect: Option<String>,
    /// The process's mapped bytes if the knob were set, all else the same; `null`: not known.
    #[serde(default)]
    pub predicted_virtual_bytes: Option<u64>,
}

/// From this confidence on a kind counts as recognised for sure.
const SURE: f64 = 0.9;

/// A known kind of reservation, recognised.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pattern {
    /// Stable id (`v8-wasm-memory`).
    pub id: String,
    /// Name in words.
    pub name: String,
    /// What it means.
    pub level: Level,
    /// 0 to 1.
    pub confidence: f64,
    /// What speaks for it.
    pub evidence: Vec<String>,
    /// What to do.
    pub advice: Vec<String>,
    /// What it is, in a sentence.
    #[serde(default)]
    pub meaning: String,
    /// What to set to change it, for this process's runtime; `null`: nothing known.
    #[serde(default)]
    pub knob: Option<String>,
    /// What the knob would change, with figures as far as they are known.
    #[serde(default)]
    pub knob_effect: Option<String>,
    /// Bytes of each reservation if the knob were set; `null`: not known.
    #[serde(default)]
    pub knob_becomes_bytes: Option<u64>,
    /// Where this is known from.
    #[serde(default)]
    pub source: String,
}

impl Pattern {
    /// Whether it is recognised for sure.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        self.confidence >= SURE
    }
}
