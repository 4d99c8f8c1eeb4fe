//! What was there before tracing, as the model says it. A part of [`crate::model::summary`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::meaning::{Kind, Level};

/// The mappings of a process when tracing began, by known kinds. Sizes are bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Before {
    /// When they were looked at, ns since the trace began.
    pub t_ns: u64,
    /// What it was made of, in sentences.
    pub text: String,
    /// What one look can say of it: never `leak`.
    pub level: Level,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
    /// Mapped then.
    pub virtual_bytes: u64,
    /// Of these, of no known kind.
    pub unexplained_bytes: u64,
    /// The kinds that are sure, largest first; they have no call sites.
    pub kinds: Vec<Kind>,
}
