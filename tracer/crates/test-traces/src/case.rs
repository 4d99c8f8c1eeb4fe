//! A trace like the case that the project exists for: two cages of 10 GiB, a code range, arenas,
//! thread stacks, a script heap that calms down, churn, and, if asked for, a leak.

use tracer_analysis::summary::Report;
use tracer_ledger::event::{
    Ended, Event, ExitStatus, Found, Frame, FrameKind, Identity, Limits, Pid, Rename, SpaceId,
    StackQuality, Thread, Tid,
};
use tracer_ledger::ledger::change::Difference;

use super::trace::{Ask, GIB, KIB, MIB, MILLISECOND, SECOND, Trace};

const PID: u32 = 5876;
const SPACE: u32 = 2;
const MAIN: (u32, u32) = (PID, PID);

fn native(function: &str, module: &str) -> Frame {
    Frame {
        function: Some(function.into()),
        module: Some(module.into()),
        offset: 0x1000 + function.len() as u64,
        ..Frame::default()
    }
}

fn script(function: &str, file: &str, line: u32) -> Frame {
    Frame {
        function: Some(function.into()),
        file: Some(file.into()),
        line: Some(line),
        offset: 0x7f00_1234_5678,
        kind: FrameKind::Jit,
        ..Frame::default()
    }
}

const NODE: &str = "/usr/local/bin/node";
const LIBC: &str = "/usr/lib/x86_64-linux-gnu/libc.so.6";

fn stack_of(inner: &[&str], scripts: Vec<Frame>) -> Vec<Frame> {
    let mut frames = vec![native("__GI___mmap64", LIBC)];
    frames.extend(inner.iter().map(|name| native(name, NODE)));
    for script in scripts {
        frames.push(native("Builtins_InterpreterEntryTrampoline", NODE));
        frames.push(script);
    }
    frames.push(native("Builtins_JSEntry", NODE));
    frames.push(native("node::LoadEnvironment(node::Environment*)", NODE));
    frames.push(native("node::Start(int, char**)", NODE));
    frames.push(native("main", NODE));
    frames.push(native("__libc_start_call_main", LIBC));
    frames.push(native("__libc_start_main_impl", LIBC));
    frames.push(native("_start", NODE));
    frames
}

const CAGE: [&str; 8] = [
    "v8::base::OS::Allocate(void*, unsigned long, unsigned long, v8::base::OS::MemoryPermission)",
    "v8::internal::AllocatePages(v8::PageAllocator*, void*, unsigned long)",
    "v8::internal::BackingStore::TryAllocateAndPartiallyCommitMemory(v8::internal::Isolate*)",
    "v8::internal::BackingStore::AllocateWasmMemory(v8::internal::Isolate*, unsigned long)",
    "v8::internal::WasmMemoryObject::New(v8::internal::Isolate*, int, int)",
    "v8::internal::wasm::InstanceBuilder::Build()",
    "v8::internal::wasm::WasmEngine::SyncInstantiate(v8::internal::Isolate*)",
    "v8::(anonymous namespace)::WebAssemblyInstance(v8::FunctionCallbackInfo<v8::Value> const&)",
];

fn identity(comm: &str) -> Identity {
    Identity {
        comm: comm.into(),
        exe: NODE.into(),
        cmdline: vec!["node".into(), "/srv/openclaw/dist/gateway.js".into()],
        runtime: Some("node v22.22.0".into()),
        limits: Limits {
            address_space_bytes: None,
            overcommit_memory: Some(0),
            max_map_count: Some(65_530),
            cgroup_memory_max_bytes: Some(4 * GIB),
            memory_total_bytes: Some(16 * GIB),
        },
    }
}

