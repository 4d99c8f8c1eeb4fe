//! A Perfetto trace, for <https://ui.perfetto.dev> and `trace_processor`: what a process had over time, and when
//! each of its call sites first called (<https://perfetto.dev/docs/reference/synthetic-track-event>).
//!
//! Times are those of `CLOCK_MONOTONIC` on the traced machine, as far as the report knows it; else they count from
//! the start of the trace.

mod courses;
mod packets;

use std::io::{self, Write};

use prost::Message as _;
use prost::encoding::{WireType, encode_key};

use super::pprof::epoch_ns;
use super::samples::{Sample, Step, Value, add_up, label, samples};
use crate::names::short_name;
use crate::text::line::escape;
use courses::Points;
use packets::{
    COUNTER, Clock, ClockSnapshot, CounterDescriptor, DebugAnnotation, INSTANT, MONOTONIC,
    ProcessDescriptor, REALTIME, SIZE_BYTES, SLICE_BEGIN, SLICE_END, STATE_CLEARED, TracePacket,
    TrackDescriptor, TrackEvent,
};
use tracer_analysis::summary::{Process, Report, TimelinePoint};
use tracer_ledger::event::FaultMode;

/// Field `packet` of `trace.proto`.
const PACKET: u32 = 1;
/// All packets are of one sequence.
const SEQUENCE: u32 = 1;
/// Tracks that a process may have.
const TRACKS: u64 = 1 << 20;

/// Writes the trace.
///
/// # Errors
/// Those of `out`; the figures are more than can be added up.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    add_up(samples(report).map(|sample| sample.site.reserved_bytes))?;
    let mut packets = Packets {
        out,
        start: report.started_monotonic_ns.unwrap_or(0),
        buffer: Vec::new(),
    };
    packets.clocks(report)?;
    for (index, process) in report.processes.iter().enumerate() {
        let track = (index as u64 + 1) * TRACKS;
        packets.process(report, process, track)?;
    }
    Ok(())
}

struct Packets<'a, W> {
    out: &'a mut W,
    /// The monotonic clock when the trace began.
    start: u64,
    buffer: Vec<u8>,
}

