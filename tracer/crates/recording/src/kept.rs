//! A recording in memory, of which a file can be made at any time: by another thread than the one that writes.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use bytes::{Buf as _, Bytes};

use crate::file::Owner;
use crate::read::Reader;
use crate::write::Writer;
use tracer_ledger::event::{Ended, Event, Nanoseconds};

/// Shared by who writes and who saves. It grows up to a limit; what comes then is not kept any more.
#[derive(Clone, Debug)]
pub struct Kept {
    buffer: Arc<Mutex<Buffer>>,
}

#[derive(Debug)]
struct Buffer {
    /// As they were written: copied by pointer.
    pieces: Vec<Bytes>,
    bytes: u64,
    limit: u64,
}

/// How much was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Time of the last event.
    pub until: Nanoseconds,
    /// More has come than is kept.
    pub is_full: bool,
}

impl Kept {
    /// Keeps at most so many bytes.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        let buffer = Buffer {
            pieces: Vec::new(),
            bytes: 0,
            limit,
        };
        Self {
            buffer: Arc::new(Mutex::new(buffer)),
        }
    }

    /// Who writes.
    ///
    /// # Errors
    /// It is full from the beginning.
    pub fn writer(&self) -> Result<Writer<Self>> {
        let writer = Writer::new(self.clone(), Path::new("(memory)"));
        writer.context("cannot keep a recording: give it more memory")
    }

    /// Writes all that is kept to a recording of its own, as if the trace had ended with it. `ended`: how it
    /// ended, given the last event's time. `owner`: whose file it is to be.
    ///
    /// # Errors
    /// The file cannot be written, or nothing is kept.
    pub fn save(
        &self,
        path: &Path,
        owner: Option<Owner>,
        ended: impl FnOnce(Nanoseconds) -> Ended,
    ) -> Result<Saved> {
        let (pieces, is_full) = {
            let buffer = self.lock();
            (buffer.pieces.clone(), buffer.bytes >= buffer.limit)
        };
        let mut reader = Reader::new(Pieces { pieces, at: 0 }, path)?;
        let mut writer = Writer::create_for(path, owner)?;
        let mut until = Nanoseconds(0);
        while let Some(event) = reader.read()? {
            until = event.time().map_or(until, |time| until.max(time));
            writer.write(&event)?;
        }
        writer.write(&Event::Ended(ended(until)))?;
        writer.finish()?;
        Ok(Saved { until, is_full })
    }

    /// Held only to append, or to copy pointers.
    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut buffer = self.lock();
        if buffer.bytes + bytes.len() as u64 > buffer.limit {
            // For good: a part of a block is none.
            buffer.bytes = buffer.limit;
            return Err(io::ErrorKind::StorageFull.into());
        }
        buffer.bytes += bytes.len() as u64;
        buffer.pieces.push(Bytes::copy_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads what was kept.
struct Pieces {
    pieces: Vec<Bytes>,
    at: usize,
}

impl io::Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(piece) = self.pieces.get_mut(self.at) {
            let length = piece.remaining().min(into.len());
            piece.copy_to_slice(&mut into[..length]);
            if piece.is_empty() {
                self.at += 1;
            }
            if length > 0 || into.is_empty() {
                return Ok(length);
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Kept, Saved};
    use crate::{End, Reader};
    use tracer_ledger::event::{Ended, Event, Machine, Nanoseconds, Started};

    fn events(count: u64) -> Vec<Event> {
        let looks = (1..count).map(|time| {
            Event::Machine(Machine {
                time: Nanoseconds(time),
                available_bytes: Some(time.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                ..Machine::default()
            })
        });
        let started = Event::Started(Started::default());
        std::iter::once(started).chain(looks).collect()
    }

    fn ended(time: Nanoseconds) -> Ended {
        Ended {
            time,
            ..Ended::default()
        }
    }

    #[test]
    fn what_is_saved_is_a_whole_recording_of_what_came_so_far() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(1 << 20);
        let mut writer = kept.writer().unwrap();
        for (count, upto) in [(10, 9), (20, 29)] {
            for event in &events(30)[upto + 1 - count..=upto] {
                writer.write(event).unwrap();
            }
            writer.flush_block().unwrap();
            let path = folder.path().join("saved.vmt");
            let saved = kept.save(&path, None, ended).unwrap();
            let until = Nanoseconds(upto as u64);
            assert_eq!(
                saved,
                Saved {
                    until,
                    is_full: false
                }
            );
            let mut reader = Reader::open(&path).unwrap();
            let mut read = Vec::new();
            while let Some(event) = reader.read().unwrap() {
                read.push(event);
            }
            assert_eq!(reader.end(), Some(End::Whole));
            assert_eq!(read.pop(), Some(Event::Ended(ended(until))));
            assert_eq!(read, &events(30)[..=upto]);
        }
    }

    #[test]
    fn what_is_full_keeps_its_whole_blocks_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(4096);
        let mut writer = kept.writer().unwrap();
        let mut whole = 0;
        for (count, event) in events(10_000).iter().enumerate() {
            let written = writer.write(event).and_then(|()| writer.flush_block());
            if written.is_err() {
                break;
            }
            whole = count;
        }
        assert!(whole > 10 && whole < 1000, "{whole}");
        let path = folder.path().join("saved.vmt");
        let saved = kept.save(&path, None, ended).unwrap();
        assert_eq!(saved.until, Nanoseconds(whole as u64));
        assert!(saved.is_full);
        let mut reader = Reader::open(&path).unwrap();
        while reader.read().unwrap().is_some() {}
        assert_eq!(reader.end(), Some(End::Whole));
    }
}
