//! What tracing adds to a call and to a page fault. A round takes every tool in turn: bare, with the
//! tool, bare, with the next … on the same processes.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::figures::{Pair, Spread, share_of_added};
use super::tools::{Attached, Bench, Own, Readiness, Tool};
use super::workload::{Frames, Kind, Workload, compile};

/// Batches of which one sample is the median.
const BATCHES: usize = 5;
/// Pairs in one batch that makes the stacks known. So few that their copies fit into tracer's ring.
const WARM: u32 = 50;
/// How often they are made known: a stack's rules are learned one after the other.
const WARMINGS: usize = 4;

/// One thing that is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// As in the table.
    pub(crate) name: &'static str,
    kind: Kind,
    /// In one batch.
    count: u32,
    depth: u32,
    /// Which of the traced processes does it.
    frames: Frames,
    /// Records that tracer makes of one. Of a pair: mmap's end, munmap's begin and end.
    pub(crate) records: u32,
    /// The most that tracer may add, in what bpftrace adds.
    pub(crate) most: Option<f64>,
}

const fn pairs(name: &'static str, depth: u32, frames: Frames) -> Row {
    Row {
        name,
        kind: Kind::Pairs,
        count: 3000,
        depth,
        frames,
        records: 3,
        most: Some(0.35),
    }
}

/// All that is measured in traced processes, and in one that is not.
pub(crate) const ROWS: [Row; 7] = [
    pairs("mmap+munmap, 4 frames", 4, Frames::Kept),
    pairs("mmap+munmap, 32 frames", 32, Frames::Kept),
    pairs("mmap+munmap, 100 frames", 100, Frames::Kept),
    pairs("mmap+munmap, 32, no frame pointers", 32, Frames::Omitted),
    Row {
        name: "mmap+touch+munmap, 4 frames",
        kind: Kind::Touched,
        count: 2000,
        depth: 4,
        frames: Frames::Kept,
        records: 4,
        most: None,
    },
    Row {
        name: "page fault",
        kind: Kind::Faults,
        count: 4096,
        depth: 4,
        frames: Frames::Kept,
        records: 1,
        most: Some(0.25),
    },
    BYSTANDER,
];

/// In a process that nobody traces.
const BYSTANDER: Row = Row {
    name: "another process's system call",
    kind: Kind::Calls,
    count: 50_000,
    depth: 1,
    frames: Frames::Kept,
    records: 0,
    most: None,
};

impl Row {
    /// Whether it is what tools do to the rest of the machine.
    pub(crate) fn is_bystander(&self) -> bool {
        self.kind == Kind::Calls
    }

    /// Whether it is measured also with page faults only counted.
    pub(crate) fn is_fault(&self) -> bool {
        self.kind == Kind::Faults
    }
}

/// A tool's stay in a round: attached to these processes, and what is measured meanwhile.
struct Stay {
    tool: Tool,
    traced: &'static [Frames],
    rows: &'static [usize],
}

/// The process without frame pointers has tracer to itself, and so have page faults: what one loses
/// must not be laid to the other.
const STAYS: [Stay; 7] = [
    Stay {
        tool: Tool::Tracer,
        traced: &[Frames::Kept],
        rows: &[0, 1, 2, 4, 6],
    },
    Stay {
        tool: Tool::Tracer,
        traced: &[Frames::Kept],
        rows: &[5],
    },
    Stay {
        tool: Tool::Bpftrace,
        traced: &[Frames::Kept, Frames::Omitted],
        rows: &[0, 1, 2, 3, 4, 5, 6],
    },
    Stay {
        tool: Tool::Tracer,
        traced: &[Frames::Omitted],
        rows: &[3],
    },
    Stay {
        tool: Tool::TracerCounting,
        traced: &[Frames::Kept],
        // Of the faults it tells nothing but their number: the pairs show that it saw the process.
        rows: &[0, 5],
    },
    Stay {
        tool: Tool::Perf,
        traced: &[Frames::Kept, Frames::Omitted],
        rows: &[0, 1, 2, 3, 4, 5, 6],
    },
    Stay {
        tool: Tool::Floor,
        traced: &[],
        rows: &[0, 1, 2, 3, 4, 5, 6],
    },
];

