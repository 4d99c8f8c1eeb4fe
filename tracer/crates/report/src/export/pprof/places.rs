//! Texts, functions, modules and locations of a profile, each once.

use std::collections::HashMap;

use super::profile::{Function, Line, Location, Mapping, Profile};
use crate::export::samples::label;
use crate::text::line::escape;
use tracer_ledger::event::Frame;

/// What a profile's samples refer to. Ids begin at 1.
#[derive(Default)]
pub(super) struct Places<'a> {
    texts: HashMap<String, i64>,
    functions: HashMap<(i64, i64, i64), u64>,
    modules: HashMap<&'a str, u64>,
    said: HashMap<String, u64>,
    code: HashMap<&'a [Frame], u64>,
    /// Of modules by their paths, in hex.
    build_ids: HashMap<&'a str, &'a str>,
    profile: Profile,
}

impl<'a> Places<'a> {
    pub(super) fn new(build_ids: HashMap<&'a str, &'a str>) -> Self {
        let mut places = Self {
            build_ids,
            ..Self::default()
        };
        // The first text must be empty.
        places.text("");
        places
    }

    /// A profile of nothing yet but what was referred to.
    pub(super) fn finish(self) -> Profile {
        self.profile
    }

    /// The place of a text.
    pub(super) fn text(&mut self, text: &str) -> i64 {
        let text = escape(text);
        if let Some(&place) = self.texts.get(&text) {
            return place;
        }
        let place = as_i64(self.profile.string_table.len() as u64);
        self.profile.string_table.push(text.clone());
        self.texts.insert(text, place);
        place
    }

    /// A location that is no code.
    pub(super) fn said(&mut self, text: String) -> u64 {
        if let Some(&id) = self.said.get(&text) {
            return id;
        }
        let name = self.text(&text);
        let line = Line {
            function_id: self.function(name, name, 0),
            line: 0,
        };
        let id = self.location(0, 0, vec![line]);
        self.said.insert(text, id);
        id
    }

    /// The locations of a stack, innermost first: functions that were inlined share one with the function
    /// that they were inlined into.
    pub(super) fn stack(&mut self, frames: &'a [Frame]) -> Vec<u64> {
        let at_one_place = frames.split_inclusive(|frame| !frame.inlined);
        at_one_place.map(|frames| self.code(frames)).collect()
    }

    fn code(&mut self, frames: &'a [Frame]) -> u64 {
        if let Some(&id) = self.code.get(frames) {
            return id;
        }
        let mut lines = Vec::with_capacity(frames.len());
        for frame in frames {
            let name = self.text(&label(frame));
            let system_name = frame.function.as_deref().map_or(name, |own| self.text(own));
            let file = frame.file.as_deref().map_or(0, |file| self.text(file));
            lines.push(Line {
                function_id: self.function(name, system_name, file),
                line: i64::from(frame.line.unwrap_or(0)),
            });
        }
        // Never empty: see `split_inclusive`.
        let outer = frames.last();
        let address = outer.map_or(0, |frame| frame.offset);
        let module = outer.and_then(|frame| frame.module.as_deref());
        let module = module.map_or(0, |module| self.module(module, address));
        let id = self.location(module, address, lines);
        self.code.insert(frames, id);
        id
    }

    fn location(&mut self, mapping_id: u64, address: u64, line: Vec<Line>) -> u64 {
        let locations = &mut self.profile.location;
        let id = locations.len() as u64 + 1;
        locations.push(Location {
            id,
            mapping_id,
            address,
            line,
        });
        id
    }

    fn function(&mut self, name: i64, system_name: i64, filename: i64) -> u64 {
        let functions = &mut self.profile.function;
        *self
            .functions
            .entry((name, system_name, filename))
            .or_insert_with(|| {
                let id = functions.len() as u64 + 1;
                functions.push(Function {
                    id,
                    name,
                    system_name,
                    filename,
                });
                id
            })
    }

    /// Addresses are offsets in the module's file, so that it is mapped as a whole from 0 on.
    pub(super) fn module(&mut self, path: &'a str, offset: u64) -> u64 {
        let id = match self.modules.get(path) {
            Some(&id) => id,
            None => self.new_module(path),
        };
        let at = usize::try_from(id - 1).unwrap_or(usize::MAX);
        if let Some(mapping) = self.profile.mapping.get_mut(at) {
            mapping.memory_limit = mapping.memory_limit.max(offset.saturating_add(1));
        }
        id
    }

    fn new_module(&mut self, path: &'a str) -> u64 {
        let filename = self.text(path);
        let build_id = self.build_ids.get(path).copied();
        let build_id = build_id.map_or(0, |build_id| self.text(build_id));
        let id = self.profile.mapping.len() as u64 + 1;
        self.profile.mapping.push(Mapping {
            id,
            memory_start: 0,
            memory_limit: 0,
            filename,
            build_id,
            // Names were looked up where the files were: a reader is not to try it again with its own.
            has_functions: true,
            has_filenames: true,
            has_line_numbers: true,
            has_inline_frames: true,
        });
        self.modules.insert(path, id);
        id
    }
}

/// The format's numbers are signed.
pub(super) fn as_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
