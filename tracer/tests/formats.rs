//! The command line: formats by name and by ending, and what is refused.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test fails as its test does"
)]

use std::path::Path;
use std::process::{Command, Output};

use tracer_test_traces::kept::{self, gateway};

fn tracer(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracer"));
    command.arg("report").arg(kept::path("openclaw.vmt"));
    let output = command
        .args(arguments)
        .current_dir(folder)
        .env_remove("RUST_LOG");
    output.output().unwrap()
}

#[track_caller]
fn refused(arguments: &[&str], why: &str) {
    let folder = tempfile::tempdir().unwrap();
    let output = tracer(arguments, folder.path());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(why), "{said}");
    assert_eq!(output.stdout, b"");
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0, "no file is left");
}

#[test]
fn a_file_has_the_format_of_its_ending_and_the_screen_that_which_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["a.folded", "a.svg", "a.pb.gz", "a.pftrace", "a.csv"];
    let mut arguments = vec!["-f", "folded", "--value", "calls"];
    for file in files {
        arguments.extend(["--report", file]);
    }
    let output = tracer(&arguments, folder.path());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let read = |file: &str| std::fs::read(folder.path().join(file)).unwrap();
    assert_eq!(output.stdout, read("a.folded"));
    for (file, beginning) in [
        ("a.svg", b"<?xml".as_slice()),
        ("a.pb.gz", b"\x1f\x8b"),
        ("a.pftrace", b"\x0a"),
        ("a.csv", b"pid,comm,"),
    ] {
        assert!(read(file).starts_with(beginning), "{file}");
    }
}

#[test]
fn what_is_left_out_for_being_unknown_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let output = tracer(
        &["-f", "folded", "--value", "resident", "--report", "a.svg"],
        folder.path(),
    );
    assert!(output.status.success());
    let unknown = gateway()
        .processes
        .iter()
        .flat_map(|process| &process.sites);
    let unknown = unknown.filter(|site| site.resident_bytes.is_none());
    let said = format!("resident is unknown of {} call sites: ", unknown.count());
    let noted = String::from_utf8_lossy(&output.stderr);
    assert!(
        noted.contains(&format!("{said}they are left out")),
        "{noted}"
    );
    let svg = std::fs::read_to_string(folder.path().join("a.svg")).unwrap();
    assert!(svg.contains(&format!("{said}left out")));
}

#[test]
fn what_cannot_be_written_is_refused_in_one_line() {
    refused(&["--report", "a.gz"], "by its ending");
    refused(&["--report", ".svg"], "by its ending");
    refused(
        &[
            "--window",
            "..0.001ms",
            "--value",
            "grown",
            "--report",
            "a.svg",
        ],
        "nothing to draw",
    );
}
