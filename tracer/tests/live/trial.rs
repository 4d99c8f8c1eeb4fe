//! `tracer try`: what is foretold comes, what no longer works is told, and nothing is left behind.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use crate::command::{folder, refused, text, tracer};

fn tried(options: &[&str], command: &[&str]) -> (Output, Value) {
    let output = tracer()
        .args(["-q", "try", "-f", "json"])
        .args(options)
        .arg("--")
        .args(command)
        .env_remove("NODE_OPTIONS")
        .env("MALLOC_ARENA_MAX", "9")
        .output()
        .unwrap();
    let trial = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (output, trial)
}

#[test]
fn what_is_foretold_of_webassembly_comes_and_node_works_as_before() {
    let script = "const kept = [1, 2].map(() => new WebAssembly.Memory({ initial: 1 }));\n\
        setTimeout(() => process.exit(kept.length), 500)";
    // A script between: the variable reaches node all the same.
    let command = ["sh", "-c", "node -e \"$0\"; exit $?", script];
    let (output, trial) = tried(&[], &command);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(trial["schema"], "tracer.try/1");
    let process = &trial["processes"][0];
    let knob = &process["knobs"][0];
    assert_eq!(knob["set"], "NODE_OPTIONS=--disable-wasm-trap-handler");
    assert_eq!(knob["came"], "as-foretold", "{knob}");
    assert!(
        knob["deviation_percent"].as_f64().unwrap().abs() < 5.0,
        "{knob}"
    );
    let size = |run: &Value| run["virtual_bytes"].as_u64().unwrap();
    let saved = size(&process["as_it_is"]) - size(&knob["run"]);
    assert!((11 << 30..13 << 30).contains(&saved), "{saved}");
    assert_eq!(process["as_it_is"]["ended"]["code"], 2);
    assert_eq!(knob["run"]["ended"]["code"], 2);
    assert!(knob["point"]["with_it_ns"].as_u64().unwrap() > 0, "{knob}");
}

#[test]
fn a_variable_of_one_value_is_replaced_and_what_is_not_foretold_is_no_failure() {
    let folder = folder();
    let (source, program) = (folder.path().join("arenas.c"), folder.path().join("arenas"));
    let code = r"
        #include <pthread.h>
        #include <stdlib.h>
        static pthread_barrier_t all;
        static void *work(void *kept) {
            *(void *volatile *)kept = malloc(4096);
            pthread_barrier_wait(&all);
            return kept;
        }
        int main(void) {
            enum { THREADS = 16 };
            pthread_t threads[THREADS];
            void *kept[THREADS];
            pthread_barrier_init(&all, 0, THREADS);
            for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], 0, work, &kept[i]);
            for (int i = 0; i < THREADS; i++) pthread_join(threads[i], 0);
            return 0;
        }";
    fs::write(&source, code).unwrap();
    let compiled = Command::new("cc")
        .args(["-g", "-pthread", "-o"])
        .args([&program, &source])
        .status();
    assert!(compiled.unwrap().success());
    let options = ["--knob", "MALLOC_ARENA_MAX=2", "--knob", "ulimit -v 1000"];
    let (output, trial) = tried(&options, &[program.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let process = &trial["processes"][0];
    let [arenas, limit] = process["knobs"].as_array().unwrap().as_slice() else {
        panic!("{trial}");
    };
    assert!(["worked", "as-foretold"].contains(&arenas["came"].as_str().unwrap()));
    assert_eq!(arenas["how"], "instead of MALLOC_ARENA_MAX=9");
    let size = |run: &Value| run["virtual_bytes"].as_u64().unwrap();
    assert!(
        size(&process["as_it_is"]) - size(&arenas["run"]) >= 384 << 20,
        "{trial}"
    );
    assert_eq!(limit["came"], "not-tried");
    assert!(
        limit["not_tried"].as_str().unwrap().contains("limit"),
        "{limit}"
    );
}

#[test]
fn the_heap_of_java_gets_a_size_that_is_printed_and_comes_as_foretold() {
    let folder = folder();
    let program = folder.path().join("Idle.java");
    let code = "public class Idle { public static void main(String[] words) throws Exception { \
        Thread.sleep(500); System.out.println(words.length); } }";
    fs::write(&program, code).unwrap();
    let path = program.to_str().unwrap();
    let (output, trial) = tried(&[], &["java", path]);
    let knob = &trial["processes"][0]["knobs"][0];
    assert_eq!(output.status.code(), Some(0), "{trial}");
    let set = knob["set"].as_str().unwrap();
    assert!(set.starts_with("-Xmx") && set.ends_with('m'), "{knob}");
    assert_eq!(knob["how"], "in JAVA_TOOL_OPTIONS");
    assert_eq!(knob["came"], "as-foretold", "{knob}");
}

#[test]
fn a_command_that_fails_with_a_knob_is_told_and_its_words_go_to_stderr() {
    let script = "echo said; exit ${BREAKS:-0}";
    let command = ["sh", "-c", script];
    let (output, trial) = tried(&["--knob", "BREAKS=7"], &command);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let knob = &trial["processes"][0]["knobs"][0];
    assert_eq!(
        (&knob["came"], &trial["came"]),
        (&"failed".into(), &"failed".into())
    );
    assert_eq!(knob["run"]["ended"]["code"], 7);
    assert_eq!(text(&output.stderr), "said\nsaid\n");

    for width in ["60", "200"] {
        let output = tracer()
            .args(["-q", "try", "--width", width, "--knob", "BREAKS=7", "--"])
            .args(command)
            .output()
            .unwrap();
        let said = text(&output.stdout);
        assert!(said.contains("\n  FAILS\n"), "{said}");
        assert!(
            said.contains("exits with 7; as it is, it exits with 0"),
            "{said}"
        );
        let widest = said.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(width.parse().unwrap()), "{said}");
    }
}

