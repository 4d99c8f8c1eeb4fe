//! Which frames of a stack say something to the person who reads it.
//!
//! By name, and by module where there is no name: the names are those of glibc's `malloc/` and
//! `sysdeps/`, Rust's standard library, libstdc++, V8's `Builtins_*` (its embedded builtins), Node's
//! and libuv's namespaces (V8's platform layer is its way into the kernel), Go's and CPython's runtimes, the JVM's library, and the common allocators.

use super::names::last_part;
use crate::words::names::bare;
use tracer_ledger::event::{Frame, FrameKind};

/// What a frame is to its reader, the most telling first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// The program's own code, or a library's that it chose.
    User,
    /// A runtime at work: it says what for.
    Runtime,
    /// Where a program or thread begins.
    Start,
    /// The way into the kernel, an allocator, a standard library.
    Edge,
    /// Between compiled and interpreted code, or an address that is nowhere: says nothing.
    Glue,
}

const EDGE: &[&str] = &[
    "mmap",
    "mmap64",
    "munmap",
    "mremap",
    "mprotect",
    "madvise",
    "brk",
    "sbrk",
    "syscall",
    "shmat",
    "morecore",
    "default_morecore",
    "glibc_morecore",
    "malloc",
    "calloc",
    "realloc",
    "free",
    "memalign",
    "posix_memalign",
    "aligned_alloc",
    "valloc",
    "pvalloc",
    "reallocarray",
    "sysmalloc",
    "sysmalloc_mmap",
    "sysmalloc_mmap_fallback",
    "sysmalloc_mmap_maybe",
    "int_malloc",
    "int_realloc",
    "int_memalign",
    "mid_memalign",
    "int_new_arena",
    "new_heap",
    "alloc_new_heap",
    "grow_heap",
    "heap_trim",
    "arena_get2",
    "arena_get_retry",
    "tcache_init",
    "tcache_malloc",
    "malloc_check",
    "ptmalloc_init",
    "malloc_hook_ini",
    "allocate_stack",
    "allocate_thread_stack",
    "pthread_create",
    "operator new",
    "operator new[]",
    "rust_alloc",
    "rust_alloc_zeroed",
    "rust_realloc",
    "rdl_alloc",
    "rdl_alloc_zeroed",
    "rdl_realloc",
    "rg_alloc",
];
const EDGE_PREFIXES: &[&str] = &[
    "std::",
    "core::",
    "alloc::",
    "hashbrown::",
    "__gnu_cxx::",
    "__cxxabiv1::",
    "v8::base::",
    "v8::internal::AllocatePages",
    "v8::internal::VirtualMemory::",
    "v8::internal::VirtualMemoryCage::",
    "v8::internal::BackingStore::TryAllocateAndPartiallyCommitMemory",
    "v8::internal::AllocWithRetry",
    "v8::internal::AllocAtLeastWithRetry",
    "v8::internal::AlignedAllocWithRetry",
    "v8::internal::AccountingAllocator::",
    "pthread_create",
    "je_",
    "_rjem_",
    "mi_",
    "_mi_",
    "tc_",
    "tcmalloc::",
    "rust_begin_unwind",
    "__rust_begin_short_backtrace",
    "__rust_end_short_backtrace",
];
const EDGE_MODULES: &[&str] = &[
    "libc.so",
    "libc-",
    "libc.musl",
    "ld-linux",
    "ld-musl",
    "ld.so",
    "libpthread",
    "libstdc++",
    "libc++",
    "libgcc_s",
    "libjemalloc",
    "libmimalloc",
    "libtcmalloc",
];
const START: &[&str] = &[
    "main",
    "_start",
    "start_thread",
    "clone",
    "clone3",
    "libc_start_main",
    "libc_start_main_impl",
    "libc_start_call_main",
    "lang_start",
    "lang_start_internal",
    "thread_start",
    "libc_csu_init",
    "static_initialization_and_destruction_0",
];
/// Launchers: they do no more than begin the program.
const START_MODULES: &[&str] = &["libjli.so"];
const START_PREFIXES: &[&str] = &["_GLOBAL__sub_I_"];
const RUNTIME_PREFIXES: &[&str] = &[
    "v8::",
    "node::",
    "uv_",
    "uv__",
    "cppgc::",
    "heap::base::",
    "runtime.",
    "_Py",
    "Py",
    "_PyEval",
];
const RUNTIME_MODULES: &[&str] = &[
    "libjvm.so",
    "libcoreclr",
    "libpython",
    "libnode.so",
    "libv8",
    "python2",
    "python3",
];
/// Executables that are a runtime and nothing else: what is linked into them (OpenSSL, zlib) too.
const RUNTIME_EXECUTABLES: &[&str] = &["node", "nodejs", "java", "python"];
// The names that begin with `construct_stub_` are labels within V8's stub for `new`.
const GLUE_PREFIXES: &[&str] = &[
    "Builtins_",
    "construct_stub_",
    "Builtin:",
    "BytecodeHandler:",
    "Stub:",
    "RegExp:",
    "heap::base::Stack::",
    "void heap::base::Stack::",
    "std::function<",
    "std::_Function_handler<",
    "std::_Sp_counted_",
    "std::__invoke",
];
const GLUE: &[&str] = &[
    "InterpreterEntryTrampoline",
    "JSEntry",
    "JSEntryTrampoline",
    "ArgumentsAdaptorTrampoline",
    "CompileLazy",
    "PushAllRegistersAndIterateStack",
    "[unknown]",
];

