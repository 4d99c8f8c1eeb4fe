//! What a file tells, be it a recording or a JSON report: told apart by its first bytes.

use std::{
    fs::File,
    io::{BufReader, Cursor, Read},
    path::Path,
    thread,
};

use anyhow::{Context as _, Result, anyhow, bail};
use serde::Deserialize;

use super::metered::{Meter, Metered};
use super::recording::{AT_A_TIME, replay_from};
use tracer_analysis::{
    patterns::Patterns,
    summary::{Report, SCHEMA},
    window::Window,
};
use tracer_recording::{End, FIRST_BYTE, Reader};
use tracer_report::text::line::escape;

/// The report on this part of a recording (by these patterns), or the one in a JSON file, and how the recording ended.
///
/// # Errors
/// The file cannot be read, is neither, or holds not even the beginning of a trace.
pub(crate) fn open(
    path: &Path,
    patterns: Patterns,
    window: Window,
    meter: Meter<'_>,
) -> Result<(Report, End)> {
    let failed = || format!("cannot read {}", path.display());
    let mut file = Metered::new(File::open(path).with_context(failed)?, meter);
    let mut first = Vec::new();
    // What is read is given back below: it may be a pipe.
    (&mut file)
        .take(4096)
        .read_to_end(&mut first)
        .with_context(failed)?;
    let begins = first.iter().find(|byte| !byte.is_ascii_whitespace());
    let is_recording = first.first() == Some(&FIRST_BYTE);
    let begins_as_json = begins == Some(&b'{');
    let whole = Cursor::new(first).chain(file);
    if is_recording {
        let source = BufReader::with_capacity(AT_A_TIME, whole);
        return replay_from(Reader::new(source, path)?, path, patterns, window);
    }
    if begins_as_json {
        return Ok((json(whole, path)?, End::Whole));
    }
    bail!(
        "{} is neither a recording of tracer's nor a JSON report ({SCHEMA}): make one with \
         `tracer run -o FILE` or `--report FILE.json`",
        path.display()
    )
}

/// Two of them at one time.
///
/// # Errors
/// Those of [`open`], the first file's first.
pub(crate) fn open_both(
    (one, other): (&Path, &Path),
    patterns: &Patterns,
    meter: Meter<'_>,
) -> Result<[(Report, End); 2]> {
    thread::scope(|scope| {
        let beside = scope.spawn(|| open(other, patterns.clone(), Window::default(), meter));
        let one = open(one, patterns.clone(), Window::default(), meter);
        let other = beside
            .join()
            .map_err(|_| anyhow!("cannot read {}: the reader failed", other.display()))?;
        Ok([one?, other?])
    })
}

fn json(mut source: impl Read, path: &Path) -> Result<Report> {
    #[derive(Deserialize)]
    struct Named {
        schema: Option<serde_json::Value>,
    }
    let mut text = Vec::new();
    source
        .read_to_end(&mut text)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let broken = |error: serde_json::Error| {
        anyhow!(
            "{} is no JSON report: {}",
            path.display(),
            escape(&error.to_string())
        )
    };
    let named: Named = serde_json::from_slice(&text).map_err(broken)?;
    match named.schema.as_ref().and_then(serde_json::Value::as_str) {
        Some(SCHEMA) => serde_json::from_slice(&text).map_err(broken),
        Some(other) => bail!(
            "{} is JSON of the schema {:?}, and {SCHEMA} is needed: give a report of this tracer's",
            path.display(),
            other
        ),
        None => bail!(
            "{} is JSON without a schema: give a report of tracer's ({SCHEMA})",
            path.display()
        ),
    }
}
