//! `tracer explain`.

use std::io::{self, BufWriter, Write as _};

use anyhow::{Context as _, Result, bail};

use crate::session::files::patterns_with;
use crate::{
    cli::{Explain, Format},
    session::explain,
    session::plan::check_not_kernel,
    settings::Screen,
};
use tracer_ledger::event::Pid;
use tracer_report::{json, redact, text};

/// Says what a process's mappings are, as they are now.
pub fn explain(options: &Explain) -> Result<u8> {
    let patterns = patterns_with(&options.patterns)?;
    let pid = Pid(options.pid);
    check_not_kernel(pid)?;
    let mut explanation = explain::now(pid, &patterns)?;
    if options.redact {
        redact::explanation(&mut explanation);
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let written = match options.format {
        Format::Json => json::write(&explanation, &mut out),
        Format::Text => {
            let page = text::page::Page {
                width: Screen::Stdout.width(options.look.width).clamp(60, 200),
                color: Screen::Stdout.color(options.look.color),
            };
            text::explain::write(&explanation, &page, options.full, &mut out)
        }
        _ => bail!("tracer explain writes text and json; a trace can be written in every format"),
    };
    written
        .and_then(|()| out.flush())
        .context("cannot write the report")?;
    Ok(0)
}
