//! Reading: one block at a time, every length and checksum looked at before it is believed.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use zstd::bulk::Decompressor;

use crate::block::{
    self, BadHead, DONE_LENGTH, FORMAT_VERSION, HEAD_LENGTH, HEADER_LENGTH, Head, Header,
    OLDEST_VERSION, Tag,
};
use crate::error::{Damage, Problem, ReadError};
use tracer_ledger::event::Event;

/// Memory for a block is taken in steps of this many bytes as they arrive, whatever its head claims.
const READ_STEP: usize = 1 << 20;

/// How a recording ends, once all its events are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As it was finished.
    Whole,
    /// Without an end marker: its writer crashed, or still writes, or it was cut later. Everything up
    /// to here is good.
    Cut {
        /// Whole blocks.
        blocks: u64,
        /// Events in them.
        events: u64,
        /// Where the last whole block ends, bytes.
        offset: u64,
    },
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => write!(f, "the recording is whole"),
            Self::Cut { events, offset, .. } => write!(
                f,
                "the recording is cut off after {events} events (byte {offset}): what came later is missing"
            ),
        }
    }
}

/// Reads a recording, event by event.
///
/// It holds one block in memory, and never more of it than arrives: at most
/// [`MAX_PAYLOAD`](crate::MAX_PAYLOAD) bytes of the file and [`MAX_PLAIN`](crate::MAX_PLAIN)
/// decompressed. The events made of a hostile block are bounded by that, but larger: an empty string
/// is one byte in the file and 24 in memory.
pub struct Reader<R: Read = BufReader<File>> {
    source: R,
    path: PathBuf,
    decompressor: Decompressor<'static>,
    /// The block as in the file.
    payload: Vec<u8>,
    /// The block decompressed.
    plain: Vec<u8>,
    /// Where the next event begins in `plain`.
    position: usize,
    /// Events of the block, and of these already delivered.
    events_in_block: u32,
    delivered_of_block: u32,
    /// Number of the block being read, from 0, where it begins in the file, and where the next does.
    block: u64,
    block_offset: u64,
    next_offset: u64,
    /// Whole blocks of events so far.
    blocks: u64,
    /// Events delivered.
    events: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Reading,
    Ended(End),
    Failed,
}

impl Reader {
    /// Opens a recording.
    ///
    /// # Errors
    /// If it cannot be opened, is not a recording, or one of another version.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let file = File::open(path).map_err(|source| ReadError {
            path: path.to_owned(),
            problem: source.into(),
        })?;
        Reader::new(BufReader::with_capacity(256 << 10, file), path)
    }
}

impl<R: Read> Reader<R> {
    /// Reads a recording from `source`; `path` is its name in messages.
    ///
    /// # Errors
    /// If it cannot be read, is not a recording, or one of another version.
    pub fn new(mut source: R, path: &Path) -> Result<Self, ReadError> {
        let fail = |problem| ReadError {
            path: path.to_owned(),
            problem,
        };
        let mut header = [0; HEADER_LENGTH];
        let length = read_up_to(&mut source, &mut header).map_err(|error| fail(error.into()))?;
        match block::parse_header(&header[..length]) {
            Header::Version(OLDEST_VERSION..=FORMAT_VERSION) => {}
            Header::Version(found) => return Err(fail(Problem::Version { found })),
            Header::Cut => return Err(fail(Problem::CutHeader)),
            Header::Empty => return Err(fail(Problem::Empty)),
            Header::Foreign => return Err(fail(Problem::Foreign)),
            Header::Corrupt => {
                return Err(fail(Problem::Corrupt {
                    block: 0,
                    offset: 0,
                    what: Damage::HeaderChecksum,
                }));
            }
        }
        Ok(Self {
            source,
            path: path.to_owned(),
            decompressor: Decompressor::new().map_err(|error| fail(error.into()))?,
            payload: Vec::new(),
            plain: Vec::new(),
            position: 0,
            events_in_block: 0,
            delivered_of_block: 0,
            block: 0,
            block_offset: 0,
            next_offset: HEADER_LENGTH as u64,
            blocks: 0,
            events: 0,
            state: State::Reading,
        })
    }

    /// The next event; `None` at the end, which [`Reader::end`] then describes.
    ///
    /// # Errors
    /// If the recording is damaged from here on. After an error there is nothing more to read.
    pub fn read(&mut self) -> Result<Option<Event>, ReadError> {
        if self.state != State::Reading {
            return Ok(None);
        }
        self.advance().map_err(|problem| {
            self.state = State::Failed;
            ReadError {
                path: self.path.clone(),
                problem,
            }
        })
    }