/// One row, measured bare and with one tool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// From 0.
    pub(crate) round: usize,
    pub(crate) tool: Tool,
    /// Which of [`ROWS`].
    pub(crate) row: usize,
    /// What one took its thread.
    pub(crate) pair: Pair,
    /// What one took the tool in its own process, ns.
    pub(crate) collector: f64,
    /// Events that the tool lost in this stay, of all it was given.
    pub(crate) lost: f64,
}

/// What was measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    /// By round, tool and row.
    pub(crate) samples: Vec<Sample>,
    /// Of each of tracer's stays.
    pub(crate) readiness: Vec<Readiness>,
}

impl Measured {
    fn of(&self, row: usize, tool: Tool) -> impl Iterator<Item = &Sample> {
        self.samples
            .iter()
            .filter(move |sample| sample.row == row && sample.tool == tool)
    }

    /// A figure of each of a tool's samples.
    pub(crate) fn spread(
        &self,
        row: usize,
        tool: Tool,
        figure: impl Fn(&Sample) -> f64,
    ) -> Option<Spread> {
        Spread::of(self.of(row, tool).map(figure))
    }

    /// Whether a tool was measured.
    pub(crate) fn has(&self, tool: Tool) -> bool {
        self.samples.iter().any(|sample| sample.tool == tool)
    }

    /// The share of its events that a tool lost where it was measured with this row.
    pub(crate) fn lost(&self, row: usize, tool: Tool) -> f64 {
        self.spread(row, tool, |sample| sample.lost)
            .map_or(0.0, |lost| lost.median)
    }

    /// What one took without any tool, ns.
    pub(crate) fn bare(&self, row: usize) -> Option<Spread> {
        let samples = self.samples.iter().filter(|sample| sample.row == row);
        Spread::of(samples.map(|sample| sample.pair.bare))
    }

    /// What `tool` added in what bpftrace added, round by round.
    pub(crate) fn share_of_bpftrace(&self, row: usize, tool: Tool) -> Option<Spread> {
        Spread::of(self.of(row, tool).filter_map(|one| {
            let mut others = self.of(row, Tool::Bpftrace);
            let other = others.find(|other| other.round == one.round)?;
            Some(share_of_added(one.pair, other.pair))
        }))
    }
}

/// The processes that are measured.
struct Processes {
    framed: Workload,
    frameless: Workload,
    bystander: Workload,
}

impl Processes {
    /// Compiled and started.
    fn start(workspace: &Path, bench: &Bench) -> Result<Self> {
        let framed = compile(workspace, &bench.folder, Frames::Kept)?;
        let frameless = compile(workspace, &bench.folder, Frames::Omitted)?;
        Ok(Self {
            framed: Workload::start(&framed)?,
            frameless: Workload::start(&frameless)?,
            bystander: Workload::start(&framed)?,
        })
    }

    fn of(&mut self, row: &Row) -> &mut Workload {
        match (row.is_bystander(), row.frames) {
            (true, _) => &mut self.bystander,
            (false, Frames::Kept) => &mut self.framed,
            (false, Frames::Omitted) => &mut self.frameless,
        }
    }

    /// Nanoseconds that one of a row takes now.
    fn sample(&mut self, row: &Row) -> Result<f64> {
        let batches = (0..BATCHES)
            .map(|_| self.of(row).time(row.kind, row.count, row.depth))
            .collect::<Result<Vec<_>>>()?;
        Ok(Spread::of(batches).context("no time passed")?.median)
    }

    fn attach(&mut self, stay: &Stay, bench: &Bench) -> Result<Attached> {
        let Self {
            framed, frameless, ..
        } = self;
        let mut traced: Vec<_> = [(Frames::Kept, framed), (Frames::Omitted, frameless)]
            .into_iter()
            .filter(|(frames, _)| stay.traced.contains(frames))
            .map(|(_, workload)| workload)
            .collect();
        Attached::to(stay.tool, bench, &mut traced)
    }

    fn round(&mut self, round: usize, bench: &Bench, perf: bool) -> Result<Measured> {
        let mut measured = Measured::default();
        for stay in STAYS.iter().filter(|stay| perf || stay.tool != Tool::Perf) {
            self.stay(stay, round, bench, &mut measured)
                .with_context(|| format!("cannot measure {}", stay.tool.name()))?;
        }
        Ok(measured)
    }

