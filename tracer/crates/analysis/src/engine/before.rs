//! What was there before tracing: known by the shapes of its mappings when tracing began, as
//! [`crate::explain`] knows a process that nobody traces.

use crate::Analysis;
use crate::accounts::run::Run;
use crate::explain::{About, explain, sentence};
use crate::model::summary::Before;

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
            t_ns: self.relative(shown.time).0,
            text: sentence::what(&seen, &seen.verdict.kinds).join(" "),
            level: seen.verdict.level,
            confidence: seen.verdict.confidence,
            virtual_bytes: seen.virtual_bytes,
            unexplained_bytes: seen.unexplained_bytes,
            kinds: seen.verdict.kinds,
        })
    }
}
