//! What many parts of the page share, written once: texts, frames, stacks as a tree, kinds.

use std::collections::HashMap;
use std::hash::Hash;

use serde::Serialize;

use crate::names::{full_name, location, module, short_name};
use crate::text::line::escape;
use tracer_analysis::summary::Pattern;
use tracer_ledger::event::{Frame, FrameKind};

/// Values, each once, by their place.
#[derive(Debug)]
struct Set<T> {
    places: HashMap<T, u32>,
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self {
            places: HashMap::new(),
        }
    }
}

impl<T: Hash + Eq> Set<T> {
    /// Its place, and whether it is new.
    fn add(&mut self, value: T) -> (u32, bool) {
        let next = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        let place = *self.places.entry(value).or_insert(next);
        (place, place == next)
    }
}

/// Everything that is shared. What is serialised are columns: the n-th of each belong together.
#[derive(Debug, Default, Serialize)]
pub struct Interned {
    /// Escaped as for a terminal: no control characters, no changes of direction.
    strings: Vec<String>,
    frames: Frames,
    stacks: Stacks,
    patterns: Vec<Kind>,
    #[serde(skip)]
    known_strings: Set<String>,
    #[serde(skip)]
    known_frames: Set<[u32; 6]>,
    #[serde(skip)]
    known_stacks: Set<(u32, u32)>,
    #[serde(skip)]
    known_patterns: Set<String>,
}

#[derive(Debug, Default, Serialize)]
struct Frames {
    /// Full name, or module and offset.
    name: Vec<u32>,
    short: Vec<u32>,
    /// 0: not known.
    location: Vec<u32>,
    /// Module or script; 0: not known.
    module: Vec<u32>,
    /// 0 native, 1 compiled at run time, 2 interpreted, 3 the kernel's.
    kind: Vec<u32>,
    inlined: Vec<u32>,
}

/// A tree of frames, outermost first. Node 0 is its root and has no frame.
#[derive(Debug, Serialize)]
struct Stacks {
    /// How many places before a node its parent is: mostly one, which is short.
    up: Vec<u32>,
    frame: Vec<u32>,
}

impl Default for Stacks {
    fn default() -> Self {
        Self {
            up: vec![0],
            frame: vec![0],
        }
    }
}

/// A pattern as it was recognised: with what speaks for it.
#[derive(Debug, Serialize)]
struct Kind {
    id: String,
    name: String,
    level: &'static str,
    confidence: f64,
    evidence: Vec<String>,
    advice: Vec<String>,
    meaning: String,
    knob: Option<String>,
    knob_effect: Option<String>,
    source: String,
}

impl Interned {
    /// Place 0 of the texts is the empty one.
    pub fn new() -> Self {
        let mut interned = Self::default();
        interned.string("");
        interned
    }

    /// The place of a text, escaped.
    pub fn string(&mut self, text: &str) -> u32 {
        let text = escape(text);
        let (place, new) = self.known_strings.add(text.clone());
        if new {
            self.strings.push(text);
        }
        place
    }

    fn optional(&mut self, text: Option<&str>) -> u32 {
        self.string(text.unwrap_or_default())
    }

    fn frame(&mut self, frame: &Frame) -> u32 {
        let kind = match frame.kind {
            FrameKind::Native => 0,
            FrameKind::Jit => 1,
            FrameKind::Interpreted => 2,
            FrameKind::Kernel => 3,
        };
        let columns = [
            self.string(&full_name(frame)),
            self.string(&short_name(frame)),
            self.optional(location(frame).as_deref()),
            self.optional(module(frame).as_deref()),
            kind,
            u32::from(frame.inlined),
        ];
        let (place, new) = self.known_frames.add(columns);
        if new {
            let [name, short, location, module, kind, inlined] = columns;
            self.frames.name.push(name);
            self.frames.short.push(short);
            self.frames.location.push(location);
            self.frames.module.push(module);
            self.frames.kind.push(kind);
            self.frames.inlined.push(inlined);
        }
        place
    }

    /// The node of a stack's innermost frame; 0 of an empty one.
    pub fn stack(&mut self, innermost_first: &[Frame]) -> u32 {
        let mut node = 0;
        for frame in innermost_first.iter().rev() {
            let frame = self.frame(frame);
            let (place, new) = self.known_stacks.add((node, frame));
            if new {
                self.stacks.up.push(place + 1 - node);
                self.stacks.frame.push(frame);
            }
            // The root is none of the known ones.
            node = place + 1;
        }
        node
    }

    /// The place of a kind plus 1; 0: of none.
    pub fn pattern(&mut self, pattern: Option<&Pattern>) -> u32 {
        let Some(pattern) = pattern else {
            return 0;
        };
        let (place, new) = self.known_patterns.add(format!("{pattern:?}"));
        if new {
            let all = |texts: &[String]| texts.iter().map(|text| escape(text)).collect();
            self.patterns.push(Kind {
                id: escape(&pattern.id),
                name: escape(&pattern.name),
                level: pattern.level.word(),
                confidence: pattern.confidence,
                evidence: all(&pattern.evidence),
                advice: all(&pattern.advice),
                meaning: escape(&pattern.meaning),
                knob: pattern.knob.as_deref().map(escape),
                knob_effect: pattern.knob_effect.as_deref().map(escape),
                source: escape(&pattern.source),
            });
        }
        place + 1
    }
}

#[cfg(test)]
mod tests {
    use super::Interned;
    use tracer_ledger::event::Frame;

    fn stack(names: &[&str]) -> Vec<Frame> {
        let frames = names.iter().map(|name| Frame {
            function: Some((*name).into()),
            ..Frame::default()
        });
        frames.collect()
    }

    #[test]
    fn stacks_share_what_they_have_in_common_from_the_outermost_frame_on() {
        let mut interned = Interned::new();
        let one = interned.stack(&stack(&["mmap", "load", "main"]));
        let other = interned.stack(&stack(&["mmap", "save", "main"]));
        assert_eq!(interned.stack(&stack(&["mmap", "load", "main"])), one);
        assert_eq!(interned.stack(&[]), 0);
        // The root, main, load, mmap; save, mmap.
        assert_eq!(interned.stacks.up, [0, 1, 1, 1, 3, 1]);
        assert_eq!((one, other), (3, 5));
        assert_eq!(interned.frames.name.len(), 4);
    }

    #[test]
    fn a_text_is_written_once_and_cannot_change_its_direction() {
        let mut interned = Interned::new();
        assert_eq!(interned.string("a\u{202e}b\n"), 1);
        assert_eq!(interned.string("a\u{202e}b\n"), 1);
        assert_eq!(interned.strings, ["", "a\\u{202e}b\\x0a"]);
    }
}
