//! One stack against the chain that the program itself tells.

use std::fmt::Write as _;

use tracer_common::stack::{MAX_COPY, MAX_FRAMES};
use tracer_ledger::event::{Frame, Stack, StackQuality};

use super::log::{Made, Maps};

/// Less than a page may be left out at the end of what is copied.
const PAGE: u64 = 4096;
/// Where libc makes the call, the stack pointer is told too high by its frames: less than this.
const LIBC_FRAMES: u64 = 1 << 10;
/// Stacks lie so far apart, frames of one do not.
const APART: u64 = 64 << 10;

/// What stands for frames of others in a chain (`fixtures/chains/chains.h`).
struct Others {
    /// How many.
    number: std::ops::RangeInclusive<usize>,
    /// Their files begin so.
    files: &'static [&'static str],
    /// Names of the first.
    first: &'static [&'static str],
    /// Names of the last.
    last: &'static [&'static str],
}

const ANY: &[&str] = &[];
const MMAP: &[&str] = &["mmap", "mmap64", "__mmap"];
const LIBC: &[&str] = &["libc.so"];

fn others(value: u64) -> Option<Others> {
    let of_libc = |number, first, last| Others {
        number,
        files: LIBC,
        first,
        last,
    };
    Some(match value {
        1 => of_libc(1..=1, MMAP, ANY),
        2 => of_libc(2..=6, MMAP, &["malloc", "__libc_malloc"]),
        3 => of_libc(2..=6, &["mremap"], &["realloc", "__libc_realloc"]),
        // The comparison may have been called by the last itself, whose return address is exact.
        4 => of_libc(0..=16, ANY, &["qsort_r", "__qsort_r"]),
        5 => of_libc(1..=3, ANY, &["raise", "gsignal"]),
        6 => Others {
            number: 1..=24,
            files: &["ld-linux", "libc.so"],
            first: ANY,
            last: &["dlopen"],
        },
        7 => Others {
            number: 0..=4,
            files: &["libstdc++", "libgcc_s"],
            first: ANY,
            last: &["__cxa_end_catch"],
        },
        8 => Others {
            number: 3..=8,
            files: &["libstdc++", "libc.so"],
            first: MMAP,
            last: &["__cxa_allocate_exception"],
        },
        _ => return None,
    })
}

/// What follows the program's own outermost frame: files, innermost first.
fn outermost(value: u64) -> Option<&'static [&'static str]> {
    Some(match value {
        9 => &["libc.so", "chains"],
        10 => &["libc.so"],
        11 => &[],
        _ => return None,
    })
}

/// A stack without a fault.
pub struct Verdict<'a> {
    /// Frames compared: all that are there.
    pub frames: usize,
    /// It is cut where it may be.
    pub cut: bool,
    /// What they are called.
    pub names: Vec<&'a str>,
    /// What stood for frames of others among them, and for its end.
    pub others: Vec<u64>,
}

fn file(frame: &Frame) -> &str {
    let module = frame.module.as_deref().unwrap_or_default();
    module.rsplit('/').next().unwrap_or_default()
}

fn is_in(frame: &Frame, files: &[&str]) -> bool {
    files.iter().any(|name| file(frame).starts_with(name))
}

fn is_named(frame: &Frame, names: &[&str]) -> bool {
    let name = frame.function.as_deref().unwrap_or_default();
    names.is_empty() || names.contains(&name.split('@').next().unwrap_or_default())
}

/// How many bytes of stack it takes to find a chain's frames.
struct Needed {
    bytes: u64,
    last: u64,
}

impl Needed {
    fn from(sp: u64) -> Self {
        Self {
            bytes: PAGE + LIBC_FRAMES,
            last: sp,
        }
    }

    /// With a frame that ends there (0: not told). On another stack a copy begins anew, behind what lies
    /// above the signal's frame on the first: the machine's registers, a page or so.
    fn with(&self, cfa: u64) -> u64 {
        match cfa.checked_sub(self.last) {
            _ if cfa == 0 => self.bytes,
            Some(more) if more < APART => self.bytes + more,
            _ => self.bytes + 2 * PAGE,
        }
    }

