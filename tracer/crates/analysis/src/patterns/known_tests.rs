//! The known kinds, by the stacks and shapes that real programs were seen with.

use super::known::patterns;
use super::{Observation, Settled};
use crate::model::summary::{Level, Pattern};
use tracer_ledger::event::Frame;
use tracer_ledger::ledger::change::Origin;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
/// `MAP_*` of the kernel (include/uapi/asm-generic/mman-common.h): private and anonymous, the same without reserve,
/// shared and anonymous.
const PRIVATE: u32 = 0x22;
const NORESERVE: u32 = 0x4022;
const SHARED: u32 = 0x21;

/// `function@module`, either may be missing.
fn frames(stack: &[&str]) -> Vec<Frame> {
    let frame = |text: &&str| {
        let (function, module) = text.split_once('@').unwrap_or((text, "server"));
        Frame {
            function: (!function.is_empty()).then(|| function.into()),
            module: (!module.is_empty()).then(|| format!("/usr/lib/{module}")),
            ..Frame::default()
        }
    };
    stack.iter().map(frame).collect()
}

/// Of one call that got as much as is there.
fn recognised(runtime: &str, stack: &[&str], one: Settled<'_>) -> Option<Pattern> {
    let frames = frames(stack);
    patterns().recognise(&Observation {
        frames: &frames,
        origin: Some(Origin::Map),
        requested: Some((one.reserved, one.reserved)),
        settled: vec![one],
        runtime: (!runtime.is_empty()).then_some(runtime),
        exe: "/usr/bin/server",
        ..Observation::default()
    })
}

fn anonymous(reserved: u64) -> Settled<'static> {
    Settled {
        start: 1 << 40,
        reserved,
        accessible: reserved,
        accessible_at: Some(0),
        protection: 3,
        flags: PRIVATE,
        ..Settled::default()
    }
}

#[test]
fn what_allocates_is_told_by_the_names_of_its_functions() {
    let mmap = "mmap@libc.so.6";
    for (stack, id) in [
        (
            &[mmap, "os_alloc_gc_space@sbcl", "load_core_file@sbcl"][..],
            "sbcl-heap",
        ),
        (
            &[mmap, "os_validate@sbcl", "process_directory@sbcl"],
            "sbcl-heap",
        ),
        (
            &[mmap, "os_alloc_gc_space@sbcl", "alloc_thread_struct@sbcl"],
            "sbcl-thread",
        ),
        (
            &[mmap, "erts_mmap_init@beam.smp", "erts_mseg_init@beam.smp"],
            "beam-super-carrier",
        ),
        (
            &[
                mmap,
                "caml_mem_map",
                "reserve_minor_heaps_from_stw_single",
                "caml_init_domains",
            ],
            "ocaml-minor-heaps",
        ),
        (
            &[
                mmap,
                "caml_mem_map",
                "unreserve_minor_heaps",
                "caml_init_domains",
            ],
            "ocaml-minor-heaps",
        ),
        (
            &[
                mmap,
                "ZVirtualMemoryManager::pd_reserve(unsigned long)@libjvm.so",
            ],
            "zgc-heap",
        ),
        (
            &[
                mmap,
                "XVirtualMemoryManager::pd_reserve(unsigned long)@libjvm.so",
            ],
            "zgc-heap",
        ),
        (
            &[
                mmap,
                "os::reserve_memory(unsigned long)@libjvm.so",
                "ZMarkStackAllocator::ZMarkStackAllocator()",
            ],
            "zgc-mark-stacks",
        ),
        (
            &[
                mmap,
                "allocate_stack@libc.so.6",
                "os::create_thread(Thread*)",
                "JVM_StartThread",
            ],
            "jvm-thread-stack",
        ),
        (
            &[
                mmap,
                "allocate_stack@libc.so.6",
                "pthread_create@libc.so.6",
                "main",
            ],
            "thread-stack",
        ),
        (
            &[mmap, "je_arrow_private_je_pages_map@libarrow.so.2600"],
            "jemalloc-extent",
        ),
        (&[mmap, "_rjem_je_pages_map@server"], "jemalloc-extent"),
        (
            &[
                mmap,
                "unix_mmap@libarrow.so.2600",
                "_mi_prim_alloc@libarrow.so.2600",
            ],
            "mimalloc-arena",
        ),
        (
            &[
                "brk@libc.so.6",
                "sbrk@libc.so.6",
                "TCMalloc_SystemAlloc@server",
            ],
            "tcmalloc-span",
        ),
        (&[mmap, "apc_mmap@apcu.so"], "php-apcu"),
        (&[mmap, "fiber_pool_expand@libruby.so"], "ruby-fiber-stacks"),
        (
            &[
                mmap,
                "cppgc::internal::CagedHeap::CagedHeap(v8::PageAllocator&)@chrome",
            ],
            "cppgc-cage",
        ),
        (
            &[
                "mmap@libc.so",
                "alloc_group",
                "alloc_slot",
                "__libc_malloc_impl",
            ],
            "musl-malloc",
        ),
    ] {
        let one = Settled {
            flags: PRIVATE | 0x20000,
            ..anonymous(GIB)
        };
        let found = recognised("java 17", stack, one).map(|pattern| pattern.id);
        assert_eq!(found.as_deref(), Some(id), "{stack:?}");
    }
}

