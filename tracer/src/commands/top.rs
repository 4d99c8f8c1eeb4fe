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
    trace::{plan, selected},
};
use crate::session::files::patterns_with;
use crate::{
    capture::command::{Held, Streams},
    capture::host,
    capture::privileges,
    cli::{self, Top},
    session::live::trace,
    session::plan::{Plan, Target},
    settings::{self, Screen},
    top::{
        feed::{Feed, Feeder},
        rows::{Column, Order},
        run::{self, Running, View},
        screen::{self, Stream},
        state::State,
    },
};
use tracer_analysis::patterns::Patterns;
use tracer_recording::Kept;
use tracer_report::redact;

/// How long a view that was asked to end may take: its terminal may take nothing any more.
const LEAVE: Duration = Duration::from_secs(2);

/// Shows what is traced until the view is left, then prints the report of all of it.
pub fn top(options: &Top, quiet: bool) -> Result<u8> {
    let is_command = !options.command.is_empty();
    let stream = Stream::find(is_command)?;
    let patterns = patterns_with(&options.output.patterns)?;
    let stop = Arc::new(Notify::new());
    let is_recorded = options.tracing.tracing.recording.is_some();
    let kept =
        (options.keep_recording > 0 && !is_recorded).then(|| Kept::new(options.keep_recording));
    let plan = Plan {
        kept: kept.clone(),
        stop: Some(stop.clone()),
        ..planned(options, patterns, stream)?
    };
    let files = output::Files::create(&options.output, screen_of_report(is_command))?;
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
            let started = run::start(shown(
                options,
                stream,
                kept.clone(),
                feed.clone(),
                stop.clone(),
            ));
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
        let report = output::shown(&report, &options.output, &mut redacted);
        files.write(report, &options.output, &work)?;
    } else {
        let screen = screen_of_report(is_command);
        output::give(&report, &options.output, files, screen, work)?;
    }
    outcome.recording?;
    Ok(0)
}

/// A command has standard output for itself.
fn screen_of_report(is_command: bool) -> Screen {
    if is_command {
        Screen::Stderr
    } else {
        Screen::Stdout
    }
}

fn planned(options: &Top, patterns: Patterns, stream: Stream) -> Result<Plan> {
    let target = if options.command.is_empty() {
        Target::Processes(selected(&options.who)?)
    } else {
        privileges::check()?;
        let environment = settings::environment(&options.tracing);
        let streams = streams(options, stream)?;
        Target::Command(Held::start_with(&options.command, &environment, &streams)?)
    };
    plan(target, &options.tracing.tracing, &options.output, patterns)
}

/// What of the command's goes to the terminal would run through the view: it goes to the file, or nowhere.
fn streams(options: &Top, stream: Stream) -> Result<Streams> {
    let output = match &options.output_of_command {
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
        output: if stream == Stream::Stdout {
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

fn shown(options: &Top, stream: Stream, kept: Option<Kept>, feed: Feed, stop: Arc<Notify>) -> View {
    let screen = match stream {
        Stream::Stdout => Screen::Stdout,
        Stream::Stderr => Screen::Stderr,
    };
    let selection = settings::selection(&options.output);
    let value = options.output.value;
    let mut state = State::new(
        options.history,
        Order {
            by: selection.by,
            column: column(options.output.sort),
            ..Order::default()
        },
    );
    if !options.command.is_empty() {
        state.output = Some(match &options.output_of_command {
            Some(path) => format!("the command's output: {}", path.display()),
            None => {
                "the command's output is thrown away (--output-of-command FILE keeps it)".into()
            }
        });
    }
    let redact = options.output.redact;
    View {
        feed,
        stream,
        color: screen.color(options.output.look.color),
        state,
        save: Box::new(move |report, path| {
            if path.extension().is_some_and(|ending| ending == "vmt") {
                return save_recording(kept.as_ref(), path, redact);
            }
            let file = settings::report_file(path)?;
            let mut redacted = None;
            let report = if redact {
                let report = redacted.insert(report.clone());
                redact::report(report);
                report
            } else {
                report
            };
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
    let saved = kept.save(path, |until| host::ended(until, 0))?;
    Ok(if saved.is_full {
        ", not to the end: more has come than --keep-recording keeps".into()
    } else {
        String::new()
    })
}

fn column(sort: cli::Sort) -> Column {
    match sort {
        cli::Sort::Reserved => Column::Reserved,
        cli::Sort::Touched => Column::Touched,
        cli::Sort::Resident => Column::Resident,
        cli::Sort::Calls => Column::Calls,
        cli::Sort::Age => Column::Since,
    }
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
