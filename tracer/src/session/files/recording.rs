//! A recording as the source of events: from the file into the book.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use anyhow::{Context as _, Result};

use super::metered::{Meter, Metered};
use tracer_analysis::{patterns::Patterns, summary::Report, window::Window};
use tracer_recording::{End, Reader};

/// Bytes read at a time.
pub(super) const AT_A_TIME: usize = 256 << 10;

/// The report on this part of a recording by these patterns, and how the recording ended.
///
/// # Errors
/// The file cannot be read, is no recording, or holds not even its first event whole.
pub(crate) fn replay(
    path: &Path,
    patterns: Patterns,
    window: Window,
    meter: Meter<'_>,
) -> Result<(Report, End)> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let source = BufReader::with_capacity(AT_A_TIME, Metered::new(file, meter));
    replay_from(Reader::new(source, path)?, path, patterns, window)
}

/// The same from what is open already; `path` is its name in messages.
///
/// # Errors
/// Those of [`replay`].
pub(crate) fn replay_from(
    mut reader: Reader<impl Read>,
    path: &Path,
    patterns: Patterns,
    window: Window,
) -> Result<(Report, End)> {
    let report = tracer_analysis::replay::replay(&mut reader, patterns, window)?;
    let report = report.with_context(|| {
        format!(
            "{} holds no trace: it was cut off before its first event",
            path.display()
        )
    })?;
    Ok((report, reader.end().unwrap_or(End::Whole)))
}