    /// One stay of a round.
    fn stay(
        &mut self,
        stay: &Stay,
        round: usize,
        bench: &Bench,
        into: &mut Measured,
    ) -> Result<()> {
        let rows = stay.rows.iter().map(|number| (*number, &ROWS[*number]));
        let mut bare = Vec::new();
        for (_, row) in rows.clone() {
            bare.push(self.sample(row)?);
        }
        let attached = self.attach(stay, bench)?;
        for _ in 0..WARMINGS {
            for (_, row) in rows.clone() {
                self.of(row).time(row.kind, WARM, row.depth)?;
            }
            attached.settle()?;
        }
        let first = into.samples.len();
        let mut done = 0;
        let mut before = attached.settle()?;
        for ((number, row), bare) in rows.zip(bare) {
            let with = self.sample(row)?;
            let after = attached.settle()?;
            let took = after.saturating_sub(before);
            before = after;
            let items = row.count * BATCHES as u32;
            let counted = stay.tool == Tool::TracerCounting && row.is_fault();
            if !row.is_bystander() && !counted {
                done += u64::from(items);
            }
            into.samples.push(Sample {
                round,
                tool: stay.tool,
                row: number,
                pair: Pair { bare, with },
                collector: took.as_nanos() as f64 / f64::from(items),
                lost: 0.0,
            });
        }
        into.readiness.extend(attached.readiness());
        if let Some(own) = attached.end()? {
            check(&own, done)?;
            for sample in &mut into.samples[first..] {
                sample.lost = own.lost as f64 / (own.lost + own.events).max(1) as f64;
            }
        }
        Ok(())
    }
}

/// A tool that did not see the calls would have cost nothing.
fn check(own: &Own, done: u64) -> Result<()> {
    if own.events + own.lost < done {
        bail!(
            "tracer saw {} events and lost {}, of {done} calls and faults: nothing was measured",
            own.events,
            own.lost
        );
    }
    Ok(())
}

/// Rounds on processes of their own. Those that came to their end are in `into`: a quotient is taken within one.
pub(crate) fn measure(
    workspace: &Path,
    bench: &Bench,
    rounds: usize,
    perf: bool,
    into: &mut Option<Measured>,
) -> Result<()> {
    let mut processes = Processes::start(workspace, bench)?;
    for round in 0..rounds {
        eprintln!("round {} of {rounds}", round + 1);
        let done = processes.round(round, bench, perf)?;
        let measured = into.get_or_insert_default();
        measured.samples.extend(done.samples);
        measured.readiness.extend(done.readiness);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(round: usize, tool: Tool, bare: f64, with: f64) -> Sample {
        Sample {
            round,
            tool,
            row: 0,
            pair: Pair { bare, with },
            collector: 0.0,
            lost: 0.0,
        }
    }

    #[test]
    fn shares_are_taken_within_a_round() {
        let measured = Measured {
            samples: vec![
                sample(0, Tool::Tracer, 10.0, 20.0),
                sample(0, Tool::Bpftrace, 10.0, 50.0),
                // The machine has become three times as slow.
                sample(1, Tool::Tracer, 30.0, 60.0),
                sample(1, Tool::Bpftrace, 30.0, 150.0),
            ],
            readiness: Vec::new(),
        };
        let share = measured
            .share_of_bpftrace(0, Tool::Tracer)
            .expect("both were measured");
        assert_eq!(
            (share.least, share.median, share.greatest),
            (0.25, 0.25, 0.25)
        );
        assert_eq!(measured.share_of_bpftrace(1, Tool::Tracer), None);
    }

    #[test]
    fn a_tool_that_saw_less_than_was_done_is_an_error() {
        let own = |events, lost| Own {
            peak_bytes: 0,
            cpu_ns: 0,
            duration_ns: 0,
            events,
            lost,
        };
        assert!(check(&own(90, 10), 100).is_ok());
        assert!(check(&own(90, 9), 100).is_err());
    }

    #[test]
    fn every_row_is_measured_with_every_tool_that_it_is_compared_with() {
        for (number, row) in ROWS.iter().enumerate() {
            for tool in [Tool::Tracer, Tool::Bpftrace, Tool::Floor] {
                let stays = STAYS.iter().filter(|stay| stay.tool == tool);
                let times = stays.filter(|stay| stay.rows.contains(&number)).count();
                assert_eq!(times, 1, "{} with {}", row.name, tool.name());
            }
        }
    }
}
