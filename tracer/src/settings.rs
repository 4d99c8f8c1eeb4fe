//! What the command line means: typed values, checked, ready to be used.

use std::{
    ffi::{OsStr, OsString},
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail, ensure};
use tracer_common::settings::FaultMode;

use crate::cli::{
    By, Color, CommandTracing, DiffValue, Faults, Format, Output, Sort, Tracing, Value,
};
use tracer_report::{
    export::samples,
    selection::{self, Selection},
};

/// A report to be written to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    /// Where to.
    pub path: PathBuf,
    /// In which format.
    pub format: Format,
}

/// Formats by how a file's name ends.
const ENDINGS: [(&str, Format); 9] = [
    (".txt", Format::Text),
    (".json", Format::Json),
    (".md", Format::Markdown),
    (".html", Format::Html),
    (".folded", Format::Folded),
    (".svg", Format::Flamegraph),
    (".pb.gz", Format::Pprof),
    (".pftrace", Format::Perfetto),
    (".csv", Format::Csv),
];

/// The files that `--report` names, each with its format by its ending.
pub fn report_files(output: &Output) -> Result<Vec<ReportFile>> {
    output
        .reports
        .iter()
        .map(|path| report_file(path))
        .collect()
}

/// A file with its format by its ending.
pub fn report_file(path: &Path) -> Result<ReportFile> {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let ending = ENDINGS
        .iter()
        .find(|(ending, _)| name.len() > ending.len() && name.ends_with(ending));
    let Some(&(_, format)) = ending else {
        let known: Vec<&str> = ENDINGS.iter().map(|(ending, _)| *ending).collect();
        bail!(
            "cannot tell the format of {} by its ending: use one of {}",
            path.display(),
            known.join(" ")
        );
    };
    Ok(ReportFile {
        path: path.to_owned(),
        format,
    })
}

/// What of the report is shown, and in which order.
#[must_use]
pub fn selection(output: &Output) -> Selection {
    Selection {
        min_size_bytes: output.min_size,
        all: output.full,
        sort: match output.sort {
            Sort::Reserved => selection::Sort::Reserved,
            Sort::Touched => selection::Sort::Touched,
            Sort::Resident => selection::Sort::Resident,
            Sort::Calls => selection::Sort::Calls,
            Sort::Age => selection::Sort::Age,
        },
        by: match output.by {
            By::Site => selection::By::Site,
            By::Pattern => selection::By::Pattern,
            By::Thread => selection::By::Thread,
            By::Module => selection::By::Module,
        },
    }
}

/// What folded stacks and flame graphs show.
#[must_use]
pub fn value(value: Value) -> samples::Value {
    match value {
        Value::Reserved => samples::Value::Reserved,
        Value::Accessible => samples::Value::Accessible,
        Value::Touched => samples::Value::Touched,
        Value::Resident => samples::Value::Resident,
        Value::Calls => samples::Value::Calls,
        Value::Grown => samples::Value::Grown,
    }
}

/// What they compare.
#[must_use]
pub fn diff_value(value: DiffValue) -> samples::Value {
    match value {
        DiffValue::Reserved => samples::Value::Reserved,
        DiffValue::Accessible => samples::Value::Accessible,
        DiffValue::Touched => samples::Value::Touched,
        DiffValue::Resident => samples::Value::Resident,
        DiffValue::Calls => samples::Value::Calls,
    }
}

/// What of a format can be known before anything is traced: whether it can go where it is to go.
pub fn check_format(format: Format, screen: Screen) -> Result<()> {
    let (name, ending) = match format {
        Format::Pprof => ("pprof", ".pb.gz"),
        Format::Perfetto => ("perfetto", ".pftrace"),
        _ => return Ok(()),
    };
    match screen {
        Screen::Stdout if screen.is_terminal() => bail!(
            "{name} is binary, and standard output is a terminal: redirect it, or give --report FILE{ending}"
        ),
        Screen::Stdout => Ok(()),
        Screen::Stderr => bail!(
            "{name} is binary, and standard error is the command's too: give --report FILE{ending}"
        ),
    }
}

/// Whether the trace will know the figure that is to be shown.
pub fn check_value(output: &Output, tracing: &Tracing) -> Result<()> {
    let shown = report_files(output)?.into_iter().map(|file| file.format);
    let is_shown = shown
        .chain([output.format])
        .any(|format| matches!(format, Format::Folded | Format::Flamegraph));
    ensure!(
        !is_shown || output.value != Value::Touched || tracing.faults == Faults::Each,
        "--value touched needs --faults each: without it nobody knows which pages were touched"
    );
    Ok(())
}

/// Where the report on the screen goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// Standard output.
    Stdout,
    /// Standard error, because standard output is the command's.
    Stderr,
}

impl Screen {
    fn is_terminal(self) -> bool {
        match self {
            Self::Stdout => std::io::stdout().is_terminal(),
            Self::Stderr => std::io::stderr().is_terminal(),
        }
    }

    /// Whether to use colours there (<https://no-color.org>).
    #[must_use]
    pub fn color(self, when: Color) -> bool {
        match when {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                self.is_terminal() && !refused
            }
        }
    }

    /// Columns to fill there: as asked, else the terminal's, else 100.
    #[must_use]
    pub fn width(self, asked: Option<usize>) -> usize {
        let terminal = || {
            let size = match self {
                Self::Stdout => rustix::termios::tcgetwinsize(std::io::stdout()),
                Self::Stderr => rustix::termios::tcgetwinsize(std::io::stderr()),
            };
            size.ok()
                .map(|size| usize::from(size.ws_col))
                .filter(|columns| *columns > 0)
        };
        asked.or_else(terminal).unwrap_or(100)
    }
}

/// How page faults are followed.
#[must_use]
pub fn faults(faults: Faults) -> FaultMode {
    match faults {
        Faults::Off => FaultMode::Off,
        Faults::Count => FaultMode::Count,
        Faults::Each => FaultMode::Each,
    }
}

/// One page fault in so many carries a stack; 0: none.
pub fn fault_stacks(tracing: &Tracing) -> Result<u32> {
    let Some(every) = tracing.fault_stacks else {
        return Ok(0);
    };
    ensure!(
        tracing.faults == Faults::Each,
        "--fault-stacks {every} needs --faults each: without it no page fault is looked at by itself"
    );
    ensure!(
        every > 0,
        "--fault-stacks 0 is no share: 1 takes the stack of each page fault, 100 that of 1 in 100"
    );
    Ok(every)
}

/// The ring's size, checked: the kernel wants a power of two and whole pages.
pub fn ring_bytes(tracing: &Tracing) -> Result<u32> {
    let page = rustix::param::page_size() as u64;
    let size = tracing.ring_size;
    ensure!(
        size.is_power_of_two() && size >= page && size <= 1 << 30,
        "--ring-size {size} is no power of two between {page} and 1 GiB"
    );
    Ok(u32::try_from(size)?)
}

/// What is added to the command's environment. JavaScript functions get names from what V8 writes to
/// `/tmp/perf-PID.map` (<https://nodejs.org/api/cli.html>).
#[must_use]
pub fn environment(how: &CommandTracing) -> Vec<(OsString, OsString)> {
    if !how.js_names {
        return Vec::new();
    }
    let mut options = std::env::var_os("NODE_OPTIONS").unwrap_or_default();
    if !options.is_empty() {
        options.push(" ");
    }
    options.push("--perf-basic-prof --interpreted-frames-native-stack");
    vec![("NODE_OPTIONS".into(), options)]
}