/// What a frame is to its reader.
#[must_use]
pub fn rank(frame: &Frame) -> Rank {
    let Some(function) = frame.function.as_deref() else {
        return match (&frame.module, frame.kind) {
            (Some(module), _) => module_rank(module),
            (None, _) => Rank::Glue,
        };
    };
    // `<alloc::vec::Vec<T> as …>::from_iter` belongs to `alloc`.
    let name = function.trim_start_matches(['<', '&', '*']);
    let starts = |prefixes: &[&str]| starts_with_one(name, prefixes);
    if starts(GLUE_PREFIXES) || GLUE.contains(&name) {
        return Rank::Glue;
    }
    if matches!(frame.kind, FrameKind::Jit | FrameKind::Interpreted) {
        return script_rank(frame);
    }
    let bare = bare(name);
    if EDGE.contains(&bare) || starts(EDGE_PREFIXES) || is_rusts_library(frame) {
        Rank::Edge
    } else if START.contains(&bare) || starts(START_PREFIXES) {
        Rank::Start
    } else if starts(RUNTIME_PREFIXES) {
        Rank::Runtime
    } else {
        frame.module.as_deref().map_or(Rank::User, module_rank)
    }
}

/// By the first byte at first: every frame of every site is asked for all of the prefixes.
fn starts_with_one(name: &str, prefixes: &[&str]) -> bool {
    let first = name.as_bytes().first();
    let starts = |prefix: &&str| prefix.as_bytes().first() == first && name.starts_with(prefix);
    prefixes.iter().any(starts)
}

/// Rust's own library by where its source lay when it was built: inlined frames may be named without
/// their crate.
fn is_rusts_library(frame: &Frame) -> bool {
    let file = frame.file.as_deref().unwrap_or_default();
    file.starts_with("/rustc/") && file.contains("/library/")
}

fn module_rank(module: &str) -> Rank {
    let file = last_part(module);
    let starts = |prefixes: &[&str]| starts_with_one(file, prefixes);
    if starts(EDGE_MODULES) {
        Rank::Edge
    } else if starts(START_MODULES) {
        Rank::Start
    } else if starts(RUNTIME_MODULES) || RUNTIME_EXECUTABLES.contains(&file) {
        Rank::Runtime
    } else {
        Rank::User
    }
}

/// Node's own scripts are its runtime; the packages that it bundles are named like any other code.
fn script_rank(frame: &Frame) -> Rank {
    match frame.file.as_deref() {
        Some(file) if file.starts_with("node:internal/deps/") => Rank::User,
        Some(file) if file.starts_with("node:") => Rank::Runtime,
        _ => Rank::User,
    }
}