/// The whole trace; 60 seconds.
pub fn report(leak: bool) -> Report {
    let mut trace = Trace::begin("each");
    let found = Found {
        time: trace.time(),
        pid: Pid(PID),
        parent: Pid(5870),
        space: SpaceId(1),
        identity: identity("tracer"),
        threads: vec![(Tid(PID), "tracer".into())],
    };
    trace.tell(&Event::Found(found), &[]);
    trace.now = 4 * MILLISECOND;
    let at_exec = [
        (NODE, 98 * MIB),
        ("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", 220 * KIB),
        ("[stack]", 132 * KIB),
        ("[vvar]", 16 * KIB),
        ("[vdso]", 8 * KIB),
    ];
    let kernel = at_exec.iter().map(|(_, bytes)| bytes).sum();
    trace.exec(PID, Some(1), SPACE, kernel, identity("node"));
    trace.now = 5 * MILLISECOND;
    trace.seed(PID, SPACE, &at_exec);

    start_up(&mut trace);
    for quarter in 4..240 {
        trace.now = quarter * 250 * MILLISECOND;
        steady(&mut trace, quarter, leak);
        let warm = 1_150 * MIB * quarter.min(60) / 60;
        trace.sample(
            PID,
            SPACE,
            warm + if leak { quarter * 400 * KIB } else { 0 },
        );
    }
    trace.now = 60 * SECOND;
    let ended = Ended {
        time: trace.time(),
        tracer_cpu_ns: 240 * MILLISECOND,
        tracer_peak_bytes: 38 * MIB,
        events: 61_204,
    };
    trace.tell(&Event::Ended(ended), &[]);
    trace.analysis.report(&trace)
}

fn start_up(trace: &mut Trace) {
    let heap = stack_of(
        &[
            "v8::internal::CodeRange::InitReservation(v8::PageAllocator*, unsigned long)",
            "v8::internal::Heap::SetUp(v8::LocalHeap*)",
            "v8::internal::Isolate::Init(v8::internal::SnapshotData*)",
        ],
        vec![],
    );
    let code_range = trace.stack(1, StackQuality::Complete, heap);
    trace.now = 60 * MILLISECOND;
    let ask = Ask::space(code_range, 537_128_960);
    let id = trace.reserve(MAIN, SPACE, ask);
    trim(trace, id, 258_048);

    let loader = trace.stack(
        2,
        StackQuality::Complete,
        vec![
            native("mmap64", "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"),
            native(
                "_dl_map_object",
                "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
            ),
            native(
                "_dl_start_user",
                "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
            ),
        ],
    );
    trace.reserve(MAIN, SPACE, Ask::memory(loader, 2 * MIB, MIB));

    // Worker threads of libuv and V8: a stack each, and an arena that frame pointers do not reach.
    let thread_stack = trace.stack(
        3,
        StackQuality::Complete,
        stack_of(
            &[
                "pthread_create@@GLIBC_2.34",
                "uv_thread_create_ex",
                "node::WorkerThreadsTaskRunner::WorkerThreadsTaskRunner(int)",
            ],
            vec![],
        ),
    );
    let arena = trace.stack(
        4,
        StackQuality::Broken,
        vec![
            native("mmap", LIBC),
            Frame {
                offset: 4,
                ..Frame::default()
            },
            Frame {
                offset: 0x6c74_0067_6c61_2d70,
                ..Frame::default()
            },
        ],
    );
    for worker in 1..=9 {
        trace.now += 3 * MILLISECOND;
        let tid = PID + worker;
        let thread = Thread {
            stamp: trace.stamp(MAIN, SPACE),
            child: Tid(tid),
            comm: "node".into(),
        };
        trace.tell(&Event::Thread(thread), &[]);
        let rename = Rename {
            stamp: trace.stamp((PID, tid), SPACE),
            comm: if worker < 5 {
                "libuv-worker"
            } else {
                "V8Worker"
            }
            .into(),
        };
        trace.tell(&Event::Rename(rename), &[]);
        let mut ask = Ask::memory(thread_stack, 8_392_704, 12 * KIB);
        ask.accessible -= 4 * KIB;
        ask.flags = 0x2_0022;
        trace.reserve(MAIN, SPACE, ask);
        let mut ask = Ask::space(arena, 128 * MIB);
        ask.accessible = 132 * KIB;
        ask.touched = 40 * KIB;
        let id = trace.reserve((PID, tid), SPACE, ask);
        trim(trace, id, signed(64 * MIB));
    }
    trace.now = 950 * MILLISECOND;
    let rename = Rename {
        stamp: trace.stamp(MAIN, SPACE),
        comm: "openclaw-gateway".into(),
    };
    trace.tell(&Event::Rename(rename), &[]);
    for id in [5, 6, 7, 8, 9] {
        let frames = match id {
            5 => stack_of(
                &CAGE,
                vec![
                    script("lazyllhttp", "node:internal/deps/undici/undici", 5935),
                    script("fetch", "node:internal/deps/undici/undici", 12_603),
                    script("checkUpdate", "file:///srv/openclaw/dist/update.js", 41),
                    script(
                        "runEntryPointWithESMLoader",
                        "node:internal/modules/run_main",
                        137,
                    ),
                ],
            ),
            6 => stack_of(
                &CAGE,
                vec![
                    script(
                        "lazyllhttp",
                        "/srv/openclaw/node_modules/undici/lib/dispatcher/client-h1.js",
                        68,
                    ),
                    script(
                        "connectH1",
                        "/srv/openclaw/node_modules/undici/lib/dispatcher/client-h1.js",
                        299,
                    ),
                    script(
                        "connect",
                        "/srv/openclaw/node_modules/undici/lib/dispatcher/client.js",
                        418,
                    ),
                    script(
                        "processTicksAndRejections",
                        "node:internal/process/task_queues",
                        105,
                    ),
                ],
            ),
            7 => stack_of(
                &[
                    "v8::internal::MemoryAllocator::AllocateAlignedMemory(unsigned long)",
                    "v8::internal::PagedSpaceBase::TryExpand(v8::internal::LocalHeap*)",
                    "v8::internal::Heap::AllocateRaw(int)",
                ],
                vec![script("parseConfig", "/srv/openclaw/dist/config.js", 212)],
            ),
            8 => stack_of(
                &[
                    "operator new(unsigned long)",
                    "node::zlib::ZlibStream::Init()",
                ],
                vec![script("inflate", "/srv/openclaw/dist/http.js", 77)],
            ),
            _ => stack_of(
                &["malloc", "napi_create_session"],
                vec![
                    script("remember", "/srv/openclaw/dist/session-cache.js", 19),
                    script("onMessage", "/srv/openclaw/dist/gateway.js", 310),
                ],
            ),
        };
        trace.stack(id, StackQuality::Complete, frames);
    }
}

