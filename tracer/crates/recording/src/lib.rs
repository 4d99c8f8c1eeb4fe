//! The recording: a file of [`Event`](tracer_ledger::event::Event)s, versioned, checksummed, compressed, and
//! readable up to its last whole block after a crash.
//!
//! # Format, version 6
//!
//! All integers are little-endian; CRC-32 is the one of IEEE 802.3 (as in zlib and PNG).
//!
//! ```text
//! file   = header  events*  end
//! header = 89 54 52 41 43 45 52 0A    magic: 0x89 "TRACER" LF
//!          u32  format version        6
//!          u32  CRC-32                of the 12 bytes before
//! block  = [u8; 4]  tag               "EVTS": events, "DONE": the end
//!          u32  payload length        bytes that follow this head, at most 67,371,264
//!          u32  plain length          bytes of the payload once decompressed, at most 67,108,864
//!          u32  events                number of events in the payload
//!          u32  payload CRC-32        of the payload as it is in the file
//!          u32  head CRC-32           of the 20 bytes before
//!          [u8; payload length]
//! ```
//!
//! The payload of an `EVTS` block is one zstd frame (RFC 8878) of exactly *plain length* bytes:
//! *events* events one after the other, with nothing between or behind them. No block refers to
//! another, and no event spans two.
//!
//! The payload of the `DONE` block is not compressed: a `u64` with the number of events in the whole
//! file. Its *payload length* and *plain length* are 8, its *events* is 0. It is the last block, and
//! nothing follows it. A file that stops before the end of its `DONE` block is *cut*: the tracer that
//! wrote it was killed, or is still writing. Its whole blocks are good.
//!
//! An event is encoded by postcard 1 (<https://postcard.jamesmunns.com/wire-format>): an enum is the
//! varint of its variant's index and then the variant's fields; a struct is its fields in the order of
//! their declaration; integers wider than 8 bits are LEB128 varints (signed ones zigzag first); `bool`
//! and `u8` are one byte; `Option` is 0, or 1 and the value; strings and sequences are the varint of
//! their length and then their bytes or elements. The variants' order and the fields' order are those
//! of [`Event`](tracer_ledger::event::Event) and of the types named there. The first event is
//! [`Started`](tracer_ledger::event::Started), which says of which host, boot and clock the recording is.
//!
//! postcard does not describe itself: **any change to those types is a new format version.** A test
//! holds the encoding of every variant against [`FORMAT_VERSION`]. A version that only adds a variant at the
//! end reads those before it as well, down to [`OLDEST_VERSION`]. Version 3 has added
//! [`Incomplete`](tracer_ledger::event::Incomplete), [`Learning`](tracer_ledger::event::Learning) and
//! [`SampledFault`](tracer_ledger::event::SampledFault), version 4 [`Machine`](tracer_ledger::event::Machine), version 5
//! [`Shown`](tracer_ledger::event::Shown) and [`Module`](tracer_ledger::event::Module), version 6 all from
//! [`Refused`](tracer_ledger::event::Refused) on.
//!
//! # Files
//!
//! A recording is written to `FILE.partial` and renamed to `FILE` when it is whole, so that a `FILE`
//! is never half of one. After a crash, or when the disk is full, `FILE.partial` stays and can be read
//! like any other.

mod block;

mod error;

mod file;

mod write;

mod read;

mod kept;

pub use block::{FIRST_BYTE, FORMAT_VERSION, MAX_PAYLOAD, MAX_PLAIN, OLDEST_VERSION};
pub use error::{Damage, Problem, ReadError, WriteError};
pub use file::{Owner, PartialFile};
pub use kept::{Kept, Saved};
pub use read::{End, Reader};
pub use write::Writer;
