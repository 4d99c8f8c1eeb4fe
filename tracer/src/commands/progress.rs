//! The progress line on stderr: silent when that is no terminal.

use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    analysis::{Progress, units::bytes},
    report::text::line::escape,
};

/// A line that says how things stand.
pub struct Line {
    bar: ProgressBar,
}

impl Line {
    /// A line, or nothing if it is not wanted or nobody would see it.
    #[must_use]
    pub fn new(wanted: bool) -> Self {
        let target = if wanted {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        Self { bar }
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
        self.bar.set_message(format!(
            "{} {}{others} · {:.1} s · {} virtual · {} resident · {} events, {lost}",
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

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
