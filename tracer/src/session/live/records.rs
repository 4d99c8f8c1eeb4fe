//! The ring drained, and what each of its records means for a live trace, as it arrives.

use std::time::Instant;

use anyhow::{Result, bail};

use super::state::Live;
use crate::{
    capture::procfs,
    capture::ring::{Drained, now},
    session::{beginnings, code_changes},
    stacks::Told,
};
use tracer_ledger::event::{
    Accounted, Blind, Event, Exec, Exit, ExitStatus as Status, Fork, Mappings, MapsPurpose,
    OomKill, Pid, Rename, SampledFault, SpaceId, Split, Stamp, Thread, Tid, Unseen,
    record::{RawAccounted, RawProcess, RawRefused, Record},
};

/// Records taken before other things get their turn.
const BATCH: usize = 4096;
/// What the kernel sends for want of memory (include/uapi/asm-generic/signal.h).
const SIGKILL: u8 = 9;

impl Live {
    /// Takes what is in the ring, and enters what is in order; true if there may be more.
    pub(super) fn drain(&mut self, drained: &mut Drained) -> Result<bool> {
        self.ring.drain(BATCH, drained);
        let more = drained.records.len() == BATCH;
        let first = self.records == 0 && !drained.records.is_empty();
        for bytes in drained.records.drain(..) {
            self.records += 1;
            match self.decoder.decode(bytes) {
                Ok(record) => self.record(record),
                Err(error) => bail!("the eBPF programs sent {error}: this is a bug of tracer"),
            }
        }
        if let Some(watermark) = drained.seen_until {
            while let Some(event) = self.order.pop(watermark) {
                self.sink.enter(&event);
            }
        }
        if Instant::now() >= self.resync_due {
            self.resynchronise();
        }
        if first {
            // `cargo xtask bench` waits for this line.
            log::info!("the first event is handled");
        }
        Ok(more)
    }

    /// One record of the ring, as it arrives.
    fn record(&mut self, record: Record) {
        if self.held.is_some()
            && !matches!(
                record,
                Record::Exec(_) | Record::Mapping(_) | Record::File(_)
            )
        {
            return;
        }
        match record {
            Record::Stack(stack) => {
                if let Some(why) = self.stacks.arrived(&stack, &mut self.programs) {
                    self.sink.enter(&Event::Incomplete(why));
                }
            }
            Record::Failed(failed) => {
                let change = code_changes::of_failure(&failed);
                self.code_changed(failed.stamp.space, &change);
                self.order.failed(failed);
            }
            Record::Call(call) => {
                // The call itself came from the code as it was.
                let time = code_changes::effective(call.turn, call.stamp);
                let stack = self.stacks.resolve(call.stack, call.stamp.space, time);
                let change = code_changes::of_call(&call);
                self.code_changed(call.stamp.space, &change);
                self.order.call(call, stack);
            }
            Record::Fault(fault) => self.order.push(fault.stamp.time, Event::Fault(fault)),
            Record::SampledFault(fault, word) => {
                let time = fault.stamp.time;
                let sampled = SampledFault {
                    fault,
                    stack: self.stacks.resolve(word, fault.stamp.space, time),
                    every: self.fault_stacks,
                };
                self.order.push(time, Event::SampledFault(sampled));
            }
            Record::Fork(fork) => self.forked(fork),
            Record::Thread(thread) => self.order.push(
                thread.stamp.time,
                Event::Thread(Thread {
                    stamp: thread.stamp,
                    child: Tid(thread.child),
                    comm: thread.comm,
                }),
            ),
            Record::Mapping(found) if found.by_call => self.stacks.mapped(&found),
            Record::Mapping(found) => self.programs_begun.mapping(found),
            Record::Exec(exec) => self.executed(&exec),
            Record::Exit(exit) => self.exited(&exit),
            Record::Accounted(told) => self.accounted(&told),
            Record::ThirtyTwoBits(stamp) => self.unseen(stamp),
            Record::Refused(refused) => self.refused(refused),
            Record::Split(split) => {
                let stamp = split.stamp;
                let event = Split {
                    stamp,
                    stack: self.stacks.resolve(split.stack, stamp.space, stamp.time),
                    more: split.more,
                    mappings: split.mappings,
                };
                self.order.push(stamp.time, Event::Split(event));
            }
            Record::Mappings(stamp, count) => {
                let (time, space) = (stamp.time, stamp.space);
                let event = Mappings { time, space, count };
                self.order.push(time, Event::Mappings(event));
            }
            Record::File(file) => {
                self.programs_begun.file(&file);
                self.stacks.file(&file);
                self.sink.enter(&Event::File(file));
            }
            Record::Named(named) => self.order.push(named.time, Event::Named(named)),
            Record::Rename(rename) => self.order.push(
                rename.stamp.time,
                Event::Rename(Rename {
                    stamp: rename.stamp,
                    comm: rename.comm,
                }),
            ),
        }
    }

    fn code_changed(&mut self, space: SpaceId, change: &code_changes::CodeChange) {
        let key = || self.decoder.key_of(space);
        self.stacks
            .code_changed(space, key, change, &mut self.programs);
    }

