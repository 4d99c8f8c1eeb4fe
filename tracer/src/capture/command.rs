//! The command of `tracer run`: started, but held before its first instruction until everything is
//! attached.

use std::{
    ffi::{CString, OsStr, OsString},
    io::{self, Read as _, Write as _},
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::{ffi::OsStrExt as _, process::ExitStatusExt as _},
    },
    path::{Path, PathBuf},
    process::ExitStatus,
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Signal, WaitOptions, kill_process, waitpid};

use tracer_ledger::event::Pid;

/// Why a command cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[error("cannot run {name}: {why}")]
pub(crate) struct CannotRun {
    name: String,
    why: String,
    /// There is no such thing; else it is there and cannot be run.
    is_missing: bool,
}

impl CannotRun {
    /// As a shell tells it (POSIX, 2.8.2): 127 of what is not there, 126 of what cannot be run.
    pub(crate) const fn exit_code(&self) -> u8 {
        if self.is_missing { 127 } else { 126 }
    }

    fn new(name: &OsStr, error: &io::Error) -> Self {
        let missing = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
        Self {
            name: name.to_string_lossy().into_owned(),
            why: error.to_string(),
            is_missing: missing.contains(&error.kind()),
        }
    }
}

/// Fails if there is no such command, before anything is started.
///
/// # Errors
/// Its name is not given; [`CannotRun`].
pub(crate) fn check_there(command: &[OsString]) -> Result<()> {
    find(name(command)?).map(drop)
}

/// A command that waits before its `execve`.
#[derive(Debug)]
pub(crate) struct Held {
    pid: rustix::process::Pid,
    name: OsString,
    path: PathBuf,
    /// A byte lets it go; closed without one, it ends itself.
    gate: Option<std::fs::File>,
    /// The errno of a failed `execve` comes here; closed by a successful one.
    failure: std::fs::File,
}

/// Standard streams that a command has of its own; the others are this process's.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    pub(crate) input: Option<OwnedFd>,
    pub(crate) output: Option<OwnedFd>,
    pub(crate) error: Option<OwnedFd>,
}

/// A command on its way.
#[derive(Debug)]
pub(crate) struct Running {
    pid: rustix::process::Pid,
    ended: Option<ExitStatus>,
}

impl Held {
    /// Forks a child that will become `command`, found on `PATH` as a shell finds it, with `added`
    /// put into its environment. Must be called while this process has one thread.
    ///
    /// # Errors
    /// No such command, or no child could be made.
    pub(crate) fn start(command: &[OsString], added: &[(OsString, OsString)]) -> Result<Self> {
        Self::start_with(command, added, &Streams::default())
    }

    /// The same with streams of its own.
    ///
    /// # Errors
    /// Those of [`Self::start`].
    pub(crate) fn start_with(
        command: &[OsString],
        added: &[(OsString, OsString)],
        streams: &Streams,
    ) -> Result<Self> {
        let name = name(command)?;
        let path = find(name)?;
        // Everything that allocates is done before the fork.
        let program = c_string(path.as_os_str())?;
        let arguments = command
            .iter()
            .map(|argument| c_string(argument))
            .collect::<Result<Vec<_>>>()?;
        let environment = environment(added)?;
        let argv = pointers(&arguments);
        let envp = pointers(&environment);
        let (gate_read, gate_write) = pipe()?;
        let (failure_read, failure_write) = pipe()?;

        // SAFETY: this process has one thread (asserted by the caller), so the child may go on after
        // the fork; it only calls read, dup2, execve, write and _exit.
        let forked = unsafe { libc::fork() };
        match forked {
            -1 => Err(io::Error::last_os_error()).context("cannot start a process"),
            0 => {
                drop((gate_write, failure_read));
                // SAFETY: all pointers are to memory made before the fork.
                unsafe {
                    become_command(&gate_read, &failure_write, streams, &program, &argv, &envp)
                }
            }
            pid => Ok(Self {
                pid: rustix::process::Pid::from_raw(pid).context("fork returned no pid")?,
                name: name.to_owned(),
                path,
                gate: Some(gate_write.into()),
                failure: failure_read.into(),
            }),
        }
    }

    #[must_use]
    pub(crate) fn pid(&self) -> Pid {
        Pid(self.pid.as_raw_nonzero().get() as u32)
    }

    /// The program that it will become.
    #[must_use]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Lets it go.
    ///
    /// # Errors
    /// The kernel refused to run it.
    pub(crate) fn release(mut self) -> Result<Running> {
        let mut gate = self.gate.take().context("already released")?;
        gate.write_all(&[1])
            .context("the command ended before it began")?;
        drop(gate);
        let mut errno = [0; 4];
        if self.failure.read_exact(&mut errno).is_ok() {
            let _ = waitpid(Some(self.pid), WaitOptions::empty());
            let error = io::Error::from_raw_os_error(i32::from_ne_bytes(errno));
            return Err(CannotRun::new(&self.name, &error).into());
        }
        Ok(Running {
            pid: self.pid,
            ended: None,
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Still held (a failure on our side): it sees the closed gate and ends itself.
        if self.gate.take().is_some() {
            let _ = waitpid(Some(self.pid), WaitOptions::empty());
        }
    }
}

impl Running {
    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.wait_with(WaitOptions::NOHANG)
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.wait_with(WaitOptions::empty())? {
                return Ok(status);
            }
        }
    }

