//! What was measured and what could not be, for the table and for other programs.

use anyhow::{Error, Result};
use serde_json::{Value, json};

use super::busy::Busy;
use super::gateway::Real;
use super::recordings::Recordings;
use super::rounds::{Measured, ROWS, Sample};
use super::tools::Readiness;

/// What was measured, and where.
#[derive(Default)]
pub(crate) struct Results {
    pub(crate) machine: String,
    pub(crate) measured: Option<Measured>,
    pub(crate) busy: Option<Busy>,
    pub(crate) real: Option<Real>,
    pub(crate) recordings: Option<Recordings>,
    /// Of the parts that did not come to their end.
    pub(crate) failures: Vec<Failure>,
}

/// A part that did not come to its end.
pub(crate) struct Failure {
    /// As in the table.
    pub(crate) part: &'static str,
    /// With all its causes.
    pub(crate) why: Error,
}

impl Results {
    /// Measures one part. If it fails that is said at once, and kept: the others are worth their time.
    pub(crate) fn part(
        &mut self,
        part: &'static str,
        measure: impl FnOnce(&mut Self) -> Result<()>,
    ) {
        if let Err(why) = measure(self) {
            eprintln!("{part}: {why:#}");
            self.failures.push(Failure { part, why });
        }
    }

    /// Everything, for other programs.
    pub(crate) fn json(&self) -> Value {
        let (measured, real) = (self.measured.as_ref(), self.real.as_ref());
        let readiness = |of: &Readiness| {
            json!({
                "attached_ns": of.attached.as_nanos() as u64,
                "first_event_ns": of.first_event.as_nanos() as u64,
            })
        };
        let sample = |of: &Sample| {
            json!({
                "round": of.round,
                "tool": of.tool.name(),
                "row": ROWS[of.row].name,
                "bare_ns": of.pair.bare,
                "with_ns": of.pair.with,
                "collector_ns": of.collector,
                "lost_share": of.lost,
            })
        };
        let failure = |of: &Failure| json!({ "part": of.part, "why": format!("{:#}", of.why) });
        json!({
            "schema": "tracer.bench/1",
            "machine": self.machine,
            "samples": measured.map(|of| of.samples.iter().map(sample).collect::<Vec<_>>()),
            "attach": measured.map(|of| of.readiness.iter().map(readiness).collect::<Vec<_>>()),
            "busy": self.busy.map(|of| json!({
                "calls": of.calls,
                "took_ns": of.took_ns,
                "cpu_ns": of.own.cpu_ns,
                "peak_bytes": of.own.peak_bytes,
                "events": of.own.events,
                "lost": of.own.lost,
            })),
            "program": real.map(|of| json!({
                "name": of.name,
                "peak_bytes": of.own.peak_bytes,
                "cpu_ns": of.own.cpu_ns,
                "duration_ns": of.own.duration_ns,
                "events": of.own.events,
                "lost": of.own.lost,
                "attach": of.readiness.iter().map(readiness).collect::<Vec<_>>(),
            })),
            "recordings": self.recordings.as_ref().map(Recordings::json),
            "failures": self.failures.iter().map(failure).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, bail};

    use super::*;

    #[test]
    fn a_part_that_fails_takes_nothing_from_the_others() {
        let mut results = Results::default();
        results.part("calls", |results| {
            results.measured = Some(Measured::default());
            Ok(())
        });
        results.part("a program", |_| {
            let ended: Result<()> = (|| bail!("it ended"))();
            ended.context("cannot attach")
        });
        results.part("recordings", |results| {
            results.machine = "a machine".to_owned();
            Ok(())
        });
        let json = results.json();
        assert_eq!(json["samples"], json!([]));
        assert_eq!(json["machine"], "a machine");
        let failure = json!({ "part": "a program", "why": "cannot attach: it ended" });
        assert_eq!(json["failures"], json!([failure]));
    }
}
