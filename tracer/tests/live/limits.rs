//! Limits by their own figures, and whose resident pages are: programs that know what they did, and the kernel's own
//! files, against what the report says.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::{fs, process};

use serde_json::Value;

use crate::command::{folder, json, tracer};
use crate::compiled::compile;

const MIB: u64 = 1 << 20;

/// What one of these was asked for it does, and waits to be ended.
const PROGRAM: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#define MIB (1l << 20)
static char *memory(long n) { return mmap(0, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
static int same(void) {
  int fd = memfd_create("heap", 0);
  if (ftruncate(fd, 32 * MIB)) return 1;
  for (int view = 0; view < 3; view++) memset(mmap(0, 32 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), 1, 32 * MIB);
  return 0;
}
static int lazy(void) {
  char *p = memory(64 * MIB);
  memset(p, 1, 64 * MIB);
  return madvise(p, 64 * MIB, MADV_FREE);
}
static int copy(void) {
  char *p = memory(80 * MIB);
  if (madvise(p, 80 * MIB, MADV_NOHUGEPAGE)) return 1;
  memset(p, 1, 80 * MIB);
  if (fork() == 0) {
    // Whoever ends the parent ends it.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (long i = 0; i < 72 * MIB; i += 4096) p[i]++;
  }
  return 0;
}
static int cache(char *path) {
  int fd = open(path, O_RDWR | O_CREAT, 0600);
  static char block[MIB];
  for (int i = 0; i < 64; i++) if (write(fd, block, MIB) != MIB) return 1;
  volatile char *p = mmap(0, 64 * MIB, PROT_READ, MAP_SHARED, fd, 0);
  for (long i = 0; i < 64 * MIB; i += 4096) p[i];
  return 0;
}
static int data(void) {
  struct rlimit limit = {100 * MIB, 100 * MIB};
  setrlimit(RLIMIT_DATA, &limit);
  return memory(90 * MIB) == MAP_FAILED;
}
static int maps(void) {
  int fd = memfd_create("page", 0);
  if (ftruncate(fd, 4096)) return 1;
  for (int i = 0; i < 3000; i++) mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0);
  return 0;
}
static int descriptors(void) {
  static char block[MIB];
  for (;;) if (write(memfd_create("frame", 0), memset(block, 1, MIB), MIB) != MIB) return 1;
}
int main(int argc, char **argv) {
  char *what = argv[1];
  int failed = !strcmp(what, "same") ? same() : !strcmp(what, "lazy") ? lazy() : !strcmp(what, "copy") ? copy()
    : !strcmp(what, "cache") ? cache(argv[2]) : !strcmp(what, "data") ? data() : !strcmp(what, "maps") ? maps()
    : descriptors();
  if (failed) abort();
  for (;;) pause();
}
"#;

/// Long enough for a second look at everything.
const TIME: &str = "3s";

/// Traces the program at one thing; the report's processes.
fn traced(what: &str) -> Vec<Value> {
    let folder = folder();
    let program = compile(folder.path(), PROGRAM, &[]);
    let report = folder.path().join("report.json");
    let status = tracer()
        .args(["run", "--quiet", "--duration", TIME, "--report"])
        .arg(&report)
        .arg("--")
        .arg(&program)
        .arg(what)
        .arg(folder.path().join("file"))
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.code().is_some(), "{status}");
    json(&report)["processes"].as_array().unwrap().clone()
}

fn one(what: &str) -> Value {
    let processes = traced(what);
    assert_eq!(processes.len(), 1);
    processes[0].clone()
}

fn limit<'a>(process: &'a Value, id: &str) -> &'a Value {
    let harms = process["harm"].as_array().unwrap();
    let found = harms.iter().find(|harm| harm["id"] == id);
    found.unwrap_or_else(|| panic!("no {id} in {harms:?}"))
}

fn bytes(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value}"))
}

#[test]
fn one_object_mapped_three_times_is_counted_once() {
    let process = one("same");
    assert!(bytes(&process["resident_bytes"]["end"]) >= 96 * MIB);
    let residency = &process["residency"];
    let proportional = bytes(&residency["proportional_bytes"]);
    assert!((32 * MIB..36 * MIB).contains(&proportional), "{residency}");
}

#[test]
fn what_was_given_back_lazily_is_told() {
    let process = one("lazy");
    let freed = bytes(&process["residency"]["lazily_freed_bytes"]);
    // The kernel may have taken some, and what is in a thread's batch of pages is not marked yet.
    assert!((60 * MIB..=64 * MIB).contains(&freed), "{process}");
}

