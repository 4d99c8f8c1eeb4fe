//! A source that tells how much of it was read, for a progress line.

use std::io::{self, Read};

/// Told of bytes as they are read; from several threads, where several files are read at a time.
pub(crate) type Meter<'a> = &'a (dyn Fn(u64) + Sync);

/// Reads through, and tells.
pub(crate) struct Metered<'a, R> {
    source: R,
    meter: Meter<'a>,
}

impl<'a, R: Read> Metered<'a, R> {
    pub(crate) fn new(source: R, meter: Meter<'a>) -> Self {
        Self { source, meter }
    }
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        (self.meter)(read as u64);
        Ok(read)
    }
}