    /// How the recording ends: `None` before all is read, and after an error.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        match self.state {
            State::Ended(end) => Some(end),
            State::Reading | State::Failed => None,
        }
    }

    /// Events delivered so far.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    fn advance(&mut self) -> Result<Option<Event>, Problem> {
        while self.delivered_of_block == self.events_in_block {
            let remainder = self.plain.len() - self.position;
            if remainder != 0 {
                return Err(self.corrupt(Damage::Remainder { bytes: remainder }));
            }
            if let Some(end) = self.next_block()? {
                self.state = State::Ended(end);
                return Ok(None);
            }
        }
        let rest = &self.plain[self.position..];
        match postcard::take_from_bytes(rest) {
            Ok((event, behind)) => {
                self.position += rest.len() - behind.len();
                self.delivered_of_block += 1;
                self.events += 1;
                Ok(Some(event))
            }
            Err(why) => Err(self.corrupt(Damage::Event {
                index: self.delivered_of_block,
                why,
            })),
        }
    }

    /// Reads the next block into `plain`, or the end.
    fn next_block(&mut self) -> Result<Option<End>, Problem> {
        self.block = self.blocks;
        self.block_offset = self.next_offset;
        let mut head = [0; HEAD_LENGTH];
        if read_up_to(&mut self.source, &mut head)? < HEAD_LENGTH {
            return Ok(Some(self.cut()));
        }
        let head = Head::parse(&head).map_err(|bad| match bad {
            BadHead::Checksum => self.corrupt(Damage::HeaderChecksum),
            BadHead::Tag(tag) => self.corrupt(Damage::UnknownBlock { tag }),
            BadHead::Length(length) => Problem::TooLong {
                block: self.block,
                offset: self.block_offset,
                length,
            },
        })?;
        self.read_payload(head.payload as usize)?;
        if self.payload.len() < head.payload as usize {
            return Ok(Some(self.cut()));
        }
        if crc32fast::hash(&self.payload) != head.payload_crc {
            return Err(self.corrupt(Damage::PayloadChecksum));
        }
        self.next_offset += HEAD_LENGTH as u64 + u64::from(head.payload);
        match head.tag {
            Tag::Events => self.decompress(head).map(|()| None),
            Tag::Done => self.finish(head).map(Some),
        }
    }

    /// Reads `length` bytes, or as many as there are.
    fn read_payload(&mut self, length: usize) -> io::Result<()> {
        self.payload.clear();
        while self.payload.len() < length {
            let begin = self.payload.len();
            self.payload.resize(length.min(begin + READ_STEP), 0);
            let read = read_up_to(&mut self.source, &mut self.payload[begin..])?;
            if begin + read < self.payload.len() {
                self.payload.truncate(begin + read);
                break;
            }
        }
        Ok(())
    }

    fn decompress(&mut self, head: Head) -> Result<(), Problem> {
        let plain = head.plain as usize;
        self.position = 0;
        self.events_in_block = head.events;
        self.delivered_of_block = 0;
        self.plain.clear();
        // Reserved, not touched: memory is taken as zstd writes to it, and zstd writes no further.
        self.plain.reserve_exact(plain);
        let result = self
            .decompressor
            .decompress_to_buffer(&self.payload, &mut self.plain);
        let why = match result {
            Ok(length) if length == plain => {
                self.blocks += 1;
                return Ok(());
            }
            Ok(length) => format!("{length} bytes where {plain} were written"),
            Err(error) => error.to_string(),
        };
        Err(self.corrupt(Damage::Compression(why)))
    }

    fn finish(&mut self, head: Head) -> Result<End, Problem> {
        let Ok(count) = <[u8; DONE_LENGTH as usize]>::try_from(self.payload.as_slice()) else {
            return Err(self.corrupt(Damage::EndMarker));
        };
        if head.plain != DONE_LENGTH || head.events != 0 {
            return Err(self.corrupt(Damage::EndMarker));
        }
        let expected = u64::from_le_bytes(count);
        if expected != self.events {
            return Err(self.corrupt(Damage::Count {
                found: self.events,
                expected,
            }));
        }
        if read_up_to(&mut self.source, &mut [0])? != 0 {
            return Err(Problem::AfterEnd {
                offset: self.next_offset,
            });
        }
        Ok(End::Whole)
    }

    fn cut(&self) -> End {
        End::Cut {
            blocks: self.blocks,
            events: self.events,
            offset: self.block_offset,
        }
    }

    /// Of the block that is being read.
    fn corrupt(&self, what: Damage) -> Problem {
        Problem::Corrupt {
            block: self.block,
            offset: self.block_offset,
            what,
        }
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Event, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// Fills `buffer` as far as there are bytes; returns how many.
fn read_up_to(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
