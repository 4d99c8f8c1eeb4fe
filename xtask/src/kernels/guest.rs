//! One run of the suites: in a virtual machine, or on this machine.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::console::{Ending, Progress};
use super::packages::Kernel;
use super::suites::Suite;

/// Lines that are shown again when a guest did not come to its end.
const LAST_LINES: usize = 40;

/// Boots a kernel, shows what the suites print, and tells what became of each.
///
/// Always emulated (`tcg`): a `/dev/kvm` that is there may hang within a virtual machine, and nothing
/// here is worth a second way to run.
pub(super) fn boot(
    mut qemu: Command,
    kernel: &Kernel,
    image: &Path,
    suites: &[Suite],
    limit: Duration,
) -> Result<Vec<Ending>> {
    // One thread for both processors: with one each, QEMU 7.2 may go on running an `int3` that the
    // kernel has patched over again, for ever (attaching to tracepoints patches code all the time).
    qemu.args(["-accel", "tcg,thread=single"])
        .args(["-cpu", "max", "-smp", "2", "-m", "1536M"])
        .args(["-nodefaults", "-no-user-config", "-no-reboot"])
        .args(["-display", "none", "-serial", "stdio"])
        .arg("-kernel")
        .arg(&kernel.image)
        .arg("-initrd")
        .arg(image)
        // Warnings are shown, with their call traces; a panic ends the machine (`-no-reboot`).
        .args(["-append", "console=ttyS0 loglevel=5 panic=-1"]);
    let mut guest = Guest::start(&mut qemu)?;
    let mut progress = Progress::new(suites);
    let mut last = VecDeque::new();
    let until = Instant::now() + limit;
    let in_time = loop {
        let left = until.saturating_duration_since(Instant::now());
        match guest.lines.recv_timeout(left) {
            Ok(line) => {
                if progress.line(&line) {
                    println!("[{}] {line}", kernel.release);
                }
                last.truncate(LAST_LINES - 1);
                last.push_front(line);
            }
            Err(RecvTimeoutError::Disconnected) => break true,
            Err(RecvTimeoutError::Timeout) => break false,
        }
    };
    if !in_time {
        guest.end();
        eprintln!(
            "Linux {} was not done after {} s and was ended",
            kernel.release,
            limit.as_secs()
        );
    }
    if !in_time || !progress.is_complete() {
        eprintln!("its last lines:");
        for line in last.iter().rev() {
            eprintln!("    {line}");
        }
    }
    Ok(progress.endings())
}

/// Runs a suite on this machine; its exit status, as a shell tells it.
pub(super) fn on_host(suite: &Suite, mut show: impl FnMut(&str)) -> Result<i32> {
    let mut command = Command::new(&suite.program);
    command.args(&suite.arguments).current_dir(&suite.folder);
    let mut running = Guest::start(&mut command)?;
    while let Ok(line) = running.lines.recv() {
        show(&line);
    }
    let status = running.child.wait().context("cannot wait for a suite")?;
    Ok(status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default()))
}

/// A child whose output is read line by line.
struct Guest {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Guest {
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let (sender, lines) = mpsc::channel();
        forward(child.stdout.take(), sender.clone());
        forward(child.stderr.take(), sender);
        Ok(Self { child, lines })
    }

    fn end(&mut self) {
        // It may have ended by itself meanwhile.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.end();
    }
}

/// Sends every line of a pipe, until it is closed or nobody listens.
fn forward(pipe: Option<impl Read + Send + 'static>, to: Sender<String>) {
    let Some(pipe) = pipe else { return };
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line);
            // A serial line ends in CR LF.
            if to
                .send(text.trim_end_matches(['\r', '\n']).to_owned())
                .is_err()
            {
                return;
            }
            line.clear();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite(script: &str) -> Suite {
        Suite {
            name: "shell",
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            guest_arguments: vec!["never".into()],
            folder: "/".into(),
            counts: false,
        }
    }

    #[test]
    fn a_suites_lines_and_exit_status_come_back() {
        let mut lines = Vec::new();
        let script = "pwd; printf 'one\\r\\ntwo'; exit 7";
        let status = on_host(&suite(script), |line| lines.push(line.to_owned()));
        assert_eq!(status.expect("started"), 7);
        assert_eq!(lines, ["/", "one", "two"]);
    }

    #[test]
    fn a_suite_that_is_killed_has_the_status_that_a_shell_would_show() {
        let status = on_host(&suite("kill -KILL $$"), |_| {});
        assert_eq!(status.expect("started"), 128 + 9);
    }
}
