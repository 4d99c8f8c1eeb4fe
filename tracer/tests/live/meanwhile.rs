//! What another process does meanwhile, and what a recording holds that is still being written.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use tracer_ledger::event::Event;
use tracer_recording::Reader;

/// How long anything may take that is waited for.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for something that another process does.
#[track_caller]
pub fn wait_until(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a recording, as far as it goes, holds a reading of the maps with this file in it.
pub fn is_in_maps(recording: &Path, file: &str) -> bool {
    let Ok(mut reader) = Reader::open(recording) else {
        return false;
    };
    while let Ok(Some(event)) = reader.read() {
        if let Event::Maps(maps) = event
            && maps.mappings.iter().any(|mapping| mapping.name == file)
        {
            return true;
        }
    }
    false
}

/// Stacks with this function that a recording holds, as far as it goes.
pub fn stacks_with(recording: &Path, function: &str) -> usize {
    stacks_that(recording, |name| name == function)
}

/// The same with a function whose name is so.
pub fn stacks_that(recording: &Path, is_so: impl Fn(&str) -> bool) -> usize {
    let Ok(mut reader) = Reader::open(recording) else {
        return 0;
    };
    let mut stacks = 0;
    while let Ok(Some(event)) = reader.read() {
        if let Event::Stack(stack) = event {
            let names = stack.frames.iter();
            let mut names = names.filter_map(|frame| frame.function.as_deref());
            stacks += usize::from(names.any(&is_so));
        }
    }
    stacks
}
