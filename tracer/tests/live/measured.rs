//! What cannot be traced, or not in full, is said, and passes no budget.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, process::Command};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    command::{folder, json, text, tracer},
    compiled::compile,
};

/// The three that tracing needs: of root's rights over files there is none.
const BARE: &str = "+bpf,+perfmon,+sys_ptrace";

/// The binary where everybody may run it.
fn tracer_for_all(folder: &TempDir) -> PathBuf {
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let path = folder.path().join("tracer");
    fs::copy(env!("CARGO_BIN_EXE_tracer"), &path).unwrap();
    path
}

/// Runs it as nobody with these capabilities; its exit code, and all that it said.
fn as_nobody(capabilities: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let folder = folder();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(format!("--inh-caps={capabilities}"))
        .arg(format!("--ambient-caps={capabilities}"))
        .arg(tracer_for_all(&folder))
        .args(arguments)
        .output()
        .unwrap();
    let said = text(&output.stdout) + &text(&output.stderr);
    (output.status.code(), said)
}

#[test]
fn without_tracefs_nothing_is_traced_and_no_budget_passes() {
    let check = ["check", "--fail-on", "virtual > 1TiB", "--", "/bin/true"];
    let (code, said) = as_nobody(BARE, &check);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("syscalls:sys_exit_mmap"), "{said}");
    assert!(said.contains("CAP_DAC_READ_SEARCH"), "{said}");

    let (code, said) = as_nobody(&format!("{BARE},+dac_read_search"), &check);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn the_doctor_says_which_tracepoints_cannot_be_had_and_why() {
    let (code, said) = as_nobody(BARE, &["doctor"]);
    assert_eq!(code, Some(2), "{said}");
    let failed = said.lines().find(|line| line.contains("cannot attach to"));
    let failed = failed.unwrap_or_else(|| panic!("{said}"));
    assert!(failed.starts_with("MISSING"), "{said}");
    for event in ["sys_exit_mmap", "sys_exit_munmap", "sys_exit_clone"] {
        assert!(failed.contains(event), "{said}");
    }
    // Raw tracepoints need no tracefs.
    assert!(!failed.contains("sched_process_exit"), "{said}");
    assert!(failed.contains("may not read tracefs"), "{said}");
}

/// A program that reserves 1 GiB by the 32-bit system call `mmap2` (arch/x86/entry/syscalls/syscall_32.tbl) in eight
/// calls, and needs no C library.
const BY_32_BIT_CALLS: &str = r#"
static long call(long number, long first, long second, long third, long fourth)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result)
        : "a"(number), "b"(first), "c"(second), "d"(third), "S"(fourth), "D"(-1L) : "memory");
    return result;
}
void _start(void)
{
    for (int i = 0; i < 8; i++)
        call(192, 0, 128 << 20, 3, 0x4022);
    call(1, 0, 0, 0, 0);
}
"#;

/// Compiles it, checks it against a budget that it breaks unseen, and gives the exit code, what was said, and its report.
fn checked(options: &[&str]) -> (Option<i32>, String, Value) {
    let folder = folder();
    let common = [
        "-O1",
        "-nostdlib",
        "-static",
        "-fno-stack-protector",
        "-fcf-protection=none",
    ];
    let program = compile(folder.path(), BY_32_BIT_CALLS, &[&common, options].concat());
    let report = folder.path().join("report.json");
    let output = tracer()
        .args([
            "check",
            "--fail-on",
            "virtual > 900MiB",
            "--fail-on",
            "level >= watch",
            "--report",
        ])
        .arg(&report)
        .arg("--")
        .arg(&program)
        .output()
        .unwrap();
    let said = text(&output.stdout) + &text(&output.stderr);
    (
        output.status.code(),
        said,
        json(&report)["processes"][0].clone(),
    )
}

#[test]
fn memory_that_32_bit_calls_take_passes_no_budget() {
    for options in [&["-m64"][..], &["-m32"]] {
        let (code, said, process) = checked(options);
        assert_eq!(code, Some(2), "{options:?}: {said}");
        assert!(said.contains("32-bit system calls"), "{options:?}: {said}");
        assert_eq!(process["measured"], false, "{options:?}");
        let why = process["why"].as_str().unwrap();
        assert!(why.contains("32-bit"), "{options:?}: {why}");
    }
}
