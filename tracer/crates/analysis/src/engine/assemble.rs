//! From the accounts to the model: process by process, each in steps.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;

use super::ended::Ended;
use crate::Analysis;
use crate::accounts::run::{Run, Sight};
use crate::accounts::view::LedgerView;
use crate::model::summary::{
    FailedCalls, Process, Report, SCHEMA, StackGrades, StacksSent, TracerCost,
};
use crate::words::calendar;
use tracer_ledger::event::{Learning, Pid};

impl Analysis {
    /// The whole model, with what lives now as the end of every run that has not ended.
    #[must_use]
    pub fn report(&self, ledger: &impl LedgerView) -> Report {
        self.report_after(ledger, None)
    }

    /// The same; what had ended well before an earlier report of this trace is taken from there as it is, with the
    /// numbers of its sites.
    #[must_use]
    pub fn report_after(&self, ledger: &impl LedgerView, earlier: Option<&Report>) -> Report {
        let known = earlier.map(Ended::of).unwrap_or_default();
        let mut next_site = known.next_site();
        let stages = stages(&self.runs);
        // Sites are numbered from those processes on that people read first: what was refused, then the biggest.
        // Processes stay in the order of their appearance.
        let runs = self.runs.iter().enumerate();
        let mut runs: Vec<(usize, &Run)> = runs.filter(|(_, run)| !run.is_launch_stub).collect();
        runs.sort_by_key(|(_, run)| {
            let refused = !run.refusals.groups().is_empty() || run.oom_kill.is_some();
            (!refused, Reverse(run.peak_bytes))
        });
        let mut processes: Vec<(usize, Process)> = runs
            .into_iter()
            .map(|(index, run)| {
                let process = known.process(run).cloned();
                let made = || self.process(index, run, ledger, &mut next_site);
                (index, process.unwrap_or_else(made))
            })
            .map(|(index, process)| {
                let stage = stages[index];
                (index, Process { stage, ..process })
            })
            .collect();
        processes.sort_by_key(|(index, _)| *index);
        let processes: Vec<_> = processes.into_iter().map(|(_, process)| process).collect();
        let stacks = StackGrades::sum(processes.iter().map(|process| &process.stacks));
        Report {
            schema: SCHEMA.into(),
            tracer_version: self.started.tracer_version.clone(),
            host: (&self.started).into(),
            started_at: calendar::rfc3339(self.started.realtime_ns),
            started_monotonic_ns: Some(self.started.time.0),
            duration_ns: self.relative(self.now).0,
            losses: self.losses,
            faults: self.started.faults,
            window: (!self.window.is_all()).then_some(self.window),
            events: self.events,
            failed_calls: self
                .failures
                .calls
                .iter()
                .map(|(call, count)| FailedCalls {
                    call: call.clone(),
                    count: *count,
                })
                .collect(),
            tracer: self
                .ended
                .map_or_else(TracerCost::default, |ended| TracerCost {
                    cpu_ns: ended.tracer_cpu_ns,
                    peak_bytes: ended.tracer_peak_bytes,
                    stacks: self.learning.map(sent),
                }),
            fault_stacks: self.fault_stacks,
            stacks,
            modules: self.modules.iter().cloned().collect(),
            processes,
        }
    }

    /// One process, step by step: what the accounts say, what kinds its sites are of, what that means.
    fn process(
        &self,
        index: usize,
        run: &Run,
        ledger: &impl LedgerView,
        next_site: &mut u32,
    ) -> Process {
        let sight = self.sight_of(index, run, ledger);
        let mut draft = self.draft(run, &sight, next_site);
        self.recognise(&mut draft);
        self.judge(&mut draft);
        draft.finish()
    }

    /// What was there at the run's end, or is there now.
    fn sight_of<'a>(
        &'a self,
        index: usize,
        run: &'a Run,
        ledger: &impl LedgerView,
    ) -> Cow<'a, Sight> {
        if run.end.is_none() {
            let space = ledger.space(run.space);
            return Cow::Owned(space.map_or_else(Sight::default, |space| self.look(index, &space)));
        }
        match &run.last_sight {
            Some(sight) => Cow::Borrowed(sight),
            // Its end was lost: the kernel's last word is better than the most it ever had.
            None => Cow::Owned(Sight {
                mapped_bytes: run.kernel_bytes.unwrap_or(run.peak_bytes),
                ..Sight::default()
            }),
        }
    }
}

/// Which program of its process each run is. What is only the moment between fork and exec is none.
fn stages(runs: &[Run]) -> Vec<u32> {
    let mut next: HashMap<Pid, u32> = HashMap::new();
    let stage_of = |run: &Run| {
        let stage = next.get(&run.pid).copied().unwrap_or(0);
        match run.end.map(|end| end.exit) {
            // Whoever has the number next is another process.
            Some(Some(_)) => next.remove(&run.pid),
            _ if run.is_launch_stub => None,
            _ => next.insert(run.pid, stage + 1),
        };
        stage
    };
    runs.iter().map(stage_of).collect()
}

fn sent(learning: Learning) -> StacksSent {
    StacksSent {
        known: learning.all.known,
        whole: learning.all.whole,
        known_after_10s: learning.settled.known,
        whole_after_10s: learning.settled.whole,
        rules: learning.rules,
        hashes: learning.hashes,
        memory_bytes: learning.memory_bytes,
    }
}
