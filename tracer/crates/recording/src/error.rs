//! What can go wrong with a recording, in words for the one who wants it.

use std::io;
use std::path::PathBuf;

use crate::block::{FORMAT_VERSION, HEADER_LENGTH, MAX_EVENT, MAX_PAYLOAD, OLDEST_VERSION};

/// Why a recording could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The path ends in no file name.
    #[error("cannot record to {}: it names no file; give a file's path", path.display())]
    NoName {
        /// As given.
        path: PathBuf,
    },
    /// There is something else than a regular file, a symbolic link for one.
    #[error(
        "cannot record to {}: it is a link, a folder or a device; give the path of a regular file",
        path.display()
    )]
    NotRegular {
        /// What is not a regular file.
        path: PathBuf,
    },
    /// Another user has put a file there.
    #[error(
        "cannot record to {}: it belongs to another user; remove it, or record elsewhere",
        path.display()
    )]
    NotOurs {
        /// The other user's file.
        path: PathBuf,
    },
    /// Another tracer is writing there.
    #[error(
        "cannot record to {}: another tracer is writing it; record to another file",
        path.display()
    )]
    Busy {
        /// The file being written.
        path: PathBuf,
    },
    /// The file could not be made.
    #[error("cannot create the recording {}: {source}", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file takes no more.
    #[error(
        "cannot write the recording {path}: {source}; what is in it so far is kept and can be reported",
        path = path.display()
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It failed before, and nothing was written since.
    #[error("the recording {} has failed before", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
    },
    /// Whole, but not renamed.
    #[error(
        "cannot name the recording {path}: {source}; it is whole and kept as {partial}",
        path = path.display(),
        partial = partial.display()
    )]
    Rename {
        /// The name it should have.
        path: PathBuf,
        /// The name it has.
        partial: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// One event takes more than a block may hold.
    #[error(
        "cannot record an event of {bytes} bytes to {path}: at most {MAX_EVENT} are possible",
        path = path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Bytes of the event.
        bytes: usize,
    },
    /// postcard or zstd refused, which no event should make them do.
    #[error("cannot encode an event for the recording {}: {why}", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// Why a recording could not be read, or not further.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the recording {}: {problem}", path.display())]
pub struct ReadError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a recording.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The file could not be opened or read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It has no bytes.
    #[error("it is empty; record again with -o")]
    Empty,
    /// It is something else.
    #[error("it is not a recording of tracer; give a file made with -o")]
    Foreign,
    /// It stops within the header.
    #[error("it is cut off within its first {HEADER_LENGTH} bytes; nothing was recorded")]
    CutHeader,
    /// It is of another format version.
    #[error(
        "it is of format version {found}, this tracer reads versions {OLDEST_VERSION} to {FORMAT_VERSION}; use the tracer that made it"
    )]
    Version {
        /// Its version.
        found: u32,
    },
    /// Its bytes are not those that were written.
    #[error(
        "{what}, in block {block} at byte {offset}: it is damaged, and events from there on are lost; copy it again from where it was made"
    )]
    Corrupt {
        /// Number of the block, from 0.
        block: u64,
        /// Where the block begins in the file.
        offset: u64,
        /// What does not fit.
        what: Damage,
    },
    /// A length that no tracer writes.
    #[error(
        "a length of {length} bytes in block {block} at byte {offset}, at most {MAX_PAYLOAD} are possible: no tracer wrote this file"
    )]
    TooLong {
        /// Number of the block, from 0.
        block: u64,
        /// Where the block begins in the file.
        offset: u64,
        /// The length claimed, bytes.
        length: u32,
    },
    /// There are bytes behind the end.
    #[error("there are bytes after its end, at byte {offset}: something was appended to it")]
    AfterEnd {
        /// Where the recording ends.
        offset: u64,
    },
}

/// What does not fit in a block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The header's or the head's own checksum.
    #[error("wrong checksum of a header")]
    HeaderChecksum,
    /// The payload's checksum.
    #[error("wrong checksum")]
    PayloadChecksum,
    /// A kind of block that does not exist in this version.
    #[error("unknown kind of block {}", tag.escape_ascii())]
    UnknownBlock {
        /// Its tag.
        tag: [u8; 4],
    },
    /// zstd could not decompress it, or not to the length it should have.
    #[error("undecompressible data ({0})")]
    Compression(String),
    /// postcard could not decode an event.
    #[error("undecodable event {index} ({why})")]
    Event {
        /// Number of the event in its block, from 0.
        index: u32,
        /// What postcard says.
        why: postcard::Error,
    },
    /// Its events end before the block does.
    #[error("{bytes} bytes behind the last event")]
    Remainder {
        /// How many bytes.
        bytes: usize,
    },
    /// The end marker counts other events than there were.
    #[error("{found} events where {expected} were written")]
    Count {
        /// Events read.
        found: u64,
        /// Events that the end marker counts.
        expected: u64,
    },
    /// The end marker has another length than it must have.
    #[error("malformed end marker")]
    EndMarker,
}
