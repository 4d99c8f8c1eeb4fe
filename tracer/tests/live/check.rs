//! Budgets, as CI uses them: the exit code is the answer.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

use crate::command::{example, folder, interpreter, json, refused, text, tracer};

/// Records a command.
fn record(folder: &Path, name: &str, command: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let output = tracer()
        .args(["-q", "run", "-o"])
        .arg(&path)
        .arg("--")
        .args(command)
        .output();
    assert!(output.unwrap().status.success());
    path
}

/// Python that takes so many MiB and keeps them, touched.
fn python(mib: u32) -> [String; 3] {
    let script = format!(
        "import mmap, os\ndef parse_config():\n  kept = mmap.mmap(-1, {mib} << 20)\n  kept[::4096] = b'x' * len(kept[::4096])\n  print('said', flush=True)\n  os._exit(0)\nparse_config()"
    );
    [interpreter(), "-c".into(), script]
}

fn check(arguments: &[&str], rest: &[&Path]) -> Output {
    tracer()
        .arg("check")
        .args(arguments)
        .args(rest)
        .output()
        .unwrap()
}

#[test]
fn a_command_is_within_or_over_its_budget_and_keeps_its_output() {
    let run = |limit: &str| {
        let fail_on = format!("never-released > {limit}");
        let command = tracer()
            .args(["check", "--fail-on", &fail_on, "--width", "120", "--"])
            .args(python(200))
            .output();
        command.unwrap()
    };
    let within = run("4GiB");
    assert_eq!(within.status.code(), Some(0), "{within:?}");
    let over = run("100MiB");
    assert_eq!(over.status.code(), Some(1), "{over:?}");
    for output in [&within, &over] {
        assert_eq!(text(&output.stdout), "said\n");
    }
    assert!(
        text(&within.stderr).contains("% of the limit"),
        "{within:?}"
    );
    let said = text(&over.stderr);
    assert!(
        said.starts_with("over budget   never-released > 100MiB: "),
        "{said}"
    );
    assert!(
        said.contains(" over\n") && said.contains("200 MiB  "),
        "{said}"
    );
    assert!(said.contains("mmap"), "no frames: {said}");
}

