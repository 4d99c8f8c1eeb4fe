//! A live trace from its begin to its end: everything attached, then whatever comes next, in turn.

use std::{
    process::ExitStatus,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use tokio::{sync::mpsc, time::MissedTickBehavior};

use super::{diagnostics, state::Live};
use crate::{
    capture::command::Running,
    capture::host,
    capture::privileges,
    capture::programs::{Options, Programs},
    capture::ring::{Drained, Ring, now},
    session::{
        beginnings::Beginnings,
        ending::Ending,
        groups::Groups,
        losses::Losses,
        plan::{Outcome, Plan, Target},
        processes::Processes,
        refusals::Refusals,
        sink::Sink,
        stack_ids::StackIds,
        verification::Verification,
    },
    stacks::{Namer, Told},
};
use tracer_analysis::book::Book;
use tracer_ledger::event::{Event, Loss, decode::Decoder};
use tracer_ledger::order::Order;
use tracer_recording::{Kept, Writer};

/// How often `/proc` is asked for present figures, and the counters for losses.
const TICK: Duration = Duration::from_millis(200);
/// How often whoever looks on is told how things stand.
const LOOK: Duration = Duration::from_millis(100);
/// A look at what is resident may take this share of the time, and one at limits too.
const RESIDENT_SHARE: u32 = 50;
/// Between two looks at limits, at the least.
const LIMITS_PAUSE: Duration = Duration::from_secs(1);
/// Ticks between two counts of mappings.
const MAPS_TICKS: u64 = 25;

/// Traces until the end of the target, of the time, or a signal; `watch` is called a few times a second, in
/// the collector's thread: it must not wait for anything.
///
/// # Errors
/// Nothing could be traced.
pub(crate) fn trace(plan: Plan, watch: impl FnMut(&Book, Duration)) -> Result<Outcome> {
    privileges::check()?;
    privileges::forbid_core_files();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the collector")?;
    runtime.block_on(Live::run(plan, watch))
}

impl Live {
    async fn run(plan: Plan, mut watch: impl FnMut(&Book, Duration)) -> Result<Outcome> {
        let mut programs = Programs::load(Options {
            faults: plan.faults,
            fault_stacks: plan.fault_stacks,
            ring_bytes: plan.ring_bytes,
        })?;
        let recorder = match &plan.recording {
            Some(path) => Some(Writer::create_for(path, privileges::asked_by())?),
            None => None,
        };
        let kept = plan.kept.as_ref().map(Kept::writer).transpose()?;
        diagnostics::start(&mut programs);
        let ring = Ring::new(programs.ring()?)?;
        let (to_name, mut named) = mpsc::unbounded_channel();
        // The receiver is gone only when the trace is over.
        let namer =
            Namer::start(move |told| drop(to_name.send(told))).context("cannot start a thread")?;
        let started = host::started(plan.faults);
        let book = Book::new(
            rustix::param::page_size() as u64,
            plan.patterns,
            plan.window,
        );
        let mut live = Self {
            programs,
            ring,
            decoder: Decoder::default(),
            order: Order::default(),
            stacks: StackIds::new(namer, started.time),
            sink: Sink::new(book, recorder, kept),
            processes: Processes::default(),
            programs_begun: Beginnings::default(),
            losses: Losses::default(),
            refusals: Refusals::default(),
            records: 0,
            held: None,
            resident_due: Instant::now() + Duration::from_secs(1),
            resync_due: Instant::now(),
            limits_due: Instant::now() + LIMITS_PAUSE,
            groups: Groups::new(),
            fault_stacks: plan.fault_stacks,
            follow: plan.follow,
            joined: None,
        };
        live.sink.enter(&Event::Started(started));
        live.sink.enter(&Event::Machine(host::machine()));
        let mut ending = Ending::new(plan.stop.clone())?;
        live.stacks.know(plan.target.program());
        live.programs.attach(plan.faults)?;
        ending.begin(live.begin(plan.target)?, plan.duration);
        let raised = privileges::RaisedPriority::now();
        privileges::drop_unneeded();
        log::info!("everything is attached");

        let began = Instant::now();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut verification = Verification::new(plan.verify);
        let mut ticks = 0u64;
        let mut drained = Drained::default();
        let mut more = false;
        loop {
            tokio::select! {
                biased;
                over = ending.wait() => {
                    if over? {
                        break;
                    }
                }
                () = verification.due() => {
                    let began = Instant::now();
                    live.verify();
                    verification.took(began.elapsed());
                }
                Some(told) = named.recv() => live.told(told),
                _ = tick.tick() => {
                    live.tick(ticks.is_multiple_of(MAPS_TICKS))?;
                    ticks += 1;
                }
                _ = look.tick() => watch(live.sink.book(), began.elapsed()),
                ready = live.ring.readable(), if !more => {
                    ready?;
                    more = live.drain(&mut drained)?;
                }
                () = std::future::ready(()), if more => more = live.drain(&mut drained)?,
            }
            if ending.command.is_none() && live.processes.is_empty() && live.held.is_none() {
                break;
            }
        }
        let interrupted = ending.interrupted;
        let command = ending.command_ended().await?;
        drop(raised);
        let outcome = live.finish(named, command)?;
        Ok(Outcome {
            interrupted,
            ..outcome
        })
    }

    /// Selects what is to be traced; from here on its events come.
    fn begin(&mut self, target: Target) -> Result<Option<Running>> {
        match target {
            Target::Command(held) => {
                self.programs.select(held.pid(), self.follow)?;
                self.held = Some(held.pid());
                // It may be gone before it can be asked.
                if let Some(group) = self.groups.entered(held.pid()) {
                    self.order.push(now(), group);
                }
                Ok(Some(held.release()?))
            }
            Target::Processes(selection) => {
                for pid in &selection.pids {
                    self.find(*pid)?;
                }
                self.find_new(&selection)?;
                if self.processes.is_empty() {
                    bail!("there is nothing to trace");
                }
                if !selection.cgroups.is_empty() {
                    self.joined = Some(selection);
                }
                Ok(None)
            }
        }
    }

    /// What is done from time to time.
    fn tick(&mut self, count_maps: bool) -> Result<()> {
        self.find_joined()?;
        self.count_losses()?;
        self.sample(count_maps);
        self.count_refusals(None, now());
        if Instant::now() >= self.resident_due {
            let began = Instant::now();
            self.look_at_resident();
            let pause = (began.elapsed() * RESIDENT_SHARE).max(Duration::from_secs(1));
            self.resident_due = Instant::now() + pause;
        }
        if Instant::now() >= self.limits_due {
            let began = Instant::now();
            self.look_at_limits();
            let pause = (began.elapsed() * RESIDENT_SHARE).max(LIMITS_PAUSE);
            self.limits_due = Instant::now() + pause;
        }
        self.resynchronise();
        self.sink.flush();
        Ok(())
    }

    /// The last look at everything, the rest of the ring, the last names.
    fn finish(
        mut self,
        mut named: mpsc::UnboundedReceiver<Told>,
        command: Option<ExitStatus>,
    ) -> Result<Outcome> {
        self.count_losses()?;
        self.verify();
        self.look_at_resident();
        self.look_at_limits();
        for group in self.groups.finish() {
            self.order.push(now(), group);
        }
        self.sample(true);
        self.count_refusals(None, now());
        let end = now();
        let mut drained = Drained::default();
        while drained.seen_until.is_none_or(|seen| seen <= end) {
            self.drain(&mut drained)?;
        }
        // What was lost since is too late to be mended, but not to be told.
        let late = self.order.take_late();
        let look = self
            .losses
            .look(&self.programs, late, self.order.missing())?;
        if let Some(loss) = look.loss {
            self.order
                .push(end, Event::Loss(Loss { time: end, ..loss }));
        }
        for event in self.order.finish(end) {
            self.sink.enter(&event);
        }
        let learning = self.stacks.learning(&self.programs);
        self.stacks.finish();
        while let Ok(told) = named.try_recv() {
            match told {
                Told::Stack(stack) => self.sink.enter(&Event::Stack(stack)),
                Told::Module(module) => self.sink.enter(&Event::Module(module)),
                Told::Replaced { .. } => {}
            }
        }
        self.sink.enter(&Event::Failures(self.losses.failures()));
        self.sink.enter(&Event::Learning(learning));
        self.sink.enter(&Event::Machine(host::machine()));
        let ended = host::ended(end, self.records);
        self.sink.enter(&Event::Ended(ended));
        let report = self.sink.book().report();
        Ok(Outcome {
            report,
            command,
            interrupted: false,
            recording: self.sink.finish(),
            programs: self.programs,
        })
    }
}
