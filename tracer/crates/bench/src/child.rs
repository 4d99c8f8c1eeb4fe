//! Programs that a measurement runs beside itself: what they say is kept with the time at which they
//! said it, and none outlives its value.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use xtask::process;

/// How long a program is given to end by itself.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long we wait between two looks at something that cannot be waited for.
pub(crate) const PAUSE: Duration = Duration::from_millis(5);

/// A program that runs.
pub(crate) struct Running {
    child: Child,
    /// Kept open for a program that takes it for a sign of life.
    input: Option<ChildStdin>,
    line: String,
    begun: Instant,
    lines: Receiver<(Instant, String)>,
    said: Vec<(Instant, String)>,
}

impl Running {
    /// Starts it; both of its outputs are read.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let line = process::shown(command);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        end_with_us(command);
        let begun = Instant::now();
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start `{line}`"))?;
        let (sender, lines) = channel();
        if let Some(output) = child.stdout.take() {
            read(output, sender.clone());
        }
        if let Some(output) = child.stderr.take() {
            read(output, sender);
        }
        Ok(Self {
            input: child.stdin.take(),
            child,
            line,
            begun,
            lines,
            said: Vec::new(),
        })
    }

    /// Says a line to it.
    pub(crate) fn say(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().context("it has no input")?;
        writeln!(input, "{line}").with_context(|| format!("`{}` does not listen", self.line))
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Time from its start to the first line with this text, if it has been said.
    pub(crate) fn has_said(&mut self, text: &str) -> Option<Duration> {
        self.said.extend(self.lines.try_iter());
        self.time_of(text)
    }

    /// Waits for a line with this text; the time from the start to it.
    pub(crate) fn wait_for(&mut self, text: &str, limit: Duration) -> Result<Duration> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(time) = self.time_of(text) {
                return Ok(time);
            }
            match self
                .lines
                .recv_timeout(deadline - Instant::now().min(deadline))
            {
                Ok(line) => self.said.push(line),
                Err(RecvTimeoutError::Timeout) => bail!(
                    "`{}` did not say `{text}` within {limit:?}{}",
                    self.line,
                    self.last_words()
                ),
                Err(RecvTimeoutError::Disconnected) => bail!(
                    "`{}` ended before it said `{text}`{}",
                    self.line,
                    self.last_words()
                ),
            }
        }
    }

    /// Fails if it has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            self.said.extend(self.lines.iter());
            bail!("`{}` ended: {status}{}", self.line, self.last_words());
        }
        Ok(())
    }

    /// Asks it to end as Ctrl-C does, and returns all that it said.
    pub(crate) fn interrupt(mut self) -> Result<String> {
        self.check()?;
        kill_process(self.pid(), Signal::INT)
            .with_context(|| format!("cannot interrupt `{}`", self.line))?;
        self.ended(PATIENCE)
    }

    /// Waits for its end, and returns all that it said.
    pub(crate) fn ended(&mut self, limit: Duration) -> Result<String> {
        let Some(status) = self.wait(limit)? else {
            bail!("`{}` did not end within {limit:?}", self.line);
        };
        self.said.extend(self.lines.iter());
        // A program may also take Ctrl-C as it is meant.
        if !status.success() && status.signal() != Some(Signal::INT.as_raw()) {
            bail!("`{}` failed: {status}{}", self.line, self.last_words());
        }
        let said: Vec<_> = self.said.drain(..).map(|(_, line)| line).collect();
        Ok(said.join("\n"))
    }

    fn wait(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            thread::sleep(PAUSE);
        }
    }

    fn time_of(&self, text: &str) -> Option<Duration> {
        let (at, _) = self.said.iter().find(|(_, line)| line.contains(text))?;
        Some(*at - self.begun)
    }

    fn last_words(&self) -> String {
        self.said
            .last()
            .map_or_else(String::new, |(_, line)| format!(": {line}"))
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = kill_process(self.pid(), Signal::TERM);
            if let Ok(None) = self.wait(Duration::from_secs(5)) {
                let _ = self.child.kill();
            }
        }
        let _ = self.child.wait();
    }
}

/// Has the kernel end the program when this one is killed: then nobody else would.
pub(super) fn end_with_us(command: &mut Command) {
    let prepare = || {
        Ok(rustix::process::set_parent_process_death_signal(Some(
            Signal::TERM,
        ))?)
    };
    // SAFETY: between fork and exec only a system call is made; nothing is allocated or locked.
    unsafe { command.pre_exec(prepare) };
}

/// Hands on each line of an output with the time at which it came.
fn read(output: impl Read + Send + 'static, lines: Sender<(Instant, String)>) {
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n') {
            let Ok(line) = line else { break };
            let line = String::from_utf8_lossy(&line).into_owned();
            // Read on when nobody listens, or the program would be held up.
            let _ = lines.send((Instant::now(), line));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Running {
        Running::start(Command::new("sh").args(["-c", script])).expect("there is a shell")
    }

    #[test]
    fn what_a_program_says_is_waited_for() {
        let mut running = shell("echo one; echo two >&2; read nothing; exec sleep 60");
        let limit = Duration::from_secs(10);
        running.wait_for("one", limit).expect("it says so");
        running.wait_for("two", limit).expect("it says so");
        assert!(running.has_said("three").is_none());
        running.check().expect("it still runs");
    }

    #[test]
    fn a_program_that_ends_early_is_an_error_with_its_last_words() {
        let mut running = shell("echo no such thing; exit 3");
        let error = running
            .wait_for("ready", Duration::from_secs(10))
            .expect_err("it never says so");
        assert!(error.to_string().ends_with(": no such thing"), "{error}");
        let error = running
            .ended(Duration::from_secs(10))
            .expect_err("it failed");
        assert!(error.to_string().contains("exit status: 3"), "{error}");
    }

    #[test]
    fn a_program_is_spoken_to() {
        let mut running = shell("read word; echo you said $word; read nothing");
        running.say("hello").expect("it listens");
        running
            .wait_for("you said hello", Duration::from_secs(10))
            .expect("it answers");
    }

    #[test]
    fn no_program_outlives_its_value() {
        let running = shell("exec sleep 60");
        let folder = format!("/proc/{}", running.id());
        assert!(std::path::Path::new(&folder).exists());
        drop(running);
        assert!(!std::path::Path::new(&folder).exists());
    }
}
