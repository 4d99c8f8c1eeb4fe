//! What the command line offers beside tracing: help, completions, manual pages, progress lines, a
//! recording's state at a moment.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test fails as its test does"
)]

use std::{
    fs::{self, OpenOptions},
    io::{Read as _, Write as _},
    path::Path,
    process::{Command, Output, Stdio},
};

/// A recording of OpenClaw's gateway.
const RECORDING: &str = "crates/test-traces/recordings/openclaw.vmt";

fn tracer(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tracer"))
        .args(arguments)
        .output()
        .unwrap()
}

fn stdout(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn at_a_moment_is_the_window_up_to_it() {
    let at = stdout(tracer(&["report", RECORDING, "--at", "10s", "-f", "json"]));
    let window = ["report", RECORDING, "--window", "..10s", "-f", "json"];
    assert_eq!(at, stdout(tracer(&window)));
    let whole = stdout(tracer(&["report", RECORDING, "-f", "json"]));
    assert_ne!(at, whole);
    let both = ["report", RECORDING, "--window", "..10s", "--at", "10s"];
    assert_eq!(tracer(&both).status.code(), Some(2));
    let never = tracer(&["report", RECORDING, "--at", "soon"]);
    assert_eq!(never.status.code(), Some(2));
    let said = String::from_utf8(never.stderr).unwrap();
    assert!(said.contains("`soon` is no time"), "{said}");
}

#[test]
fn bash_takes_the_completions_and_completes_commands_and_options() {
    let script = stdout(tracer(&["completions", "bash"]));
    let ask = format!(
        "{script}\nCOMP_WORDS=(tracer exp) COMP_CWORD=1; _tracer tracer exp tracer; echo \"${{COMPREPLY[@]}}\"\n\
         COMP_WORDS=(tracer report --wi) COMP_CWORD=2; _tracer tracer --wi report; echo \"${{COMPREPLY[@]}}\""
    );
    let asked = Command::new("bash").args(["-c", &ask]).output().unwrap();
    assert_eq!(stdout(asked), "explain\n--window --width\n");
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        assert!(stdout(tracer(&["completions", shell])).contains("explain"));
    }
}

#[test]
fn every_command_has_a_manual_page_and_what_stands_in_help_stands_there() {
    let folder = tempfile::tempdir().unwrap();
    stdout(tracer(&["man", folder.path().to_str().unwrap()]));
    let page = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(page("tracer.1"), stdout(tracer(&["man"])));
    let help = stdout(tracer(&["--help"]));
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let mut pages = 1;
    for command in commands.take_while(|line| !line.is_empty()) {
        // What goes on from the line before begins further in.
        let Some(name) = command
            .strip_prefix("  ")
            .filter(|rest| !rest.starts_with(' '))
        else {
            continue;
        };
        let name = name.split_whitespace().next().unwrap();
        if name != "help" {
            let page = page(&format!("tracer-{name}.1"));
            assert!(page.contains("Examples:"), "{page}");
            pages += 1;
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), pages);
    assert!(page("tracer-report.1").contains("\\-\\-window"));
    let nowhere = tracer(&["man", "/proc/no-such-folder"]);
    assert_eq!(nowhere.status.code(), Some(2));
}

/// Reads a recording from a pipe that stops in its middle until the line is seen.
#[test]
fn what_takes_long_says_so_on_a_terminal_and_only_there() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("slow.vmt");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let recording = fs::read(RECORDING).unwrap();
    let (begin, rest) = recording.split_at(recording.len() / 2);

    let shell = format!(
        "'{}' report '{}' > /dev/null",
        env!("CARGO_BIN_EXE_tracer"),
        pipe.display()
    );
    let mut child = Command::new("timeout")
        .args([
            "60",
            "script",
            "--quiet",
            "--return",
            "--flush",
            "--command",
            &shell,
            "/dev/null",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut writer = OpenOptions::new().write(true).open(&pipe).unwrap();
    writer.write_all(begin).unwrap();
    let mut terminal = child.stdout.take().unwrap();
    let mut seen = Vec::new();
    let mut some = [0; 4096];
    while !String::from_utf8_lossy(&seen).contains("reading ") {
        let length = terminal.read(&mut some).unwrap();
        assert_ne!(length, 0, "{}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&some[..length]);
    }
    writer.write_all(rest).unwrap();
    drop(writer);
    terminal.read_to_end(&mut seen).unwrap();
    assert!(child.wait().unwrap().success());
    let seen = String::from_utf8_lossy(&seen);
    assert!(seen.contains("slow.vmt"), "{seen}");
    // The line is gone at the end: cleared.
    assert!(
        seen.trim_end().ends_with("\u{1b}[2K") || seen.trim_end().ends_with('\r'),
        "{seen:?}"
    );

    let output = fed_slowly(&pipe, begin, rest);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

/// The same without a terminal, and longer than what is called long.
fn fed_slowly(pipe: &Path, begin: &[u8], rest: &[u8]) -> Output {
    let child = Command::new(env!("CARGO_BIN_EXE_tracer"))
        .args([Path::new("report"), pipe])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut writer = OpenOptions::new().write(true).open(pipe).unwrap();
    writer.write_all(begin).unwrap();
    // Not to wait for anything, but to be longer than half a second.
    std::thread::sleep(std::time::Duration::from_millis(700));
    writer.write_all(rest).unwrap();
    drop(writer);
    child.wait_with_output().unwrap()
}