#[test]
fn what_has_no_names_is_told_by_its_runtime_and_shape() {
    let reserve = |bytes, aligned: u64| Settled {
        start: aligned,
        accessible: 0,
        accessible_at: None,
        protection: 0,
        flags: NORESERVE,
        ..anonymous(bytes)
    };
    let go = |bytes| Settled {
        flags: PRIVATE,
        ..reserve(bytes, 0x25f9_8000_0000)
    };
    for (runtime, stack, one, id) in [
        (
            "go",
            "@esbuild",
            Settled {
                accessible: 4 * MIB,
                ..go(64 * MIB)
            },
            "go-heap-arena",
        ),
        ("go 1.26.4", "@tsgo", go(512 * MIB), "go-page-summary"),
        ("go 1.26.4", "@tsgo", anonymous(32 * MIB), "go-heap-index"),
        (
            "graalvm native image",
            "@compiler",
            reserve(32 * GIB, 1 << 44),
            "native-image-heap",
        ),
        (
            "deno",
            "@deno",
            reserve(16 * GIB, 0x33fc_0000_0000),
            "cppgc-cage",
        ),
        (
            "erlang",
            "@beam.smp",
            reserve(GIB, 1 << 44),
            "beam-super-carrier",
        ),
        (
            "php 8.2",
            "@opcache.so",
            Settled {
                flags: SHARED,
                ..anonymous(128 * MIB)
            },
            "php-opcache",
        ),
        ("", "@memcheck-amd64-linux", anonymous(4 * MIB), "valgrind"),
    ] {
        let found = recognised(runtime, &[stack], one).map(|pattern| pattern.id);
        assert_eq!(found.as_deref(), Some(id), "{runtime}");
        // Not of a program that is nobody's.
        let found = recognised("", &["@server"], one).map(|pattern| pattern.id);
        assert_ne!(found.as_deref(), Some(id), "{runtime}");
    }
}

#[test]
fn a_wrapper_of_musls_says_only_what_it_may_be() {
    let found = recognised("", &["mmap@libc.so"], anonymous(MIB)).unwrap();
    assert_eq!(
        (found.name.as_str(), found.knob),
        ("looks like musl malloc block", None)
    );
    assert!(found.confidence <= 0.7);
    assert!(recognised("", &["mmap@libc.so.6"], anonymous(MIB)).is_none());
}

#[test]
fn the_size_with_a_knob_is_that_of_each_reservation() {
    let native = |each: &[u64]| {
        let frames = frames(&["@compiler"]);
        let found = patterns().recognise(&Observation {
            frames: &frames,
            origin: Some(Origin::Map),
            settled: each.iter().map(|&bytes| anonymous(bytes)).collect(),
            runtime: Some("graalvm native image"),
            ..Observation::default()
        });
        found.and_then(|pattern| pattern.knob_becomes_bytes)
    };
    assert_eq!(native(&[32 * GIB]), Some(8 * GIB));
    // What is smaller stays: 8 GiB and three stacks, in the mean.
    assert_eq!(
        native(&[32 * GIB, MIB, MIB, MIB]),
        Some(2 * GIB + 3 * MIB / 4)
    );
    // Not mostly one.
    assert_eq!(native(&[4 * GIB, 4 * GIB]), None);
    let ocaml = recognised("", &["mmap", "caml_init_domains"], anonymous(32 * GIB)).unwrap();
    assert_eq!(ocaml.knob_becomes_bytes, Some(GIB));
}

#[test]
fn a_knob_of_a_module_is_told_where_that_is_in_the_stack() {
    let knob = |stack: &[&str]| recognised("", stack, anonymous(GIB)).unwrap().knob;
    let arrow = knob(&["mmap", "_mi_prim_alloc@libarrow.so.2600"]);
    assert_eq!(arrow.as_deref(), Some("ARROW_DEFAULT_MEMORY_POOL=system"));
    assert_eq!(knob(&["mmap", "_mi_prim_alloc@server"]), None);
}

#[test]
fn libraries_that_are_loaded_again_and_again_are_to_be_watched() {
    let frames = frames(&[
        "mmap@ld-linux-x86-64.so.2",
        "_dl_map_object@ld-linux-x86-64.so.2",
    ]);
    let level = |growing| {
        let found = patterns().recognise(&Observation {
            frames: &frames,
            origin: Some(Origin::Map),
            growing,
            ..Observation::default()
        });
        found.unwrap().level
    };
    assert_eq!((level(false), level(true)), (Level::Benign, Level::Watch));
}
