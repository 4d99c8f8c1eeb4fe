//! `tracer report`.

use std::io::Write as _;

use anyhow::{Context as _, Result, ensure};

use super::{output, progress::Work};
use crate::session::files::patterns_with;
use crate::{cli::Report, session::files::replay, settings::Screen};
use tracer_analysis::units::moment;
use tracer_recording::End;
use tracer_report::json;

/// Prints a report from a recording. One that was cut off is reported as far as it goes, says so, and
/// fails.
pub fn report(options: &Report, show_progress: bool) -> Result<u8> {
    if options.schema {
        std::io::stdout()
            .write_all(json::schema().as_bytes())
            .context("cannot write to standard output")?;
        return Ok(0);
    }
    let path = options.file.as_deref().context("no recording was named")?;
    let patterns = patterns_with(&options.output.patterns)?;
    let files = output::Files::create(&options.output, Screen::Stdout)?;
    let window = options.window();
    let work = Work::new(show_progress);
    work.reading(&[path]);
    let (report, end) = replay(path, patterns, window, &|bytes| work.read(bytes))?;
    ensure!(
        window.from_ns <= report.duration_ns,
        "{} ends at {}, before the window begins: choose an earlier one",
        path.display(),
        moment(report.duration_ns)
    );
    output::give(&report, &options.output, files, Screen::Stdout, work)?;
    match end {
        End::Whole => Ok(0),
        cut @ End::Cut { .. } => {
            eprintln!("tracer: {}: {cut}", path.display());
            Ok(2)
        }
    }
}