impl<W: Write> Packets<'_, W> {
    fn packet(&mut self, packet: &TracePacket) -> io::Result<()> {
        self.buffer.clear();
        encode_key(PACKET, WireType::LengthDelimited, &mut self.buffer);
        packet
            .encode_length_delimited(&mut self.buffer)
            .map_err(io::Error::other)?;
        self.out.write_all(&self.buffer)
    }

    /// The clock of all times, and what time of day it was when the trace began.
    fn clocks(&mut self, report: &Report) -> io::Result<()> {
        let clock = |clock_id, timestamp| Clock {
            clock_id: Some(clock_id),
            timestamp: Some(timestamp),
        };
        let clocks = vec![
            clock(MONOTONIC, self.start),
            clock(REALTIME, epoch_ns(&report.started_at)),
        ];
        self.packet(&TracePacket {
            trusted_packet_sequence_id: Some(SEQUENCE),
            sequence_flags: Some(STATE_CLEARED),
            clock_snapshot: Some(ClockSnapshot {
                clocks,
                primary_trace_clock: Some(MONOTONIC),
            }),
            ..TracePacket::default()
        })
    }

    fn process(&mut self, report: &Report, process: &Process, track: u64) -> io::Result<()> {
        let comm = escape(&process.comm);
        self.track(TrackDescriptor {
            uuid: Some(track),
            process: Some(ProcessDescriptor {
                pid: i32::try_from(process.pid).ok(),
                cmdline: process.cmdline.iter().map(|word| escape(word)).collect(),
                process_name: Some(comm.clone()),
            }),
            ..TrackDescriptor::default()
        })?;
        // One process id may have run several programs: their tracks stand together, and are told apart by
        // their names.
        let same_id = |other: &&Process| other.pid == process.pid;
        let named = |name: &str| match report.processes.iter().filter(same_id).count() {
            1 => escape(name),
            _ => format!("{} · {comm}", escape(name)),
        };
        let mut next = track + 1;
        for (name, points) in figures(report, process)
            .into_iter()
            .chain(courses::by_kind(process))
        {
            self.counter(track, next, named(&name), &points)?;
            next += 1;
        }
        let (lived, sites) = (next, next + 1);
        for (uuid, name) in [
            (lived, "traced"),
            (sites, "call sites, at their first call"),
        ] {
            self.track(TrackDescriptor {
                uuid: Some(uuid),
                parent_uuid: Some(track),
                name: Some(named(name)),
                ..TrackDescriptor::default()
            })?;
        }
        self.life(process, comm, lived)?;
        for site in &process.sites {
            // What was not called for, has no call.
            if site.calls > 0 {
                self.site(Sample { process, site }, sites)?;
            }
        }
        Ok(())
    }

    /// From when to when the process was traced, and at its end the verdict.
    fn life(&mut self, process: &Process, comm: String, track: u64) -> io::Result<()> {
        let event = |kind| TrackEvent {
            r#type: Some(kind),
            track_uuid: Some(track),
            categories: vec!["process".into()],
            ..TrackEvent::default()
        };
        let begin = TrackEvent {
            name: Some(comm),
            ..event(SLICE_BEGIN)
        };
        self.event(process.first_ns, begin)?;
        let verdict = &process.verdict;
        let says = TrackEvent {
            name: Some(format!("verdict: {}", verdict.level.word())),
            debug_annotations: vec![text("headline", &verdict.headline)],
            ..event(INSTANT)
        };
        self.event(process.last_ns, says)?;
        self.event(process.last_ns, event(SLICE_END))
    }

    fn track(&mut self, descriptor: TrackDescriptor) -> io::Result<()> {
        self.packet(&TracePacket {
            trusted_packet_sequence_id: Some(SEQUENCE),
            track_descriptor: Some(descriptor),
            ..TracePacket::default()
        })
    }

    fn event(&mut self, time: u64, event: TrackEvent) -> io::Result<()> {
        self.packet(&TracePacket {
            timestamp: Some(self.start.saturating_add(time)),
            timestamp_clock_id: Some(MONOTONIC),
            trusted_packet_sequence_id: Some(SEQUENCE),
            track_event: Some(event),
            ..TracePacket::default()
        })
    }

    fn counter(
        &mut self,
        parent: u64,
        uuid: u64,
        name: String,
        points: &[(u64, u64)],
    ) -> io::Result<()> {
        self.track(TrackDescriptor {
            uuid: Some(uuid),
            name: Some(name),
            parent_uuid: Some(parent),
            counter: Some(CounterDescriptor {
                unit: Some(SIZE_BYTES),
            }),
            ..TrackDescriptor::default()
        })?;
        for &(time, bytes) in points {
            let event = TrackEvent {
                r#type: Some(COUNTER),
                track_uuid: Some(uuid),
                counter_value: Some(i64::try_from(bytes).unwrap_or(i64::MAX)),
                ..TrackEvent::default()
            };
            self.event(time, event)?;
        }
        Ok(())
    }

    fn site(&mut self, sample: Sample<'_>, track: u64) -> io::Result<()> {
        let site = sample.site;
        let steps = sample.steps();
        // Innermost first, without the process.
        let stack = steps[1..].iter().rev().map(|step| DebugAnnotation {
            string_value: Some(match step {
                Step::Said(text) => escape(text),
                Step::Frame(frame) => escape(&label(frame)),
            }),
            ..DebugAnnotation::default()
        });
        let stack = DebugAnnotation {
            name: Some("stack".into()),
            array_values: stack.collect(),
            ..DebugAnnotation::default()
        };
        let innermost = site.frames.first().map(short_name);
        let name = match (&site.pattern, innermost) {
            (Some(pattern), _) => pattern.name.clone(),
            (None, Some(function)) => function,
            (None, None) => "unknown code".into(),
        };
        let mut annotations = vec![number("site", u64::from(site.id)), stack];
        let figures = [
            Value::Reserved,
            Value::Accessible,
            Value::Touched,
            Value::Resident,
            Value::Calls,
        ];
        for value in figures {
            annotations.push(match value.of(site) {
                Some(figure) => number(value.word(), figure),
                None => text(value.word(), "?"),
            });
        }
        annotations.push(number("live", site.live));
        annotations.push(number("released", site.released_bytes));
        annotations.push(text("threads", &site.thread_names.join(", ")));
        let event = TrackEvent {
            r#type: Some(INSTANT),
            track_uuid: Some(track),
            categories: vec!["site".into()],
            name: Some(escape(&name)),
            debug_annotations: annotations,
            ..TrackEvent::default()
        };
        self.event(site.first_ns, event)
    }
}

/// The courses of the whole process, as far as they are known.
fn figures(report: &Report, process: &Process) -> Vec<(String, Points)> {
    let course = |figure: fn(&TimelinePoint) -> u64| -> Points {
        let points = process.timeline.iter();
        points.map(|point| (point.t_ns, figure(point))).collect()
    };
    let mut figures = vec![("virtual".into(), course(|point| point.virtual_bytes))];
    if report.faults == Some(FaultMode::Each) {
        figures.push(("touched".into(), course(|point| point.touched_bytes)));
    }
    if process.samples > 0 {
        let mut resident = course(|point| point.resident_bytes);
        // Before the first look nothing is known: no process has nothing in memory.
        resident.drain(..resident.iter().take_while(|(_, bytes)| *bytes == 0).count());
        figures.push(("resident".into(), resident));
    }
    figures
}

fn number(name: &str, number: u64) -> DebugAnnotation {
    DebugAnnotation {
        name: Some(name.into()),
        uint_value: Some(number),
        ..DebugAnnotation::default()
    }
}

fn text(name: &str, text: &str) -> DebugAnnotation {
    DebugAnnotation {
        name: Some(name.into()),
        string_value: Some(escape(text)),
        ..DebugAnnotation::default()
    }
}

#[cfg(test)]
mod tests;
