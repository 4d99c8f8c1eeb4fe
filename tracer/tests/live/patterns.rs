//! What the patterns that come along make of real programs: one that takes memory in every way glibc
//! has, and near misses of its own; and a node. Nothing here needs debugging symbols of the system's.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::command::{folder, json, refused, sites_with, tracer};
use crate::compiled::compile;
use crate::meanwhile::{is_in_maps, stacks_that, wait_until};

/// Each function asks for one thing. The thread ends, and its arena stays.
const C: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define OWN __attribute__((noinline, noclone))
static void *volatile kept[64];

OWN static void check(void *got) { if (!got || got == MAP_FAILED) abort(); }

OWN static void *in_thread(void *unused) {
    check(kept[0] = malloc(1000));
    return unused;
}
OWN static void thread_with_malloc(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, in_thread, NULL)) abort();
    pthread_join(thread, NULL);
}
OWN static void small_blocks(void) {
    for (int n = 0; n < 4000; n++) check(kept[1] = malloc(500));
}
OWN static void large_block(void) { check(kept[2] = malloc(3 << 20)); }
OWN static void mapped_file(const char *path) {
    int file = open(path, O_RDONLY);
    check(kept[3] = mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE, file, 0));
}
OWN static void shared(void) {
    check(kept[4] = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}

/* Near misses. */
static char *aligned(size_t size, size_t to, size_t keep) {
    char *got = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    check(got);
    char *start = (char *)(((size_t)got + to - 1) / to * to);
    if (start > got) munmap(got, start - got);
    if (got + size > start + keep) munmap(start + keep, got + size - start - keep);
    return start;
}
OWN static void no_arena(void) {
    kept[5] = aligned(192 << 20, 64 << 20, 128 << 20);
}
OWN static void no_arena_either(void) {
    char *start = aligned(128 << 20, 64 << 20, 64 << 20);
    kept[6] = start;
    if (mprotect(start, 132 << 10, PROT_READ | PROT_WRITE)) abort();
}
OWN static void no_wasm_memory(void) {
    char *start = aligned(10737479680UL, 64 << 10, 10UL << 30);
    kept[7] = start;
    if (mprotect(start + (2UL << 30), 128 << 10, PROT_READ | PROT_WRITE)) abort();
}
OWN static void no_thread_stack(void) {
    check(kept[8] = mmap(NULL, 8392704, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0));
}
OWN static void no_malloc(void) {
    check(kept[9] = mmap(NULL, 3 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}
OWN static void no_heap_of_malloc(void) { check(sbrk(1 << 20)); }

int main(int count, char **arguments) {
    /* First, so that the heap has room for what pthread_create allocates. */
    small_blocks();
    thread_with_malloc();
    large_block();
    mapped_file(arguments[count - 1]);
    shared();
    no_arena();
    no_arena_either();
    no_wasm_memory();
    no_thread_stack();
    no_malloc();
    no_heap_of_malloc();
    char end;
    return read(0, &end, 1) < 0;
}
"#;

/// Runs a command under the tracer until a stack through this function, its last, has been named: the
/// process that the report is about. The command ends with its stdin.
fn traced(options: &[&str], command: &[&str], last: &str) -> Value {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let mut tracing = tracer()
        .args(["run", "--report"])
        .arg(path("report.json"))
        .arg("-o")
        .arg(path("trace.vmt"))
        .args(options)
        .arg("--")
        .args(command)
        .stdin(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let partial = path("trace.vmt.partial");
    wait_until(|| stacks_that(&partial, |name| name.contains(last)) > 0);
    // What a file is called only the kernel's maps tell.
    if options.contains(&"--verify=100ms") {
        let file = command.last().unwrap();
        wait_until(|| is_in_maps(&partial, file));
    }
    drop(tracing.stdin.take());
    assert!(tracing.wait().unwrap().success());
    let report = json(&path("report.json"));
    assert_eq!(report["losses"]["events"], 0);
    let processes = report["processes"].as_array().unwrap();
    let size = |process: &&Value| process["virtual_bytes"]["peak"].as_u64().unwrap();
    processes.iter().max_by_key(size).unwrap().clone()
}

/// The patterns of the sites with this function in their stacks, largest site first.
#[track_caller]
fn kinds(process: &Value, function: &str) -> Vec<Value> {
    let sites = sites_with(process, function);
    assert!(!sites.is_empty(), "no site is through {function}");
    sites
        .iter()
        // What was only split there is of no kind.
        .filter(|site| site["calls"] != 0)
        .map(|site| site["pattern"]["id"].clone())
        .collect()
}

#[test]
fn what_glibc_takes_is_recognised_and_what_only_looks_like_it_is_not() {
    let folder = folder();
    let program = compile(folder.path(), C, &[]);
    let file = folder.path().join("data");
    fs::write(&file, vec![1; 1 << 20]).unwrap();
    let command = [program.to_str().unwrap(), file.to_str().unwrap()];
    let process = traced(&["--verify=100ms"], &command, "no_heap_of_malloc");
    for (function, expected) in [
        ("in_thread", "glibc-arena"),
        ("thread_with_malloc", "thread-stack"),
        ("small_blocks", "glibc-heap"),
        ("large_block", "glibc-mmap"),
        ("mapped_file", "file-mapping"),
        ("shared", "shared-memory"),
    ] {
        let kinds = kinds(&process, function);
        assert!(
            kinds.iter().all(|kind| kind == expected),
            "{function}: {kinds:?}"
        );
    }
    for function in [
        "no_arena",
        "no_arena_either",
        "no_wasm_memory",
        "no_thread_stack",
        "no_malloc",
        "no_heap_of_malloc",
    ] {
        let kinds = kinds(&process, function);
        assert!(kinds.iter().all(Value::is_null), "{function}: {kinds:?}");
    }
    // The C library itself.
    let sites = process["sites"].as_array().unwrap();
    let loaded = |site: &&Value| site["pattern"]["id"] == "loader";
    let loaded: Vec<_> = sites.iter().filter(loaded).collect();
    assert!(!loaded.is_empty());
    // The biggest is of no known kind: no other is made out to explain it.
    let text = process["verdict"]["text"].as_str().unwrap();
    assert!(!text.contains("What changes"), "{text}");
}

#[test]
fn a_nodes_wasm_memory_and_code_range_are_recognised_with_their_evidence() {
    let script = "globalThis.kept = new WebAssembly.Memory({ initial: 1 });
                  require('fs').readSync(0, Buffer.alloc(1)); process.reallyExit(0)";
    let process = traced(&[], &["node", "-e", script], "AllocateWasmMemory");
    let sites = process["sites"].as_array().unwrap();
    let of = |id: &str| {
        let is = |site: &&Value| site["pattern"]["id"] == id;
        let found: Vec<_> = sites.iter().filter(is).collect();
        assert_eq!(found.len(), 1, "{id}: {found:?}");
        found[0]
    };
    let memory = of("v8-wasm-memory");
    assert!(memory["reserved_bytes"].as_u64().unwrap() >= 8 << 30);
    assert_eq!(memory["pattern"]["level"], "benign");
    assert!(memory["pattern"]["confidence"].as_f64().unwrap() >= 0.9);
    for list in ["evidence", "advice"] {
        assert!(
            !memory["pattern"][list].as_array().unwrap().is_empty(),
            "{memory}"
        );
    }
    assert_eq!(of("v8-code-range")["live"], 1);
    let largest = &process["verdict"]["kinds"][0];
    assert_eq!(largest["id"], "v8-wasm-memory");
    let text = process["verdict"]["text"].as_str().unwrap();
    assert!(
        text.contains("of V8 WebAssembly memory from site"),
        "{text}"
    );
}

#[test]
fn a_pattern_of_the_users_own_names_the_users_own_memory() {
    let folder = folder();
    let program = compile(folder.path(), C, &[]);
    let own = folder.path().join("own.toml");
    let text = "[[pattern]]\nid = \"own\"\nname = \"our pool\"\nlevel = \"benign\"\nmeaning = \"ours\"\n\
                source = \"us\"\n[[pattern.when]]\nconfidence = 1.0\nframes = [\"no_wasm_memory\"]\n";
    fs::write(&own, text).unwrap();
    let own = own.to_str().unwrap();
    let program = program.to_str().unwrap();
    let process = traced(
        &["--patterns", own],
        &[program, program],
        "no_heap_of_malloc",
    );
    assert_eq!(kinds(&process, "no_wasm_memory"), ["own"]);

    fs::write(own, text.replace("benign", "harmless")).unwrap();
    let output = tracer()
        .args(["run", "--patterns", own, "--", program, program])
        .output();
    let line = format!("{own}:4: unknown variant `harmless`");
    refused(&output.unwrap(), &[&line]);
}
