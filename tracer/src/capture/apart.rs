//! A piece of work in a process of its own: what a trace gives up and leaves behind (privileges, threads, programs in
//! the kernel) is none of the next one's concern.

use std::{fs::File, io::Read as _, io::Write as _, os::fd::OwnedFd, time::Duration};

use anyhow::{Context as _, Result};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Signal, WaitOptions, kill_process, set_parent_process_death_signal, waitpid},
};

/// How soon a signal that has come is passed on.
const LOOK: Duration = Duration::from_millis(100);

/// The process that does it.
#[derive(Debug)]
pub(crate) struct Apart {
    pid: rustix::process::Pid,
    answer: File,
    is_over: bool,
}

impl Apart {
    /// Begins the work in a copy of this process, which must have one thread. If this process dies, the copy is told
    /// to end.
    ///
    /// # Errors
    /// There can be no other process.
    pub(crate) fn start(work: impl FnOnce() -> Vec<u8>) -> Result<Self> {
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
            .context("cannot make a pipe")?;
        // SAFETY: this process has one thread (asserted by the caller): no lock is held by another one.
        let forked = unsafe { libc::fork() };
        match forked {
            -1 => Err(std::io::Error::last_os_error()).context("cannot start a process"),
            0 => {
                drop(read);
                let _ = set_parent_process_death_signal(Some(Signal::TERM));
                let answer = work();
                std::process::exit(told(write, &answer));
            }
            pid => Ok(Self {
                pid: rustix::process::Pid::from_raw(pid).context("fork returned no pid")?,
                answer: read.into(),
                is_over: false,
            }),
        }
    }

    /// Waits for its answer and its end. As soon as `stop` says so it is asked to end, once; it answers then too.
    ///
    /// # Errors
    /// It died without an answer.
    pub(crate) fn answer(mut self, stop: impl Fn() -> bool) -> Result<Vec<u8>> {
        let mut answer = Vec::new();
        let mut chunk = vec![0; 1 << 16];
        let mut asked = false;
        let look = Timespec::try_from(LOOK)?;
        loop {
            if !asked && stop() {
                let _ = kill_process(self.pid, Signal::TERM);
                asked = true;
            }
            let mut ready = [PollFd::new(&self.answer, PollFlags::IN)];
            match poll(&mut ready, Some(&look)) {
                Ok(0) | Err(Errno::INTR) => continue,
                Ok(_) => {}
                Err(error) => return Err(error).context("cannot wait for a trace"),
            }
            match self.answer.read(&mut chunk) {
                Ok(0) => break,
                Ok(length) => answer.extend_from_slice(&chunk[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("cannot read what a trace says"),
            }
        }
        self.wait();
        anyhow::ensure!(!answer.is_empty(), "the process that traced has died");
        Ok(answer)
    }

    fn wait(&mut self) {
        while matches!(
            waitpid(Some(self.pid), WaitOptions::empty()),
            Err(Errno::INTR)
        ) {}
        self.is_over = true;
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        if !self.is_over {
            let _ = kill_process(self.pid, Signal::TERM);
            self.wait();
        }
    }
}

/// The copy's exit code.
fn told(write: OwnedFd, answer: &[u8]) -> i32 {
    let written = File::from(write).write_all(answer);
    i32::from(written.is_err())
}
