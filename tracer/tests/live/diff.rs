//! Two traces compared: whatever a restart changes is no difference.

use std::{fs, path::Path, process::Output};

use serde_json::Value;

use crate::command::{example, folder, interpreter, json, refused, text, tracer};

/// Records a command.
fn record(path: &Path, command: &[&str]) {
    let output = tracer()
        .args(["-q", "run", "-o"])
        .arg(path)
        .arg("--")
        .args(command)
        .output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn diff(arguments: &[&Path]) -> Output {
    tracer().arg("diff").args(arguments).output().unwrap()
}

fn compared(old: &Path, new: &Path) -> Value {
    let output = tracer()
        .args(["diff", "-f", "json"])
        .arg(old)
        .arg(new)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn two_runs_of_one_program_have_the_same_sites_at_other_addresses() {
    let folder = folder();
    let program = example("startup_growth");
    let command = [program.to_str().unwrap(), "--seconds", "1"];
    let paths = ["old.vmt", "new.vmt"].map(|name| folder.path().join(name));
    let reports = ["old.json", "new.json"].map(|name| folder.path().join(name));
    for (path, report) in paths.iter().zip(&reports) {
        record(path, &command);
        let output = tracer()
            .arg("report")
            .arg(path)
            .arg("--report")
            .arg(report)
            .output();
        assert!(output.unwrap().status.success());
    }
    let starts = |path: &Path| -> Vec<u64> {
        let report = json(path);
        let reservations = report["processes"][0]["reservations"].as_array().unwrap();
        reservations
            .iter()
            .filter_map(|one| one["start"].as_u64())
            .collect()
    };
    assert_ne!(starts(&reports[0]), starts(&reports[1]), "no ASLR here");

    let difference = compared(&paths[0], &paths[1]);
    assert_eq!(difference["schema"], "tracer.diff/1");
    let processes = difference["processes"].as_array().unwrap();
    assert_eq!(processes.len(), 1);
    let process = &processes[0];
    assert_eq!(process["matched"], "exact");
    assert_ne!(process["old_pid"], process["new_pid"]);
    let matches = &process["matches"];
    assert!(matches["exact"].as_u64().unwrap() > 15, "{matches}");
    for other in ["similar", "only_old", "only_new"] {
        assert_eq!(matches[other], 0, "{matches}");
    }
    for site in process["sites"].as_array().unwrap() {
        assert_eq!(site["reserved_bytes"]["change"], 0, "{site}");
        assert_eq!(site["calls"]["change"], 0, "{site}");
    }
    // The report of a recording says the same as the recording.
    assert_eq!(compared(&reports[0], &paths[1]), difference);
}

#[test]
fn what_one_run_has_and_the_other_has_not_is_shown_with_its_site() {
    let folder = folder();
    let paths = ["old.vmt", "new.vmt"].map(|name| folder.path().join(name));
    let run = |path: &Path, what: &str| {
        let script = format!("import mmap\n{what}\nimport os\nos._exit(0)");
        record(path, &[&interpreter(), "-c", &script]);
    };
    run(&paths[0], "");
    run(&paths[1], "kept = mmap.mmap(-1, 64 << 20)");
    let output = diff(&[&paths[0], &paths[1]]);
    assert!(output.status.success(), "{output:?}");
    let said = text(&output.stdout);
    assert!(said.contains("+64 MiB"), "{said}");
    let difference = compared(&paths[1], &paths[0]);
    let largest = &difference["processes"][0]["sites"][0];
    let change = &largest["reserved_bytes"]["change"];
    assert_eq!(change, &Value::from(-(64i64 << 20)), "{largest}");
    assert_eq!(largest["matched"], "only-old", "{largest}");

    let report = folder.path().join("diff.json");
    let output = tracer()
        .args(["diff", "--by", "pattern", "--report"])
        .args([&report, &paths[0], &paths[1]])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(json(&report)["schema"], "tracer.diff/1");
}

#[test]
fn what_is_no_trace_is_refused_by_its_content() {
    let folder = folder();
    let good = folder.path().join("good.vmt");
    record(&good, &["true"]);
    let foreign = folder.path().join("foreign.json");
    for (content, words) in [
        (&b""[..], &["neither a recording", "tracer.report/1"][..]),
        (b"hello", &["neither a recording"]),
        (b"{", &["no JSON report"]),
        (b"{}", &["without a schema"]),
        (
            b"{\"schema\": \"tracer.diff/1\"}",
            &["tracer.diff/1", "tracer.report/1"],
        ),
        (b"{\"schema\": \"tracer.report/1\"}", &["missing field"]),
        (b"\x89TRACER\nxxxxxxxx", &["foreign.json"]),
    ] {
        fs::write(&foreign, content).unwrap();
        for order in [[&good, &foreign], [&foreign, &good]] {
            let output = tracer().arg("diff").args(order).output().unwrap();
            refused(&output, &[&["foreign.json"], words].concat());
            assert!(output.stdout.is_empty());
        }
    }
    let missing = folder.path().join("missing.vmt");
    refused(&diff(&[&good, &missing]), &["missing.vmt", "No such file"]);
    refused(&diff(&[&good, folder.path()]), &["directory"]);
    let report = tracer()
        .args(["diff", "--report", "x.docx"])
        .arg(&good)
        .arg(&good)
        .output();
    refused(&report.unwrap(), &["x.docx", ".json"]);
}

#[test]
fn a_recording_that_is_cut_off_is_compared_as_far_as_it_goes_and_that_is_said() {
    let folder = folder();
    let good = folder.path().join("good.vmt");
    record(&good, &["true"]);
    let whole = fs::read(&good).unwrap();
    let cut = folder.path().join("cut.vmt");
    fs::write(&cut, &whole[..whole.len() - 3]).unwrap();
    let output = diff(&[&good, &cut]);
    refused(&output, &["cut.vmt", "cut off"]);
    assert!(text(&output.stdout).contains("as before"), "{output:?}");
}

#[test]
fn the_schema_of_a_comparison_is_printed_without_a_file() {
    let output = tracer().args(["diff", "--schema"]).output().unwrap();
    assert!(output.status.success());
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(schema["properties"]["kinds"]["type"], "array");
}
