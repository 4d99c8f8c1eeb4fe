//! The patterns of V8 and of other runtimes and allocators, and their near misses.

use tracer_analysis::patterns::Settled;
use tracer_analysis::summary::Level;

use super::patterns::{Seen, cage};
use tracer_test_traces::trace::{GIB, MIB};

#[test]
fn a_wasm_memory_is_known_by_its_frames_or_in_a_node_by_its_size_and_its_guard() {
    let stack = [
        "mmap@libc",
        "v8::internal::BackingStore::TryAllocateAndPartiallyCommitMemory(v8::internal::Isolate*)@node",
        "v8::internal::BackingStore::AllocateWasmMemory(v8::internal::Isolate*, unsigned long)@node",
    ];
    let old = Seen::mmap(&stack, 10_737_479_680, cage()).by("node v22.22.0");
    let old = old.is("v8-wasm-memory");
    assert_eq!(old.level, Level::Benign);
    assert!(old.knob_effect.unwrap().contains("10 GiB become 4 GiB"));
    let new = Seen::mmap(&stack, 8_589_996_032, cage()).by("node v24.21.0");
    let new = new.is("v8-wasm-memory").knob_effect.unwrap();
    assert!(new.contains("8 GiB become 4 GiB"), "{new}");
    for runtime in [
        "node v20.15.0",
        "node v20.20.2",
        "node v22.2.0",
        "node v22.19.0",
    ] {
        let old = Seen::mmap(&stack, 10_737_479_680, cage()).by(runtime);
        assert!(old.is("v8-wasm-memory").knob.is_some(), "{runtime}");
    }
    // These would not start with it, or nobody has tried.
    for runtime in [
        "node v20.2.0",
        "node v20.14.0",
        "node v20.21.0",
        "node v22.30.0",
        "node v22.1.0",
        "node v18.20.0",
        "node v26.10.0",
    ] {
        let old = Seen::mmap(&stack, 10_737_479_680, cage()).by(runtime);
        assert_eq!(old.is("v8-wasm-memory").knob, None, "{runtime}");
    }
    // Without guards there is nothing left to turn off.
    let unguarded = Seen::mmap(&stack, 4 * GIB, cage()).by("node v22.22.0");
    assert_eq!(unguarded.is("v8-wasm-memory-unguarded").knob, None);
    let other = Seen::mmap(&stack, 10_737_479_680, cage()).by("deno 2.0");
    assert_eq!(other.is("v8-wasm-memory").knob, None);
    let unnamed = ["mmap@libc", "@node", "main@node"];
    Seen::mmap(&unnamed, 10_737_479_680, cage())
        .by("node v22.22.0")
        .is("v8-wasm-memory");
}

#[test]
fn runtimes_are_known_by_the_functions_that_were_seen_in_them() {
    for (stack, id) in [
        (
            &[
                "mmap@node",
                "v8::internal::SegmentedTable<v8::internal::JSDispatchEntry, (unsigned long)268435456>::Initialize()@node",
            ][..],
            "v8-pointer-table",
        ),
        (
            &[
                "mmap@libc",
                "v8::internal::wasm::WasmCodePointerTable::Initialize()@node",
            ],
            "v8-pointer-table",
        ),
        (
            &[
                "mmap@libc",
                "v8::internal::CodeRange::InitReservation(v8::PageAllocator*)@node",
            ],
            "v8-code-range",
        ),
        (
            &[
                "mmap@libc",
                "os::pd_reserve_memory@/jvm/libjvm.so",
                "CodeCache::initialize_heaps@/jvm/libjvm.so",
            ],
            "jvm-code-cache",
        ),
        (
            &[
                "mmap@libc",
                "ReservedSpace::reserve@/jvm/libjvm.so",
                "Universe::reserve_heap@/jvm/libjvm.so",
            ],
            "jvm-heap",
        ),
        (
            &[
                "runtime.sysMmap@/srv/go",
                "runtime.sysReserve@/srv/go",
                "runtime.(*mheap).sysAlloc@/srv/go",
            ],
            "go-heap-arena",
        ),
        (
            &[
                "runtime.sysMmap@/srv/go",
                "runtime.sysReserve@/srv/go",
                "runtime.(*pageAlloc).sysInit@/srv/go",
            ],
            "go-page-summary",
        ),
        (
            &["mmap@libc", "pages_map@/bin/rustc", "pa_alloc@/bin/rustc"],
            "jemalloc-extent",
        ),
        (
            &["mmap@libc", "@/usr/lib/libjemalloc.so.2"],
            "jemalloc-extent",
        ),
        (
            &[
                "brk@libc",
                "sbrk@libc",
                "SbrkSysAllocator::Alloc@/usr/lib/libtcmalloc_minimal.so.4",
            ],
            "tcmalloc-span",
        ),
        (
            &["mmap@libc", "@/usr/lib/libmimalloc.so.2.0"],
            "mimalloc-arena",
        ),
        (
            &[
                "mmap@libc",
                "PGSharedMemoryCreate@/usr/lib/postgresql/15/bin/postgres",
            ],
            "postgres-shared-memory",
        ),
    ] {
        Seen::mmap(stack, MIB, Settled::default()).is(id);
    }
    // Go's other memory, and a JVM's that has no pattern.
    Seen::mmap(
        &["runtime.sysMmap@/srv/go", "runtime.sysAlloc@/srv/go"],
        MIB,
        Settled::default(),
    )
    .is_none();
    Seen::mmap(
        &["mmap@libc", "G1CMMarkStack::resize@/jvm/libjvm.so"],
        MIB,
        Settled::default(),
    )
    .is_none();
    // Terabytes that no sanitizer has asked for.
    let tera = Settled {
        reserved: 15_392_894_357_504,
        ..cage()
    };
    Seen::mmap(&["mmap@libc", "@/srv/program"], 15_392_894_357_504, tera).is_none();
    Seen::mmap(&["@/lib/libasan.so.8"], 15_392_894_357_504, tera).is("asan-shadow");
}

