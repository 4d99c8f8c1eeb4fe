//! `tracer diff`.

use std::{
    ffi::OsStr,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use anyhow::{Context as _, Result, bail};

use super::{progress::Work, whole_file::WholeFile};
use crate::session::files::patterns_with;
use crate::{
    cli::{Diff, DiffBy, DiffFormat},
    session::files::open_both,
    settings::{self, Screen},
};
use tracer_analysis::{
    diff::{diff as compare, model},
    summary::Report,
};
use tracer_recording::End;
use tracer_report::{
    export::{differential, samples::Value},
    html, json,
    selection::{By, Selection},
    text,
};

/// Columns of a text in a file.
const FILE_WIDTH: usize = 120;

/// Compares two recordings or reports. Those that are cut off are compared as far as they go; that is
/// said, and fails.
pub fn diff(options: &Diff, show_progress: bool) -> Result<u8> {
    if options.schema {
        io::stdout()
            .write_all(json::diff_schema().as_bytes())
            .context("cannot write to standard output")?;
        return Ok(0);
    }
    let (Some(old_path), Some(new_path)) = (&options.old, &options.new) else {
        bail!("two recordings or JSON reports are to be named: tracer diff OLD NEW");
    };
    let patterns = patterns_with(&options.patterns)?;
    let files = files(&options.reports)?;
    let work = Work::new(show_progress);
    work.reading(&[old_path, new_path]);
    let both = open_both((old_path, new_path), &patterns, &|bytes| work.read(bytes))?;
    let [(old, old_end), (new, new_end)] = both;
    work.doing("comparing");
    let difference = compare(&old, &new);
    let selection = Selection {
        min_size_bytes: options.min_size,
        all: options.full,
        by: match options.by {
            DiffBy::Site => By::Site,
            DiffBy::Pattern => By::Pattern,
        },
        ..Selection::default()
    };
    let value = settings::diff_value(options.value);
    for (format, file) in files {
        let style = text::Style {
            width: FILE_WIDTH,
            color: false,
            selection: selection.clone(),
        };
        let both = (&old, &new);
        file.write(|out| write(&difference, both, format, value, &style, out))?;
    }
    drop(work);
    let style = text::Style {
        width: Screen::Stdout.width(options.look.width),
        color: Screen::Stdout.color(options.look.color),
        selection,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let both = (&old, &new);
    write(&difference, both, options.format, value, &style, &mut out)
        .and_then(|()| out.flush())
        .context("cannot write the comparison")?;
    let mut code = 0;
    for (path, end) in [(old_path, old_end), (new_path, new_end)] {
        if let cut @ End::Cut { .. } = end {
            eprintln!("tracer: {}: {cut}", path.display());
            code = 2;
        }
    }
    Ok(code)
}

fn files(paths: &[PathBuf]) -> Result<Vec<(DiffFormat, WholeFile)>> {
    let files = paths.iter().map(|path| {
        let format = match path.extension().and_then(OsStr::to_str) {
            Some("txt") => DiffFormat::Text,
            Some("json") => DiffFormat::Json,
            Some("html") => DiffFormat::Html,
            Some("folded") => DiffFormat::Folded,
            Some("svg") => DiffFormat::Flamegraph,
            _ => bail!(
                "cannot tell the format of {} by its ending: use one of .txt .json .html .folded .svg",
                path.display()
            ),
        };
        Ok((format, WholeFile::begin(path)?))
    });
    files.collect()
}

fn write(
    diff: &model::Diff,
    sides: (&Report, &Report),
    format: DiffFormat,
    value: Value,
    style: &text::Style,
    out: &mut impl Write,
) -> io::Result<()> {
    match format {
        DiffFormat::Text => text::diff::write(diff, style, out),
        DiffFormat::Json => json::write(diff, out),
        DiffFormat::Html => html::write_diff(diff, sides, out),
        DiffFormat::Folded => differential::write_folded(diff, value, out),
        DiffFormat::Flamegraph => differential::write_flamegraph(diff, value, out),
    }
}