#[test]
fn what_a_child_copies_on_write_is_its_growth_and_not_its_parents() {
    let processes = traced("copy");
    let copied = |process: &Value| bytes(&process["residency"]["copied_bytes"]);
    let parent = processes
        .iter()
        .find(|one| one["exe"] != "" && one["ppid"] != processes[0]["pid"]);
    let child = processes
        .iter()
        .find(|one| one["ppid"] == processes[0]["pid"]);
    let (parent, child) = (parent.unwrap(), child.unwrap());
    let by_child = copied(child);
    // The kernel adds up its counts of pages now and then: 64 a thread may be missing.
    assert!((71 * MIB..73 * MIB).contains(&by_child), "{by_child}");
    assert!(copied(parent) < MIB, "{parent}");
    assert_eq!(child["verdict"]["level"], "watch", "{}", child["verdict"]);
}

#[test]
fn a_file_that_was_read_is_page_cache_and_no_growth_towards_a_limit() {
    let process = one("cache");
    let residency = &process["residency"];
    assert!(
        bytes(&residency["page_cache_bytes"]) >= 64 * MIB,
        "{residency}"
    );
    for harm in process["harm"].as_array().unwrap() {
        assert_eq!(harm["reached_in_ns"], Value::Null, "{harm}");
    }
}

#[test]
fn a_limit_that_was_set_later_is_held_against_what_the_kernel_counts() {
    let process = one("data");
    let data = limit(&process, "data");
    assert_eq!(bytes(&data["limit"]), 100 * MIB);
    assert!(
        // Two blocks of the program's own besides.
        (92 * MIB..93 * MIB).contains(&bytes(&data["used"])),
        "{data}"
    );
    assert_eq!(data["near"], true);
    assert_eq!(process["verdict"]["level"], "watch");
}

#[test]
fn mappings_are_the_kernels_count() {
    let process = one("maps");
    let mappings = &process["mappings"];
    let end = bytes(&mappings["end"]);
    // Those of a small program with one library come on top.
    assert!((3_000..3_060).contains(&end), "{mappings}");
    assert_eq!(bytes(&mappings["peak"]), end);
    let limit = fs::read_to_string("/proc/sys/vm/max_map_count").unwrap();
    assert_eq!(bytes(&mappings["limit"]).to_string(), limit.trim());
}

#[test]
fn of_a_program_that_is_gone_at_once_the_machines_limits_are_known_all_the_same() {
    let folder = folder();
    let report = folder.path().join("report.json");
    let status = tracer()
        .args(["run", "--quiet", "--report"])
        .arg(&report)
        .args(["--", "true"])
        .status()
        .unwrap();
    assert!(status.success());
    let limits = &json(&report)["processes"][0]["limits"];
    for name in ["overcommit_memory", "max_map_count", "memory_total_bytes"] {
        assert!(limits[name].is_u64(), "{limits}");
    }
}

/// A control group with a memory limit, of version 1 where that has the memory controller, else of version 2.
struct ControlGroup(PathBuf);

impl ControlGroup {
    fn new(name: &str, limit: u64) -> Self {
        let root = Path::new("/sys/fs/cgroup");
        let old = root.join("memory");
        let is_old = old.join("memory.limit_in_bytes").exists();
        let (parent, file) = if is_old {
            (old.as_path(), "memory.limit_in_bytes")
        } else {
            fs::write(root.join("cgroup.subtree_control"), "+memory").unwrap();
            (root, "memory.max")
        };
        let group = parent.join(format!("{name}-{}", process::id()));
        fs::create_dir(&group).unwrap();
        fs::write(group.join(file), limit.to_string()).unwrap();
        Self(group)
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        fs::remove_dir(&self.0).unwrap();
    }
}

#[test]
fn memory_that_only_descriptors_keep_counts_against_the_groups_limit() {
    let group = ControlGroup::new("tracer-descriptors", 48 * MIB);
    let folder = folder();
    let program = compile(folder.path(), PROGRAM, &[]);
    let report = folder.path().join("report.json");
    let joined = format!(
        "echo $$ > {}/cgroup.procs; exec \"$0\" descriptors",
        group.0.display()
    );
    let status = tracer()
        .args(["run", "--quiet", "--report"])
        .arg(&report)
        .args(["--", "sh", "-c", &joined])
        .arg(&program)
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(137), "killed by the kernel");
    let report = json(&report);
    let processes = report["processes"].as_array().unwrap();
    let killed = processes.iter().find(|one| one["exit"]["signal"] == 9);
    let killed = killed.unwrap();
    let harm = limit(killed, "cgroup");
    assert_eq!(bytes(&harm["limit"]), 48 * MIB);
    assert_eq!(harm["near"], true, "{harm}");
    assert_eq!(bytes(&harm["peak"]), 48 * MIB, "it was reached");
    assert_eq!(harm["group"]["oom_kills"], 1, "{harm}");
    assert_ne!(killed["verdict"]["level"], "benign");
    let path = harm["group"]["path"].as_str().unwrap();
    assert!(group.0.ends_with(path.trim_start_matches('/')), "{path}");
}
