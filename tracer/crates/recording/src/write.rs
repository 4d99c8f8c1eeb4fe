//! Writing: events are gathered into a block, and a block goes to the file in one piece.

use std::io::Write;
use std::path::{Path, PathBuf};

use postcard::ser_flavors::Flavor;
use zstd::bulk::Compressor;

use crate::block::{self, BLOCK_TARGET, DONE_LENGTH, Head, MAX_EVENT, Tag};
use crate::error::WriteError;
use crate::file::{Owner, PartialFile};
use tracer_ledger::event::Event;

/// zstd's own default: well above a million events a second, and no level finds much more here.
const COMPRESSION_LEVEL: i32 = 3;

/// Writes a recording.
///
/// What was written becomes readable block by block: when enough is gathered, and by
/// [`Writer::flush_block`]. Dropped without [`Writer::finish`], it leaves a cut recording.
pub struct Writer<W: Write = PartialFile> {
    sink: W,
    /// For messages.
    path: PathBuf,
    compressor: Compressor<'static>,
    /// The encoded events of the block to come; at most [`MAX_PLAIN`](block::MAX_PLAIN) bytes.
    plain: Vec<u8>,
    events_in_block: u32,
    /// The compressed block, kept for its memory.
    payload: Vec<u8>,
    /// Events in whole blocks.
    events: u64,
    /// The sink has refused bytes: what it holds may end within a block.
    failed: bool,
}

impl Writer {
    /// Begins a recording that will be `path` once it is finished, and is `path` + `.partial` until
    /// then. What was recorded there before is replaced at the end; a leftover `.partial` of a crash
    /// now.
    ///
    /// # Errors
    /// If `path` is not fit to be written, as the variants of [`WriteError`] say.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        Self::create_for(path, None)
    }

    /// The same for somebody else.
    ///
    /// # Errors
    /// Those of [`Self::create`]; the file cannot be given away.
    pub fn create_for(path: &Path, owner: Option<Owner>) -> Result<Self, WriteError> {
        let file = PartialFile::create(path, owner)?;
        let partial_path = file.partial_path().to_owned();
        Writer::new(file, &partial_path)
    }

    /// Writes what is gathered and the end marker, and gives the file its name.
    ///
    /// # Errors
    /// If the file takes no more or cannot be renamed; it is then kept as `.partial`.
    pub fn finish(self) -> Result<(), WriteError> {
        self.end()?.keep()
    }
}

impl<W: Write> Writer<W> {
    /// Begins a recording in `sink`; `path` is its name in messages.
    ///
    /// # Errors
    /// If `sink` does not take the header.
    pub fn new(sink: W, path: &Path) -> Result<Self, WriteError> {
        let compressor =
            Compressor::new(COMPRESSION_LEVEL).map_err(|error| WriteError::Encode {
                path: path.to_owned(),
                why: error.to_string(),
            })?;
        let mut writer = Self {
            sink,
            path: path.to_owned(),
            compressor,
            plain: Vec::new(),
            events_in_block: 0,
            payload: Vec::new(),
            events: 0,
            failed: false,
        };
        writer.put(&block::header())?;
        Ok(writer)
    }

    /// Adds an event.
    ///
    /// # Errors
    /// If the sink takes no more: then the writer is of no further use. If the event is too large:
    /// then it is left out.
    pub fn write(&mut self, event: &Event) -> Result<(), WriteError> {
        if self.failed {
            return Err(self.failed_before());
        }
        let before = self.plain.len();
        let encoded = postcard::serialize_with_flavor(event, Append(&mut self.plain));
        if let Err(error) = encoded {
            self.plain.truncate(before);
            return Err(self.encode_error(&error));
        }
        let bytes = self.plain.len() - before;
        if bytes > MAX_EVENT {
            self.plain.truncate(before);
            return Err(WriteError::TooLarge {
                path: self.path.clone(),
                bytes,
            });
        }
        self.events_in_block += 1;
        if self.plain.len() >= BLOCK_TARGET {
            self.flush_block()?;
        }
        Ok(())
    }

    /// Writes what is gathered as a block, if anything is: from then on it survives a crash of the
    /// tracer.
    ///
    /// # Errors
    /// If the sink takes no more: then the writer is of no further use.
    pub fn flush_block(&mut self) -> Result<(), WriteError> {
        if self.failed {
            return Err(self.failed_before());
        }
        if self.events_in_block == 0 {
            return Ok(());
        }
        self.payload.clear();
        self.payload
            .reserve(zstd::zstd_safe::compress_bound(self.plain.len()));
        let compressed = self
            .compressor
            .compress_to_buffer(&self.plain, &mut self.payload);
        if let Err(error) = compressed {
            return Err(self.encode_error(&error));
        }
        let head = Head {
            tag: Tag::Events,
            payload: length(&self.payload),
            plain: length(&self.plain),
            events: self.events_in_block,
            payload_crc: crc32fast::hash(&self.payload),
        };
        self.put(&head.to_bytes())?;
        let payload = std::mem::take(&mut self.payload);
        self.put(&payload)?;
        self.payload = payload;
        self.events += u64::from(self.events_in_block);
        self.events_in_block = 0;
        self.plain.clear();
        // One huge event must not cost its memory for the rest of the trace.
        self.plain.shrink_to(2 * BLOCK_TARGET);
        self.payload.shrink_to(2 * BLOCK_TARGET);
        Ok(())
    }

    /// Writes what is gathered and the end marker, and hands the sink back.
    ///
    /// # Errors
    /// If the sink takes no more.
    pub fn end(mut self) -> Result<W, WriteError> {
        self.flush_block()?;
        let payload = self.events.to_le_bytes();
        let head = Head {
            tag: Tag::Done,
            payload: DONE_LENGTH,
            plain: DONE_LENGTH,
            events: 0,
            payload_crc: crc32fast::hash(&payload),
        };
        self.put(&head.to_bytes())?;
        self.put(&payload)?;
        self.sink.flush().map_err(|source| WriteError::Write {
            path: self.path.clone(),
            source,
        })?;
        Ok(self.sink)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.sink.write_all(bytes).map_err(|source| {
            self.failed = true;
            WriteError::Write {
                path: self.path.clone(),
                source,
            }
        })
    }

    fn failed_before(&self) -> WriteError {
        WriteError::Failed {
            path: self.path.clone(),
        }
    }

    fn encode_error(&self, why: &impl ToString) -> WriteError {
        WriteError::Encode {
            path: self.path.clone(),
            why: why.to_string(),
        }
    }
}

/// Lets postcard append to the block without a buffer of its own.
struct Append<'a>(&'a mut Vec<u8>);

impl Flavor for Append<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// A buffer's length; none is larger than `MAX_PAYLOAD`.
fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}
