//! What is recorded.

use tracer_ledger::event::{
    Action, Address, Call, Cause, Ended, Event, Exec, Exit, ExitStatus, Failures, Fault, Fork,
    Found, Frame, FrameKind, Identity, Incomplete, Learning, Limits, Looking, Loss, Machine,
    Mapped, Mapping, Maps, MapsPurpose, Missing, Module, Nanoseconds, Pid, Reading, Rename,
    Resident, Sample, SampledFault, Sent, Shown, SpaceId, Stack, StackId, StackQuality, Stamp,
    Started, Thread, Tid, Totals, VmFlags,
};

use crate::events_of_6::one_of_each_of_format_6;

pub(crate) fn stamp(time: u64) -> Stamp {
    Stamp {
        time: Nanoseconds(time),
        space: SpaceId(3),
        pid: Pid(5876),
        tid: Tid(5880),
        cpu: 300,
    }
}

pub(crate) fn call(action: Action) -> Event {
    Event::Call(Call {
        stamp: stamp(1_000_000_007),
        stack: StackId(17),
        action,
        totals: Some(Totals {
            total_pages: 5_642_153,
            stack_pages: 34,
        }),
        took_ns: 1500,
    })
}

pub(crate) fn identity() -> Identity {
    Identity {
        comm: "openclaw-gatewa".into(),
        exe: "/usr/bin/node".into(),
        cmdline: vec!["node".into(), String::new(), "gateway ü".into()],
        runtime: Some("node v22.22.0".into()),
        limits: Limits {
            address_space_bytes: None,
            overcommit_memory: Some(1),
            max_map_count: Some(65_530),
            cgroup_memory_max_bytes: Some(4 << 30),
            ..Limits::default()
        },
    }
}

