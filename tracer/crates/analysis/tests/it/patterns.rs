//! The patterns that come along: what they are to recognise, as it was seen on real programs, and the
//! near misses that they are not to.

use std::path::PathBuf;

use tracer_analysis::known;
use tracer_analysis::patterns::{Observation, Patterns, Settled};
use tracer_analysis::summary::Pattern;
use tracer_ledger::event::Frame;
use tracer_ledger::ledger::change::Origin;

use tracer_test_traces::case;
use tracer_test_traces::trace::{GIB, KIB, MIB};

const LIBC: &str = "/usr/lib/x86_64-linux-gnu/libc.so.6";
const NODE: &str = "/opt/node/bin/node";
/// `MAP_PRIVATE | MAP_ANONYMOUS`, and the same with `MAP_NORESERVE`, `MAP_STACK`; `MAP_SHARED`.
const PRIVATE: u32 = 0x22;
const NORESERVE: u32 = 0x4022;
const STACK: u32 = 0x2_0022;
const SHARED: u32 = 0x01;

/// `function@module` or only `@module`, innermost first; `?` is code of no module.
fn frames(stack: &[&str]) -> Vec<Frame> {
    let frame = |text: &&str| {
        let (function, module) = text.split_once('@').unwrap();
        let module = match module {
            "libc" => Some(LIBC),
            "node" => Some(NODE),
            "?" => None,
            other => Some(other),
        };
        Frame {
            function: (!function.is_empty()).then(|| function.to_owned()),
            module: module.map(str::to_owned),
            ..Frame::default()
        }
    };
    stack.iter().map(frame).collect()
}

/// A heap of glibc's as it settles.
fn arena() -> Settled<'static> {
    Settled {
        start: 0x7f00_0400_0000,
        reserved: 64 * MIB,
        accessible: 132 * KIB,
        accessible_at: Some(0),
        flags: NORESERVE,
        ..Settled::default()
    }
}

pub fn cage() -> Settled<'static> {
    Settled {
        start: 0x7e00_0001_0000,
        reserved: 10 * GIB,
        accessible: 128 * KIB,
        accessible_at: Some(2 * GIB),
        flags: NORESERVE,
        ..Settled::default()
    }
}

pub struct Seen {
    stack: Vec<&'static str>,
    requested: u64,
    settled: Settled<'static>,
    origin: Origin,
    runtime: Option<&'static str>,
}

