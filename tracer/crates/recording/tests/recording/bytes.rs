//! Recordings in memory: written and read by the tracer, and written from the format's description
//! alone.

use std::path::Path;

use tracer_ledger::event::Event;
use tracer_recording::{End, FORMAT_VERSION, Problem, ReadError, Reader, Writer};

pub(crate) const NAME: &str = "a.rec";

/// A recording with a block after every `per_block` events.
pub(crate) fn record(events: &[Event], per_block: usize) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), Path::new(NAME)).unwrap();
    for chunk in events.chunks(per_block) {
        for event in chunk {
            writer.write(event).unwrap();
        }
        writer.flush_block().unwrap();
    }
    writer.end().unwrap()
}

/// All events that come, and how it ended.
pub(crate) fn play(bytes: &[u8]) -> (Vec<Event>, Result<End, ReadError>) {
    let mut reader = match Reader::new(bytes, Path::new(NAME)) {
        Ok(reader) => reader,
        Err(error) => return (Vec::new(), Err(error)),
    };
    let mut events = Vec::new();
    loop {
        match reader.read() {
            Ok(Some(event)) => events.push(event),
            Ok(None) => {
                assert_eq!(reader.events(), events.len() as u64);
                return (events, Ok(reader.end().expect("all is read")));
            }
            Err(error) => {
                assert_eq!(reader.end(), None);
                assert!(reader.next().is_none(), "nothing comes after an error");
                return (events, Err(error));
            }
        }
    }
}

pub(crate) fn problem(bytes: &[u8]) -> Problem {
    play(bytes).1.expect_err("this is no recording").problem
}

// ---- a writer made from the format's description alone ----

pub(crate) fn header(version: u32) -> Vec<u8> {
    let mut bytes = b"\x89TRACER\n".to_vec();
    bytes.extend(version.to_le_bytes());
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

pub(crate) fn block(tag: &[u8; 4], payload: &[u8], plain: u32, events: u32) -> Vec<u8> {
    head(
        tag,
        payload.len() as u32,
        plain,
        events,
        crc32fast::hash(payload),
    )
    .into_iter()
    .chain(payload.iter().copied())
    .collect()
}

pub(crate) fn head(tag: &[u8; 4], payload: u32, plain: u32, events: u32, crc: u32) -> Vec<u8> {
    let mut bytes = tag.to_vec();
    for word in [payload, plain, events, crc] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

pub(crate) fn events_block(plain: &[u8], events: u32) -> Vec<u8> {
    let payload = zstd::bulk::compress(plain, 1).unwrap();
    block(b"EVTS", &payload, plain.len() as u32, events)
}

pub(crate) fn done(events: u64) -> Vec<u8> {
    block(b"DONE", &events.to_le_bytes(), 8, 0)
}

pub(crate) fn file(blocks: &[Vec<u8>]) -> Vec<u8> {
    [header(FORMAT_VERSION), blocks.concat()].concat()
}

pub(crate) fn encoded(event: &Event) -> Vec<u8> {
    postcard::to_allocvec(event).unwrap()
}
