//! What of a call site stays the same from run to run: no address, no build path, nothing that the
//! loader or the kernel chose.

use std::collections::HashMap;
use std::hash::Hasher;

use crate::model::summary::Site;
use crate::words::names::{last_part, without_appended};
use tracer_ledger::event::{Frame, FrameKind};

/// A site as it is known again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint {
    /// There before tracing, or made by the kernel.
    pre_existing: bool,
    /// Last part of the file's or the kernel's name, where there are no frames.
    name: String,
    /// Innermost first; a function that calls itself is there once.
    frames: Vec<String>,
}

/// Of a site.
#[must_use]
pub fn of(site: &Site) -> Fingerprint {
    build(site, frame)
}

/// By the frames that have names: what stays if a library is another build. `None`: no frame has one,
/// or all have.
#[must_use]
pub fn by_names(site: &Site) -> Option<Fingerprint> {
    let named = site.frames.iter().filter(|frame| has_name(frame)).count();
    if named == 0 || named == site.frames.len() {
        return None;
    }
    Some(build(site, |one| has_name(one).then(|| frame(one))?))
}

fn build(site: &Site, word: impl Fn(&Frame) -> Option<String>) -> Fingerprint {
    let mut frames: Vec<String> = site.frames.iter().filter_map(word).collect();
    frames.dedup();
    Fingerprint {
        pre_existing: site.pre_existing,
        name: if site.frames.is_empty() {
            file_name(&site.name).to_owned()
        } else {
            String::new()
        },
        frames,
    }
}

impl Fingerprint {
    /// A short id, the same in every run: five of Crockford's base 32, in which no two characters look alike.
    #[must_use]
    pub fn key(&self) -> String {
        const CHARACTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        const LENGTH: u32 = 5;
        // The same on every machine and in every version, which the standard library's need not be.
        let mut hasher = fnv::FnvHasher::default();
        hasher.write(&[u8::from(self.pre_existing)]);
        for word in std::iter::once(&self.name).chain(&self.frames) {
            hasher.write(word.as_bytes());
            hasher.write(&[0]);
        }
        let hash = hasher.finish();
        let at = |place: u32| usize::try_from((hash >> (5 * place)) % 32).unwrap_or(0);
        (0..LENGTH)
            .map(|place| char::from(CHARACTERS[at(place)]))
            .collect()
    }

    /// How many frames it has.
    #[must_use]
    pub fn frame_count(&self) -> usize {
        self.frames.len()
    }

    /// What part of both's frames is in both, 0 to 1 (Dice's coefficient; order does not count).
    #[must_use]
    pub fn similarity(&self, other: &Self) -> f64 {
        let all = self.frames.len() + other.frames.len();
        if all == 0 || self.pre_existing != other.pre_existing {
            return 0.0;
        }
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for frame in &self.frames {
            *counts.entry(frame).or_default() += 1;
        }
        let mut same = 0usize;
        for frame in &other.frames {
            if let Some(count) = counts.get_mut(frame.as_str())
                && *count > 0
            {
                *count -= 1;
                same += 1;
            }
        }
        (2 * same) as f64 / all as f64
    }
}

fn has_name(frame: &Frame) -> bool {
    frame.function.is_some()
}

/// A frame in words; `None`: of it nothing is known that the next run has too.
fn frame(frame: &Frame) -> Option<String> {
    let module = frame.module.as_deref().map_or("", file_name);
    let is_script = matches!(frame.kind, FrameKind::Jit | FrameKind::Interpreted);
    match &frame.function {
        // Interpreted in one run and compiled in the next, a script's function is the same.
        Some(function) if is_script => {
            let file = frame.file.as_deref().map_or("", file_name);
            match (function.as_str(), frame.line) {
                ("" | "(anonymous)" | "(top level)", Some(line)) => Some(format!("{file}:{line}")),
                _ => Some(format!("{function} {file}")),
            }
        }
        Some(function) => Some(format!("{} {module}", plain(function))),
        // Without a module the offset is an address.
        None if module.is_empty() || is_script => None,
        None => Some(format!("{module}+{:#x}", frame.offset)),
    }
}

/// Without what compilers and linkers add anew with each build: Rust's hash, `.constprop.0`,
/// `@@GLIBC_2.2.5`.
fn plain(function: &str) -> &str {
    let name = without_appended(function);
    match name.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            path
        }
        _ => name,
    }
}

fn file_name(path: &str) -> &str {
    last_part(path.strip_suffix(" (deleted)").unwrap_or(path))
}
