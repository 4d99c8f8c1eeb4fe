//! Traces of programs that the kernel refuses something.

use tracer_analysis::summary::Report;
use tracer_ledger::event::{
    Account, Accounted, Around, Ended, Event, ExitStatus, Found, Frame, Identity, Limits, OomKill,
    Pid, Refused, RefusedAgain, RefusedCall, ResourceLimits, SpaceId, Split, StackId, StackQuality,
    Tid, Totals,
};

use super::trace::{Ask, GIB, KIB, MIB, MILLISECOND, PAGE, Trace};

const SHELL: (u32, u32) = (700, 700);

/// `errno` of a call that is refused.
pub const ENOMEM: u16 = 12;
pub const EAGAIN: u16 = 11;

/// An `mmap` of so much private memory, refused: of a process of 10 MiB and 60 mappings without any limit, on a
/// machine of 16 GiB.
pub fn mmap(stack: StackId, requested_bytes: u64) -> Refused {
    Refused {
        call: RefusedCall::Mmap,
        stack,
        requested_bytes,
        protection: 3,
        flags: 0x22,
        error: ENOMEM,
        account: Account {
            totals: Totals {
                total_pages: 10 * MIB / PAGE,
                stack_pages: 33,
            },
            data_pages: 2 * MIB / PAGE,
            locked_pages: 0,
            mappings: 60,
            limits: ResourceLimits {
                stack_bytes: Some(8 * MIB),
                ..ResourceLimits::default()
            },
        },
        around: Around {
            overcommit_memory: Some(0),
            max_map_count: Some(65_530),
            memory_and_swap_bytes: Some(16 * GIB),
            address_space_bytes: Some(0x7fff_ffff_f000),
            may_lock: Some(false),
            ..Around::default()
        },
        ..Refused::default()
    }
}

/// The same under an `RLIMIT_AS`.
pub fn mmap_under(limit: u64, stack: StackId, requested_bytes: u64) -> Refused {
    let mut refused = mmap(stack, requested_bytes);
    refused.account.limits.address_space_bytes = Some(limit);
    refused
}

impl Trace {
    /// A call is refused now.
    pub fn refuse(&mut self, who: (u32, u32), space: u32, refused: &Refused) {
        let stamp = self.stamp(who, space);
        let refused = Refused {
            stamp,
            ..refused.clone()
        };
        self.tell(&Event::Refused(refused), &[]);
    }

    /// So many were refused at a place by now, all in all.
    pub fn refuse_again(&mut self, place: u64, count: u64) {
        let again = RefusedAgain {
            time: self.time(),
            last: self.time(),
            place,
            count,
        };
        self.tell(&Event::RefusedAgain(again), &[]);
    }

    /// The kernel kills a process for want of memory.
    pub fn kill_for_want_of_memory(&mut self, pid: u32, by_group: Option<bool>) {
        let kill = OomKill {
            time: self.time(),
            pid: Pid(pid),
            by_group,
        };
        self.tell(&Event::OomKill(kill), &[]);
    }

    /// A call raises the most mappings that there were.
    pub fn split(&mut self, who: (u32, u32), space: u32, stack: StackId, more: u32) {
        let split = Split {
            stamp: self.stamp(who, space),
            stack,
            more,
            mappings: 0,
        };
        self.tell(&Event::Split(split), &[]);
    }

    /// The kernel's account of a process.
    pub fn account(&mut self, pid: u32, space: u32, account: Account) {
        let accounted = Accounted {
            time: self.time(),
            pid: Pid(pid),
            space: SpaceId(space),
            account,
        };
        self.tell(&Event::Accounted(accounted), &[]);
    }
}

fn identity(comm: &str, command: &[&str]) -> Identity {
    Identity {
        comm: comm.into(),
        exe: format!("/usr/bin/{comm}"),
        cmdline: command.iter().map(|word| (*word).into()).collect(),
        runtime: None,
        limits: Limits {
            overcommit_memory: Some(0),
            max_map_count: Some(65_530),
            memory_total_bytes: Some(16 * GIB),
            ..Limits::default()
        },
    }
}

fn frame(function: &str, module: &str, place: Option<(&str, u32)>) -> Frame {
    Frame {
        function: Some(function.into()),
        module: Some(module.into()),
        offset: 0x1000 + function.len() as u64,
        file: place.map(|(file, _)| file.into()),
        line: place.map(|(_, line)| line),
        ..Frame::default()
    }
}

/// `bash -c 'ulimit -v 8388608; exec ./refused'`: the shell is larger than the program, which is refused 64 GiB and
/// aborts.
pub fn by_a_shell() -> Report {
    let mut trace = Trace::begin("each");
    let found = Found {
        time: trace.time(),
        pid: Pid(SHELL.0),
        parent: Pid(699),
        space: SpaceId(1),
        identity: identity("tracer", &["tracer"]),
        threads: vec![(Tid(SHELL.1), "tracer".into())],
    };
    trace.tell(&Event::Found(found), &[]);
    trace.now = MILLISECOND;
    let limited = "ulimit -v 8388608; exec ./refused";
    let bash = identity("bash", &["bash", "-c", limited]);
    trace.exec(SHELL.0, Some(1), 2, 1_300 * KIB, bash);
    trace.seed(SHELL.0, 2, &[("/usr/bin/bash", 1_300 * KIB)]);
    let heap = vec![
        frame("brk", "/usr/lib/libc.so.6", None),
        frame("malloc", "/usr/lib/libc.so.6", None),
        frame("xmalloc", "/usr/bin/bash", Some(("xmalloc.c", 99))),
        frame("main", "/usr/bin/bash", Some(("shell.c", 370))),
    ];
    let heap = trace.stack(1, StackQuality::Complete, heap);
    trace.reserve(SHELL, 2, Ask::memory(heap, 6 * MIB, MIB));
    trace.now = 4 * MILLISECOND;
    let mut program = identity("refused", &["./refused"]);
    program.limits.address_space_bytes = Some(8 * GIB);
    trace.exec(SHELL.0, Some(2), 3, 200 * KIB, program);
    trace.seed(SHELL.0, 3, &[("/tmp/refused", 200 * KIB)]);
    let main = vec![
        frame("mmap", "/usr/lib/libc.so.6", None),
        frame("main", "/tmp/refused", Some(("refused.c", 4))),
        frame("_start", "/tmp/refused", None),
    ];
    let main = trace.stack(2, StackQuality::Complete, main);
    trace.now = 5 * MILLISECOND;
    trace.refuse(SHELL, 3, &mmap_under(8 * GIB, main, 64 * GIB));
    trace.now = 8 * MILLISECOND;
    trace.exit(SHELL.0, 3, ExitStatus::Signal(6));
    trace.now = 9 * MILLISECOND;
    let ended = Ended {
        time: trace.time(),
        ..Ended::default()
    };
    trace.tell(&Event::Ended(ended), &[]);
    trace.analysis.report(&trace)
}
