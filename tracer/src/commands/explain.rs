//! `tracer explain`.

use anyhow::{Context as _, Result};

use super::output::printed;
use crate::session::files::patterns_with;
use crate::{session::explain, session::plan::check_not_kernel, settings::Explain};
use tracer_report::{redact, text::page::Page};

/// Says what a process's mappings are, as they are now.
pub fn explain(wanted: &Explain) -> Result<u8> {
    let patterns = patterns_with(&wanted.patterns)?;
    check_not_kernel(wanted.pid)?;
    let mut explanation = explain::now(wanted.pid, &patterns)?;
    if wanted.redact {
        redact::explanation(&mut explanation);
    }
    let page = Page {
        width: wanted.screen.width().clamp(60, 200),
        color: wanted.screen.color,
    };
    printed(wanted.screen.stream, |mut out| {
        (wanted.write)(&explanation, &page, wanted.full, &mut out)
    })
    .context("cannot write the report")?;
    Ok(0)
}
