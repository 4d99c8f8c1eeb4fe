//! `tracer top`.

use std::{
    fs::{File, OpenOptions},
    io::IsTerminal as _,
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::Notify,
    time::timeout,
};

use super::{
    output,
    progress::Work,
    trace::{plan, recorded, selected},
};
use crate::session::files::patterns_with;
use crate::{
    capture::command::{Held, Streams},
    capture::host,
    capture::privileges,
    session::live::trace,
    session::plan::{Plan, Target},
    settings::{Output, ReportFile, Stream, Top, TopTarget},
    top::{
        feed::{Feed, Feeder},
        rows::Order,
        run::{self, Running, View},
        screen,
        state::State,
    },
};
use tracer_recording::Kept;

/// How long a view that was asked to end may take: its terminal may take nothing any more.
const LEAVE: Duration = Duration::from_secs(2);

/// Shows what is traced until the view is left, then prints the report of all of it.
pub fn top(wanted: &Top, quiet: bool) -> Result<u8> {
    let patterns = patterns_with(&wanted.patterns)?;
    let stop = Arc::new(Notify::new());
    let is_recorded = wanted.tracing.recording.is_some();
    let kept = (wanted.keep_recording_bytes > 0 && !is_recorded)
        .then(|| Kept::new(wanted.keep_recording_bytes));
    let target = target(&wanted.target, wanted.view.stream)?;
    let plan = Plan {
        kept: kept.clone(),
        stop: Some(stop.clone()),
        ..plan(target, &wanted.tracing, wanted.window, patterns)
    };
    let files = output::Files::create(&wanted.output)?;
    let feed = Feed::default();
    let mut feeder = Feeder::new(feed.clone());
    let mut view: Option<Result<Running>> = None;
    if !quiet {
        eprintln!("tracer: attaching; the view comes when everything is attached");
    }
    // The view's thread begins when all is attached: until then what fails is said on the usual screen, and
    // a command is made by a process of one thread.
    let traced = trace(plan, |book, elapsed| {
        view.get_or_insert_with(|| {
            let started = run::start(shown(wanted, kept.clone(), feed.clone(), stop.clone()));
            if started.is_err() {
                stop.notify_one();
            }
            started
        });
        feeder.look(book, elapsed);
    });
    let view = view.transpose()?;
    let outcome = match traced {
        Ok(outcome) => outcome,
        Err(error) => {
            left(view, &feed)?;
            return Err(error);
        }
    };
    let report = Arc::new(outcome.report);
    feed.end(report.clone());
    let programs = outcome.programs;
    if let Some(view) = view {
        if outcome.interrupted {
            left(Some(view), &feed)?;
        } else {
            // It may be looked at for long.
            drop(programs);
            wait(view, &feed)?;
        }
    }
    let cost = feeder.snapshots;
    log::info!(
        "snapshots: {}, {:.1} ms each, the longest {:.1} ms",
        cost.count,
        cost.took.as_secs_f64() * 1e3 / cost.count.max(1) as f64,
        cost.longest.as_secs_f64() * 1e3
    );
    let work = Work::new(!quiet);
    if quiet {
        let mut redacted = None;
        let report = output::shown(&report, wanted.output.redact, &mut redacted);
        files.write(report, &work)?;
    } else {
        files.give(&report, work)?;
    }
    outcome.recording?;
    recorded(&wanted.tracing, !quiet);
    Ok(0)
}

fn target(wanted: &TopTarget, view: Stream) -> Result<Target> {
    match wanted {
        TopTarget::Processes(wanted) => Ok(Target::Processes(selected(wanted)?)),
        TopTarget::Command { program, output } => {
            privileges::check()?;
            let streams = streams(output.as_deref(), view)?;
            let held = Held::start_with(&program.command, &program.environment, &streams)?;
            Ok(Target::Command(held))
        }
    }
}

/// What of the command's goes to the terminal would run through the view: it goes to the file, or nowhere.
fn streams(output: Option<&Path>, view: Stream) -> Result<Streams> {
    let output = match output {
        Some(path) => {
            File::create(path).with_context(|| format!("cannot write {}", path.display()))?
        }
        None => nothing()?,
    };
    let copy = || output.try_clone().context("cannot open a file twice");
    Ok(Streams {
        // The keys are ours.
        input: if std::io::stdin().is_terminal() {
            Some(nothing()?.into())
        } else {
            None
        },
        output: if view == Stream::Stdout {
            Some(copy()?.into())
        } else {
            None
        },
        error: if std::io::stderr().is_terminal() {
            Some(copy()?.into())
        } else {
            None
        },
    })
}

fn nothing() -> Result<File> {
    let opened = OpenOptions::new().read(true).write(true).open("/dev/null");
    opened.context("cannot open /dev/null")
}

fn shown(wanted: &Top, kept: Option<Kept>, feed: Feed, stop: Arc<Notify>) -> View {
    let Output {
        selection,
        value,
        redact,
        ..
    } = wanted.output.clone();
    let mut state = State::new(
        wanted.history_bytes,
        Order {
            by: selection.by,
            column: selection.sort.into(),
            ..Order::default()
        },
    );
    if let TopTarget::Command { output, .. } = &wanted.target {
        state.output = Some(match output {
            Some(path) => format!("the command's output: {}", path.display()),
            None => {
                "the command's output is thrown away (--output-of-command FILE keeps it)".into()
            }
        });
    }
    View {
        feed,
        stream: wanted.view.stream,
        color: wanted.view.color,
        state,
        save: Box::new(move |report, path| {
            if path.extension().is_some_and(|ending| ending == "vmt") {
                return save_recording(kept.as_ref(), path, redact);
            }
            let file = ReportFile::new(path)?;
            let mut redacted = None;
            let report = output::shown(report, redact, &mut redacted);
            output::to_file(report, &file, &selection, value)?;
            Ok(String::new())
        }),
        ended: Box::new(move || stop.notify_one()),
    }
}

/// Writes the recording as it is kept in memory; returns what is to be said of it.
fn save_recording(kept: Option<&Kept>, path: &Path, redact: bool) -> Result<String> {
    ensure!(
        !redact,
        "a recording has everything in it: nothing of it is redacted; save a report"
    );
    let kept =
        kept.context("no recording is kept beside the one of -o (or by --keep-recording 0)")?;
    let saved = kept.save(path, privileges::asked_by(), |until| host::ended(until, 0))?;
    Ok(if saved.is_full {
        ", not to the end: more has come than --keep-recording keeps".into()
    } else {
        String::new()
    })
}

/// Waits until the view is left, or a signal asks for that.
fn wait(mut view: Running, feed: &Feed) -> Result<()> {
    let left_by_itself = runtime()?.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let left = tokio::select! {
            _ = &mut view.done => true,
            _ = interrupt.recv() => false,
            _ = terminate.recv() => false,
            _ = hangup.recv() => false,
        };
        std::io::Result::Ok(left)
    });
    if left_by_itself.context("cannot listen for signals")? {
        return view.join();
    }
    left(Some(view), feed)
}

/// Asks the view to end, and waits for that; but not for a terminal that takes nothing.
fn left(view: Option<Running>, feed: &Feed) -> Result<()> {
    let Some(mut view) = view else {
        return Ok(());
    };
    feed.quit();
    let in_time = runtime()?.block_on(async { timeout(LEAVE, &mut view.done).await.is_ok() });
    if in_time {
        return view.join();
    }
    screen::leave_silently();
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot wait for the view")
}
