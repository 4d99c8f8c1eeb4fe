//! The programs attached, each to its tracepoint. Nobody traces without one that every kernel has: what is not seen would
//! look like what did not happen.

use std::{fmt, io};

use anyhow::{Context as _, Result, anyhow, bail};
use aya::{
    programs::{ProgramError, RawTracePoint, TracePoint},
    sys::SyscallError,
};
use tracer_common::{kind::CALLS, settings::FaultMode};

use super::{
    programs::Programs,
    tracepoints::{BESIDE, FAULTS, RAW, WHERE_THERE, may_be_left_out, number_of, syscall_event},
};

/// What to do about a tracefs that cannot be read.
pub(crate) const READ_TRACEFS: &str = "this process may not read tracefs (/sys/kernel/tracing), which tells the numbers of \
     system call tracepoints: run tracer as root, give it CAP_DAC_READ_SEARCH as well, or let a group of its user read \
     tracefs (mount -o remount,gid=GROUP,mode=750 /sys/kernel/tracing)";

/// A program and what it is attached to.
#[derive(Clone, Debug)]
pub(crate) struct Hook {
    program: &'static str,
    event: String,
    /// It is of the group `syscalls` of the classic tracepoints; else a raw one.
    of_calls: bool,
    /// Every kernel that can be traced has it.
    needed: bool,
}

impl Hook {
    fn raw(&(program, event): &(&'static str, &'static str), needed: bool) -> Self {
        Self {
            program,
            event: event.into(),
            of_calls: false,
            needed,
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = if self.of_calls { "syscalls:" } else { "" };
        write!(f, "{group}{}", self.event)
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
            if self.attach_one(&hook)? == Attached::Absent {
                log::info!("this kernel has no {hook}: it is not traced");
            }
        }
        self.watch_what_is_left_out();
        Ok(())
    }

    /// Every program in the order in which they are attached: the lock's after the calls' own, so that every turn is used
    /// up by the end of its call.
    pub(crate) fn hooks(&self, faults: FaultMode) -> Vec<Hook> {
        let calls = CALLS.iter().map(|call| Hook {
            program: call.program,
            event: syscall_event(call),
            of_calls: true,
            needed: !may_be_left_out(call),
        });
        let beside = BESIDE.iter().map(|&(program, event)| Hook {
            program,
            event: event.into(),
            of_calls: true,
            needed: false,
        });
        let faults = FAULTS.iter().filter(|_| faults != FaultMode::Off);
        let needed = RAW.iter().chain(faults).chain([&self.lock]);
        calls
            .chain(beside)
            .chain(needed.map(|one| Hook::raw(one, true)))
            .chain(WHERE_THERE.iter().map(|one| Hook::raw(one, false)))
            .collect()
    }

    /// Attaches one program.
    ///
    /// # Errors
    /// It is needed, or the kernel has what it is to be attached to, and it cannot be attached.
    pub(crate) fn attach_one(&mut self, hook: &Hook) -> Result<Attached> {
        let attached = if hook.of_calls {
            self.attach_to_call(hook)
        } else {
            self.attach_raw(hook)
        };
        attached.with_context(|| format!("cannot attach to {hook}"))
    }

    fn attach_to_call(&mut self, hook: &Hook) -> Result<Attached> {
        let program: &mut TracePoint = self.program(hook.program)?;
        // One program serves several events, but can be loaded only once.
        if program.fd().is_err() {
            program.load().with_context(|| verifier(hook.program))?;
        }
        match number_of(&hook.event) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Else tracefs is not there at all.
                if !hook.needed && number_of("sys_exit_mmap").is_ok() {
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
        program.attach("syscalls", &hook.event)?;
        Ok(Attached::Yes)
    }

    fn attach_raw(&mut self, hook: &Hook) -> Result<Attached> {
        let program: &mut RawTracePoint = self.program(hook.program)?;
        program.load().with_context(|| verifier(hook.program))?;
        match program.attach(&hook.event) {
            Ok(_) => Ok(Attached::Yes),
            Err(error) if !hook.needed && is_absent(&error) => Ok(Attached::Absent),
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
