//! The JSON report: its golden file, the keys of the contract, its schema.

use serde_json::{Value, json};
use tracer_analysis::summary::Report;
use tracer_ledger::event::{
    Ended, Event, ExitStatus, Failures, Found, Frame, FrameKind, Identity, Limits, Pid, SpaceId,
    StackId, StackQuality, Tid,
};
use tracer_ledger::ledger::change::Difference;
use tracer_report::json;

use tracer_test_traces::golden;
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

/// What of JSON Schema the derived schema uses.
fn conforms(schema: &Value, root: &Value, value: &Value) -> bool {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).unwrap();
        return conforms(target, root, value);
    }
    for any in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[any].as_array()
            && !choices.iter().any(|choice| conforms(choice, root, value))
        {
            return false;
        }
    }
    if let Some(choices) = schema["enum"].as_array()
        && !choices.contains(value)
    {
        return false;
    }
    if schema.get("const").is_some_and(|only| only != value) {
        return false;
    }
    let is = |kind: &str| match kind {
        "null" => value.is_null(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("unknown type {other}"),
    };
    let right_type = match &schema["type"] {
        Value::String(kind) => is(kind),
        Value::Array(kinds) => kinds.iter().any(|kind| is(kind.as_str().unwrap())),
        _ => true,
    };
    let required = schema["required"].as_array().is_none_or(|keys| {
        !value.is_object()
            || keys
                .iter()
                .all(|key| value.get(key.as_str().unwrap()).is_some())
    });
    let properties = schema["properties"].as_object().is_none_or(|properties| {
        properties.iter().all(|(key, schema)| {
            value
                .get(key)
                .is_none_or(|value| conforms(schema, root, value))
        })
    });
    let items = value.as_array().is_none_or(|items| {
        schema["items"].is_null()
            || items
                .iter()
                .all(|item| conforms(&schema["items"], root, item))
    });
    right_type && required && properties && items
}

#[test]
fn the_report_conforms_to_its_schema_and_a_spoiled_one_does_not() {
    let schema: Value = serde_json::from_str(&json::schema()).unwrap();
    let mut value: Value = serde_json::from_str(&written(&report())).unwrap();
    assert!(conforms(&schema, &schema, &value));
    let process = value["processes"][0].as_object_mut().unwrap();
    let sites = process.remove("sites").unwrap();
    assert!(!conforms(&schema, &schema, &value));
    value["processes"][0]["sites"] = sites;
    value["processes"][0]["sites"][0]["trend"] = "rising".into();
    assert!(!conforms(&schema, &schema, &value));
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
