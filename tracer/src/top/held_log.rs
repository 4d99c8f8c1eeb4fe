//! The log while the view has the screen: kept, and printed once the screen is as it was.

use std::{
    io::{self, Write},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The most that is kept, bytes: what comes later is counted.
const MOST: usize = 64 << 10;

#[derive(Debug)]
struct KeptLog {
    holding: bool,
    bytes: Vec<u8>,
    left_out: u64,
    /// The last warning or error, until it is asked for.
    warning: Option<String>,
}

static KEPT: Mutex<KeptLog> = Mutex::new(KeptLog {
    holding: false,
    bytes: Vec::new(),
    left_out: 0,
    warning: None,
});

fn kept() -> MutexGuard<'static, KeptLog> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the log goes: to stderr, or held back.
#[derive(Debug)]
pub struct Log;

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut kept = kept();
        if !kept.holding {
            return io::stderr().write(line);
        }
        let text = String::from_utf8_lossy(line);
        if text.starts_with("[WARN") || text.starts_with("[ERROR") {
            kept.warning = Some(text.trim_end().to_owned());
        }
        if kept.bytes.len() + line.len() <= MOST {
            kept.bytes.extend_from_slice(line);
        } else {
            kept.left_out += 1;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// From now on lines are kept.
pub fn hold() {
    kept().holding = true;
}

/// Prints what was kept, and holds back no longer.
pub fn release() {
    let mut kept = kept();
    kept.holding = false;
    let (bytes, left_out) = (mem::take(&mut kept.bytes), mem::take(&mut kept.left_out));
    drop(kept);
    let _ = io::stderr().write_all(&bytes);
    if left_out > 0 {
        eprintln!("tracer: {left_out} more lines of the log were not kept");
    }
}

/// The last warning or error since this was last asked.
#[must_use]
pub fn warning() -> Option<String> {
    kept().warning.take()
}