#[test]
fn every_budget_of_the_reproducer_names_the_sites_that_break_it() {
    let folder = folder();
    let program = example("startup_growth");
    let command = [program.to_str().unwrap(), "--seconds", "1"];
    let trace = record(folder.path(), "trace.vmt", &command);
    let budgets = folder.path().join("budget.toml");
    fs::write(
        &budgets,
        r#"
        [[budget]]
        fail-on = "unexplained > 20GiB"
        reason = "no cages here"
        [[budget]]
        fail-on = 'site("leak_request_buffer").touched >= 60MiB'
        [[budget]]
        fail-on = "pattern(glibc-arena).reserved > 1GiB"
        [[budget]]
        fail-on = "level >= leak"
        [[budget]]
        fail-on = "difference > 0"
        "#,
    )
    .unwrap();
    let report = folder.path().join("report.json");
    let output = tracer()
        .args(["check", "--width", "160", "-f", "json", "--report"])
        .args([&report, &budgets, &trace])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    let states: Vec<_> = outcome["budgets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["state"])
        .collect();
    assert_eq!(states, ["over", "over", "within", "over", "within"]);
    let first = |index: usize| {
        let site = &outcome["budgets"][index]["sites"][0]["site"];
        let report = json(&report);
        let sites = report["processes"][0]["sites"].as_array().unwrap().clone();
        let found = sites.into_iter().find(|one| one["id"] == *site).unwrap();
        found["frames"].to_string()
    };
    assert!(first(0).contains("reserve_first_cage"));
    assert!(first(1).contains("leak_request_buffer"));
    assert!(first(3).contains("leak_request_buffer"));
    assert_eq!(outcome["budgets"][1]["over"], 0);

    let output = tracer()
        .arg("check")
        .args([&budgets, &trace])
        .output()
        .unwrap();
    let said = text(&output.stdout);
    assert!(said.contains("because: no cages here"), "{said}");
    assert!(
        said.contains("startup_growth::growth::reserve_first_cage"),
        "{said}"
    );
    assert!(
        said.ends_with("5 budgets, 3 over budget, 2 within\n"),
        "{said}"
    );
}

#[test]
fn growth_is_held_against_a_baseline_beside_the_budget_file_or_named() {
    let folder = folder();
    let command = |mib| python(mib).map(|word| word.replace("print('said', flush=True)", "pass"));
    let trace = |name, mib| {
        let command = command(mib);
        record(
            folder.path(),
            name,
            &[&command[0], &command[1], &command[2]],
        )
    };
    let base = trace("base.vmt", 20);
    let now = trace("now.vmt", 84);
    let budgets = folder.path().join("budget.toml");
    fs::write(
        &budgets,
        "baseline = 'base.vmt'\n[[budget]]\nfail-on = 'growth(never-released) > 63MiB'\n",
    )
    .unwrap();
    let output = check(&[], &[&budgets, &now]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(&output.stdout).contains("+64"), "{output:?}");
    assert_eq!(check(&[], &[&budgets, &base]).status.code(), Some(0));
    let grown = [
        "--fail-on",
        "growth(touched) > 5%",
        "--baseline",
        base.to_str().unwrap(),
    ];
    assert_eq!(check(&grown, &[&now]).status.code(), Some(1));
    let other = ["--baseline", now.to_str().unwrap()];
    assert_eq!(check(&other, &[&budgets, &now]).status.code(), Some(0));
    let none = check(&["--fail-on", "growth(virtual) > 5%"], &[&now]);
    refused(&none, &["growth(virtual)", "--baseline"]);
}

#[test]
fn what_could_not_be_measured_is_2_and_never_a_pass() {
    let unmeasured = |arguments: &[&str], words: &[&str]| {
        let output = tracer().arg("check").args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = text(&output.stderr);
        for word in words {
            assert!(said.contains(word), "{word:?} is not in {said}");
        }
    };
    let of = ["--fail-on", "virtual > 1TiB"];
    let touched = [
        "--fail-on",
        "touched > 1TiB",
        "--faults",
        "off",
        "--",
        "true",
    ];
    unmeasured(&touched, &["not measured", "--faults each"]);
    let failing = ["--", "sh", "-c", "exit 7"];
    unmeasured(
        &[&of[..], &failing].concat(),
        &["exit status: 7", "--ignore-exit"],
    );
    let killed = ["--", "sh", "-c", "kill -9 $$"];
    unmeasured(&[&of[..], &killed].concat(), &["signal: 9"]);
    unmeasured(
        &[&of[..], &["--", "no-such-command"]].concat(),
        &["no-such-command"],
    );

    let ignoring = ["--ignore-exit", "--", "sh", "-c", "exit 7"];
    let output = check(&[&of[..], &ignoring].concat(), &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    // The end of its time is no failure of the command's.
    let timed = ["--duration", "300ms", "--", "sleep", "1000"];
    let output = check(&[&of[..], &timed].concat(), &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_recording_that_is_cut_off_is_not_measured() {
    let folder = folder();
    let trace = record(folder.path(), "trace.vmt", &["true"]);
    let whole = fs::read(&trace).unwrap();
    fs::write(&trace, &whole[..whole.len() - 3]).unwrap();
    let output = check(&["--fail-on", "virtual > 1TiB"], &[&trace]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(text(&output.stdout).contains("cut off"), "{output:?}");
}

#[test]
fn bad_input_is_one_line_and_nothing_runs() {
    let folder = folder();
    let mark = folder.path().join("mark");
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let unknown = file(
        "unknown.toml",
        "[[budget]]\nfail-on = 'virtual > 1'\nresaon = 'x'\n",
    );
    let wrong = file("wrong.toml", "\n[[budget]]\nfail-on = 'virtual < 1'\n");
    let empty = file("empty.toml", "");
    let missing = folder.path().join("missing.toml");
    let missing = missing.to_str().unwrap();
    for (arguments, words) in [
        (
            &[][..],
            &["no budget", "--fail-on", "never-released > 100MiB"][..],
        ),
        (&[empty.as_str()], &["no budget", "--fail-on"]),
        (&[unknown.as_str()], &["unknown.toml:3", "resaon"]),
        (&[wrong.as_str()], &["wrong.toml:3", "> or >="]),
        (&[missing], &["missing.toml", "No such file"]),
        (&["--fail-on", "vitual > 1"], &["`virtual`"]),
        (
            &["--fail-on", "pattern(v8-wasm-memry).live > 1"],
            &["`v8-wasm-memory`"],
        ),
        (
            &["--fail-on", "virtual > 1", "--junit", "/nonexistent/j.xml"],
            &["/nonexistent/j.xml"],
        ),
        (
            &["--fail-on", "virtual > 1", "--baseline", "/nonexistent/b"],
            &["/nonexistent/b"],
        ),
        (
            &["--fail-on", "virtual > 1", "also.vmt"],
            &["also.vmt", "one of them"],
        ),
    ] {
        let output = tracer()
            .arg("check")
            .args(arguments)
            .args(["--", "touch"])
            .arg(&mark)
            .output();
        refused(&output.unwrap(), words);
        assert!(!mark.exists(), "{arguments:?}");
    }
    let some = ["--fail-on", "virtual > 1"];
    refused(&check(&some, &[]), &["nothing to hold"]);
    refused(
        &check(&some, &[Path::new("a"), Path::new("b")]),
        &["two files"],
    );
    refused(
        &check(&some, &[Path::new("/dev/null")]),
        &["/dev/null", "neither"],
    );
}

#[test]
fn github_gets_annotations_and_a_summary_and_no_command_of_the_programs_making() {
    let folder = folder();
    let summary = folder.path().join("summary.md");
    fs::write(&summary, "before\n").unwrap();
    // A library by a name that would be commands, were it not escaped.
    let script = format!(
        "import shutil, ctypes, glob, os\nname = '{}/::stop-commands::x##[error]y\\n::error::z,%.so'\n\
         shutil.copy(glob.glob('/lib/x86_64-linux-gnu/libm.so.6')[0], name)\n\
         kept = ctypes.CDLL(name)\nos._exit(0)",
        folder.path().display()
    );
    let run = |fail_on: &str| {
        tracer()
            .args([
                "check",
                "--fail-on",
                fail_on,
                "--",
                &interpreter(),
                "-c",
                &script,
            ])
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_STEP_SUMMARY", &summary)
            .output()
            .unwrap()
    };
    let output = run("reserved >= 1KiB");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = text(&output.stderr);
    let commands: Vec<&str> = said
        .lines()
        .filter(|line| line.trim_start().starts_with("::"))
        .collect();
    assert_eq!(commands.len(), 1, "{said}");
    assert!(
        commands[0].starts_with("::error title=over budget%3A reserved >= 1KiB::"),
        "{said}"
    );
    assert!(!said.contains("##["), "{said}");
    assert!(output.stdout.is_empty());
    let written = fs::read_to_string(&summary).unwrap();
    assert!(
        written.starts_with("before\n### Memory budgets\n"),
        "{written}"
    );
    assert!(
        written.contains("| ❌ over budget | reserved \\>= 1KiB | "),
        "{written}"
    );
    assert_eq!(run("virtual > 1TiB").status.code(), Some(0));
    let again = fs::read_to_string(&summary).unwrap();
    assert!(
        again.starts_with(&written) && again.contains("✅ within"),
        "{again}"
    );
}

#[test]
fn junit_is_xml_that_others_read_whatever_the_names_are() {
    let folder = folder();
    let junit = folder.path().join("junit.xml");
    let library = folder.path().join("a<b>&\u{1b}[31m\u{1}]]>.so");
    fs::copy("/lib/x86_64-linux-gnu/libm.so.6", &library).unwrap();
    let script = "import sys, ctypes, os\nkept = ctypes.CDLL(sys.argv[1])\nos._exit(0)";
    let output = tracer()
        .args([
            "check",
            "--fail-on",
            "virtual > 1TiB",
            "--fail-on",
            "reserved > 1KiB",
        ])
        .args(["--fail-on", "process(nobody).live > 1", "--junit"])
        .arg(&junit)
        .args(["--", &interpreter(), "-c", script])
        .arg(&library)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let read = "import sys, json, xml.etree.ElementTree as E\n\
        root = E.parse(sys.argv[1]).getroot()\n\
        print(json.dumps([root.tag, root.attrib['tests'], root.attrib['failures'], root.attrib['errors'],\n\
        [(case.attrib['name'], [part.tag for part in case]) for case in root.iter('testcase')]]))";
    let parsed = Command::new("python3")
        .args(["-c", read])
        .arg(&junit)
        .output()
        .unwrap();
    assert!(parsed.status.success(), "{parsed:?}");
    let parsed: Value = serde_json::from_slice(&parsed.stdout).unwrap();
    assert_eq!(
        parsed,
        serde_json::json!([
            "testsuites",
            "3",
            "1",
            "1",
            [
                ["virtual > 1TiB", ["system-out"]],
                ["reserved > 1KiB", ["failure", "system-out"]],
                ["process(nobody).live > 1", ["error", "system-out"]],
            ]
        ])
    );
    assert!(!fs::read(&junit).unwrap().contains(&0x1b));
}

#[test]
fn without_privileges_a_command_is_not_measured_and_a_recording_is() {
    use std::os::unix::{fs::PermissionsExt as _, process::CommandExt as _};
    let folder = folder();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let trace = record(folder.path(), "trace.vmt", &["true"]);
    fs::set_permissions(&trace, fs::Permissions::from_mode(0o644)).unwrap();
    let copy = folder.path().join("tracer");
    fs::copy(env!("CARGO_BIN_EXE_tracer"), &copy).unwrap();
    let run = |rest: &[&str]| {
        let mut command = Command::new(&copy);
        command
            .args(["check", "--fail-on", "virtual > 1TiB"])
            .args(rest);
        command
            .uid(65_534)
            .gid(65_534)
            .current_dir("/")
            .output()
            .unwrap()
    };
    refused(&run(&["--", "true"]), &["CAP_BPF", "sudo"]);
    assert_eq!(run(&[trace.to_str().unwrap()]).status.code(), Some(0));
}
