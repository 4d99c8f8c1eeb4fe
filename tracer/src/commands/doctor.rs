//! `tracer doctor`: what this kernel and these privileges allow, each missing thing with its remedy.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, Write as _},
    path::Path,
};

use anyhow::{Context as _, Result};
use tracer_common::{kind::CALLS, settings::FaultMode};

use crate::capture::{
    hooks::{Attached, READ_TRACEFS},
    host, kernel_types, privileges, procfs,
    programs::{Options, Programs},
    tracepoints::{TRACEFS, number_of, syscall_event},
};

/// What became of one check.
enum Finding {
    Fine(String),
    /// Tracing works, but something will be missing from it.
    Lacking(String),
    /// Tracing cannot work.
    Fatal(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fine(what) => write!(f, "ok       {what}"),
            Self::Lacking(what) => write!(f, "lacking  {what}"),
            Self::Fatal(what) => write!(f, "MISSING  {what}"),
        }
    }
}

/// Checks everything; the exit code is 0 if this machine can be traced, else 2.
pub fn doctor() -> Result<u8> {
    let mut findings = vec![
        kernel(),
        capabilities(),
        pid_namespace(),
        types(),
        tracefs(),
    ];
    findings.extend(programs());
    findings.extend([pagemap(), binaries()]);
    let mut out = io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}").context("cannot write to standard output")?;
    }
    let fatal = findings
        .iter()
        .any(|finding| matches!(finding, Finding::Fatal(_)));
    let verdict = if fatal {
        "tracer cannot trace here: see what is MISSING"
    } else {
        "tracer can trace here"
    };
    writeln!(out, "\n{verdict}").context("cannot write to standard output")?;
    Ok(if fatal { 2 } else { 0 })
}

/// BPF ring buffers are of 5.8, `bpf_loop` and `bpf_find_vma` of 5.17, `mmap:exit_mmap` of 6.1.
fn kernel() -> Finding {
    let started = host::started(FaultMode::Off);
    let shown = format!("Linux {} on {}", started.kernel, started.arch);
    let mut numbers = started
        .kernel
        .split(|byte: char| !byte.is_ascii_digit())
        .map_while(|number| number.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if (major, minor) < (5, 17) => Finding::Fatal(format!(
            "{shown} is too old: the programs need bpf_loop (Linux 5.17); run a newer kernel"
        )),
        (Some(major), Some(minor)) if (major, minor) < (6, 1) => Finding::Lacking(format!(
            "{shown} does not tell what an ending process held (Linux 6.1): its last size is that \
             of its last call"
        )),
        _ => Finding::Fine(shown),
    }
}

fn capabilities() -> Finding {
    match privileges::missing() {
        Ok(missing) if missing.is_empty() => {
            Finding::Fine("privileges to load programs and to read other processes".to_owned())
        }
        Ok(missing) => Finding::Fatal(format!("{}: run tracer as root (sudo)", missing.join(", "))),
        Err(error) => Finding::Fatal(format!("{error:#}")),
    }
}

fn pid_namespace() -> Finding {
    if privileges::in_initial_pid_namespace() {
        Finding::Fine("process ids are the kernel's (initial PID namespace)".to_owned())
    } else {
        Finding::Fatal(
            "this is a PID namespace of its own, where process ids are not the kernel's: run on the \
             host, or the container with the host's (docker: --pid=host)"
                .to_owned(),
        )
    }
}

fn types() -> Finding {
    match kernel_types::running() {
        Ok(_) => Finding::Fine("the kernel's types (BTF) hold every field that is read, and the lock that orders the calls".to_owned()),
        Err(error) => Finding::Fatal(format!("{error:#}")),
    }
}

fn tracefs() -> Finding {
    // Of the calls every kernel has the first.
    let event = CALLS.first().map(syscall_event).unwrap_or_default();
    match number_of(&event) {
        Ok(_) => Finding::Fine("system call tracepoints (tracefs)".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Finding::Fatal(READ_TRACEFS.to_owned())
        }
        Err(_) if !Path::new(TRACEFS).exists() => Finding::Fatal(
            "no tracefs: the kernel needs CONFIG_FTRACE_SYSCALLS=y (every distribution's has it)"
                .to_owned(),
        ),
        Err(_) => Finding::Lacking(
            "tracefs is not mounted: tracing mounts it, or do it yourself: \
             mount -t tracefs tracefs /sys/kernel/tracing"
                .to_owned(),
        ),
    }
}

/// The proof of everything above: the programs, loaded, and attached one by one.
fn programs() -> Vec<Finding> {
    let loaded = Programs::load(Options {
        ring_bytes: 64 << 10,
        ..Options::default()
    });
    let mut programs = match loaded {
        Ok(programs) => programs,
        Err(error) => return vec![Finding::Fatal(format!("{error:#}"))],
    };
    let hooks = programs.hooks(FaultMode::Each);
    let number = hooks.len();
    let mut findings = Vec::new();
    // Most fail together, for one reason.
    let mut failed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for hook in hooks {
        match programs.attach_one(hook) {
            Ok(Attached::Yes) => {}
            Ok(Attached::Absent) => findings.push(Finding::Lacking(format!(
                "this kernel has no {hook}: it is not traced"
            ))),
            Err(error) => failed
                .entry(
                    error
                        .chain()
                        .skip(1)
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join(": "),
                )
                .or_default()
                .push(hook.to_string()),
        }
    }
    let failed = failed.into_iter().map(|(why, hooks)| {
        let hooks = hooks.join(", ");
        Finding::Fatal(format!("cannot attach to {hooks}: {why}"))
    });
    findings.extend(failed);
    if findings.is_empty() {
        findings.push(Finding::Fine(format!(
            "the eBPF programs load, and attach to all of {number} tracepoints"
        )));
    }
    findings
}

fn pagemap() -> Finding {
    if procfs::has_scan() {
        Finding::Fine("what is resident is found by PAGEMAP_SCAN".to_owned())
    } else {
        Finding::Lacking(
            "no PAGEMAP_SCAN (Linux 6.7): what is resident is read page by page, more slowly; the \
             shared page of zeros counts, what lies behind a protection of NONE does not"
                .to_owned(),
        )
    }
}

fn binaries() -> Finding {
    match std::fs::read_dir("/proc/self/map_files").map(|mut files| files.next()) {
        Ok(_) => Finding::Fine(
            "binaries of other processes, also deleted and in containers (map_files)".to_owned(),
        ),
        Err(error) => Finding::Lacking(format!(
            "/proc/PID/map_files cannot be read ({error}): functions in deleted files have no names"
        )),
    }
}
