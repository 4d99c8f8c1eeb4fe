//! What the kernel is told of this process, and what it says of it: the truth's other witness.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use serde::Serialize;

use super::growth::{KIB, PAGE};
use super::truth::Range;

/// Turns huge pages off for this process: with them a fault touches more than the page that was
/// written, as the host's settings will have it, and the truth would depend on the host.
pub fn touch_small_pages_only() {
    // SAFETY: this option takes three plain numbers; a kernel that does not know it refuses it,
    // and then has no huge pages to turn off.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) };
}

/// From `/proc/self/status`.
pub struct Status {
    pub vm_size_bytes: usize,
    /// Kept by the kernel in counters of each CPU, so it may be some pages off.
    pub vm_rss_bytes: usize,
}

/// Reads without allocating: asking must not change the answer.
pub fn status() -> io::Result<Status> {
    let mut buffer = [0; 4 * KIB];
    let mut filled = 0;
    let mut file = File::open("/proc/self/status")?;
    loop {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            more => filled += more,
        }
    }
    let text = str::from_utf8(&buffer[..filled]).map_err(io::Error::other)?;
    let figure = |key: &str| {
        text.lines()
            .find_map(|line| {
                line.strip_prefix(key)?
                    .split_ascii_whitespace()
                    .next()?
                    .parse()
                    .ok()
            })
            .map(|kib: usize| kib * KIB)
            .ok_or_else(|| io::Error::other("/proc/self/status lacks a figure"))
    };
    Ok(Status {
        vm_size_bytes: figure("VmSize:")?,
        vm_rss_bytes: figure("VmRSS:")?,
    })
}

/// One mapping, from `/proc/self/smaps`.
pub struct Mapping {
    pub range: Range,
    accessible: bool,
    charged: bool,
    heap: bool,
}

/// What the kernel knows of some ranges, bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    pub reserved_bytes: usize,
    pub accessible_bytes: usize,
    pub touched_bytes: usize,
    pub charged_bytes: usize,
}

/// The address space at one moment.
pub struct Maps {
    mappings: Vec<Mapping>,
    pagemap: File,
}

impl Maps {
    pub fn read() -> io::Result<Self> {
        let mut mappings: Vec<Mapping> = Vec::with_capacity(1024);
        for line in fs::read_to_string("/proc/self/smaps")?.lines() {
            if let Some(flags) = line.strip_prefix("VmFlags:") {
                // "ac": accounted for, that is charged against the commit limit (proc_pid_smaps(5)).
                let charged = flags.split_ascii_whitespace().any(|flag| flag == "ac");
                if let Some(mapping) = mappings.last_mut() {
                    mapping.charged = charged;
                }
            } else if let Some(mapping) = heading(line) {
                mappings.push(mapping);
            }
        }
        Ok(Self {
            mappings,
            pagemap: File::open("/proc/self/pagemap")?,
        })
    }

    /// Where the kernel lets the program break begin; nothing if it has never been moved.
    pub fn heap_start(&self) -> Option<usize> {
        self.mappings
            .iter()
            .find(|mapping| mapping.heap)
            .map(|mapping| mapping.range.start)
    }

    /// All that is known of these ranges. Mappings are merged and split as the kernel likes, so
    /// each range is cut out of those that it overlaps.
    pub fn look(&self, ranges: &[Range]) -> io::Result<Figures> {
        let mut sum = Figures::default();
        for range in ranges {
            for mapping in &self.mappings {
                let part = mapping.range.overlap(*range);
                sum.reserved_bytes += part.length;
                if mapping.accessible && part.length > 0 {
                    sum.accessible_bytes += part.length;
                    // Only here: nobody in this process takes access away from a touched page
                    // again, and the page map of 10 GiB is 20 MiB long.
                    sum.touched_bytes += self.touched(part)?;
                }
                if mapping.charged {
                    sum.charged_bytes += part.length;
                }
            }
        }
        Ok(sum)
    }

    /// Bytes of the pages that are in memory or in swap
    /// (bits 63 and 62, Documentation/admin-guide/mm/pagemap.rst).
    fn touched(&self, range: Range) -> io::Result<usize> {
        let mut entries = vec![0; range.length / PAGE * 8];
        self.pagemap
            .read_exact_at(&mut entries, (range.start / PAGE * 8) as u64)?;
        let touched = entries
            .chunks_exact(8)
            .filter(|entry| entry[7] & 0b1100_0000 != 0);
        Ok(touched.count() * PAGE)
    }
}

/// The first line of a mapping: `55d0c1a00000-55d0c1a21000 rw-p 00000000 00:00 0  [heap]`.
fn heading(line: &str) -> Option<Mapping> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let start = usize::from_str_radix(start, 16).ok()?;
    let end = usize::from_str_radix(end, 16).ok()?;
    let accessible = !words.next()?.starts_with("---");
    let heap = words.last() == Some("[heap]");
    Some(Mapping {
        range: Range {
            start,
            length: end - start,
        },
        accessible,
        charged: false,
        heap,
    })
}
