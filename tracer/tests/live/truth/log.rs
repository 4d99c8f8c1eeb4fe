//! What the program says of its own chains: words in a file (`record` and `log_maps` in
//! `fixtures/chains/main.c`).

use std::{
    fs::File,
    io::{BufReader, Read as _},
    path::Path,
};

/// One entry of a chain.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// An address, or what stands for frames of others.
    pub value: u64,
    /// Where the frame begins that returns there; 0: not told.
    pub cfa: u64,
}

/// One memory call.
#[derive(Debug)]
pub struct Made {
    thread: u64,
    address: u64,
    length: u64,
    /// About the stack pointer of the call.
    pub sp: u64,
    /// Innermost first.
    pub chain: Vec<Entry>,
    /// Which of [`Log::maps`] held then.
    pub maps: usize,
}

impl Made {
    /// What tells its call in a recording, but for others of the same place.
    pub fn key(&self) -> (u64, u64, u64) {
        (self.thread, self.address, self.length)
    }
}

/// A line of `/proc/PID/maps`.
#[derive(Debug)]
pub struct Mapped {
    start: u64,
    end: u64,
    offset: u64,
    name: String,
}

/// All maps at one time.
#[derive(Debug)]
pub struct Maps(Vec<Mapped>);

impl Maps {
    fn parse(text: &str) -> Self {
        let number = |word: &str| u64::from_str_radix(word, 16).unwrap();
        let line = |line: &str| {
            let words: Vec<_> = line.split_whitespace().collect();
            let (start, end) = words[0].split_once('-').unwrap();
            Mapped {
                start: number(start),
                end: number(end),
                offset: number(words[2]),
                name: words.get(5).unwrap_or(&"").to_string(),
            }
        };
        Self(text.lines().map(line).collect())
    }

    /// The file and the offset in it; of memory without a file the address.
    pub fn place(&self, address: u64) -> (Option<&str>, u64) {
        let found = |map: &&Mapped| (map.start..map.end).contains(&address);
        match self.0.iter().find(found) {
            Some(map) if map.name.starts_with('/') => {
                (Some(&map.name), map.offset + (address - map.start))
            }
            _ => (None, address),
        }
    }
}

/// Everything that it said.
pub struct Log {
    pub events: Vec<Made>,
    pub maps: Vec<Maps>,
}

impl Log {
    /// Reads it.
    pub fn read(path: &Path) -> Self {
        let mut file = BufReader::new(File::open(path).unwrap());
        let mut log = Self {
            events: Vec::new(),
            maps: Vec::new(),
        };
        let mut head = [0; 16];
        loop {
            file.read_exact(&mut head).unwrap();
            let [kind, count] = *words(&head) else {
                unreachable!("two words");
            };
            let mut bytes = vec![0; usize::try_from(count).unwrap() * 8];
            file.read_exact(&mut bytes).unwrap();
            match kind {
                0 => return log,
                1 => log.event(&words(&bytes)),
                2 => {
                    let text = String::from_utf8(bytes).unwrap();
                    log.maps.push(Maps::parse(text.trim_end_matches('\0')));
                }
                _ => panic!("no record is a {kind}"),
            }
        }
    }

    fn event(&mut self, words: &[u64]) {
        let [thread, address, length, sp, chain @ ..] = words else {
            panic!("too short: {words:x?}");
        };
        let entry = |pair: &[u64]| Entry {
            value: pair[0],
            cfa: pair[1],
        };
        self.events.push(Made {
            thread: *thread,
            address: *address,
            length: *length,
            sp: *sp,
            chain: chain.chunks_exact(2).map(entry).collect(),
            maps: self.maps.len() - 1,
        });
    }
}

fn words(bytes: &[u8]) -> Box<[u64]> {
    let word = |bytes: &[u8]| u64::from_ne_bytes(bytes.try_into().unwrap());
    bytes.chunks_exact(8).map(word).collect()
}
