//! The terminal: taken whole, and left as it was, whatever happens.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal as _, Write},
    os::fd::{AsFd, OwnedFd},
    panic,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::{held_log, state::State, view};
use crate::settings::Stream;
use anyhow::{Context as _, Result, bail};
use ratatui::{
    Terminal,
    backend::CrosstermBackend,
    crossterm::{
        cursor, execute,
        terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
    },
};

/// Whether the terminal is taken; there is one.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The stream to draw on. `command`: standard output may be the command's.
///
/// # Errors
/// None is a terminal, or there are no keys to be read.
pub fn find(command: bool) -> Result<Stream> {
    let stream = if Stream::Stdout.is_terminal() {
        Stream::Stdout
    } else if command && Stream::Stderr.is_terminal() {
        Stream::Stderr
    } else {
        bail!(
            "tracer top draws on a terminal, and its output is none: use `tracer attach` (or `run`) for a \
             report to a file or pipe"
        );
    };
    // As crossterm looks for it.
    if !io::stdin().is_terminal() && File::open("/dev/tty").is_err() {
        bail!(
            "tracer top reads keys from a terminal, and there is none: use `tracer attach` (or `run`) for a \
             report without one"
        );
    }
    Ok(stream)
}

fn open(stream: Stream) -> io::Result<OwnedFd> {
    match stream {
        Stream::Stdout => io::stdout().as_fd().try_clone_to_owned(),
        Stream::Stderr => io::stderr().as_fd().try_clone_to_owned(),
    }
}

/// The terminal, taken.
pub struct TakenScreen {
    terminal: Terminal<CrosstermBackend<BufWriter<File>>>,
    stream: Stream,
}

impl TakenScreen {
    /// Takes the terminal. A panic of any thread gives it back before it says what happened.
    ///
    /// # Errors
    /// The terminal refuses.
    pub fn take(stream: Stream) -> Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let usual = panic::take_hook();
            panic::set_hook(Box::new(move |what| {
                leave(stream);
                usual(what);
            }));
        });
        let out = BufWriter::with_capacity(64 << 10, File::from(open(stream)?));
        let terminal =
            Terminal::new(CrosstermBackend::new(out)).context("cannot use the terminal")?;
        let mut screen = Self { terminal, stream };
        screen.enter()?;
        Ok(screen)
    }

    fn enter(&mut self) -> Result<()> {
        held_log::hold();
        TAKEN.store(true, Ordering::SeqCst);
        enable_raw_mode().context("cannot read single keys from the terminal")?;
        let out = self.terminal.backend_mut();
        execute!(out, EnterAlternateScreen, cursor::Hide)
            .context("cannot write to the terminal")?;
        self.clear()
    }

    /// Draws what has changed; how long that took.
    ///
    /// # Errors
    /// Nobody takes it.
    pub fn draw(&mut self, state: &State, color: bool) -> io::Result<Duration> {
        let began = Instant::now();
        if TAKEN.load(Ordering::SeqCst) {
            self.terminal.draw(|frame| {
                let area = frame.area();
                view::draw(state, color, area, frame.buffer_mut());
            })?;
        }
        Ok(began.elapsed())
    }

    /// Draws everything anew, the next time.
    ///
    /// # Errors
    /// Nobody takes it.
    pub fn clear(&mut self) -> Result<()> {
        // Not `Terminal::clear`: that asks the terminal where its cursor is, and waits for an answer among the
        // keys.
        let size = self.terminal.size();
        size.and_then(|size| self.terminal.resize(size.into()))
            .context("cannot write to the terminal")
    }

    /// Whether the terminal is still taken: not after a panic.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        TAKEN.load(Ordering::SeqCst)
    }

    /// Gives the terminal back, stops this process as job control does, and takes it again when it goes on.
    ///
    /// # Errors
    /// The terminal refuses.
    pub fn suspend(&mut self) -> Result<()> {
        leave(self.stream);
        // SAFETY: no memory is touched. To this thread, so that it goes no further: a signal to the process may
        // be taken by another thread first.
        unsafe { libc::raise(libc::SIGSTOP) };
        self.resume()
    }

    /// Takes the terminal again: the shell has used it meanwhile.
    ///
    /// # Errors
    /// The terminal refuses.
    pub fn resume(&mut self) -> Result<()> {
        // crossterm keeps the first modes it saw until they are given back.
        let _ = disable_raw_mode();
        self.enter()
    }
}

impl Drop for TakenScreen {
    fn drop(&mut self) {
        leave(self.stream);
    }
}

/// Gives the terminal back, if it is taken.
pub fn leave(stream: Stream) {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = open(stream).map(File::from).ok();
    if let Some(out) = &mut out {
        let mut bytes = Vec::new();
        let _ = execute!(bytes, LeaveAlternateScreen, cursor::Show);
        let _ = out.write_all(&bytes);
    }
    let _ = disable_raw_mode();
    held_log::release();
}

/// The same without a word to a terminal that takes none.
pub fn leave_silently() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = disable_raw_mode();
    }
}
