//! The framing: the file's header and the blocks' heads, to and from bytes.

/// Version of the format, raised with any change to it or to the types of the events.
pub const FORMAT_VERSION: u32 = 6;
/// The oldest version that can still be read: since then only kinds of events were added.
pub const OLDEST_VERSION: u32 = 2;
/// The most bytes that a block may hold once decompressed. One event is never larger: it has room
/// for some 800,000 mappings of files, or six million resident ranges.
pub const MAX_PLAIN: u32 = 64 << 20;
/// The most bytes that a block may take in the file: what zstd may make of [`MAX_PLAIN`] bytes that
/// cannot be compressed (`ZSTD_COMPRESSBOUND`, zstd.h).
pub const MAX_PAYLOAD: u32 = MAX_PLAIN + (MAX_PLAIN >> 8);

/// A block is written when this many bytes are gathered: enough for zstd to find what repeats, and
/// little enough to lose.
pub(crate) const BLOCK_TARGET: usize = 256 << 10;
/// The most bytes that one event may take. A block that is still gathering is below its target, so
/// that an event of this size fits behind whatever is in it.
pub(crate) const MAX_EVENT: usize = MAX_PLAIN as usize - BLOCK_TARGET;

/// What every recording begins with. Not text, and spoiled by whatever converts line ends.
const MAGIC: [u8; 8] = *b"\x89TRACER\n";
/// The first byte of every recording, which no text begins with: to tell one from other files.
pub const FIRST_BYTE: u8 = MAGIC[0];
/// Bytes of the file's header.
pub(crate) const HEADER_LENGTH: usize = 16;
/// Bytes of a block's head.
pub(crate) const HEAD_LENGTH: usize = 24;
/// Bytes of the end marker's payload.
pub(crate) const DONE_LENGTH: u32 = 8;

/// The file's header.
pub(crate) fn header() -> [u8; HEADER_LENGTH] {
    let mut bytes = [0; HEADER_LENGTH];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..12]);
    bytes[12..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// What the first bytes of a file say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// A recording of this version.
    Version(u32),
    /// Too short to tell, and a recording as far as it goes.
    Cut,
    /// Nothing at all.
    Empty,
    /// Something else.
    Foreign,
    /// A recording's magic with a wrong checksum.
    Corrupt,
}

/// Reads the header; `bytes` are the file's first [`HEADER_LENGTH`] bytes, or all there are.
pub(crate) fn parse_header(bytes: &[u8]) -> Header {
    let common = bytes.len().min(MAGIC.len());
    if bytes.is_empty() {
        Header::Empty
    } else if bytes[..common] != MAGIC[..common] {
        Header::Foreign
    } else if bytes.len() < HEADER_LENGTH {
        Header::Cut
    } else if crc32fast::hash(&bytes[..12]) != word(bytes, 12) {
        Header::Corrupt
    } else {
        Header::Version(word(bytes, 8))
    }
}

/// What a block is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    /// It holds events.
    Events,
    /// It ends the file.
    Done,
}

impl Tag {
    const fn bytes(self) -> [u8; 4] {
        match self {
            Self::Events => *b"EVTS",
            Self::Done => *b"DONE",
        }
    }
}

/// The head of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) tag: Tag,
    /// Bytes in the file.
    pub(crate) payload: u32,
    /// Bytes once decompressed.
    pub(crate) plain: u32,
    pub(crate) events: u32,
    pub(crate) payload_crc: u32,
}

/// Why a head is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadHead {
    Checksum,
    Tag([u8; 4]),
    /// A length above its cap: which, in bytes.
    Length(u32),
}

impl Head {
    pub(crate) fn to_bytes(self) -> [u8; HEAD_LENGTH] {
        let mut bytes = [0; HEAD_LENGTH];
        bytes[..4].copy_from_slice(&self.tag.bytes());
        let words = [self.payload, self.plain, self.events, self.payload_crc];
        for (slot, word) in bytes[4..].chunks_exact_mut(4).zip(words) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        let crc = crc32fast::hash(&bytes[..20]);
        bytes[20..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// A head whose lengths are within their caps.
    pub(crate) fn parse(bytes: &[u8; HEAD_LENGTH]) -> Result<Self, BadHead> {
        if crc32fast::hash(&bytes[..20]) != word(bytes, 20) {
            return Err(BadHead::Checksum);
        }
        let tag = match &bytes[..4] {
            b"EVTS" => Tag::Events,
            b"DONE" => Tag::Done,
            other => return Err(BadHead::Tag([other[0], other[1], other[2], other[3]])),
        };
        let head = Self {
            tag,
            payload: word(bytes, 4),
            plain: word(bytes, 8),
            events: word(bytes, 12),
            payload_crc: word(bytes, 16),
        };
        if head.payload > MAX_PAYLOAD {
            return Err(BadHead::Length(head.payload));
        }
        if head.plain > MAX_PLAIN {
            return Err(BadHead::Length(head.plain));
        }
        Ok(head)
    }
}

/// The little-endian word at `offset`, which the caller knows to be within `bytes`.
fn word(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes([
        bytes[offset],
        bytes[offset + 1],
        bytes[offset + 2],
        bytes[offset + 3],
    ])
}
