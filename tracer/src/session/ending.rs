//! When a live trace ends: by a signal, when its time is over, or with its command.

use std::{process::ExitStatus, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use rustix::process::Signal as Kill;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::Notify,
    time::{Instant, sleep_until},
};

use crate::capture::command::Running;

/// How long a command may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);

pub(crate) struct Ending {
    /// The command, if this trace has one.
    pub(crate) command: Option<Running>,
    /// A signal asked for the end.
    pub(crate) interrupted: bool,
    deadline: Option<Instant>,
    stop: Arc<Notify>,
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    child: Signal,
}

impl Ending {
    /// Begins to listen: from now on a signal is a request to end, and to report, and so is `stop`.
    pub(crate) fn new(stop: Option<Arc<Notify>>) -> Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self {
            command: None,
            interrupted: false,
            deadline: None,
            stop: stop.unwrap_or_default(),
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
            child: listen(SignalKind::child())?,
        })
    }

    /// Tracing has begun.
    pub(crate) fn begin(&mut self, command: Option<Running>, duration: Option<Duration>) {
        self.command = command;
        self.deadline = duration.map(|duration| Instant::now() + duration);
    }

    /// Waits for something that may be the end; true if it is. Safe to be dropped and called again.
    pub(crate) async fn wait(&mut self) -> Result<bool> {
        if let Some(command) = &mut self.command
            && command.ended()?.is_some()
        {
            return Ok(true);
        }
        let deadline = self.deadline;
        tokio::select! {
            // From the terminal it goes to the command as well: its end is then ours.
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
            () = self.stop.notified() => return Ok(true),
            () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => return Ok(true),
            _ = self.child.recv() => return Ok(false),
        }
        self.interrupted = true;
        Ok(true)
    }

    /// Ends the command, if it has not ended by itself: what was started here is not left behind.
    pub(crate) async fn command_ended(mut self) -> Result<Option<ExitStatus>> {
        let Some(mut command) = self.command.take() else {
            return Ok(None);
        };
        command.signal(Kill::TERM);
        let limit = Instant::now() + GRACE;
        loop {
            if let Some(status) = command.ended()? {
                return Ok(Some(status));
            }
            tokio::select! {
                _ = self.child.recv() => {}
                () = sleep_until(limit) => {
                    command.signal(Kill::KILL);
                    return command.wait().map(Some);
                }
            }
        }
    }
}
