//! What people type first is done, or answered with what to type; what was written is said, and is theirs.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    process::{Command, Output},
};

use crate::command::{Attached, folder, refused, text, tracer};
use crate::target::Target;

fn run(arguments: &[&str]) -> Output {
    tracer().args(arguments).output().unwrap()
}

#[test]
fn a_number_and_a_name_are_processes_also_where_the_name_is_the_programs_only() {
    let folder = folder();
    // As Node 24 does: the main thread has another name than the program.
    let code = r#"
        #include <stdio.h>
        #include <sys/prctl.h>
        int main(void) {
            prctl(PR_SET_NAME, "MainThread");
            puts("ready");
            fflush(stdout);
            return getchar() == 0;
        }"#;
    let source = folder.path().join("named.c");
    fs::write(&source, code).unwrap();
    let named = folder.path().join("only-mine");
    let compiled = Command::new("cc")
        .arg("-o")
        .args([&named, &source])
        .status();
    assert!(compiled.unwrap().success());
    let target = Target::start(named.to_str().unwrap(), &[]);
    let pid = target.pid().to_string();
    for word in [pid.as_str(), "only-mine", "MainThread"] {
        let mut attached = Attached::with(&[word, "-d", "100ms", "-f", "json"]);
        let report: serde_json::Value = serde_json::from_str(&attached.end()).unwrap();
        let pids = report["processes"].as_array().unwrap().iter();
        assert!(
            pids.map(|process| &process["pid"])
                .any(|found| *found == target.pid()),
            "{word}"
        );
    }
    refused(
        &run(&["attach", "no-such-name"]),
        &["no process or program named no-such-name"],
    );
    let both = run(&["attach", "--all", &pid]);
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn a_command_needs_no_dashes_and_keeps_its_own_options() {
    let printed = |arguments: &[&str]| {
        let output = run(arguments);
        assert!(output.status.success(), "{output:?}");
        text(&output.stdout)
    };
    let words = ["-o", "--", "--report", "-q"];
    let script = ["sh", "-c", "echo \"$@\"", "sh"];
    for begin in [&["-q", "run"][..], &["-q", "run", "--"]] {
        assert_eq!(
            printed(&[begin, &script, &words].concat()),
            "-o -- --report -q\n"
        );
    }
}

#[test]
fn what_is_not_there_ends_with_127_and_what_cannot_run_with_126() {
    let folder = folder();
    let file = folder.path().join("garbage");
    fs::write(&file, [0x7f, 1, 2, 3]).unwrap();
    let path = file.to_str().unwrap();
    let below = format!("{path}/below");
    let code = |command: &str| {
        let output = run(&["run", command]);
        let said = text(&output.stderr);
        assert!(
            said.starts_with(&format!("tracer: cannot run {command}: ")),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
        output.status.code()
    };
    assert_eq!(code("no-such-command"), Some(127));
    assert_eq!(code("/no/such/command"), Some(127));
    assert_eq!(code(&below), Some(127));
    assert_eq!(code("/"), Some(126));
    assert_eq!(code(path), Some(126));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(code(path), Some(126));
    // What is on PATH and may not be run is no other's name.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let output = tracer()
        .args(["run", "garbage"])
        .env("PATH", folder.path())
        .output();
    assert_eq!(output.unwrap().status.code(), Some(126));
}

#[test]
fn what_is_written_is_said_and_belongs_to_whoever_asked_by_the_umask() {
    let folder = folder();
    let output = Command::new("sh")
        .args([
            "-c",
            "umask 027; \"$0\" run -o 'a b.vmt' --report a.md -- true",
        ])
        .arg(env!("CARGO_BIN_EXE_tracer"))
        .current_dir(folder.path())
        .envs([("SUDO_UID", "1234"), ("SUDO_GID", "1235")])
        .output()
        .unwrap();
    let said = text(&output.stderr);
    let last: Vec<&str> = said.lines().rev().take(2).collect();
    assert!(last[0].starts_with("tracer: wrote a b.vmt ("), "{said}");
    assert!(last[0].ends_with("): tracer report 'a b.vmt'"), "{said}");
    assert!(last[1].starts_with("tracer: wrote a.md ("), "{said}");
    for (name, mode) in [("a b.vmt", 0o600), ("a.md", 0o640)] {
        let file = fs::metadata(folder.path().join(name)).unwrap();
        assert_eq!((file.uid(), file.gid()), (1234, 1235), "{name}");
        assert_eq!(file.permissions().mode() & 0o777, mode, "{name}");
    }
    let quiet = tracer()
        .args(["-q", "report", "a b.vmt", "--report", "b.md"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(
        quiet.status.success() && quiet.stderr.is_empty(),
        "{quiet:?}"
    );
}

#[test]
fn an_error_is_said_once_and_names_the_path_that_was_typed() {
    for (arguments, path) in [
        (
            &["run", "-o", "/nonexistent/x.vmt", "true"][..],
            "/nonexistent/x.vmt",
        ),
        (
            &["run", "--report", "/nonexistent/x.md", "true"],
            "/nonexistent/x.md",
        ),
        (&["man", "/nonexistent"], "/nonexistent/tracer.1"),
        (&["report", "/nonexistent/x.vmt"], "/nonexistent/x.vmt"),
        (&["diff", "/nonexistent/x.vmt", "b"], "/nonexistent/x.vmt"),
    ] {
        let output = run(arguments);
        let why = format!("{path}: No such file or directory (os error 2)\n");
        refused(&output, &[&why]);
        let said = text(&output.stderr);
        assert!(said.ends_with(&why), "{said}");
        assert_eq!(said.matches("/nonexistent").count(), 1, "{said}");
    }
}
