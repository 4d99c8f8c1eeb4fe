//! What the kernel refused: each limit makes it refuse a call, and the report says which it was, by how much, and where.

use std::path::Path;

use serde_json::Value;
use tracer_ledger::event::Event;
use tracer_recording::Reader;

use crate::{
    command::{folder, json, text, tracer},
    compiled::compile,
};

/// Runs into the limit that its word names, in a function of its own, and ends with 3.
const RUN_INTO: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#define SIZE (64UL << 20)
static void *map(size_t size, int protection, int flags) {
    return mmap(0, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}
static void limit(int which, unsigned long to) {
    struct rlimit limits = { to, to };
    if (setrlimit(which, &limits)) _exit(9);
}
static void become_nobody(void) { if (setgid(65534) || setuid(65534)) _exit(9); }
static void *rest(void *nothing) { return pause() ? nothing : 0; }
__attribute__((noinline)) static int run_into(const char *what) {
    if (!strcmp(what, "rlimit-as")) {
        limit(RLIMIT_AS, SIZE);
        return map(1UL << 36, PROT_NONE, MAP_NORESERVE) != MAP_FAILED;
    }
    if (!strcmp(what, "rlimit-data")) {
        limit(RLIMIT_DATA, SIZE);
        return map(2 * SIZE, PROT_READ | PROT_WRITE, 0) != MAP_FAILED;
    }
    if (!strcmp(what, "rlimit-data-by-brk")) {
        limit(RLIMIT_DATA, SIZE);
        return sbrk(2 * SIZE) != (void *)-1;
    }
    if (!strcmp(what, "rlimit-data-by-mprotect")) {
        char *reserved = map(2 * SIZE, PROT_NONE, 0);
        limit(RLIMIT_DATA, SIZE);
        return mprotect(reserved, 2 * SIZE, PROT_READ | PROT_WRITE) == 0;
    }
    if (!strcmp(what, "rlimit-memlock")) {
        become_nobody();
        limit(RLIMIT_MEMLOCK, 1 << 20);
        return mlock(map(SIZE, PROT_READ | PROT_WRITE, 0), SIZE) == 0;
    }
    if (!strcmp(what, "rlimit-memlock-by-mmap")) {
        become_nobody();
        limit(RLIMIT_MEMLOCK, 1 << 20);
        return map(SIZE, PROT_READ | PROT_WRITE, MAP_LOCKED) != MAP_FAILED;
    }
    if (!strcmp(what, "rlimit-nproc")) {
        pthread_t thread;
        limit(RLIMIT_NPROC, 1);
        become_nobody();
        for (int i = 0; i < 3; i++) if (pthread_create(&thread, 0, rest, 0)) return 0;
        return 1;
    }
    if (!strcmp(what, "max-map-count")) {
        char *pool = map(1UL << 30, PROT_READ, MAP_NORESERVE);
        for (size_t page = 0; page < (1UL << 17); page++)
            if (mprotect(pool + 8192 * page, 4096, PROT_READ | PROT_WRITE)) return errno != ENOMEM;
        return 1;
    }
    if (!strcmp(what, "overcommit")) return map(1UL << 45, PROT_READ | PROT_WRITE, 0) != MAP_FAILED;
    if (!strcmp(what, "address-space")) return map(1UL << 47, PROT_NONE, MAP_NORESERVE) != MAP_FAILED;
    if (!strcmp(what, "hugetlb-pool"))
        return map(1UL << 40, PROT_READ | PROT_WRITE, MAP_HUGETLB) != MAP_FAILED;
    if (!strcmp(what, "again")) {
        limit(RLIMIT_AS, SIZE);
        for (int i = 0; i < 20000; i++) if (map(1UL << 36, PROT_NONE, 0) != MAP_FAILED) return 1;
        return 0;
    }
    return 1;
}
int main(int count, char **words) { _exit(count < 2 || run_into(words[1]) ? 4 : 3); }
"#;

/// The report on a run into this limit.
fn report(folder: &Path, program: &Path, what: &str) -> Value {
    let path = folder.join("report.json");
    let output = tracer()
        .args(["run", "-q", "--report"])
        .arg(&path)
        .arg("--")
        .arg(program)
        .arg(what)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{what}: {output:?}");
    json(&path)
}

/// The functions of a site.
fn functions(process: &Value, site: &Value) -> Vec<String> {
    let sites = process["sites"].as_array().unwrap();
    let found = sites.iter().find(|one| one["id"] == *site).unwrap();
    let frames = found["frames"].as_array().unwrap().iter();
    let names = frames.filter_map(|frame| frame["function"].as_str());
    names.map(str::to_owned).collect()
}

#[test]
fn each_limit_is_named_that_refuses_a_call() {
    let folder = folder();
    let program = compile(folder.path(), RUN_INTO, &[]);
    const MIB: u64 = 1 << 20;
    for (what, call, errno, requested, limit) in [
        ("rlimit-as", "mmap", "ENOMEM", 1 << 36, Some(64 * MIB)),
        ("rlimit-data", "mmap", "ENOMEM", 128 * MIB, Some(64 * MIB)),
        (
            "rlimit-data-by-brk",
            "brk",
            "ENOMEM",
            128 * MIB,
            Some(64 * MIB),
        ),
        (
            "rlimit-data-by-mprotect",
            "mprotect",
            "ENOMEM",
            128 * MIB,
            Some(64 * MIB),
        ),
        ("rlimit-memlock", "mlock", "ENOMEM", 64 * MIB, Some(MIB)),
        (
            "rlimit-memlock-by-mmap",
            "mmap",
            "EAGAIN",
            64 * MIB,
            Some(MIB),
        ),
        ("rlimit-nproc", "clone", "EAGAIN", 0, Some(1)),
        ("max-map-count", "mprotect", "ENOMEM", 4096, None),
        ("overcommit", "mmap", "ENOMEM", 1 << 45, None),
        ("address-space", "mmap", "ENOMEM", 1 << 47, None),
        ("hugetlb-pool", "mmap", "ENOMEM", 1 << 40, None),
    ] {
        let report = report(folder.path(), &program, what);
        let process = &report["processes"][0];
        assert_eq!(
            process["verdict"]["level"], "refused",
            "{what}: {process:#}"
        );
        let refused = &process["refused"][0];
        let cause = what.split("-by-").next().unwrap();
        assert_eq!(refused["cause"], cause, "{what}: {refused:#}");
        assert_eq!(refused["call"], call, "{what}");
        assert_eq!(refused["errno"], errno, "{what}");
        assert_eq!(refused["requested_bytes"], requested, "{what}");
        if let Some(limit) = limit {
            assert_eq!(refused["limit"], limit, "{what}");
        }
        let functions = functions(process, &refused["site"]);
        assert!(
            functions.iter().any(|name| name == "run_into"),
            "{what}: {functions:?}"
        );
    }
}

#[test]
fn refusals_without_end_are_all_counted_and_few_of_them_told() {
    let folder = folder();
    let program = compile(folder.path(), RUN_INTO, &[]);
    let recording = folder.path().join("again.vmt");
    let output = tracer()
        .args(["-q", "run", "-o"])
        .arg(&recording)
        .arg("--")
        .arg(&program)
        .arg("again")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let mut reader = Reader::open(&recording).unwrap();
    let mut refused = 0;
    while let Some(event) = reader.read().unwrap() {
        refused += u32::from(matches!(event, Event::Refused(_)));
    }
    assert!(refused < 100, "{refused}");
    let output = tracer()
        .args(["report", "-f", "json"])
        .arg(&recording)
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let refused = report["processes"][0]["refused"].as_array().unwrap();
    let count: u64 = refused.iter().filter_map(|one| one["count"].as_u64()).sum();
    assert_eq!(count, 20_000, "{refused:#?}");
}

#[test]
fn who_was_refused_leads_the_report_and_fails_its_budget() {
    let folder = folder();
    let program = compile(folder.path(), RUN_INTO, &[]);
    let script = format!("ulimit -v 4000000; exec {} rlimit-as", program.display());
    let shell = |command: &[&str]| {
        let command = tracer()
            .args(command)
            .args(["--", "bash", "-c", &script])
            .output();
        command.unwrap()
    };
    let said = shell(&["run"]);
    let text = text(&said.stderr);
    let [head, verdict] = text.lines().take(2).collect::<Vec<_>>()[..] else {
        panic!("{text}");
    };
    assert!(head.starts_with("program · pid "), "{text}");
    assert!(
        verdict.starts_with("REFUSED") && verdict.contains("mmap of 64.0 GiB"),
        "{text}"
    );
    let checked = shell(&["check", "--ignore-exit", "--fail-on", "refused > 0"]);
    assert_eq!(checked.status.code(), Some(1), "{checked:?}");
}

/// Maps a file for less than a millisecond and ends.
const LATE_FILE: &str = r#"
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
int main(int count, char **words) {
    int file = open(words[1], O_RDWR | O_CREAT, 0600);
    if (ftruncate(file, 32 << 20)) return 1;
    volatile char *map = mmap(0, 32 << 20, PROT_READ, MAP_SHARED, file, 0);
    _exit(map[0]);
}
"#;

#[test]
fn a_file_that_is_mapped_for_a_moment_has_its_name_and_kind() {
    let folder = folder();
    let program = compile(folder.path(), LATE_FILE, &[]);
    let data = folder.path().join("late data.bin");
    let path = folder.path().join("report.json");
    let status = tracer()
        .args(["run", "-q", "--report"])
        .arg(&path)
        .arg("--")
        .arg(&program)
        .arg(&data)
        .output();
    assert!(status.unwrap().status.success());
    let report = json(&path);
    let sites = report["processes"][0]["sites"].as_array().unwrap();
    let site = sites.iter().find(|site| site["reserved_bytes"] == 32 << 20);
    let site = site.unwrap();
    assert_eq!(site["files"][0], data.to_str().unwrap(), "{site:#}");
    assert_eq!(site["pattern"]["id"], "file-mapping", "{site:#}");
}
