//! Names of code made at run time, by address and time: what a perf map told, and when it can have been
//! written.
//!
//! A line of a perf map carries no time. What is known of it is that it was written after the file was last
//! read without it, and before it was read (or before the file was last changed, which may be much earlier:
//! see [`Written`]). Of a stack that was taken at a time between the two nobody knows whether it met the
//! code that the line tells of or that of an earlier line: it gets neither's name, unless they are the
//! same. What a runtime writes later than it runs its code (through a buffer) is not to be told from
//! what it made later: only where no earlier code is known is a stack named by a line of later.

use super::printable::printable;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use tracer_ledger::event::Nanoseconds;

/// The most ranges that are kept.
const MAX_RANGES: usize = 1 << 20;
/// The most names of one range that are kept, the newest.
const MAX_VERSIONS: usize = 8;
/// The most bytes of one name that are kept.
const MAX_NAME: usize = 4 << 10;

/// When a line was written: after the one, and not after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The file was read then, and the line was not there. 0: it was never read before.
    pub after: Nanoseconds,
    /// The line was there.
    pub by: Nanoseconds,
}

/// What is known of the code at an address at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameAt<'a> {
    /// Nothing; a line may come yet.
    Nothing,
    /// It may have been one of several.
    Unclear,
    /// Its name.
    Name(&'a str),
}

/// One name of a range, from when on it was its name.
#[derive(Clone, Debug)]
struct Version {
    written: Written,
    name: Arc<str>,
}

/// The names of one range, the newest last.
#[derive(Clone, Debug, Default)]
struct Versions {
    all: Vec<Version>,
    /// Older ones are no longer kept.
    forgotten: bool,
}

impl Versions {
    /// Says whether this is another name than before.
    fn push(&mut self, version: &Version) -> bool {
        let last = self.all.last();
        if last.is_some_and(|last| last.name == version.name) {
            return false;
        }
        let replaces = last.is_some();
        if self.all.len() == MAX_VERSIONS {
            self.all.remove(0);
            self.forgotten = true;
        }
        self.all.push(version.clone());
        replaces
    }

    fn at(&self, time: Nanoseconds) -> NameAt<'_> {
        // Those that were written for certain by then are in front, those that were not behind.
        let before = self.all.partition_point(|one| one.written.by <= time);
        let possible = self.all.partition_point(|one| one.written.after < time);
        let candidates = &self.all[before.saturating_sub(1)..possible.max(before)];
        match (candidates, self.all.first()) {
            ([], Some(first)) if !self.forgotten => NameAt::Name(&first.name),
            ([], _) => NameAt::Unclear,
            ([_, ..], _) if before == 0 && self.forgotten => NameAt::Unclear,
            ([only], _) => NameAt::Name(&only.name),
            _ => NameAt::Unclear,
        }
    }
}

/// Names by range of addresses, and by time.
#[derive(Debug, Default)]
pub struct CodeNames {
    /// By first address: one past the last, and the names. Ranges do not overlap.
    ranges: BTreeMap<u64, (u64, Versions)>,
    skipped: u64,
    replaced: Vec<Range<u64>>,
}

impl CodeNames {
    /// The name of the code that was at this address at this time.
    #[must_use]
    pub fn find(&self, address: u64, time: Nanoseconds) -> NameAt<'_> {
        let range = self.ranges.range(..=address).next_back();
        match range {
            Some((_, (end, versions))) if address < *end => versions.at(time),
            _ => NameAt::Nothing,
        }
    }

    /// Lines that made no sense, or for which there was no room.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// One more line that is of no use.
    pub fn skip(&mut self) {
        self.skipped += 1;
    }

    /// Addresses that got another name since this was last asked.
    pub fn take_replaced(&mut self) -> Vec<Range<u64>> {
        std::mem::take(&mut self.replaced)
    }

    /// Takes one line, without its newline; counts it if it makes no sense.
    pub fn add_line(&mut self, line: &[u8], written: Written) {
        if line.is_empty() {
            return;
        }
        match parse(line) {
            Some((range, name)) if self.ranges.len() < MAX_RANGES => {
                self.insert(&range, &Version { written, name });
            }
            _ => self.skipped += 1,
        }
    }

    /// Code is written where other code was: each piece of that gets one name more.
    fn insert(&mut self, range: &Range<u64>, version: &Version) {
        self.split(range.start);
        self.split(range.end);
        let mut free = range.start;
        let mut gaps = Vec::new();
        for (&start, (end, versions)) in self.ranges.range_mut(range.clone()) {
            if free < start {
                gaps.push(free..start);
            }
            if versions.push(version) {
                self.replaced.push(start..*end);
            }
            free = *end;
        }
        if free < range.end {
            gaps.push(free..range.end);
        }
        for gap in gaps {
            let mut versions = Versions::default();
            versions.push(version);
            self.ranges.insert(gap.start, (gap.end, versions));
        }
    }

    /// Makes one range two if it holds this address within.
    fn split(&mut self, at: u64) {
        let Some((_, (end, versions))) = self.ranges.range_mut(..at).next_back() else {
            return;
        };
        if *end > at {
            let upper = (*end, versions.clone());
            *end = at;
            self.ranges.insert(at, upper);
        }
    }
}

/// `START SIZE NAME`, hexadecimal, the name to the end of the line.
fn parse(line: &[u8]) -> Option<(Range<u64>, Arc<str>)> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (start, rest) = field(line)?;
    let (size, name) = field(rest)?;
    let start = hexadecimal(start)?;
    let end = start.checked_add(hexadecimal(size)?)?;
    let name = &name[..name.len().min(MAX_NAME)];
    let name = printable(String::from_utf8_lossy(name).trim());
    (end > start && !name.is_empty()).then(|| (start..end, name.into()))
}

fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.trim_ascii_start();
    let end = line.iter().position(u8::is_ascii_whitespace)?;
    Some((&line[..end], &line[end + 1..]))
}

/// With or without `0x` (the JVM writes it).
fn hexadecimal(digits: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(digits).ok()?;
    let digits = digits
        .strip_prefix("0x")
        .or(digits.strip_prefix("0X"))
        .unwrap_or(digits);
    // The parser of numbers would accept a sign.
    let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    plain.then(|| u64::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests;
