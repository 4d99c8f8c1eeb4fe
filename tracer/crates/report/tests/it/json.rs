//! The JSON report: its golden file, the keys of the contract, its schema.

use serde::Serialize;
use serde_json::{Value, json};
use tracer_analysis::{diff::diff, summary::Report};
use tracer_ledger::event::{
    Ended, Event, ExitStatus, Failures, Found, Frame, FrameKind, Identity, Limits, Pid, SpaceId,
    StackId, StackQuality, Tid,
};
use tracer_ledger::ledger::change::Difference;
use tracer_report::json;

use tracer_test_traces::golden;
use tracer_test_traces::kept::{gateway, with_its_knob};
use tracer_test_traces::trace::{Ask, KIB, MIB, SECOND, Trace};

/// A short trace with one of everything.
fn report() -> Report {
    let mut trace = Trace::begin("each");
    let me = (7, 7);
    let found = Found {
        time: trace.time(),
        pid: Pid(7),
        parent: Pid(1),
        space: SpaceId(1),
        identity: Identity {
            comm: "server".into(),
            exe: "/srv/server".into(),
            cmdline: vec!["server".into(), "--port".into(), "80".into()],
            runtime: None,
            limits: Limits::default(),
        },
        threads: vec![(Tid(7), "server".into()), (Tid(8), "worker".into())],
    };
    trace.tell(&Event::Found(found), &[]);
    trace.seed(
        7,
        1,
        &[("/srv/server", MIB), ("", 512 * KIB), ("", 256 * KIB)],
    );
    let frame = |function: &str, kind| Frame {
        function: Some(function.into()),
        module: (kind == FrameKind::Native).then(|| "/srv/server".into()),
        offset: 0x1234,
        file: Some("src/cache.rs".into()),
        line: Some(17),
        kind,
        inlined: false,
    };
    let frames = vec![
        frame("mmap", FrameKind::Native),
        frame("server::cache::grow", FrameKind::Native),
        frame("handle", FrameKind::Interpreted),
    ];
    let growing = trace.stack(1, StackQuality::Complete, frames);
    let churning = trace.stack(
        2,
        StackQuality::Cut,
        vec![frame("server::buffer", FrameKind::Native)],
    );
    for step in 0..12 {
        trace.now = step * SECOND;
        trace.reserve((7, 8), 1, Ask::memory(growing, MIB, MIB));
        let buffer = trace.reserve(me, 1, Ask::space(churning, 64 * KIB));
        trace.now += 5_000_000;
        trace.release(me, 1, buffer);
        trace.sample(7, 1, (2 + step) * MIB);
    }
    let cage = trace.reserve(me, 1, Ask::space(StackId::NONE, 10_737_479_680));
    let trim = Difference {
        reserved: -61_440,
        ..Difference::default()
    };
    trace.adjust(me, 1, cage, trim);
    trace.fork(me, 1, 9, 2, "server");
    trace.now = 12 * SECOND;
    trace.exit(9, 2, ExitStatus::Signal(9));
    let failures = Failures {
        calls: vec![("mmap".into(), 3)],
        faults: 0,
    };
    trace.tell(&Event::Failures(failures), &[]);
    let ended = Ended {
        time: trace.time(),
        tracer_cpu_ns: 1_000_000,
        tracer_peak_bytes: 30 * MIB,
        events: 40,
    };
    trace.tell(&Event::Ended(ended), &[]);
    trace.analysis.report(&trace)
}