/// Every variant of before format 6 once, every [`Action`] once, in an order that need not make sense.
#[allow(clippy::too_many_lines, reason = "a table")]
fn one_of_each_of_old() -> Vec<(&'static str, Event)> {
    let cage = Address(0x7d18_0000_0000);
    let length = 10_737_479_680;
    vec![
        (
            "Started",
            Event::Started(Started {
                time: Nanoseconds(123_456_789_012),
                realtime_ns: 1_790_000_000_000_000_000,
                host: "host".into(),
                kernel: "6.18.44".into(),
                arch: "x86_64".into(),
                boot_id: "5d2e7c2e-7d5e-4a0c-9f52-0d6d9a7c8b11".into(),
                page_bytes: 4096,
                tracer_version: "0.1.0".into(),
                ..Started::default()
            }),
        ),
        (
            "Found",
            Event::Found(Found {
                time: Nanoseconds(5),
                pid: Pid(5876),
                parent: Pid(1),
                identity: identity(),
                threads: vec![(Tid(5876), "node".into()), (Tid(5880), "libuv".into())],
                ..Found::default()
            }),
        ),
        (
            "Maps",
            Event::Maps(Maps {
                time: Nanoseconds(9),
                began: Nanoseconds(8),
                pid: Pid(5876),
                mappings: vec![Mapping {
                    start: cage,
                    end: Address(cage.0 + 4096),
                    protection: 5,
                    offset: 0x0300_1000,
                    inode: u64::MAX,
                    name: "/usr/bin/node (deleted)".into(),
                    ..Mapping::default()
                }],
                purpose: MapsPurpose::Verify,
                ..Maps::default()
            }),
        ),
        (
            "Map",
            call(Action::Map {
                address: cage,
                length,
                protection: 0,
                flags: 0x4022,
                file_offset: None,
            }),
        ),
        (
            "Unmap",
            call(Action::Unmap {
                address: cage,
                length,
            }),
        ),
        (
            "Remap",
            call(Action::Remap {
                old_address: cage,
                old_length: length,
                new_address: Address(u64::MAX),
                new_length: 1,
                flags: 1,
            }),
        ),
        (
            "Break",
            call(Action::Break {
                old: cage,
                new: Address(cage.0 + 135_168),
            }),
        ),
        (
            "RemapFailed",
            call(Action::RemapFailed {
                old_address: cage,
                old_length: length,
                new_address: Address(u64::MAX),
                new_length: 1,
            }),
        ),
        (
            "MapFailed",
            call(Action::MapFailed {
                address: cage,
                length,
                flags: 0x11,
                error: 12,
            }),
        ),
        (
            "Protect",
            call(Action::Protect {
                address: cage,
                length,
                protection: 3,
            }),
        ),
        (
            "Advise",
            call(Action::Advise {
                address: cage,
                length,
                advice: 4,
            }),
        ),
        (
            "Attach",
            call(Action::Attach {
                address: cage,
                length,
                flags: 0,
            }),
        ),
        ("Detach", call(Action::Detach { address: cage })),
        (
            "RemapFilePages",
            call(Action::RemapFilePages {
                address: cage,
                length,
            }),
        ),
        ("Unclear", call(Action::Unclear)),
        (
            "ProtectFailed",
            call(Action::ProtectFailed {
                address: cage,
                length,
                protection: 3,
                error: 12,
            }),
        ),
        (
            "AdviseFailed",
            call(Action::AdviseFailed {
                address: cage,
                length,
                advice: 4,
                error: 300,
            }),
        ),
        (
            "Fault",
            Event::Fault(Fault {
                stamp: stamp(77),
                address: cage,
                write: true,
                ..Fault::default()
            }),
        ),
        (
            "Resident",
            Event::Resident(Resident {
                time: Nanoseconds(78),
                ranges: vec![(cage, 4096), (Address(cage.0 + 8192), 65_536)],
                ..Resident::default()
            }),
        ),
        (
            "Fork",
            Event::Fork(Fork {
                stamp: stamp(79),
                child: Pid(6000),
                child_space: SpaceId(4),
                comm: "sh".into(),
                followed: true,
                ..Fork::default()
            }),
        ),
        (
            "Thread",
            Event::Thread(Thread {
                stamp: stamp(80),
                child: Tid(6001),
                ..Thread::default()
            }),
        ),
        (
            "Exec",
            Event::Exec(Exec {
                stamp: stamp(81),
                identity: identity(),
                ..Exec::default()
            }),
        ),
        (
            "Exit",
            Event::Exit(Exit {
                stamp: stamp(82),
                status: ExitStatus::Signal(9),
                totals: None,
            }),
        ),
        (
            "Rename",
            Event::Rename(Rename {
                comm: "V8 \u{1}".into(),
                ..Rename::default()
            }),
        ),
        (
            "Sample",
            Event::Sample(Sample {
                time: Nanoseconds(83),
                virtual_bytes: 22_734_080 << 10,
                resident_bytes: 418_688 << 10,
                maps: Some(793),
                ..Sample::default()
            }),
        ),
        (
            "Stack",
            Event::Stack(Stack {
                id: StackId(17),
                quality: StackQuality::Cut,
                frames: vec![
                    Frame {
                        function: Some("mmap".into()),
                        module: Some("/usr/lib/x86_64-linux-gnu/libc.so.6".into()),
                        offset: 0x10_2f43,
                        ..Frame::default()
                    },
                    Frame {
                        function: Some("lazyllhttp".into()),
                        offset: 0x7d18_4000_1234,
                        file: Some("node:internal/deps/undici/undici".into()),
                        line: Some(5935),
                        kind: FrameKind::Jit,
                        inlined: true,
                        ..Frame::default()
                    },
                ],
            }),
        ),
        (
            "Loss",
            Event::Loss(Loss {
                time: Nanoseconds(84),
                events: 1,
                faults: 2,
                late: 4,
                ..Loss::default()
            }),
        ),
        (
            "Failures",
            Event::Failures(Failures {
                calls: vec![("mmap".into(), 3)],
                ..Failures::default()
            }),
        ),
        (
            "Looking",
            Event::Looking(Looking {
                time: Nanoseconds(77),
                space: SpaceId(3),
            }),
        ),
        (
            "Incomplete",
            Event::Incomplete(Incomplete {
                stack: StackId(17),
                cause: Cause::NoUnwindInformation,
                module: "/usr/lib/libodd.so".into(),
            }),
        ),
        (
            "Learning",
            Event::Learning(Learning {
                all: Sent {
                    known: 970,
                    whole: 30,
                },
                settled: Sent {
                    known: 900,
                    whole: 1,
                },
                rules: 4000,
                hashes: 500,
                memory_bytes: Some(13 << 20),
            }),
        ),
        (
            "Machine",
            Event::Machine(Machine {
                time: Nanoseconds(78),
                cpus: 2,
                available_bytes: Some(3 << 30),
                swap_total_bytes: Some(0),
                swap_free_bytes: None,
                commit_limit_bytes: Some(5 << 30),
                committed_bytes: Some(6 << 30),
            }),
        ),
        (
            "Shown",
            Event::Shown(Shown {
                time: Nanoseconds(79),
                pid: Pid(5876),
                space: SpaceId(3),
                maps: vec![Mapped {
                    mapping: Mapping {
                        start: cage,
                        end: Address(cage.0 + 4096),
                        protection: 3,
                        ..Mapping::default()
                    },
                    resident_bytes: 4096,
                    swapped_bytes: 8192,
                    flags: VmFlags::KNOWN.into_iter().collect(),
                }],
                stack_pointers: vec![cage.0 + 64],
            }),
        ),
        (
            "Module",
            Event::Module(Module {
                path: "/usr/lib/libodd.so".into(),
                build_id: Some("c0ffee".into()),
            }),
        ),
        (
            "Ended",
            Event::Ended(Ended {
                time: Nanoseconds(85),
                tracer_cpu_ns: 240_000_000,
                tracer_peak_bytes: 38 << 20,
                ..Ended::default()
            }),
        ),
        (
            "Missing",
            Event::Missing(Missing {
                time: Nanoseconds(87),
                space: SpaceId(3),
            }),
        ),
        (
            "Reading",
            Event::Reading(Reading {
                time: Nanoseconds(86),
                space: SpaceId(3),
            }),
        ),
        (
            "SampledFault",
            Event::SampledFault(SampledFault {
                fault: Fault {
                    stamp: stamp(87),
                    address: cage,
                    ..Fault::default()
                },
                stack: StackId(300),
                every: 100,
            }),
        ),
    ]
}