    fn add(&mut self, cfa: u64) {
        if cfa != 0 {
            (self.bytes, self.last) = (self.with(cfa), cfa);
        }
    }
}

/// Compares every frame.
pub fn compare<'a>(made: &Made, maps: &Maps, stack: &'a Stack) -> Result<Verdict<'a>, String> {
    let found: Vec<&Frame> = stack.frames.iter().filter(|frame| !frame.inlined).collect();
    let told = |what: &str| Err(difference(what, made, maps, stack, &found));
    let mut at = 0;
    let mut needed = Needed::from(made.sp);
    let mut passed = Vec::new();
    let verdict = |cut, others| {
        let names = found.iter().filter_map(|frame| frame.function.as_deref());
        Ok(Verdict {
            frames: found.len(),
            cut,
            names: names.collect(),
            others,
        })
    };
    for entry in &made.chain {
        let missing = at == found.len();
        if missing && stack.quality == StackQuality::Cut {
            let too_far = needed.with(entry.cfa) > MAX_COPY as u64;
            return if found.len() == MAX_FRAMES + 1 || too_far {
                verdict(true, passed)
            } else {
                told(&format!("cut too early, at {at}"))
            };
        }
        needed.add(entry.cfa);
        if let Some(files) = outermost(entry.value) {
            let rest = &found[at..];
            let right = rest
                .iter()
                .zip(files)
                .all(|(frame, file)| is_in(frame, &[file]));
            let missing = files.len().checked_sub(rest.len());
            return match (right, missing, stack.quality) {
                (true, Some(0), StackQuality::Complete) => {
                    passed.push(entry.value);
                    verdict(false, passed)
                }
                (true, Some(_), StackQuality::Cut)
                    if found.len() == MAX_FRAMES + 1 || needed.bytes > MAX_COPY as u64 =>
                {
                    verdict(true, passed)
                }
                _ => told("another end"),
            };
        }
        if let Some(others) = others(entry.value) {
            let rest = &found[at..];
            let number = rest
                .iter()
                .take_while(|frame| is_in(frame, others.files))
                .count();
            let own = &rest[..number];
            let whole = at + number < found.len();
            let right = own
                .first()
                .is_none_or(|frame| is_named(frame, others.first))
                && (!whole || own.last().is_none_or(|frame| is_named(frame, others.last)))
                && number <= *others.number.end()
                && (!whole || number >= *others.number.start());
            if !right {
                return told(&format!("other frames of libraries, at {at}"));
            }
            at += number;
            if whole {
                passed.push(entry.value);
            }
            continue;
        }
        let right = found.get(at).is_some_and(|frame| {
            (frame.module.as_deref(), frame.offset) == maps.place(entry.value)
        });
        if !right {
            return told(&format!("another frame, at {at}"));
        }
        at += 1;
    }
    told("a chain without an end")
}

/// The two, side by side as far as they are the same and some frames beyond.
fn difference(what: &str, made: &Made, maps: &Maps, stack: &Stack, found: &[&Frame]) -> String {
    let mut text = format!(
        "{what} ({:?}) of {:x?}\n  expected:\n",
        stack.quality,
        made.key()
    );
    for entry in &made.chain {
        let (module, offset) = maps.place(entry.value);
        let name = module.unwrap_or("-").rsplit('/').next().unwrap_or_default();
        let above = entry.cfa.wrapping_sub(made.sp);
        let _ = writeln!(text, "    {name}+{offset:#x} (frame at sp+{above:#x})");
    }
    text.push_str("  found:\n");
    for frame in found {
        let name = frame.function.as_deref().unwrap_or("?");
        let _ = writeln!(text, "    {}+{:#x} {name}", file(frame), frame.offset);
    }
    text
}
