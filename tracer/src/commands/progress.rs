//! Progress lines on stderr: silent when that is no terminal.

use std::{
    path::Path,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use tracer_analysis::{Progress, shell::quoted, units::bytes};
use tracer_report::text::line::escape;

/// What takes less than this needs no line.
const SHORT: Duration = Duration::from_millis(500);
/// Between two looks of a line that nothing else moves.
const STEADY: Duration = Duration::from_millis(100);

/// A line for what takes its time without a trace: reading, comparing, writing. It appears only after
/// half a second.
pub struct Work {
    bar: ProgressBar,
    /// Dropped with this, which ends the wait for the line's appearance.
    _ends: Option<Sender<()>>,
}

impl Work {
    /// A line, or nothing if it is not wanted. Starts threads.
    #[must_use]
    pub fn new(wanted: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if !wanted {
            return Self { bar, _ends: None };
        }
        let (ends, ended) = mpsc::channel();
        let shown = bar.clone();
        // Without a thread there is no line, and all else goes on.
        let waiting = thread::Builder::new().name("progress".into());
        let _ = waiting.spawn(move || {
            if ended.recv_timeout(SHORT) == Err(RecvTimeoutError::Timeout) {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(STEADY);
            }
        });
        let _ends = Some(ends);
        Self { bar, _ends }
    }

    /// Nothing more is being done: the line goes.
    #[must_use]
    pub fn done(self) -> Said {
        Said(self._ends.is_some())
    }

    /// A file was written.
    pub fn wrote(&self, path: &Path) {
        self.bar.suspend(|| Said(self._ends.is_some()).wrote(path));
    }

    /// These files are being read, from their beginning on.
    pub fn reading(&self, files: &[&Path]) {
        let names: Vec<_> = files
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let sizes = files.iter().map(|path| {
            let about = path.metadata().ok().filter(std::fs::Metadata::is_file);
            about.map(|file| file.len())
        });
        // Of a pipe nobody knows how long it is.
        let whole: Option<u64> = sizes.sum();
        let style = match whole {
            Some(bytes) => {
                self.bar.set_length(bytes);
                "{spinner} {wide_msg} {binary_bytes}/{binary_total_bytes} {percent:>3} %"
            }
            None => "{spinner} {wide_msg} {binary_bytes}",
        };
        self.say(style, &format!("reading {}", names.join(" and ")));
    }

    /// So many bytes more were read.
    pub fn read(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// Something else is being done: `comparing`, `writing FILE`.
    pub fn doing(&self, what: &str) {
        self.say("{spinner} {wide_msg}", what);
    }

    fn say(&self, style: &str, what: &str) {
        if let Ok(style) = ProgressStyle::with_template(style) {
            self.bar.set_style(style);
        }
        self.bar.set_message(escape(what));
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// What is said on stderr when something is done, if that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Said(pub bool);

impl Said {
    /// A file was written: how large it is, and of a recording what reads it.
    pub fn wrote(self, path: &Path) {
        if !self.0 {
            return;
        }
        let shown = escape(&path.display().to_string());
        let size = path.metadata().map_or_else(
            |_| String::new(),
            |file| format!(" ({})", bytes(file.len())),
        );
        let next = match path.extension() {
            Some(ending) if ending == "vmt" => format!(": tracer report {}", quoted(&shown)),
            _ => String::new(),
        };
        eprintln!("tracer: wrote {shown}{size}{next}");
    }
}

/// A line that says how a trace stands.
pub struct ProgressLine {
    bar: ProgressBar,
    /// When the trace ends by itself.
    most: Option<Duration>,
}

impl ProgressLine {
    /// A line, or nothing if it is not wanted or nobody would see it.
    #[must_use]
    pub fn new(wanted: bool, most: Option<Duration>) -> Self {
        let target = if wanted {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        bar.set_message("attaching …");
        bar.tick();
        Self { bar, most }
    }

    /// Shows the present state.
    pub fn show(&self, progress: &Progress, elapsed: Duration) {
        if self.bar.is_hidden() {
            return;
        }
        let unknown = || "?".to_owned();
        let lost = match progress.lost {
            0 => "none lost".to_owned(),
            lost => format!("{} lost", HumanCount(lost)),
        };
        let others = match progress.processes {
            0 | 1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let most = self.most.map_or_else(String::new, |most| {
            format!(" of {}", humantime::format_duration(most))
        });
        self.bar.set_message(format!(
            "{} {}{others} · {:.1} s{most}, Ctrl-C ends it · {} virtual · {} resident · {} events, {lost}",
            escape(&progress.comm),
            progress.pid,
            elapsed.as_secs_f64(),
            progress.virtual_bytes.map_or_else(unknown, bytes),
            progress.resident_bytes.map_or_else(unknown, bytes),
            HumanCount(progress.events),
        ));
        self.bar.tick();
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
