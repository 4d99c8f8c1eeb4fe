//! A recording tells what the live trace told.

use std::fs;

use crate::command::{example, folder, tracer};

#[test]
fn a_report_from_a_recording_is_the_live_one_byte_for_byte() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let live = tracer()
        .args(["run", "--width", "100", "-o"])
        .arg(path("trace.vmt"))
        .arg("--report")
        .arg(path("live.txt"))
        .arg("--report")
        .arg(path("live.json"))
        .arg("--")
        .arg(example("startup_growth"))
        .args(["--seconds", "1"])
        .output()
        .unwrap();
    assert!(live.status.success(), "{live:?}");
    let replayed = tracer()
        .args(["report", "--width", "100"])
        .arg(path("trace.vmt"))
        .arg("--report")
        .arg(path("replayed.txt"))
        .arg("--report")
        .arg(path("replayed.json"))
        .output()
        .unwrap();
    assert!(replayed.status.success(), "{replayed:?}");
    // With `run` the report goes to stderr: stdout is the command's. What was written is told after it.
    let said = String::from_utf8(live.stderr).unwrap();
    let printed = String::from_utf8(replayed.stdout).unwrap();
    let told = said
        .strip_prefix(&printed)
        .unwrap_or_else(|| panic!("{said}\n---\n{printed}"));
    assert!(
        told.lines().all(|line| line.starts_with("tracer: wrote ")),
        "{told}"
    );
    for ending in ["txt", "json"] {
        let read = |kind: &str| fs::read_to_string(path(&format!("{kind}.{ending}"))).unwrap();
        assert_eq!(read("live"), read("replayed"), "{ending}");
    }
}

#[test]
fn the_schema_is_printed_without_a_recording() {
    let output = tracer().args(["report", "--schema"]).output().unwrap();
    assert!(output.status.success());
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(schema["properties"]["schema"]["type"], "string");
}
