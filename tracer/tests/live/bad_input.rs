//! What goes wrong gets one clear line (what failed, on what, what to do) and exit code 2, nothing is
//! lost, nothing is left behind as if whole. Black box: the built binary.

use std::{
    fs,
    io::Read as _,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::command::{folder, refused, text, tracer};

/// A recording of a short command, made for real.
fn recording(folder: &Path) -> PathBuf {
    recording_of(folder, &["true"])
}

fn recording_of(folder: &Path, command: &[&str]) -> PathBuf {
    let path = folder.join("short.vmt");
    let output = tracer()
        .args(["run", "-o"])
        .arg(&path)
        .arg("--")
        .args(command)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    path
}

#[test]
fn an_attach_to_nothing_names_every_way_to_choose() {
    let output = tracer().arg("attach").output().unwrap();
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    for option in ["--pid", "--comm", "--cgroup", "--all"] {
        assert!(stderr.contains(option), "{option} is not in {stderr}");
    }
}

#[test]
fn a_pid_that_does_not_exist_is_named() {
    // Above the kernel's own limit for process ids (PID_MAX_LIMIT, 4 Mi).
    let output = tracer()
        .args(["attach", "--pid", "4194399"])
        .output()
        .unwrap();
    refused(&output, &["4194399", "no process"]);
    assert!(output.stdout.is_empty());
}

#[test]
fn a_kernel_thread_is_refused_as_one() {
    // kthreadd.
    let output = tracer().args(["attach", "--pid", "2"]).output().unwrap();
    refused(&output, &["kernel thread", "2"]);
}

#[test]
fn without_privileges_the_remedy_is_named() {
    let folder = folder();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = folder.path().join("tracer");
    fs::copy(env!("CARGO_BIN_EXE_tracer"), &copy).unwrap();
    let nobody = 65_534;
    for arguments in [&["attach", "--pid", "1"][..], &["run", "--", "true"]] {
        let output = Command::new(&copy)
            .args(arguments)
            .uid(nobody)
            .gid(nobody)
            .current_dir("/")
            .output()
            .unwrap();
        refused(&output, &["CAP_BPF", "sudo"]);
    }
}

#[test]
fn a_pid_namespace_of_its_own_is_refused_with_the_way_out() {
    let output = Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc"])
        .arg(env!("CARGO_BIN_EXE_tracer"))
        .args(["attach", "--pid", "1"])
        .output()
        .unwrap();
    refused(&output, &["PID namespace", "--pid=host"]);
}

#[test]
fn the_time_ends_a_command_that_would_go_on() {
    let output = tracer()
        .args(["run", "--duration", "300ms", "--", "sleep", "1000"])
        .output()
        .unwrap();
    // SIGTERM, as a shell tells it.
    assert_eq!(output.status.code(), Some(128 + 15), "{output:?}");
    assert!(text(&output.stderr).contains("virtual"), "{output:?}");
}

#[test]
fn a_command_that_is_killed_gives_its_report_and_its_code() {
    let output = tracer()
        .args(["run", "--", "sh", "-c", "kill -KILL $$"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(128 + 9), "{output:?}");
    assert!(text(&output.stderr).contains("virtual"), "{output:?}");
}

#[test]
fn a_report_whose_ending_says_nothing_is_refused_before_anything_runs() {
    let folder = folder();
    let mark = folder.path().join("mark");
    let output = tracer()
        .args(["run", "--report", "report.docx", "--", "touch"])
        .arg(&mark)
        .output()
        .unwrap();
    refused(&output, &["report.docx", ".json"]);
    assert!(!mark.exists());
}

#[test]
fn a_folder_that_is_not_there_is_refused_before_anything_runs() {
    let folder = folder();
    let mark = folder.path().join("mark");
    for option in ["-o", "--report"] {
        let output = tracer()
            .args(["run", option, "/nonexistent/out.json", "--", "touch"])
            .arg(&mark)
            .output()
            .unwrap();
        refused(&output, &["/nonexistent/out.json", "No such file"]);
        assert!(!mark.exists());
    }
}

#[test]
fn a_foreign_file_is_no_recording() {
    let folder = folder();
    let path = folder.path().join("foreign");
    for content in [
        &b""[..],
        b"hello",
        &[0; 4096],
        b"\x7fELF and so on and on and on",
    ] {
        fs::write(&path, content).unwrap();
        let output = tracer().arg("report").arg(&path).output().unwrap();
        refused(&output, &["foreign"]);
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_recording_cut_at_any_byte_is_reported_as_far_as_it_goes_and_said_to_be_cut() {
    let folder = folder();
    // More events than a block of the recording holds, however fast they come.
    const CALLS: &str = "import mmap\nfor i in range(30000): mmap.mmap(-1, 4096)";
    let path = recording_of(folder.path(), &["python3", "-c", CALLS]);
    let whole = fs::read(path).unwrap();
    let cut = folder.path().join("cut.vmt");
    let mut reported = 0;
    // Every byte is tried by the reader's own test; a process each is for a sample of them.
    for length in (0..whole.len()).step_by(whole.len() / 40 + 1) {
        fs::write(&cut, &whole[..length]).unwrap();
        let output = tracer().arg("report").arg(&cut).output().unwrap();
        refused(&output, &["cut.vmt"]);
        reported += usize::from(!output.stdout.is_empty());
    }
    assert!(reported > 0, "not one cut recording gave a report");
    fs::write(&cut, &whole).unwrap();
    let output = tracer().arg("report").arg(&cut).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_full_disk_ends_the_recording_and_not_the_trace() {
    let folder = folder();
    let small = SmallDisk::mount(folder.path(), 64 << 10);
    let path = small.0.join("out.vmt");
    let output = tracer()
        .args(["run", "-o"])
        .arg(&path)
        .args(["--", "python3", "-c"])
        .arg(
            "import mmap\nfor i in range(30000): mmap.mmap(-1, 4096 * (i % 50 + 1))\nprint('done')",
        )
        .output()
        .unwrap();
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(text(&output.stdout), "done\n", "the command was disturbed");
    assert!(stderr.contains("out.vmt"), "{stderr}");
    assert!(stderr.contains("No space left"), "{stderr}");
    assert!(stderr.contains("virtual"), "no report: {stderr}");
    assert!(
        !path.exists(),
        "a file that is not whole has the name of a whole one"
    );
}

#[test]
fn a_report_to_a_full_disk_leaves_no_half_file() {
    let folder = folder();
    let recording = recording(folder.path());
    let small = SmallDisk::mount(folder.path(), 16 << 10);
    let filler = small.0.join("filler");
    fs::write(&filler, [0; 16 << 10]).unwrap();
    let path = small.0.join("out.json");
    let output = tracer()
        .arg("report")
        .arg(recording)
        .arg("--report")
        .arg(&path)
        .output()
        .unwrap();
    refused(&output, &["out.json", "No space left"]);
    fs::remove_file(filler).unwrap();
    assert_eq!(fs::read_dir(&small.0).unwrap().count(), 0);
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let folder = folder();
    let mut child = tracer()
        .args(["report", "-f", "json"])
        .arg(recording(folder.path()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(stderr, "");
}

/// A tmpfs of a few KiB, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path, bytes: u32) -> Self {
        let at = folder.join("small");
        fs::create_dir(&at).unwrap();
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
            .arg(&at)
            .status()
            .unwrap();
        assert!(status.success(), "cannot mount a small disk");
        Self(at)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_window_that_is_none_or_lies_behind_the_end_is_refused() {
    let folder = folder();
    let path = recording(folder.path());
    let of = |window: &str| {
        let mut command = tracer();
        command.args(["report", "--window", window]).arg(&path);
        command.output().unwrap()
    };
    refused(&of("1h.."), &["ends at", "before the window begins"]);
    for (window, why) in [
        ("10s", "write FROM..TO"),
        ("9s..3s", "ends before it begins"),
        ("x..", "is no time"),
    ] {
        let output = of(window);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(text(&output.stderr).contains(why), "{output:?}");
    }
    assert!(of("0s..1h").status.success());
}
