//! Recordings of a real program: OpenClaw's gateway on Node, and the same with its knob turned.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tracer_analysis::{known, replay::replay, summary::Report, window::Window};
use tracer_ledger::event::Event;
use tracer_recording::Reader;

/// Where a recording is.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("recordings")
        .join(name)
}

/// What is in a recording.
pub fn events(name: &str) -> impl Iterator<Item = Event> {
    reader(name).map(Result::unwrap)
}

/// The report on a part of a recording.
pub fn read(name: &str, window: Window) -> Report {
    replay(reader(name), known::patterns(), window)
        .unwrap()
        .unwrap()
}

fn reader(name: &str) -> Reader<BufReader<File>> {
    let path = path(name);
    let file = BufReader::new(File::open(&path).unwrap());
    Reader::new(file, &path).unwrap()
}

/// The gateway.
pub fn gateway() -> &'static Report {
    static REPORT: OnceLock<Report> = OnceLock::new();
    REPORT.get_or_init(|| read("openclaw.vmt", Window::default()))
}

/// The gateway with its knob turned.
pub fn with_its_knob() -> &'static Report {
    static REPORT: OnceLock<Report> = OnceLock::new();
    REPORT.get_or_init(|| read("openclaw-knob.vmt", Window::default()))
}
