//! The programs attached, each to its tracepoint. Nobody traces without one that every kernel has: what is not seen would
//! look like what did not happen.

use std::{fmt, io};

use anyhow::{Context as _, Result, anyhow, bail};
use aya::{
    programs::{ProgramError, RawTracePoint, TracePoint},
    sys::SyscallError,
};
use tracer_common::{
    kind::{CALLS, TracedCall},
    settings::FaultMode,
};

use super::{
    programs::Programs,
    tracepoints::{BESIDE, FAULTS, RAW, WHERE_THERE, may_be_left_out, number_of, syscall_event},
};

/// What to do about a tracefs that cannot be read.
pub(crate) const READ_TRACEFS: &str = "this process may not read tracefs (/sys/kernel/tracing), which tells the numbers of \
     system call tracepoints: run tracer as root, give it CAP_DAC_READ_SEARCH as well, or let a group of its user read \
     tracefs (mount -o remount,gid=GROUP,mode=750 /sys/kernel/tracing)";

/// A program and what it is attached to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hook {
    /// The return of a system call.
    Call(&'static TracedCall),
    /// What a system call tells besides; a kernel may lack it.
    Beside {
        program: &'static str,
        event: &'static str,
    },
    /// A raw tracepoint.
    Raw {
        program: &'static str,
        event: &'static str,
        /// Every kernel that can be traced has it.
        needed: bool,
    },
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(call) => write!(f, "syscalls:{}", syscall_event(call)),
            Self::Beside { event, .. } => write!(f, "syscalls:{event}"),
            Self::Raw { event, .. } => f.write_str(event),
        }
    }
}

/// What became of attaching a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attached {
    /// It runs.
    Yes,
    /// This kernel does not have what it would tell of.
    Absent,
}

impl Programs {
    /// Attaches all programs: from now on what the selected processes do is captured.
    ///
    /// # Errors
    /// One that is needed cannot be attached: which, and why.
    pub fn attach(&mut self, faults: FaultMode) -> Result<()> {
        for hook in self.hooks(faults) {
            if self.attach_one(hook)? == Attached::Absent {
                log::info!("this kernel has no {hook}: it is not traced");
            }
        }
        self.watch_what_is_left_out();
        Ok(())
    }

    /// Every program in the order in which they are attached: the lock's after the calls' own, so that every turn is used
    /// up by the end of its call.
    pub(crate) fn hooks(&self, faults: FaultMode) -> Vec<Hook> {
        let raw = |needed: bool| {
            move |&(program, event): &(&'static str, &'static str)| Hook::Raw {
                program,
                event,
                needed,
            }
        };
        let faults = FAULTS.iter().filter(|_| faults != FaultMode::Off);
        let needed = RAW.iter().chain(faults).chain([&self.lock]).map(raw(true));
        CALLS
            .iter()
            .map(Hook::Call)
            .chain(
                BESIDE
                    .iter()
                    .map(|&(program, event)| Hook::Beside { program, event }),
            )
            .chain(needed)
            .chain(WHERE_THERE.iter().map(raw(false)))
            .collect()
    }

    /// Attaches one program.
    ///
    /// # Errors
    /// It is needed, or the kernel has what it is to be attached to, and it cannot be attached.
    pub(crate) fn attach_one(&mut self, hook: Hook) -> Result<Attached> {
        match hook {
            Hook::Call(call) => {
                self.attach_to_call(call.program, &syscall_event(call), may_be_left_out(call))
            }
            Hook::Beside { program, event } => self.attach_to_call(program, event, true),
            Hook::Raw {
                program,
                event,
                needed,
            } => self.attach_raw(program, event, needed),
        }
        .with_context(|| format!("cannot attach to {hook}"))
    }

    fn attach_to_call(
        &mut self,
        name: &str,
        event: &str,
        may_be_left_out: bool,
    ) -> Result<Attached> {
        let program: &mut TracePoint = self.program(name)?;
        // One program serves several events, but can be loaded only once.
        if program.fd().is_err() {
            program.load().with_context(|| verifier(name))?;
        }
        match number_of(event) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if may_be_left_out && number_of("sys_exit_mmap").is_ok() {
                    return Ok(Attached::Absent);
                }
                bail!(
                    "this kernel has no such tracepoint, or tracefs is not mounted: without it not all calls would be \
                     seen (it needs CONFIG_FTRACE_SYSCALLS=y, and: mount -t tracefs tracefs /sys/kernel/tracing)"
                );
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => bail!(READ_TRACEFS),
            Err(error) => return Err(anyhow!(error).context("cannot read tracefs")),
        }
        program.attach("syscalls", event)?;
        Ok(Attached::Yes)
    }

    fn attach_raw(&mut self, name: &str, event: &str, needed: bool) -> Result<Attached> {
        let program: &mut RawTracePoint = self.program(name)?;
        program.load().with_context(|| verifier(name))?;
        match program.attach(event) {
            Ok(_) => Ok(Attached::Yes),
            Err(error) if !needed && is_absent(&error) => Ok(Attached::Absent),
            Err(error) => Err(error.into()),
        }
    }
}

fn verifier(program: &str) -> String {
    format!("the kernel's verifier refused the program {program}")
}

/// `ENOENT`: no tracepoint has this name (`bpf_raw_tp_link_attach` in kernel/bpf/syscall.c).
fn is_absent(error: &ProgramError) -> bool {
    matches!(
        error,
        ProgramError::SyscallError(SyscallError { io_error, .. })
            if io_error.kind() == io::ErrorKind::NotFound
    )
}