/// Every variant once.
pub(crate) fn one_of_each() -> Vec<(&'static str, Event)> {
    let mut all = one_of_each_of_old();
    all.extend(one_of_each_of_format_6());
    all
}

pub(crate) fn events() -> Vec<Event> {
    one_of_each().into_iter().map(|(_, event)| event).collect()
}

/// Calls as a busy process makes them: `seed` makes them differ in all that differs in life.
pub(crate) fn busy(count: u64) -> impl Iterator<Item = Event> {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut time = 123_456_789_012;
    (0..count).map(move |index| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        time += random % 20_000;
        let address = Address(0x7f00_0000_0000 + ((random >> 20) % (1 << 22)) * 4096);
        let length = 4096 * (1 + (random >> 50) % 64);
        Event::Call(Call {
            stamp: Stamp {
                time: Nanoseconds(time),
                tid: Tid(5876 + ((random >> 5) % 12) as u32),
                cpu: (random % 8) as u16,
                ..stamp(0)
            },
            stack: StackId(((random >> 8) % 500) as u32),
            action: if index % 2 == 0 {
                Action::Map {
                    address,
                    length,
                    protection: 3,
                    flags: 0x22,
                    file_offset: None,
                }
            } else {
                Action::Unmap { address, length }
            },
            totals: Some(Totals {
                total_pages: 5_642_153 + (random >> 30) % 4096,
                stack_pages: 34,
            }),
            took_ns: 1500,
        })
    })
}
