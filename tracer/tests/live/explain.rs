//! `tracer explain`: what it says of a process that is only looked at, against the kernel's own figures.

use std::io::Read as _;
use std::process::Stdio;

use serde_json::Value;

use crate::command::{folder, refused, text, tracer};
use crate::compiled::compile;
use crate::target::Target;

/// What is said of a target, at a time at which it keeps its size; and the kernel's own figure of that.
fn explained_at_rest(target: &Target) -> (Value, u64) {
    for _ in 0..100 {
        let before = target.vm_size();
        let explained = explained(target);
        if target.vm_size() == before {
            return (explained, before);
        }
    }
    panic!("it changes its size all the time");
}

fn explained(target: &Target) -> Value {
    let pid = target.pid().to_string();
    let output = tracer()
        .args(["explain", "-f", "json", "--pid", &pid])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn kind<'a>(explained: &'a Value, id: &str) -> Option<&'a Value> {
    let kinds = explained["kinds"].as_array().unwrap();
    kinds.iter().find(|kind| kind["pattern"]["id"] == id)
}

fn figure(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap()
}

pub const NODE: &str = r#"
const http = require('http');
const { Worker } = require('worker_threads');
const server = http.createServer((request, response) => response.end('x'));
server.listen(0, async () => {
    const address = 'http://127.0.0.1:' + server.address().port;
    await (await fetch(address)).text();
    const worker = new Worker(`
        const { parentPort } = require('worker_threads');
        fetch('${address}').then(got => got.text()).then(() => parentPort.postMessage(1));
        setInterval(() => {}, 1000);
    `, { eval: true });
    worker.on('message', () => console.log('ready'));
});
"#;

#[test]
fn a_node_that_fetched_twice_has_two_cages_by_their_shape_alone() {
    let node = Target::start("node", &["-e", NODE]);
    let (explained, vm_size) = explained_at_rest(&node);
    let cages = kind(&explained, "v8-wasm-memory").unwrap();
    assert_eq!(figure(cages, "count"), 2);
    let each = figure(cages, "reserved_bytes") / 2;
    assert!(each == 10 << 30 || each == 8 << 30, "{each}");
    assert_eq!(figure(cages, "charged_bytes"), 0);
    assert!(figure(cages, "accessible_bytes") < 1 << 20);
    // One of the main isolate, one of the Worker's.
    assert_eq!(
        figure(kind(&explained, "v8-code-range").unwrap(), "count"),
        2
    );
    assert!(kind(&explained, "glibc-arena").is_some());
    assert_eq!(figure(&explained, "virtual_bytes"), vm_size);
    assert_eq!(
        figure(&explained, "explained_bytes") + figure(&explained, "unexplained_bytes"),
        vm_size
    );
    assert!(figure(&explained, "unexplained_bytes") < vm_size / 100);
    assert_eq!(explained["verdict"]["level"], "benign");
}

/// 10,000 mappings; four threads that wait, and one arena.
const MANY: &str = r#"
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void *waits(void *barrier) {
    if (!malloc(100)) abort();
    pthread_barrier_wait(barrier);
    pause();
    return NULL;
}

int main(void) {
    pthread_t thread;
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, 5);
    for (int n = 0; n < 4; n++)
        if (pthread_create(&thread, NULL, waits, &barrier)) abort();
    pthread_barrier_wait(&barrier);
    char *start = mmap(NULL, 10000L * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (long n = 0; n < 10000; n += 2)
        if (mprotect(start + n * 4096, 4096, PROT_READ | PROT_WRITE)) abort();
    puts("ready");
    fflush(stdout);
    char byte;
    return read(0, &byte, 1) != 0;
}
"#;

#[test]
fn every_byte_of_ten_thousand_mappings_is_accounted_for() {
    let folder = folder();
    let program = compile(folder.path(), MANY, &["-pthread"]);
    let many = Target::start(program.to_str().unwrap(), &[]);
    let explained = explained(&many);
    assert!(figure(&explained["limits"], "maps") > 10_000);
    assert_eq!(figure(&explained, "virtual_bytes"), many.vm_size());
    assert_eq!(figure(&explained, "threads"), 5);
    let stacks = kind(&explained, "thread-stack").unwrap();
    assert_eq!(figure(stacks, "count"), 4);
    assert!(
        stacks["pattern"]["confidence"].as_f64().unwrap() > 0.9,
        "{stacks}"
    );
    assert!(figure(kind(&explained, "glibc-arena").unwrap(), "count") >= 1);
    // 40 MiB of the program's own are of no known kind, and said to be.
    assert!(figure(&explained, "unexplained_bytes") >= 10_000 * 4096);
    assert_ne!(explained["verdict"]["level"], "leak");
}

#[test]
fn what_cannot_be_explained_is_refused_by_name() {
    let of = |pid: &str| tracer().args(["explain", "--pid", pid]).output().unwrap();
    // Above the kernel's own limit for process ids (PID_MAX_LIMIT, 4 Mi).
    refused(&of("4194399"), &["4194399", "no process"]);
    refused(&of("2"), &["kernel thread", "2"]);
    assert_eq!(of("x").status.code(), Some(2));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = tracer()
        .args([
            "explain",
            "--full",
            "--pid",
            &std::process::id().to_string(),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(said, "");
}