    fn wait_with(&mut self, options: WaitOptions) -> Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = match waitpid(Some(self.pid), options) {
                Ok(found) => found.map(|(_, status)| ExitStatus::from_raw(status.as_raw())),
                Err(rustix::io::Errno::INTR) => None,
                Err(error) => return Err(error).context("cannot wait for the command"),
            };
        }
        Ok(self.ended)
    }

    /// Sends it a signal, if it is still there.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.ended.is_none() {
            let _ = kill_process(self.pid, signal);
        }
    }
}

/// The child's part, between fork and exec.
///
/// # Safety
/// Only after a fork; the vectors end in null.
unsafe fn become_command(
    gate: &OwnedFd,
    failure: &OwnedFd,
    streams: &Streams,
    program: &CString,
    argv: &[*const libc::c_char],
    envp: &[*const libc::c_char],
) -> ! {
    let mut byte = [0u8; 1];
    if rustix::io::read(gate, &mut byte) != Ok(1) {
        // SAFETY: ends this process at once.
        unsafe { libc::_exit(127) };
    }
    let streams = [&streams.input, &streams.output, &streams.error];
    for (stream, number) in streams.into_iter().zip(0..) {
        if let Some(stream) = stream {
            // SAFETY: both are open, or it fails; dup2 is async-signal-safe.
            unsafe { libc::dup2(stream.as_raw_fd(), number) };
        }
    }
    // SAFETY: by this function's contract. Rust ignores SIGPIPE in this process; the command shall
    // find it as usual.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        libc::execve(program.as_ptr(), argv.as_ptr(), envp.as_ptr());
    }
    let errno = io::Error::last_os_error().raw_os_error().unwrap_or(0);
    let _ = rustix::io::write(failure, &errno.to_ne_bytes());
    // SAFETY: as above.
    unsafe { libc::_exit(127) }
}

fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context("cannot make a pipe")
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings
        .iter()
        .map(|string| string.as_ptr())
        .chain([std::ptr::null()])
        .collect()
}

fn c_string(string: &OsStr) -> Result<CString> {
    CString::new(string.as_bytes()).context("an argument contains a NUL byte")
}

fn environment(added: &[(OsString, OsString)]) -> Result<Vec<CString>> {
    std::env::vars_os()
        .filter(|(name, _)| !added.iter().any(|(other, _)| other == name))
        .chain(added.iter().cloned())
        .map(|(mut entry, value)| {
            entry.push("=");
            entry.push(value);
            c_string(&entry)
        })
        .collect()
}

fn name(command: &[OsString]) -> Result<&OsStr> {
    match command.first() {
        Some(name) => Ok(name),
        None => bail!("there is no command to run: put it after --, as in `tracer run -- ls`"),
    }
}

/// Finds a command as a shell does.
fn find(name: &OsStr) -> Result<PathBuf> {
    if name.as_bytes().contains(&b'/') {
        let path = PathBuf::from(name);
        return match runnable(&path) {
            Ok(()) => Ok(path),
            Err(error) => Err(CannotRun::new(name, &error).into()),
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut refused = CannotRun {
        name: name.to_string_lossy().into_owned(),
        why: "there is no such command on PATH".into(),
        is_missing: true,
    };
    for candidate in std::env::split_paths(&path).map(|folder| folder.join(name)) {
        match runnable(&candidate) {
            Ok(()) => return Ok(candidate),
            Err(error) => {
                let found = CannotRun::new(candidate.as_os_str(), &error);
                if refused.is_missing && !found.is_missing {
                    refused = found;
                }
            }
        }
    }
    Err(refused.into())
}

fn runnable(path: &Path) -> io::Result<()> {
    if std::fs::metadata(path)?.is_dir() {
        return Err(io::Error::other("it is a folder"));
    }
    rustix::fs::access(path.as_os_str(), rustix::fs::Access::EXEC_OK)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn a_command_that_does_not_exist_is_named() {
        let error = Held::start(&words(&["no-such-command-here"]), &[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot run no-such-command-here: there is no such command on PATH"
        );
    }

    #[test]
    fn a_file_that_is_not_executable_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Held::start(&[file.path().into()], &[]).unwrap_err();
        assert!(error.to_string().contains("Permission denied"), "{error}");
    }

    #[test]
    fn the_exit_code_of_a_released_command_comes_back() {
        let held = Held::start(
            &words(&["sh", "-c", "exit $CODE"]),
            &[("CODE".into(), "7".into())],
        );
        let mut running = held.unwrap().release().unwrap();
        assert_eq!(running.wait().unwrap().code(), Some(7));
        assert_eq!(running.ended().unwrap().and_then(|s| s.code()), Some(7));
    }

    #[test]
    fn a_file_of_no_known_format_is_told_at_release() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("garbage");
        std::fs::write(&path, [0x7f, 1, 2, 3]).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        let error = Held::start(&[path.into()], &[]).unwrap().release();
        assert!(error.unwrap_err().to_string().contains("Exec format error"));
    }

    #[test]
    fn a_held_command_never_runs_if_it_is_not_released() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark");
        let command = [OsString::from("touch"), mark.clone().into()];
        drop(Held::start(&command, &[]).unwrap());
        assert!(!mark.exists());
    }

    #[test]
    fn the_pipes_do_not_leak_into_the_command() {
        let held = Held::start(&words(&["sleep", "100"]), &[]).unwrap();
        let gate = held.gate.as_ref().unwrap().as_fd();
        let flags = rustix::io::fcntl_getfd(gate).unwrap();
        assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
    }
}