fn written(report: &Report) -> String {
    let mut out = Vec::new();
    json::write(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_json_report_is_as_it_was() {
    let text = written(&report());
    assert!(text.ends_with("}\n"));
    golden::check("report.json", &text);
}

#[test]
fn the_schema_is_as_it_was() {
    golden::check("schema.json", &json::schema());
}

/// The keys of the contract in ARCHITECTURE.md; a list has what each of its elements has.
fn contract() -> Value {
    json!({
        "schema": "", "tracer_version": "", "host": {"kernel": "", "arch": ""}, "started_at": "",
        "duration_ns": 0, "losses": {"events": 0, "stacks": 0, "resyncs": 0},
        "processes": [{
            "pid": 0, "ppid": 0, "comm": "", "exe": "", "cmdline": [""], "exit": null,
            "virtual_bytes": {"start": 0, "peak": 0, "end": 0},
            "resident_bytes": {"start": 0, "peak": 0, "end": 0},
            "ledger": {"bytes": 0, "kernel_bytes": 0, "difference_bytes": 0},
            "verdict": {"text": "", "level": ""},
            "sites": [{
                "id": 0,
                "frames": [{"function": "", "module": null, "offset": 0, "file": null, "line": null,
                    "kind": "", "inlined": false}],
                "stack": "", "thread_names": [""], "pattern": null, "calls": 0, "live": 0,
                "reserved_bytes": 0, "accessible_bytes": 0, "touched_bytes": null,
                "resident_bytes": null, "charged_bytes": 0, "released_bytes": 0, "peak_bytes": 0,
                "first_ns": 0, "last_ns": 0, "lifetime_ns": null, "trend": "",
            }],
            "reservations": [{
                "start": 0, "length": 0, "protection": "", "flags": [""], "site": 0,
                "born_ns": null, "age_ns": 0, "reserved_bytes": 0, "accessible_bytes": 0,
                "touched_bytes": null, "resident_bytes": null, "pre_existing": false, "name": "",
            }],
            "timeline": [{"t_ns": 0, "virtual_bytes": 0, "resident_bytes": 0, "touched_bytes": 0}],
        }],
    })
}

/// Every key of `wanted` is in `value`, with a value of the same kind (`null`: of any kind).
fn has_all(wanted: &Value, value: &Value, path: &str) {
    match (wanted, value) {
        (Value::Object(wanted), Value::Object(value)) => {
            for (key, wanted) in wanted {
                let value = value
                    .get(key)
                    .unwrap_or_else(|| panic!("{path}.{key} is missing"));
                has_all(wanted, value, &format!("{path}.{key}"));
            }
        }
        (Value::Array(wanted), Value::Array(values)) => {
            for value in values {
                has_all(&wanted[0], value, &format!("{path}[]"));
            }
        }
        (Value::Null, _)
        | (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_)) => {}
        _ => panic!("{path} is {value}"),
    }
}

#[test]
fn every_key_of_the_contract_is_there() {
    let value: Value = serde_json::from_str(&written(&report())).unwrap();
    has_all(&contract(), &value, "report");
    assert_eq!(value["schema"], "tracer.report/1");
    let processes = value["processes"].as_array().unwrap();
    assert_eq!(processes[0]["exit"], Value::Null);
    assert_eq!(processes[1]["exit"], json!({"signal": 9}));
    let sites = processes[0]["sites"].as_array().unwrap();
    let churn = sites.iter().find(|site| site["trend"] == "churn").unwrap();
    for key in ["p50", "p90", "p99", "max"] {
        assert!(churn["lifetime_ns"][key].as_u64().unwrap() >= 4_950_000);
    }
    for trend in ["one-off", "growing"] {
        assert!(sites.iter().any(|site| site["trend"] == trend), "{trend}");
    }
}

fn is_of(schema: &str, model: &impl Serialize) -> Result<(), String> {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let model = serde_json::to_value(model).unwrap();
    let wrong = validator.validate(&model);
    wrong.map_err(|error| format!("{error} at {}", error.instance_path()))
}

#[test]
fn the_report_conforms_to_its_schema_and_a_spoiled_one_does_not() {
    let schema = json::schema();
    let mut value: Value = serde_json::from_str(&written(&report())).unwrap();
    assert_eq!(is_of(&schema, &value), Ok(()));
    let process = value["processes"][0].as_object_mut().unwrap();
    let sites = process.remove("sites").unwrap();
    assert!(is_of(&schema, &value).is_err());
    value["processes"][0]["sites"] = sites;
    value["processes"][0]["sites"][0]["trend"] = "rising".into();
    assert!(is_of(&schema, &value).is_err());
}

#[test]
fn reports_on_real_programs_and_what_lies_between_them_conform_to_their_schemas() {
    let schema = json::schema();
    assert_eq!(is_of(&schema, gateway()), Ok(()));
    assert_eq!(is_of(&schema, with_its_knob()), Ok(()));
    let difference = diff(gateway(), with_its_knob());
    assert_eq!(is_of(&json::diff_schema(), &difference), Ok(()));
    assert!(is_of(&schema, &difference).is_err());
}

#[test]
fn a_report_can_be_read_back() {
    let report = report();
    let again: Report = serde_json::from_str(&written(&report)).unwrap();
    assert_eq!(again, report);
}

#[test]
fn a_report_that_does_not_know_of_stacks_yet_can_be_read() {
    let mut value: Value = serde_json::from_str(&written(&report())).unwrap();
    for key in ["stacks", "fault_stacks"] {
        assert!(
            value.as_object_mut().unwrap().remove(key).is_some(),
            "{key}"
        );
    }
    for process in value["processes"].as_array_mut().unwrap() {
        assert!(process.as_object_mut().unwrap().remove("stacks").is_some());
    }
    let old: Report = serde_json::from_value(value).unwrap();
    assert_eq!(old.fault_stacks, None);
    assert_eq!(old.processes.len(), report().processes.len());
}
