//! What cannot be traced, or not in full, is said, and passes no budget.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, process::Command};

use tempfile::TempDir;

use crate::command::{folder, text};

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