#[test]
fn what_offers_no_knob_or_is_not_there_is_nothing_tried() {
    let (output, trial) = tried(&[], &["true"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(trial["came"], "not-tried");
    assert_eq!(trial["processes"][0]["as_it_is"]["ended"]["code"], 0);

    let format = tracer().args(["try", "-f", "csv", "--", "true"]).output();
    refused(&format.unwrap(), &["text and json"]);
    let missing = tracer().args(["try", "--", "no-such-command"]).output();
    assert_eq!(missing.unwrap().status.code(), Some(127));
    let folder = tracer().args(["try", "--", "/"]).output();
    assert_eq!(folder.unwrap().status.code(), Some(126));
}

/// A command with a daemon: a session of its own, its parent gone, deaf to SIGTERM. It says its process id.
const DAEMON: &str = "setsid sh -c 'trap \"\" TERM; echo daemon $$; exec sleep 1000' & sleep 1000";

fn is_there(pid: &str) -> bool {
    Path::new("/proc").join(pid).exists()
}

#[test]
fn nothing_that_was_started_is_left_when_the_time_is_over_or_a_signal_comes() {
    let (output, trial) = tried(&["-d", "1s", "--knob", "A=1"], &["sh", "-c", DAEMON]);
    let said = text(&output.stderr);
    let daemons: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("daemon "))
        .collect();
    assert_eq!(daemons.len(), 2, "{said}");
    assert!(!daemons.iter().any(|pid| is_there(pid)), "{said}");
    assert_eq!(trial["processes"][0]["as_it_is"]["ended"], "at-its-time");
    assert_eq!(trial["came"], "worked");

    let signals = [rustix::process::Signal::INT, rustix::process::Signal::TERM];
    for signal in signals {
        let mut child = tracer()
            .args(["-q", "try", "--", "sh", "-c", DAEMON])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let daemon = line.trim().strip_prefix("daemon ").unwrap();
        assert!(is_there(daemon));
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(!is_there(daemon), "{signal:?}");
    }
}