impl Seen {
    pub fn mmap(stack: &[&'static str], requested: u64, settled: Settled<'static>) -> Self {
        Self {
            stack: stack.to_vec(),
            requested,
            settled,
            origin: Origin::Map,
            runtime: None,
        }
    }

    pub fn by(self, runtime: &'static str) -> Self {
        Self {
            runtime: Some(runtime),
            ..self
        }
    }

    fn recognised(&self) -> Option<Pattern> {
        let frames = frames(&self.stack);
        known::patterns().recognise(&Observation {
            frames: &frames,
            origin: Some(self.origin),
            requested: Some((self.requested, self.requested)),
            settled: vec![self.settled],
            runtime: self.runtime,
            exe: self.runtime.map_or("/srv/program", |_| NODE),
            ..Observation::default()
        })
    }

    #[track_caller]
    pub fn is(&self, id: &str) -> Pattern {
        let pattern = self.recognised();
        assert_eq!(
            pattern.as_ref().map(|one| one.id.as_str()),
            Some(id),
            "{:?}",
            self.stack
        );
        let pattern = pattern.unwrap();
        assert!(!pattern.evidence.is_empty(), "{pattern:?}");
        pattern
    }

    #[track_caller]
    pub fn is_none(&self) {
        assert_eq!(self.recognised(), None, "{:?}", self.stack);
    }
}

const ARENA: [&str; 5] = [
    "mmap@libc",
    "alloc_new_heap@libc",
    "_int_new_arena@libc",
    "malloc@libc",
    "work@/srv/program",
];
const ARENA_WITHOUT_SYMBOLS: [&str; 5] = [
    "mmap@libc",
    "@libc",
    "@libc",
    "malloc@libc",
    "work@/srv/program",
];

#[test]
fn an_arena_is_known_by_its_frames_or_by_what_it_settles_at() {
    let named = Seen::mmap(&ARENA, 128 * MIB, arena()).is("glibc-arena");
    assert_eq!(named.knob.as_deref(), Some("MALLOC_ARENA_MAX=2"));
    let unnamed = Seen::mmap(&ARENA_WITHOUT_SYMBOLS, 128 * MIB, arena()).is("glibc-arena");
    assert!(named.confidence > unnamed.confidence);
    let lost = Seen::mmap(&["mmap@libc", "@?", "@?"], 128 * MIB, arena()).is("glibc-arena");
    assert!(unnamed.confidence > lost.confidence);
    // A function of that name of somebody else's.
    let other = ["mmap@libc", "new_heap@/srv/program", "main@/srv/program"];
    Seen::mmap(&other, 8 * MIB, arena()).is_none();
    let old = ["mmap@libc", "new_heap@libc", "arena_get2@libc"];
    Seen::mmap(&old, 128 * MIB, arena()).is("glibc-arena");
    // Also while a library is being loaded.
    let loading = [&ARENA[..4], &["_dl_map_object@/lib/ld-linux-x86-64.so.2"]].concat();
    Seen::mmap(&loading, 64 * MIB, arena()).is("glibc-arena");
}

#[test]
fn what_only_looks_like_an_arena_is_none() {
    // The program's own, of the same size, alignment and shape.
    let own = ["mmap@libc", "work@/srv/program", "main@/srv/program"];
    let whole = Settled {
        reserved: 128 * MIB,
        accessible: 0,
        accessible_at: None,
        ..arena()
    };
    Seen::mmap(&own, 128 * MIB, whole).is_none();
    Seen::mmap(&own, 128 * MIB, arena()).is_none();
    // From nowhere, and not quite.
    for other in [
        whole,
        Settled {
            start: 0x7f00_0401_0000,
            ..arena()
        },
        Settled {
            accessible_at: Some(4096),
            ..arena()
        },
        Settled {
            accessible: 4096,
            ..arena()
        },
        Settled {
            flags: PRIVATE,
            ..arena()
        },
    ] {
        Seen::mmap(&["mmap@libc", "@?"], 128 * MIB, other).is_none();
    }
    Seen::mmap(&["mmap@libc", "@?"], 134_279_168, arena()).is_none();
}

#[test]
fn a_stack_with_its_flag_is_a_threads_and_without_it_is_not() {
    let stack = [
        "mmap@libc",
        "allocate_stack@libc",
        "pthread_create@libc",
        "main@/srv/program",
    ];
    let settled = Settled {
        reserved: 8_392_704,
        accessible: 8 * MIB,
        accessible_at: Some(4096),
        protection: 3,
        flags: STACK,
        ..Settled::default()
    };
    Seen::mmap(&stack, 8_392_704, settled).is("thread-stack");
    let unnamed = [
        "mmap@libc",
        "@libc",
        "pthread_create@libc",
        "main@/srv/program",
    ];
    Seen::mmap(&unnamed, 8_392_704, settled).is("thread-stack");
    let flagless = Settled {
        flags: PRIVATE,
        ..settled
    };
    Seen::mmap(&unnamed, 8_392_704, flagless).is_none();
    Seen::mmap(&["mmap@libc", "main@/srv/program"], 8_392_704, settled).is_none();
}

#[test]
fn malloc_and_the_programs_own_calls_are_told_apart() {
    let block = Settled {
        reserved: 256 * KIB,
        accessible: 256 * KIB,
        accessible_at: Some(0),
        protection: 3,
        flags: PRIVATE,
        ..Settled::default()
    };
    let named = [
        "mmap@libc",
        "sysmalloc_mmap@libc",
        "malloc@libc",
        "main@/srv/program",
    ];
    Seen::mmap(&named, 256 * KIB, block).is("glibc-mmap");
    let unnamed = ["mmap@libc", "@libc", "malloc@libc", "main@/srv/program"];
    Seen::mmap(&unnamed, 256 * KIB, block).is("glibc-mmap");
    Seen::mmap(&["mmap@libc", "main@/srv/program"], 256 * KIB, block).is_none();
    // A malloc of the program's own.
    let own = ["mmap@libc", "malloc@/srv/program", "main@/srv/program"];
    Seen::mmap(&own, 256 * KIB, block).is_none();
    for (stack, origin, id) in [
        (
            ["mmap@libc", "sysmalloc_mmap_fallback@libc", "malloc@libc"],
            Origin::Map,
            "glibc-heap",
        ),
        (
            ["mremap@libc", "mremap_chunk@libc", "realloc@libc"],
            Origin::Remap,
            "glibc-mmap",
        ),
        (
            ["mremap@libc", "@libc", "realloc@libc"],
            Origin::Remap,
            "glibc-mmap",
        ),
    ] {
        let seen = Seen::mmap(&stack, 256 * KIB, block);
        Seen { origin, ..seen }.is(id);
    }
    let broken = |stack: &[&'static str]| Seen {
        origin: Origin::Break,
        ..Seen::mmap(stack, 132 * KIB, block)
    };
    broken(&[
        "brk@libc",
        "sbrk@libc",
        "__default_morecore@libc",
        "malloc@libc",
    ])
    .is("glibc-heap");
    broken(&["brk@libc", "sbrk@libc", "@libc", "main@/srv/program"]).is("glibc-heap");
    broken(&["brk@libc", "sbrk@libc", "main@/srv/program"]).is_none();
    // A malloc of the program's own, on the same heap.
    broken(&["brk@libc", "sbrk@libc", "malloc@/srv/program"]).is_none();
}

#[test]
fn files_shared_memory_and_libraries_are_told_apart() {
    let file = Settled {
        reserved: MIB,
        accessible: MIB,
        accessible_at: Some(0),
        protection: 1,
        flags: 0x02,
        name: "/srv/data",
        ..Settled::default()
    };
    let own = ["mmap@libc", "main@/srv/program"];
    Seen::mmap(&own, MIB, file).is("file-mapping");
    let loader = [
        "__mmap64@/lib64/ld-linux-x86-64.so.2",
        "@/lib64/ld-linux-x86-64.so.2",
    ];
    Seen::mmap(&loader, MIB, file).is("loader");
    // With musl the loader is the C library as well.
    let musl = ["mmap@/lib/ld-musl-x86_64.so.1", "@/lib/ld-musl-x86_64.so.1"];
    let library = Settled {
        name: "/usr/lib/libz.so.1.3",
        ..file
    };
    Seen::mmap(&musl, MIB, library).is("loader");
    let block = Settled {
        flags: PRIVATE,
        name: "",
        ..file
    };
    Seen::mmap(&musl, MIB, block).is_none();
    let device = Settled {
        flags: SHARED,
        name: "/dev/dri/renderD128",
        ..file
    };
    Seen::mmap(&own, MIB, device).is("device-mapping");
    // A file laid over a reservation does not make the reservation a file's.
    Seen::mmap(
        &own,
        MIB,
        Settled {
            flags: PRIVATE,
            ..file
        },
    )
    .is_none();
    let shared = Settled {
        flags: SHARED,
        name: "/memfd:pool (deleted)",
        ..file
    };
    Seen::mmap(&own, MIB, shared).is("shared-memory");
    Seen::mmap(
        &own,
        MIB,
        Settled {
            name: "/srv/data",
            ..shared
        },
    )
    .is("file-mapping");
    let anonymous = Settled {
        flags: SHARED | 0x20,
        name: "",
        ..file
    };
    Seen::mmap(&own, MIB, anonymous).is("shared-memory");
}

#[test]
fn the_case_is_named_with_what_changes_it() {
    let report = case::report(false);
    let process = &report.processes[0];
    let verdict = &process.verdict;
    let largest = &verdict.kinds[0];
    assert_eq!((largest.id.as_str(), largest.live), ("v8-wasm-memory", 2));
    for words in [
        "2 reservations of V8 WebAssembly memory from sites 1, 2",
        "What changes V8 WebAssembly memory: NODE_OPTIONS=--disable-wasm-trap-handler",
    ] {
        assert!(verdict.text.contains(words), "{}", verdict.text);
    }
}

#[test]
fn every_pattern_is_embedded_says_where_it_is_known_from_and_no_id_is_twice() {
    let patterns: Patterns = known::patterns();
    let mut ids: Vec<&str> = patterns.ids().collect();
    assert!(ids.len() > 15);
    ids.sort_unstable();
    ids.dedup();
    // A file that repeated another's id would have taken its place, and one that is not embedded would
    // be missing.
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("patterns");
    let texts: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    assert!(texts.len() >= 4);
    let written: usize = texts
        .iter()
        .map(|text| text.matches("[[pattern]]").count())
        .sum();
    let sources: usize = texts
        .iter()
        .map(|text| text.matches("\nsource = \"").count())
        .sum();
    assert_eq!((ids.len(), sources), (written, written));
}
