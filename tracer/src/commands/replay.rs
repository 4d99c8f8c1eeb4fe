//! `tracer report`.

use std::io::Write as _;

use anyhow::{Context as _, Result, ensure};

use super::{output, progress::Work};
use crate::session::files::patterns_with;
use crate::{session::files::replay, settings::Report};
use tracer_analysis::units::moment;
use tracer_recording::End;
use tracer_report::json;

/// Prints a report from a recording. One that was cut off is reported as far as it goes, says so, and
/// fails.
pub fn report(wanted: Report, show_progress: bool) -> Result<u8> {
    let wanted = match wanted {
        Report::Schema => {
            std::io::stdout()
                .write_all(json::schema().as_bytes())
                .context("cannot write to standard output")?;
            return Ok(0);
        }
        Report::Of(wanted) => wanted,
    };
    let patterns = patterns_with(&wanted.patterns)?;
    let files = output::Files::create(&wanted.output)?;
    let (path, window) = (wanted.file.as_path(), wanted.window);
    let work = Work::new(show_progress);
    work.reading(&[path]);
    let (report, end) = replay(path, patterns, window, &|bytes| work.read(bytes))?;
    ensure!(
        window.from_ns <= report.duration_ns,
        "{} ends at {}, before the window begins: choose an earlier one",
        path.display(),
        moment(report.duration_ns)
    );
    files.give(&report, work)?;
    match end {
        End::Whole => Ok(0),
        cut @ End::Cut { .. } => {
            eprintln!("tracer: {}: {cut}", path.display());
            Ok(2)
        }
    }
}