fn trim(trace: &mut Trace, id: tracer_ledger::ledger::change::ReservationId, bytes: i64) {
    let by = Difference {
        reserved: -bytes,
        ..Difference::default()
    };
    trace.adjust(MAIN, SPACE, id, by);
}

/// What happens in each quarter of a second from 1 s on.
fn steady(trace: &mut Trace, quarter: u64, leak: bool) {
    let stack = tracer_ledger::event::StackId;
    if quarter == 22 || quarter == 107 {
        let id = if quarter == 22 { 5 } else { 6 };
        let ask = Ask::space(stack(id), 10_737_479_680);
        let cage = trace.reserve(MAIN, SPACE, ask);
        trim(trace, cage, signed(60 * KIB));
        let by = Difference {
            accessible: signed(256 * KIB),
            touched: signed(188 * KIB),
            ..Difference::default()
        };
        trace.adjust(MAIN, SPACE, cage, by);
    }
    if quarter == 30 {
        shell(trace);
    }
    if quarter < 60 {
        for _ in 0..30 {
            let page = trace.reserve(MAIN, SPACE, Ask::memory(stack(7), 512 * KIB, 512 * KIB));
            if quarter.is_multiple_of(2) {
                trace.now += MILLISECOND;
                trace.release(MAIN, SPACE, page);
            }
        }
    }
    let buffer = trace.reserve(MAIN, SPACE, Ask::memory(stack(8), MIB, 256 * KIB));
    if leak {
        trace.reserve(MAIN, SPACE, Ask::memory(stack(9), 400 * KIB, 400 * KIB));
    }
    trace.now += 12 * MILLISECOND;
    trace.release(MAIN, SPACE, buffer);
}

/// A shell command in a child: vfork, exec, a little memory, exit.
fn shell(trace: &mut Trace) {
    trace.fork(MAIN, SPACE, 5999, SPACE, "node");
    trace.now += 2 * MILLISECOND;
    let shell = Identity {
        comm: "sh".into(),
        exe: "/usr/bin/dash".into(),
        cmdline: vec!["sh".into(), "-c".into(), "uname -a".into()],
        runtime: None,
        limits: Limits::default(),
    };
    trace.exec(5999, None, 3, 2 * MIB, shell);
    trace.seed(5999, 3, &[("/usr/bin/dash", 2 * MIB)]);
    let stack = trace.stack(
        20,
        StackQuality::Complete,
        vec![native("sbrk", LIBC), native("main", "/usr/bin/dash")],
    );
    trace.reserve((5999, 5999), 3, Ask::memory(stack, 132 * KIB, 8 * KIB));
    trace.now += 5 * MILLISECOND;
    trace.exit(5999, 3, ExitStatus::Code(0));
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap()
}
