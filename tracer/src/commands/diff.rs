//! `tracer diff`.

use std::io::{self, Write as _};

use anyhow::{Context as _, Result};

use super::{
    output::{in_file, on_screen, printed},
    progress::Work,
    whole_file::WholeFile,
};
use crate::session::files::patterns_with;
use crate::{session::files::open_both, settings::Diff};
use tracer_analysis::diff::diff as compare;
use tracer_recording::End;
use tracer_report::{formats::Compared, json};

/// Compares two recordings or reports. Those that are cut off are compared as far as they go; that is
/// said, and fails.
pub fn diff(wanted: Diff, show_progress: bool) -> Result<u8> {
    let wanted = match wanted {
        Diff::Schema => {
            io::stdout()
                .write_all(json::diff_schema().as_bytes())
                .context("cannot write to standard output")?;
            return Ok(0);
        }
        Diff::Of(wanted) => wanted,
    };
    let patterns = patterns_with(&wanted.patterns)?;
    let files = wanted.files.iter();
    let begun = files.map(|file| Ok((file.format, WholeFile::begin(&file.path)?)));
    let files: Vec<_> = begun.collect::<Result<_>>()?;
    let work = Work::new(show_progress);
    let (old_path, new_path) = (wanted.old.as_path(), wanted.new.as_path());
    work.reading(&[old_path, new_path]);
    let both = open_both((old_path, new_path), &patterns, &|bytes| work.read(bytes))?;
    let [(old, old_end), (new, new_end)] = both;
    work.doing("comparing");
    let compared = Compared {
        diff: &compare(&old, &new),
        old: &old,
        new: &new,
    };
    for (format, file) in files {
        let style = in_file(&wanted.selection);
        file.write(|out| format.write(compared, &style, wanted.value, out))?;
    }
    let work = work.done();
    let style = on_screen(wanted.screen, &wanted.selection);
    printed(wanted.screen.stream, |out| {
        let format = wanted.format;
        format.write(compared, &style, wanted.value, out)
    })
    .context("cannot write the comparison")?;
    for file in &wanted.files {
        work.wrote(&file.path);
    }
    let mut code = 0;
    for (path, end) in [(old_path, old_end), (new_path, new_end)] {
        if let cut @ End::Cut { .. } = end {
            eprintln!("tracer: {}: {cut}", path.display());
            code = 2;
        }
    }
    Ok(code)
}
