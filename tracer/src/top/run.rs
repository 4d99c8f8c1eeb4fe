//! The view's thread: keys and news in, frames out, at most ten a second.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use rustix::{process::setpriority_process, time::ClockId};
use signal_hook::{
    consts::{SIGCONT, SIGQUIT, SIGTSTP},
    flag,
    low_level::emulate_default_handler,
};
use tokio::sync::oneshot;

use super::{
    feed::Feed,
    held_log,
    screen::TakenScreen,
    state::{Action, State},
};
use crate::settings::Stream;
use tracer_analysis::summary::Report;

/// Between two frames, at the least.
const FRAME: Duration = Duration::from_millis(100);

/// Writes a report to a file of that name, or the recording; returns what is to be said of it.
pub type Save = dyn Fn(&Report, &Path) -> Result<String> + Send;

/// What the view needs of the world.
pub struct View {
    /// Where news come from.
    pub feed: Feed,
    /// What is drawn on.
    pub stream: Stream,
    /// Colours are allowed.
    pub color: bool,
    /// What is shown at first.
    pub state: State,
    /// Writes what is shown.
    pub save: Box<Save>,
    /// Called when the view has ended.
    pub ended: Box<dyn Fn() + Send>,
}

/// The view, in its thread.
pub struct Running {
    thread: JoinHandle<Result<()>>,
    /// Resolves when it has ended.
    pub done: oneshot::Receiver<()>,
}

impl Running {
    /// Waits for its end.
    ///
    /// # Errors
    /// Why it has ended before it was asked to.
    pub fn join(self) -> Result<()> {
        self.thread
            .join()
            .unwrap_or_else(|_| Err(anyhow::anyhow!("the view failed")))
    }
}

/// Starts it.
///
/// # Errors
/// There can be no thread.
pub fn start(view: View) -> Result<Running> {
    let (tell, done) = oneshot::channel();
    let thread = thread::Builder::new()
        .name("view".into())
        .spawn(move || {
            // The collector goes before it, and has made itself more important.
            let _ = setpriority_process(None, 0);
            let ended = Ended(Some(tell), view.ended);
            let shown = show(&view.feed, view.stream, view.color, view.state, &view.save);
            drop(ended);
            shown
        })
        .context("cannot start a thread")?;
    Ok(Running { thread, done })
}

/// Tells it, also if the view panics.
struct Ended(Option<oneshot::Sender<()>>, Box<dyn Fn() + Send>);

impl Drop for Ended {
    fn drop(&mut self) {
        if let Some(tell) = self.0.take() {
            let _ = tell.send(());
        }
        (self.1)();
    }
}

/// What frames have cost.
#[derive(Default)]
struct FrameTimes {
    count: u64,
    late: u64,
    longest: Duration,
}

fn show(feed: &Feed, stream: Stream, color: bool, mut state: State, save: &Save) -> Result<()> {
    let (stop, go_on) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
    flag::register(SIGTSTP, stop.clone()).context("cannot listen for signals")?;
    flag::register(SIGCONT, go_on.clone()).context("cannot listen for signals")?;
    let quit = Quit::listen()?;
    let mut screen = TakenScreen::take(stream)?;
    let began = Instant::now();
    let mut frames = FrameTimes::default();
    let mut due = Instant::now();
    let mut came = Instant::now();
    let mut changed = true;
    while screen.is_taken() {
        let mut wait = if changed {
            due.saturating_duration_since(Instant::now())
        } else {
            FRAME
        };
        while event::poll(wait).context("cannot read keys")? {
            wait = Duration::ZERO;
            changed = true;
            let action = match event::read().context("cannot read keys")? {
                Event::Key(key) if key.kind != KeyEventKind::Release => state.key(key),
                _ => None,
            };
            match action {
                Some(Action::Quit) => return end(screen, &frames, began),
                Some(Action::Save(path)) => {
                    let saved = state.moment().map(|moment| save(&moment.report, &path));
                    state.message = Some(match saved {
                        Some(Ok(but)) => format!("written: {}{but}", path.display()),
                        Some(Err(error)) => format!("{error:#}"),
                        None => "nothing to write yet".into(),
                    });
                }
                Some(Action::Suspend) => stop.store(true, Ordering::SeqCst),
                Some(Action::Abort) => quit.asked.store(true, Ordering::SeqCst),
                Some(Action::Redraw) => screen.clear()?,
                None => {}
            }
        }
        if quit.asked.load(Ordering::SeqCst) {
            drop(screen);
            return emulate_default_handler(SIGQUIT).context("cannot end as by SIGQUIT");
        }
        if stop.swap(false, Ordering::SeqCst) {
            screen.suspend()?;
            go_on.store(false, Ordering::SeqCst);
            changed = true;
        } else if go_on.swap(false, Ordering::SeqCst) {
            screen.resume()?;
            changed = true;
        }
        let news = feed.take();
        if news.quit {
            return end(screen, &frames, began);
        }
        changed |= news.now.is_some();
        state.now = news.now.or(state.now.take());
        changed |= state.over != news.over;
        state.over = news.over;
        if let Some(report) = news.snapshot {
            came = Instant::now();
            state.take(report);
            changed = true;
        }
        if let Some(warning) = held_log::warning() {
            state.message = Some(warning);
            changed = true;
        }
        state.age = came.elapsed();
        if changed && Instant::now() >= due {
            changed = false;
            let took = screen
                .draw(&state, color)
                .context("cannot write to the terminal")?;
            state.behind = took > FRAME;
            frames.count += 1;
            frames.late += u64::from(state.behind);
            frames.longest = frames.longest.max(took);
            // A terminal that is slow gets half of its time to be read in.
            due = Instant::now() + FRAME.saturating_sub(took).max(took);
        }
    }
    Ok(())
}

/// SIGQUIT, which ends a process where it stands: here after the terminal is as it was. Another one acts at once, and so
/// does the first when the view has ended.
struct Quit {
    asked: Arc<AtomicBool>,
}

impl Quit {
    fn listen() -> Result<Self> {
        let asked = Arc::<AtomicBool>::default();
        flag::register_conditional_default(SIGQUIT, asked.clone())
            .and_then(|_| flag::register(SIGQUIT, asked.clone()))
            .context("cannot listen for signals")?;
        Ok(Self { asked })
    }
}

impl Drop for Quit {
    fn drop(&mut self) {
        self.asked.store(true, Ordering::SeqCst);
    }
}

fn end(screen: TakenScreen, frames: &FrameTimes, began: Instant) -> Result<()> {
    drop(screen);
    let cpu = rustix::time::clock_gettime(ClockId::ThreadCPUTime);
    let cpu = cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9;
    let lasted = began.elapsed().as_secs_f64();
    // `cargo xtask bench` reads this line.
    log::info!(
        "the view: {} frames in {lasted:.1} s, {} of them late, the longest {:.1} ms; {:.2} % of a core",
        frames.count,
        frames.late,
        frames.longest.as_secs_f64() * 1e3,
        100.0 * cpu / lasted.max(0.001)
    );
    Ok(())
}