    /// What is known of names.
    pub(super) fn told(&mut self, told: Told) {
        match told {
            Told::Stack(stack) => self.sink.enter(&Event::Stack(stack)),
            Told::Module(module) => self.sink.enter(&Event::Module(module)),
            Told::Replaced {
                space,
                ranges,
                since,
            } => self
                .stacks
                .renamed(space, &ranges, since, &mut self.programs),
        }
    }

    /// What the kernel has of a process. (What comes before a held process's exec is not its own.)
    fn accounted(&mut self, told: &RawAccounted) {
        let stamp = told.stamp;
        let event = Accounted {
            time: stamp.time,
            pid: stamp.pid,
            space: stamp.space,
            account: told.account,
        };
        // After the exec of the same moment, before an exit.
        self.order.push(stamp.time, Event::Accounted(event));
        if told.is_32_bit {
            self.unseen(stamp);
        }
    }

    fn unseen(&mut self, stamp: Stamp) {
        let why = Blind::ThirtyTwoBits;
        self.order
            .push(stamp.time, Event::Unseen(Unseen { stamp, why }));
    }

    fn refused(&mut self, raw: RawRefused) {
        let RawRefused { mut refused, stack } = raw;
        let stamp = refused.stamp;
        refused.stack = self.stacks.resolve(stack, stamp.space, stamp.time);
        self.refusals.arrived(&mut refused);
        self.order.push(stamp.time, Event::Refused(refused));
    }

    fn forked(&mut self, fork: RawProcess) {
        let followed = fork.flags != 0;
        let child = Pid(fork.child);
        if followed {
            self.processes.insert(child, fork.child_space);
            self.groups.forked(fork.stamp.pid, child);
            let key = self.decoder.key_of(fork.child_space);
            self.stacks
                .forked(fork.stamp.space, fork.child_space, key, &mut self.programs);
        }
        let event = Fork {
            stamp: fork.stamp,
            child,
            child_space: fork.child_space,
            totals: fork.totals.unwrap_or_default(),
            comm: fork.comm,
            followed,
        };
        self.order.fork(fork.turn, event);
    }

    /// A new program: what the kernel mapped for it is read from `/proc` at once, as the seed.
    fn executed(&mut self, exec: &RawProcess) {
        let (pid, space) = (exec.stamp.pid, exec.stamp.space);
        if self.held == Some(pid) {
            self.held = None;
        }
        if let Some(old) = self.processes.begin(pid, space) {
            self.stacks.forget(old, &mut self.programs);
            self.count_refusals(Some(old), exec.stamp.time);
            self.refusals.forget(old);
            if old != space {
                self.decoder.forget(old);
            }
        }
        self.stacks.forget(space, &mut self.programs);
        let begun = self.programs_begun.begin(exec);
        let key = self.decoder.key_of(space);
        let code = begun.as_deref().unwrap_or_default();
        self.stacks.begun(exec.stamp, key, code, &mut self.programs);
        // A process that is gone already has no identity but its name.
        let identity =
            procfs::identity(pid).unwrap_or_else(|_| procfs::identity_of_gone(&exec.comm));
        let event = Event::Exec(Exec {
            stamp: exec.stamp,
            totals: exec.totals.unwrap_or_default(),
            identity,
        });
        self.order.push(exec.stamp.time, event);
        if let Some(group) = self.groups.entered(pid) {
            self.order.push(now(), group);
        }
        match begun {
            Some(mappings) => {
                self.order.maps(beginnings::seed(exec, mappings));
                // For the names of files, which only `/proc` knows.
                self.read_maps(pid, space, MapsPurpose::Verify);
            }
            None => self.read_maps(pid, space, MapsPurpose::Seed),
        }
    }

    fn exited(&mut self, exit: &RawProcess) {
        let pid = exit.stamp.pid;
        self.count_refusals(Some(exit.stamp.space), exit.stamp.time);
        if let Some(space) = self.processes.remove(pid) {
            self.refusals.forget(space);
            self.stacks.forget(space, &mut self.programs);
            self.decoder.forget(space);
        }
        let status = match (exit.flags & 0x7f, exit.flags >> 8) {
            (0, code) => Status::Code(code as u8),
            (signal, _) => Status::Signal(signal as u8),
        };
        let group = match status {
            Status::Signal(SIGKILL) => self.groups.killed(pid),
            _ => None,
        };
        if exit.is_oom_victim {
            let kill = OomKill {
                time: exit.stamp.time,
                pid,
                // One whose limit was never reached has not killed it.
                by_group: group
                    .as_ref()
                    .map(|group| group.limit_bytes.is_some() && group.limit_hits > 0),
            };
            self.order.push(kill.time, Event::OomKill(kill));
        }
        let event = Event::Exit(Exit {
            stamp: exit.stamp,
            status,
            totals: exit.totals,
        });
        self.order.push(exit.stamp.time, event);
        if let Some(group) = group {
            self.order.push(group.time, Event::Group(group));
        }
        self.groups.ended(pid);
    }
}
