//! What the kernel itself says of how much a process has: its maps, its periodic figures, its totals.

use crate::Analysis;
use crate::accounts::spaces::{SharedSpace, SpaceBytes};
use tracer_ledger::event::{Maps, MapsPurpose, Pid, Sample, SpaceId, Totals, Usage};

impl Analysis {
    /// Bytes that the ledger has mapped in a space.
    pub(super) fn ledger_bytes(&self, space: SpaceId) -> u64 {
        self.space_bytes(space).mapped
    }

    fn space_bytes(&self, space: SpaceId) -> SpaceBytes {
        let space = self.spaces.get(&space);
        space.map_or_else(SpaceBytes::default, SharedSpace::bytes)
    }

    /// While the ledger takes over what was read, its sum is neither the old nor the new one.
    pub(super) fn taking_over(&mut self, maps: &Maps) {
        if maps.purpose == MapsPurpose::Verify {
            return;
        }
        if let Some(space) = self.spaces.get(&maps.space) {
            for &run in &space.runs {
                self.runs[run].unseen_bytes = None;
            }
        }
    }

    /// Maps were read, and the ledger has them: nothing is unseen any more.
    pub(super) fn taken_over(&mut self, maps: &Maps) {
        if maps.purpose == MapsPurpose::Resync {
            self.losses.resyncs += 1;
        }
        let time = self.relative(maps.time);
        // What lies in the kernel's half (`[vsyscall]`) does not count.
        let own = maps.mappings.iter().filter(|one| one.start.0 < 1 << 63);
        let count = own.count() as u64;
        let Some(space) = self.spaces.get(&maps.space) else {
            return;
        };
        for &index in &space.runs {
            let run = &mut self.runs[index];
            run.standing.mapped(time, count);
            if maps.purpose != MapsPurpose::Verify {
                run.unseen_bytes = Some(0);
                run.progressed(time, space.bytes());
            }
        }
    }

    /// Periodic figures of a process.
    pub(super) fn sampled(&mut self, sample: &Sample) {
        self.at(sample.time);
        let time = self.relative(sample.time);
        if let Some(&run) = self.current.get(&sample.pid) {
            let ledger_bytes = self.ledger_bytes(self.runs[run].space);
            self.runs[run].sampled(time, *sample, ledger_bytes);
        }
    }

    /// What a process uses.
    pub(super) fn used(&mut self, usage: &Usage) {
        self.at(usage.time);
        let time = self.relative(usage.time);
        if let Some(&run) = self.current.get(&usage.pid) {
            self.runs[run].used(time, usage);
            self.runs[run].pages.used(time, *usage);
        }
    }

    /// The kernel's totals at a run's beginning, of which the ledger may know a part or nothing yet.
    pub(super) fn counted(&mut self, pid: Pid, totals: Totals) {
        let Some(&index) = self.current.get(&pid) else {
            return;
        };
        let kernel = totals.total_pages.saturating_mul(self.started.page_bytes);
        if kernel == 0 {
            return;
        }
        let known = self.space_bytes(self.runs[index].space);
        let run = &mut self.runs[index];
        run.kernel_bytes = Some(kernel);
        run.unseen_bytes = Some(kernel.saturating_sub(known.mapped));
        // What the changes themselves told on the way was not yet the beginning.
        run.start_bytes = None;
        run.progressed(run.first, known);
    }
}
