//! How knobs are turned, and what is said of what came.

use std::ffi::OsString;

use super::model::{Came, Ended};
use super::{Turned, judge, offers, turn};
use crate::constructed::{MIB, process, report, site};
use crate::model::summary::{Kind, Process, Remedy, Working};

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

/// A process with a kind of 8 GiB, a quarter of a GiB of which is used, that this knob is for.
fn with_kind(runtime: &str, knob: &str) -> Process {
    let mut used = site(1, Vec::new(), 8192 * MIB);
    used.touched_bytes = Some(200 * MIB);
    used.resident_bytes = Some(100 * MIB);
    let mut one = process("app", (10, 1), vec![used, site(2, Vec::new(), 100 * MIB)]);
    one.exe = format!("/usr/lib/{runtime}/{runtime}");
    one.runtime = Some(format!("{runtime} 17"));
    one.verdict.kinds = vec![Kind {
        id: "heap".into(),
        sites: vec![1],
        live: 2,
        reserved_bytes: 8192 * MIB,
        knob: Some(knob.into()),
        ..Kind::default()
    }];
    one.verdict.change = vec![Remedy {
        knob: knob.into(),
        predicted_virtual_bytes: Some(100 * MIB),
        ..Remedy::default()
    }];
    one
}

/// What a knob becomes for a command of that runtime, with a variable as it is.
fn turned(
    (runtime, knob): (&str, &str),
    command: &[&str],
    (name, value): (&str, &str),
) -> Result<Turned, String> {
    let process = with_kind(runtime, knob);
    let remedy = &process.verdict.change[0];
    turn(remedy, &process, &words(command), |asked| {
        (asked == name).then(|| value.into())
    })
}

fn variable(turned: &Turned) -> (&str, &str) {
    let [(name, value)] = turned.environment.as_slice() else {
        panic!("{turned:?}");
    };
    (name.to_str().unwrap(), value.to_str().unwrap())
}

#[test]
fn a_list_is_added_to_and_a_value_is_replaced_and_both_are_said() {
    for (knob, before, after, how) in [
        (
            "NODE_OPTIONS=--disable-wasm-trap-handler",
            ("NODE_OPTIONS", "--no-warnings"),
            "--no-warnings --disable-wasm-trap-handler",
            "behind what NODE_OPTIONS holds already, --no-warnings",
        ),
        (
            "_RJEM_MALLOC_CONF=retain:false",
            ("_RJEM_MALLOC_CONF", "narenas:2"),
            "narenas:2,retain:false",
            "behind what _RJEM_MALLOC_CONF holds already, narenas:2",
        ),
        (
            "OCAMLRUNPARAM=d=4",
            ("OCAMLRUNPARAM", "b"),
            "b,d=4",
            "behind what OCAMLRUNPARAM holds already, b",
        ),
        (
            "MALLOC_ARENA_MAX=2",
            ("MALLOC_ARENA_MAX", "9"),
            "2",
            "instead of MALLOC_ARENA_MAX=9",
        ),
    ] {
        let turned = turned(("c", knob), &["./app"], before).unwrap();
        assert_eq!(variable(&turned), (before.0, after));
        assert_eq!(turned.how.as_deref(), Some(how));
        assert_eq!(turned.set, knob);
        assert_eq!(turned.predicted_virtual_bytes, Some(100 * MIB));
    }
    let plain = turned(("c", "MALLOC_ARENA_MAX=2"), &["./app"], ("", "")).unwrap();
    assert_eq!(variable(&plain), ("MALLOC_ARENA_MAX", "2"));
    assert_eq!(plain.how, None);
}

#[test]
fn options_go_where_the_runtime_takes_them_also_through_a_script() {
    let java = turned(("java", "-XX:+UseSerialGC"), &["./start.sh"], ("", "")).unwrap();
    assert_eq!(variable(&java), ("JAVA_TOOL_OPTIONS", "-XX:+UseSerialGC"));
    let node = turned(("node", "node --jitless"), &["npm", "start"], ("", "")).unwrap();
    assert_eq!(variable(&node), ("NODE_OPTIONS", "--jitless"));
    let beam = turned(("beam.smp", "+MIscs 128"), &["mix", "run"], ("", "")).unwrap();
    assert_eq!(variable(&beam), ("ERL_FLAGS", "+MIscs 128"));
    let haskell = turned(("c", "+RTS -xr1g -RTS"), &["./app"], ("", "")).unwrap();
    assert_eq!(variable(&haskell), ("GHCRTS", "-xr1g"));

    let command = ["env", "A=1", "/opt/sbcl", "--load", "x.lisp"];
    let lisp = turned(("sbcl", "--dynamic-space-size SIZE"), &command, ("", "")).unwrap();
    assert_eq!(
        lisp.command,
        words(&[
            "env",
            "A=1",
            "/opt/sbcl",
            "--dynamic-space-size",
            "512MB",
            "--load",
            "x.lisp"
        ])
    );
    assert_eq!(lisp.set, "--dynamic-space-size 512MB");
    assert!(lisp.environment.is_empty());
    let hidden = turned(("sbcl", "--dynamic-space-size SIZE"), &["./run"], ("", ""));
    assert!(hidden.unwrap_err().contains("sbcl"));
}