#[test]
fn ten_gibibytes_that_are_not_v8s_are_no_wasm_memory() {
    let own = ["mmap@libc", "work@/srv/program"];
    Seen::mmap(&own, 10_737_479_680, cage()).is_none();
    // A library of a node's, or the node itself, but not the shape.
    let addon = ["mmap@libc", "reserve@/srv/addon.node"];
    Seen::mmap(&addon, 10_737_479_680, cage())
        .by("node v22.22.0")
        .is_none();
    let at_start = Settled {
        accessible_at: Some(0),
        ..cage()
    };
    let unnamed = ["mmap@libc", "@node"];
    Seen::mmap(&unnamed, 10_737_479_680, at_start)
        .by("node v22.22.0")
        .is_none();
    Seen::mmap(&unnamed, 10 * GIB, cage())
        .by("node v22.22.0")
        .is_none();
}

/// What wasmtime 50, GHC 9.0 and Bun 1.4 were seen to do.
#[test]
fn other_runtimes_ranges_are_known_and_the_same_sizes_of_others_are_not() {
    const WASMTIME: u64 = 4_362_076_160;
    let memory = Settled {
        reserved: WASMTIME,
        accessible: 64 * 1024,
        accessible_at: Some(32 * MIB),
        ..cage()
    };
    let named = [
        "<wasmtime::runtime::vm::mmap::Mmap<wasmtime::runtime::vm::mmap::AlignedLength>>::accessible_reserved@/lib/_wasmtime.so",
        "<wasmtime::runtime::vm::memory::mmap::MmapMemory>::new@/lib/_wasmtime.so",
    ];
    Seen::mmap(&named, WASMTIME, memory).is("wasmtime-memory");
    let unnamed = ["mmap@libc", "@/srv/program"];
    Seen::mmap(&unnamed, WASMTIME, memory).is("wasmtime-memory");
    let from_start = Settled {
        accessible_at: Some(0),
        ..memory
    };
    Seen::mmap(&unnamed, WASMTIME, from_start).is_none();

    const GHC: u64 = 1_099_512_676_352;
    let heap = Settled {
        reserved: GHC,
        accessible_at: Some(0),
        ..cage()
    };
    let stack = [
        "mmap@libc",
        "my_mmap@h",
        "osReserveHeapMemory@h",
        "initMBlocks@h",
    ];
    Seen::mmap(&stack, GHC, heap).is("ghc-heap");
    Seen::mmap(&unnamed, GHC, heap).is("ghc-heap");
    Seen::mmap(&unnamed, 1 << 40, heap).is_none();

    let bun = ["mmap@libc", "@/usr/bin/bun"];
    let structures = Settled {
        start: 0x7fa7_0000_0000,
        reserved: 4 * GIB,
        accessible: 4 * GIB,
        accessible_at: Some(0),
        protection: 3,
        ..cage()
    };
    Seen::mmap(&bun, 8 * GIB, structures).is("jsc-structure-heap");
    Seen::mmap(&unnamed, 8 * GIB, structures).is_none();
    let code = Settled {
        reserved: GIB + 8192,
        protection: 7,
        ..structures
    };
    Seen::mmap(&bun, GIB + 8192, code).is("jsc-jit-code");
    Seen::mmap(&unnamed, GIB + 8192, code).is_none();
    let arena = Settled {
        reserved: GIB,
        ..structures
    };
    Seen::mmap(&bun, GIB, arena).is("mimalloc-arena");
}
