//! What was there before tracing: known by the shapes of its mappings when tracing began, as
//! [`crate::explain`] knows a process that nobody traces.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Analysis;
use crate::accounts::run::Run;
use crate::explain::{About, explain, sentence};
use crate::model::summary::{Kind, Level};

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

impl Analysis {
    /// What was there before a run that was found running; `None`: it was not, or nobody looked.
    pub(super) fn before(&self, run: &Run) -> Option<Before> {
        let shown = run.shown.as_ref()?;
        let about = About {
            pid: run.pid.0,
            identity: &run.identity,
            threads: 0,
            machine: self.machine,
            started: &self.started,
        };
        let seen = explain(&about, &shown.maps, &shown.stack_pointers, &self.patterns);
        Some(Before {
            t_ns: self.relative(shown.time),
            text: sentence::what(&seen, &seen.verdict.kinds).join(" "),
            level: seen.verdict.level,
            confidence: seen.verdict.confidence,
            virtual_bytes: seen.virtual_bytes,
            unexplained_bytes: seen.unexplained_bytes,
            kinds: seen.verdict.kinds,
        })
    }
}