#[test]
fn an_option_that_the_command_has_already_is_replaced() {
    let command = ["java", "-Xmx6g", "-Xmx7g", "-jar", "x.jar"];
    let turned = turned(("java", "-XmxSIZE (as in -Xmx4g)"), &command, ("", "")).unwrap();
    let expected = words(&["java", "-Xmx6g", "-Xmx512m", "-jar", "x.jar"]);
    assert_eq!(turned.command, expected);
    assert_eq!(turned.how.as_deref(), Some("instead of -Xmx7g"));
}

#[test]
fn a_placeholder_becomes_twice_of_what_is_used_and_that_is_foretold() {
    // 200 MiB are used.
    let java = turned(("java", "-XmxSIZE (as in -Xmx4g)"), &["java"], ("", "")).unwrap();
    assert_eq!(variable(&java), ("JAVA_TOOL_OPTIONS", "-Xmx512m"));
    assert_eq!(java.predicted_virtual_bytes, Some(612 * MIB));
    // What a limit on the collector comes to in mapped bytes nobody knows.
    let go = turned(("go", "GOMEMLIMIT=SIZE"), &["./app"], ("", "")).unwrap();
    assert_eq!(variable(&go), ("GOMEMLIMIT", "512MiB"));
    assert_eq!(go.predicted_virtual_bytes, None);
    // Of each of the two.
    let knob = "wasmtime -O memory-reservation=BYTES, or Config::memory_reservation";
    let each = turned(("wasmtime", knob), &["wasmtime", "x.wasm"], ("", "")).unwrap();
    let set = format!("memory-reservation={}", 256 * MIB);
    assert_eq!(each.command, words(&["wasmtime", "-O", &set, "x.wasm"]));
    assert_eq!(each.predicted_virtual_bytes, Some(612 * MIB));

    let mut full = with_kind("java", "-XmxSIZE");
    full.sites[0].touched_bytes = Some(5000 * MIB);
    let remedy = full.verdict.change[0].clone();
    let why = turn(&remedy, &full, &words(&["java"]), |_| None).unwrap_err();
    assert!(why.contains("4.9 GiB of the 8.0 GiB"), "{why}");
    full.sites[0].touched_bytes = None;
    full.sites[0].resident_bytes = None;
    let why = turn(&remedy, &full, &words(&["java"]), |_| None).unwrap_err();
    assert!(why.contains("not known"), "{why}");
}

#[test]
fn what_cannot_be_set_for_one_run_is_not_tried_and_says_why() {
    for (knob, why) in [
        ("ulimit -v 8388608", "limit"),
        ("sysctl -w vm.max_map_count=131060", "limit"),
        ("vm.overcommit_memory", "limit"),
        ("pids.max", "limit"),
        (
            "shared_buffers = SIZE (postgresql.conf, needs a restart)",
            "file",
        ),
        ("APP_CACHE=<n>", "<n>"),
        ("something else", "neither"),
        ("", "empty"),
    ] {
        let refused = turned(("c", knob), &["./app"], ("", "")).unwrap_err();
        assert!(refused.contains(why), "{knob}: {refused}");
    }
}

#[test]
fn what_came_is_held_against_what_was_foretold_and_how_it_worked() {
    let before = report(vec![with_kind("node", "NODE_OPTIONS=--x")]);
    let offers = offers(&before);
    let turned = Turned {
        predicted_virtual_bytes: Some(100 * MIB),
        ..Turned::default()
    };
    let came = |virtual_mib: u64, ended: Ended, change: &dyn Fn(&mut Process)| {
        let mut one = process("app", (20, 1), Vec::new());
        one.working = Some(Working {
            virtual_bytes: virtual_mib * MIB,
            ..Working::default()
        });
        change(&mut one);
        let after = report(vec![one]);
        judge(
            &offers[0],
            &turned,
            (&before, Ended::Code(0)),
            (&after, ended),
        )
    };
    let as_foretold = came(109, Ended::Code(0), &|_| {});
    assert_eq!(as_foretold.came, Came::AsForetold);
    assert_eq!(as_foretold.deviation_percent, Some(9.0));
    assert_eq!(came(111, Ended::Code(0), &|_| {}).came, Came::Off);
    assert_eq!(came(100, Ended::Code(1), &|_| {}).came, Came::Failed);
    assert_eq!(came(100, Ended::Signal(6), &|_| {}).came, Came::Failed);
    let unmeasured = came(100, Ended::Code(0), &|one| one.measured = false);
    assert_eq!(unmeasured.came, Came::NotMeasured);
    let refused = came(100, Ended::Code(0), &|one| {
        one.refused = vec![crate::model::summary::Refused {
            count: 1,
            ..Default::default()
        }];
    });
    assert_eq!(refused.came, Came::Failed);
    let gone = judge(
        &offers[0],
        &turned,
        (&before, Ended::Code(0)),
        (&report(Vec::new()), Ended::Code(0)),
    );
    assert_eq!(gone.came, Came::Failed);
}
