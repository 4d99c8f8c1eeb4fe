//! `tracer try`: the command as it is, then with each knob.
//!
//! Each run is traced by a process of its own: a trace gives up privileges when it has begun, and makes threads.

use std::{
    ffi::OsString,
    os::unix::process::ExitStatusExt as _,
    process::ExitStatus,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use serde::{Deserialize, Serialize};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
};

use super::{output::printed, trace};
use crate::{
    capture::{
        apart::Apart,
        command::{CannotRun, Held, Streams, check_there},
        privileges,
        started::Started,
    },
    session::files::patterns_with,
    settings::{Program, Try},
};
use tracer_analysis::{
    summary::{Remedy, Report},
    trial::{
        self, Offer, Turned,
        model::{Came, Ended, SCHEMA, Subject, Trial, Tried},
    },
    window::Window,
};
use tracer_report::text::page::Page;

/// Runs it, tries the knobs, says what came of them. Exit code 0: what was tried works as before and came as foretold;
/// 1: something did not; 2: nothing was tried, or not measured.
pub fn trial(wanted: &Try, show_progress: bool) -> Result<u8> {
    // What is wrong with the files and the command is said before anything runs.
    drop(patterns_with(&wanted.patterns)?);
    privileges::check()?;
    check_there(&wanted.command)?;
    let runs = Runs {
        wanted,
        show_progress,
        started: Started::begin()?,
        stop: stop()?,
    };
    let (report, ended) = runs.traced("as it is", &wanted.command, &[])?;
    let mut trial = Trial {
        schema: SCHEMA.into(),
        tracer_version: env!("CARGO_PKG_VERSION").into(),
        command: trial::shown(&wanted.command),
        duration_ns: wanted
            .tracing
            .duration
            .map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
        ..Trial::default()
    };
    let offers = match wanted.knobs.as_slice() {
        [] => trial::offers(&report),
        knobs => trial::chosen(&report, knobs),
    };
    let mut processes: Vec<(u64, Subject)> = Vec::new();
    for offer in &offers {
        let tried = runs.tried(offer, (&report, ended))?;
        let who = std::ptr::from_ref(offer.process).addr() as u64;
        let known = processes.iter().position(|(known, _)| *known == who);
        let at = known.unwrap_or_else(|| {
            processes.push((who, trial::subject(offer.process, &report, ended)));
            processes.len() - 1
        });
        processes[at].1.knobs.push(tried);
    }
    trial.processes = processes.into_iter().map(|(_, process)| process).collect();
    if trial.processes.is_empty() {
        let largest = trial::telling(&report).first().copied();
        trial.processes = largest
            .map(|process| trial::subject(process, &report, ended))
            .into_iter()
            .collect();
    }
    trial.came = trial::came(&trial.processes);
    trial.interrupted = runs.is_stopped();
    let page = Page {
        width: wanted.screen.width(),
        color: wanted.screen.color,
    };
    printed(wanted.screen.stream, |mut out| {
        (wanted.write)(&trial, &page, &mut out)
    })
    .context("cannot write what came of it")?;
    Ok(match trial.came {
        _ if trial.interrupted => 2,
        Came::AsForetold | Came::Worked => 0,
        Came::Off | Came::Failed => 1,
        Came::NotTried | Came::NotMeasured => 2,
    })
}

/// Set by a signal that asks for the end: a second one of the same kind ends this process as usual.
fn stop() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        flag::register(signal, stop.clone()).context("cannot listen for signals")?;
    }
    Ok(stop)
}

/// One run of the command after the other.
struct Runs<'a> {
    wanted: &'a Try,
    show_progress: bool,
    /// Dropped at last, which ends what is left.
    started: Started,
    stop: Arc<AtomicBool>,
}

/// What the process that traced says.
#[derive(Serialize, Deserialize)]
enum Answer {
    Traced {
        report: Box<Report>,
        /// As of wait(2).
        status: i32,
        interrupted: bool,
    },
    CannotRun(CannotRun),
    Failed(String),
}

