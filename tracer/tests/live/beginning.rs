//! What the kernel maps for a new program is told before its first instruction, whatever its linker
//! made of it: nothing has to be read from `/proc`, which is too late for a program that lives shortly.

use std::process::Command;

use tracer_ledger::event::{Event, Exec, MapsPurpose};
use tracer_recording::Reader;

use crate::{
    command::{chosen, folder, json, refused, tracer},
    compiled::compile,
};

/// With these the compiler makes a 32-bit program that needs no library.
const OF_32_BITS: [&str; 5] = ["-m32", "-nostdlib", "-static", "-fno-pic", "-no-pie"];

/// Asserts that the ledger of a program begins with what was told at its exec.
#[track_caller]
fn the_exec_tells_all(command: &[&str]) {
    let folder = folder();
    let path = folder.path().join("trace.vmt");
    let output = tracer()
        .args(["run", "-o"])
        .arg(&path)
        .arg("--")
        .args(command)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");

    let mut recording = Reader::open(&path).unwrap();
    let mut begun: Option<Exec> = None;
    let mut programs = 0;
    while let Some(event) = recording.read().unwrap() {
        match (event, &begun) {
            (Event::Exec(exec), _) => begun = Some(exec),
            (Event::Maps(maps), Some(exec)) => {
                assert_eq!(maps.purpose, MapsPurpose::Seed);
                assert_eq!(maps.time, exec.stamp.time, "read later: {exec:?}");
                programs += 1;
                begun = None;
            }
            _ => {}
        }
    }
    assert!(programs > 0, "no program began");
}

#[test]
fn the_mappings_of_a_program_are_told_at_its_exec() {
    the_exec_tells_all(&["sleep", "0"]);
}

/// GNU ld aligns segments for the largest pages, and so they do not touch; LLD leaves such holes too.
#[test]
fn the_mappings_of_a_program_with_holes_between_its_segments_are_told_at_its_exec() {
    let folder = folder();
    let program = compile(
        folder.path(),
        "int main(void) { return 0; }",
        &["-Wl,-z,max-page-size=0x200000"],
    );
    the_exec_tells_all(&[program.to_str().unwrap()]);
}

/// Such a reading differed, and waited for calls that had happened in the new program, and everything
/// behind it waited with it.
#[test]
fn maps_read_while_a_process_begins_another_program_are_not_taken_for_the_old_ones() {
    let folder = folder();
    let path = folder.path().join("trace.vmt");
    let report = folder.path().join("report.json");
    let many = format!(
        "n=0; while [ $n -lt {} ]; do /bin/true & wait; n=$((n + 1)); done",
        chosen("PROGRAMS", 1000)
    );
    let output = tracer()
        .args(["run", "--verify", "1ms", "--faults", "off"])
        .args(["--ring-size", "64MiB", "-o"])
        .arg(&path)
        .arg("--report")
        .arg(&report)
        .args(["--", "sh", "-c", &many])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut recording = Reader::open(&path).unwrap();
    let mut readings = 0;
    while let Some(event) = recording.read().unwrap() {
        assert!(
            !matches!(event, Event::Loss(_) | Event::Missing(_)),
            "{event:?}"
        );
        readings += u64::from(matches!(event, Event::Reading(_)));
    }
    assert!(readings > 0, "nothing was read");
    for process in json(&report)["processes"].as_array().unwrap() {
        let ledger = &process["ledger"];
        assert_eq!(ledger["largest_difference_bytes"], 0, "{ledger}");
    }
}

/// The number of `execve` is in 32-bit programs that of `munmap` in others.
#[test]
fn a_program_that_a_32_bit_one_begins_is_exact() {
    let folder = folder();
    let source = r#"
        void _start(void) {
            static char *arguments[] = {"true", 0};
            int result;
            __asm__ volatile("int $0x80"
                             : "=a"(result)
                             : "a"(11), "b"("/bin/true"), "c"(arguments), "d"(0));
            for (;;);
        }"#;
    let program = compile(folder.path(), source, &OF_32_BITS);
    let path = folder.path().join("report.json");
    let output = tracer()
        .args(["run", "--report"])
        .arg(&path)
        .arg("--")
        .arg(program)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let report = json(&path);
    let processes = report["processes"].as_array().unwrap();
    for process in processes {
        assert_eq!(process["ledger"]["kernel_known"], true, "{process}");
    }
    let last = processes.last().unwrap();
    assert_eq!(last["comm"], "true");
    assert!(last["ledger"]["checks"].as_u64().unwrap() > 10, "{last}");
    assert_eq!(last["ledger"]["largest_difference_bytes"], 0);
}

#[test]
fn a_32_bit_program_that_already_runs_is_refused_as_one() {
    let folder = folder();
    let program = compile(
        folder.path(),
        "void _start(void) { for (;;); }",
        &OF_32_BITS,
    );
    let mut child = Command::new(program).spawn().unwrap();
    let pid = child.id().to_string();
    let output = tracer()
        .args(["attach", "--duration", "1s", "--pid", &pid])
        .output();
    child.kill().unwrap();
    child.wait().unwrap();
    refused(&output.unwrap(), &[&pid, "32-bit program"]);
}