#[cfg(test)]
mod tests {
    use super::{Rank, rank};
    use tracer_ledger::event::{Frame, FrameKind};

    fn native(function: &str) -> Rank {
        within("/srv/app/bin/server", function)
    }

    fn within(module: &str, function: &str) -> Rank {
        rank(&Frame {
            function: Some(function.into()),
            module: Some(module.into()),
            ..Frame::default()
        })
    }

    #[test]
    fn allocators_and_the_way_into_the_kernel_are_the_edge() {
        for name in [
            "mmap",
            "__GI___mmap64",
            "__libc_malloc",
            "_int_new_arena",
            "alloc_new_heap.part.0",
            "malloc@@GLIBC_2.2.5",
            "operator new(unsigned long)",
            "<alloc::vec::Vec<T> as core::iter::FromIterator<T>>::from_iter",
            "std::sys::alloc::unix::alloc",
        ] {
            assert_eq!(native(name), Rank::Edge, "{name}");
        }
    }

    #[test]
    fn the_rest_is_told_apart() {
        assert_eq!(native("_start"), Rank::Start);
        assert_eq!(native("__libc_start_main_impl"), Rank::Start);
        assert_eq!(native("__libc_start_call_main"), Rank::Start);
        assert_eq!(
            native("v8::internal::CodeRange::InitReservation"),
            Rank::Runtime
        );
        assert_eq!(native("Builtins_InterpreterEntryTrampoline"), Rank::Glue);
        assert_eq!(native("startup_growth::leak"), Rank::User);
        assert_eq!(rank(&Frame::default()), Rank::Glue);
    }

    #[test]
    fn what_is_linked_into_a_runtime_belongs_to_it() {
        assert_eq!(within("/opt/node/bin/node", "SSL_read"), Rank::Runtime);
        assert_eq!(native("SSL_read"), Rank::User);
        assert_eq!(within("/usr/bin/python3.11", "list_resize"), Rank::Runtime);
    }

    #[test]
    fn labels_in_stubs_and_the_way_into_a_collection_say_nothing() {
        for name in [
            "construct_stub_invoke_deopt_addr",
            "PushAllRegistersAndIterateStack",
            "void heap::base::Stack::SetMarkerAndCallbackImpl<v8::internal::Heap>",
            "std::_Function_handler<void (), v8::internal::Sweeper>::_M_invoke",
        ] {
            assert_eq!(native(name), Rank::Glue, "{name}");
        }
    }

    #[test]
    fn rusts_library_is_known_by_its_source_too() {
        let frame = |file: &str| Frame {
            function: Some("call_once<fn() -> u8, ()>".into()),
            module: Some("/srv/service".into()),
            file: Some(file.into()),
            ..Frame::default()
        };
        let library = frame("/rustc/59807616e1fa/library/core/src/ops/function.rs");
        assert_eq!(rank(&library), Rank::Edge);
        assert_eq!(rank(&frame("/srv/src/library/mod.rs")), Rank::User);
    }

    #[test]
    fn a_nameless_frame_is_ranked_by_its_module() {
        let of = |module: &str| {
            rank(&Frame {
                module: Some(module.into()),
                ..Frame::default()
            })
        };
        assert_eq!(of("/usr/lib/x86_64-linux-gnu/libc.so.6"), Rank::Edge);
        assert_eq!(of("/srv/app/libbackend.so"), Rank::User);
    }

    #[test]
    fn nodes_own_scripts_are_runtime_and_its_bundled_packages_are_not() {
        let of = |file: &str| {
            rank(&Frame {
                function: Some("f".into()),
                file: Some(file.into()),
                kind: FrameKind::Jit,
                ..Frame::default()
            })
        };
        assert_eq!(of("node:internal/modules/cjs/loader"), Rank::Runtime);
        assert_eq!(of("node:internal/deps/undici/undici"), Rank::User);
        assert_eq!(of("file:///srv/app/server.js"), Rank::User);
    }
}