impl Runs<'_> {
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Tries a knob, if that can be.
    fn tried(&self, offer: &Offer<'_>, as_it_is: (&Report, Ended)) -> Result<Tried> {
        let Remedy { knob, effect, .. } = &offer.remedy;
        let not = |why: String| Tried {
            knob: knob.clone(),
            effect: effect.clone(),
            not_tried: Some(why),
            ..Tried::default()
        };
        if self.is_stopped() {
            return Ok(not("the trial was ended before".into()));
        }
        let inherited = |name: &str| std::env::var_os(name);
        let turned = trial::turn(
            &offer.remedy,
            offer.process,
            &self.wanted.command,
            inherited,
        );
        let turned: Turned = match turned {
            Ok(turned) => turned,
            Err(why) => return Ok(not(why)),
        };
        let what = format!("with {}", turned.set);
        let (report, ended) = self.traced(&what, &turned.command, &turned.environment)?;
        if self.is_stopped() {
            return Ok(not("the trial was ended while it ran".into()));
        }
        Ok(trial::judge(offer, &turned, as_it_is, (&report, ended)))
    }

    /// Traces the command in a process of its own, and ends all that has come of it.
    fn traced(
        &self,
        what: &str,
        command: &[OsString],
        environment: &[(OsString, OsString)],
    ) -> Result<(Report, Ended)> {
        if self.show_progress {
            eprintln!("tracer: {what} …");
        }
        let program = Program {
            command: command.to_vec(),
            environment: environment.to_vec(),
        };
        let apart = Apart::start(|| {
            let answer = self.answer(&program);
            serde_json::to_vec(&answer).unwrap_or_default()
        })?;
        let answer = apart.answer(|| self.is_stopped());
        self.started.end()?;
        let answer = answer?;
        match serde_json::from_slice(&answer).context("cannot understand what the trace says")? {
            Answer::Traced {
                report,
                status,
                interrupted,
            } => {
                if interrupted {
                    self.stop.store(true, Ordering::Relaxed);
                }
                let status = ExitStatus::from_raw(status);
                let ended = ended(&report, status, self.wanted.tracing.duration);
                Ok((*report, ended))
            }
            Answer::CannotRun(error) => Err(error.into()),
            Answer::Failed(why) => bail!(why),
        }
    }

    fn answer(&self, program: &Program) -> Answer {
        match self.outcome(program) {
            Ok(answer) => answer,
            Err(error) => match error.downcast::<CannotRun>() {
                Ok(error) => Answer::CannotRun(error),
                Err(error) => Answer::Failed(format!("{error:#}")),
            },
        }
    }

    /// The trace itself.
    fn outcome(&self, program: &Program) -> Result<Answer> {
        let patterns = patterns_with(&self.wanted.patterns)?;
        let held = Held::start_with(&program.command, &program.environment, &streams()?)?;
        let how = (&self.wanted.tracing, Window::default());
        // The command's words go where a progress line would.
        let outcome = trace::held(held, how, patterns, false)?;
        let status = outcome.command.context("the command has no exit code")?;
        Ok(Answer::Traced {
            report: Box::new(outcome.report),
            status: status.into_raw(),
            interrupted: outcome.interrupted,
        })
    }
}

/// Nothing to read, so that every run reads the same; what it says does not run through the results.
fn streams() -> Result<Streams> {
    let nothing = std::fs::File::open("/dev/null").context("cannot open /dev/null")?;
    let error = rustix::io::fcntl_dupfd_cloexec(std::io::stderr(), 3)
        .map_err(|error| anyhow!("cannot open standard error twice: {error}"))?;
    Ok(Streams {
        input: Some(nothing.into()),
        output: Some(error),
        error: None,
    })
}

fn ended(report: &Report, status: ExitStatus, most: Option<Duration>) -> Ended {
    let is_over = |time: Duration| u128::from(report.duration_ns) >= time.as_nanos();
    match (status.code(), status.signal()) {
        _ if most.is_some_and(is_over) => Ended::AtItsTime,
        (Some(code), _) => Ended::Code(code),
        (None, signal) => Ended::Signal(signal.unwrap_or(0)),
    }
}
