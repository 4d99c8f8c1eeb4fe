//! Names of code compiled ahead of time, by blazesym: from the file's own symbols and DWARF, and from
//! the distribution's debug file if it is installed.
//!
//! blazesym is given files that were opened and checked here, never a path to follow: left to itself
//! it would open what a debug link in the target's file names (see [`super::debug_files`]).
//!
//! A symbol is believed where its size covers the address. One without a size (hand-written
//! assembler) is believed up to the next symbol (blazesym looks no further) if the address is in the
//! same executable section. Where no symbol is believed, there is no name.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use blazesym::symbolize::source::{Elf, Source};
use blazesym::symbolize::{CodeInfo, Input, Sym, Symbolized, Symbolizer};

use super::debug_files;
use super::files::{FileId, ModuleFile};
use super::layout::{self, Exported};
use super::printable::printable;
use tracer_ledger::event::Frame;

/// Names addresses in files, each address once.
pub(crate) struct NativeNames {
    symbolizer: Symbolizer,
    files: HashMap<FileId, Sources>,
    frames: HashMap<(FileId, u64), Arc<[Frame]>>,
}

/// What is asked about one file.
struct Sources {
    module: Arc<ModuleFile>,
    /// The better first.
    asked: Vec<Asked>,
    exported: OnceCell<Exported>,
    /// blazesym has panicked on it.
    avoided: bool,
}

/// One file, asked with its DWARF and without.
struct Asked {
    full: Source<'static>,
    plain: Source<'static>,
}

impl Asked {
    fn new(path: &Path, dwarf: bool) -> Self {
        let source = |debug_syms| {
            let mut elf = Elf::new(path);
            elf.debug_syms = debug_syms;
            Source::Elf(elf)
        };
        Self {
            full: source(dwarf),
            plain: source(false),
        }
    }
}

impl Default for NativeNames {
    fn default() -> Self {
        // The files are those that were opened: they are not to be looked for again.
        let symbolizer = Symbolizer::builder().enable_auto_reload(false).build();
        Self {
            symbolizer,
            files: HashMap::new(),
            frames: HashMap::new(),
        }
    }
}

impl NativeNames {
    /// The functions at an address (the file's own addressing; of a return address the byte before) of
    /// a file that its process knows by this path,
    /// innermost first; all but the last are inlined. A function goes by the name under which its
    /// file exports it, if it does (`mmap`, not `__GI___mmap64`). Without module and offset. Never empty: an
    /// address without a name is one frame without a function.
    pub(crate) fn frames(
        &mut self,
        module: &Arc<ModuleFile>,
        path: &str,
        address: u64,
    ) -> Arc<[Frame]> {
        let key = (module.id, address);
        if let Some(frames) = self.frames.get(&key) {
            return Arc::clone(frames);
        }
        let sources = self
            .files
            .entry(module.id)
            .or_insert_with(|| Sources::of(module, path));
        let frames: Arc<[Frame]> = sources.frames(&self.symbolizer, address).into();
        self.frames.insert(key, Arc::clone(&frames));
        frames
    }
}

impl Sources {
    fn of(module: &Arc<ModuleFile>, path: &str) -> Self {
        let layout = &module.layout;
        let debug = debug_files::find(layout, path);
        let own = PathBuf::from(format!("/proc/self/fd/{}", module.file.as_raw_fd()));
        let dwarf = layout.has_dwarf && !layout.names_other_file;
        let asked = debug.map(|path| Asked::new(&path, true)).into_iter();
        Self {
            module: Arc::clone(module),
            asked: asked.chain([Asked::new(&own, dwarf)]).collect(),
            exported: OnceCell::new(),
            avoided: false,
        }
    }

    fn frames(&mut self, symbolizer: &Symbolizer, address: u64) -> Vec<Frame> {
        if !self.avoided {
            // The file is the target's: what it does to a parser shall cost its names only.
            let found = catch_unwind(AssertUnwindSafe(|| {
                self.asked
                    .iter()
                    .find_map(|asked| self.ask(symbolizer, asked, address))
            }));
            match found {
                Ok(Some(frames)) => return frames,
                Ok(None) => {}
                Err(_) => self.avoided = true,
            }
        }
        vec![Frame::default()]
    }

    fn ask(&self, symbolizer: &Symbolizer, asked: &Asked, address: u64) -> Option<Vec<Frame>> {
        let find = |source| {
            let found = symbolizer.symbolize_single(source, Input::VirtOffset(address));
            found.ok().and_then(Symbolized::into_sym)
        };
        let covering = |symbol: &Sym<'_>| covers(symbol, address, &self.module.layout.code);
        let full = find(&asked.full);
        let symbol = match full.as_ref() {
            Some(symbol) if covering(symbol) => symbol.clone(),
            _ => {
                let plain = find(&asked.plain).filter(covering)?;
                match full {
                    // Of a function in several pieces DWARF knows more, but blazesym tells no
                    // piece: the ELF symbol vouches for it.
                    Some(full) if full.addr == 0 && full.size.is_none() => Sym {
                        addr: plain.addr,
                        size: plain.size,
                        offset: plain.offset,
                        ..full
                    },
                    _ => plain,
                }
            }
        };
        let mut frames: Vec<Frame> = Vec::with_capacity(symbol.inlined.len() + 1);
        let inlined = symbol.inlined.iter().rev();
        let inlined = inlined.map(|function| frame(&function.name, function.code_info.as_ref()));
        for outer in inlined.chain([frame(&symbol.name, symbol.code_info.as_deref())]) {
            // A compiler that splits a function describes its parts as inlined into each other
            // under one name (glibc's `arena_get2`): to the reader they are one, at the inner place.
            if frames
                .last()
                .is_none_or(|inner| inner.function != outer.function)
            {
                frames.push(outer);
            }
        }
        let (last, inlined) = frames.split_last_mut()?;
        inlined.iter_mut().for_each(|frame| frame.inlined = true);
        let exported = self
            .exported
            .get_or_init(|| layout::exported(&self.module.file));
        if let Some(name) = exported.get(&symbol.addr) {
            last.function = Some(printable(name));
        }
        Some(frames)
    }
}

fn frame(name: &str, code: Option<&CodeInfo<'_>>) -> Frame {
    let name = printable(without_parameters(name));
    Frame {
        function: (!name.is_empty()).then_some(name),
        file: code.map(|code| printable(&code.to_path().to_string_lossy())),
        line: code.and_then(|code| code.line),
        ..Frame::default()
    }
}

/// Whether a symbol is the name of an address, see the module's documentation.
fn covers(symbol: &Sym<'_>, address: u64, code: &[Range<u64>]) -> bool {
    let Some(offset) = address.checked_sub(symbol.addr) else {
        return false;
    };
    match symbol.size {
        Some(size) if size > 0 => offset < size as u64,
        _ => code
            .iter()
            .any(|range| range.contains(&symbol.addr) && range.contains(&address)),
    }
}

/// A demangled C++ name without its parameters and result, as profilers show it: `a::b(c::d)::e(int) const`
/// becomes `a::b(c::d)::e`, and without `[clone .part.0]` behind them. Parentheses that belong to the name stay (`operator()`, `(anonymous
/// namespace)`).
fn without_parameters(name: &str) -> &str {
    let mut end = name.trim_end();
    while let Some((before, _)) = end
        .strip_suffix(']')
        .and_then(|rest| rest.rsplit_once(" [clone "))
    {
        end = before;
    }
    for suffix in [" const", " volatile", " &", " &&"] {
        end = end.strip_suffix(suffix).unwrap_or(end);
    }
    if !end.ends_with(')') {
        return name;
    }
    let mut depth = 0usize;
    for (at, c) in end.char_indices().rev() {
        match c {
            ')' => depth += 1,
            '(' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            let before = &end[..at];
            let is_name = before.is_empty()
                || before.ends_with("operator")
                || before.ends_with("::")
                || before.ends_with(' ');
            return if is_name {
                name
            } else {
                without_result(before)
            };
        }
    }
    name
}

/// The same without the result's type, which stands before a template's name.
fn without_result(name: &str) -> &str {
    let mut depth = 0usize;
    let mut begin = 0;
    for (at, c) in name.char_indices() {
        match c {
            '<' | '(' | '{' => depth += 1,
            '>' | ')' | '}' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => begin = at + 1,
            _ => {}
        }
    }
    // An operator's name may hold any of these (`operator<`, `operator bool`).
    if name.contains("operator") {
        name
    } else {
        &name[begin..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_cut_off_and_nothing_else() {
        for (name, short) in [
            (
                "v8::internal::Heap::SetUp(v8::internal::LocalHeap*)",
                "v8::internal::Heap::SetUp",
            ),
            ("a::b(c::d)::e(int (*)(char)) const", "a::b(c::d)::e"),
            ("f::operator()(int) const", "f::operator()"),
            ("f::operator bool() const", "f::operator bool"),
            ("void a::b<c d>(e)", "a::b<c d>"),
            (
                "a<b> (anonymous namespace)::f<c>(d)",
                "(anonymous namespace)::f<c>",
            ),
            ("a::f(b, c) [clone .part.0] [clone .cold]", "a::f"),
            ("(anonymous namespace)::g()", "(anonymous namespace)::g"),
            ("std::function<void ()>::h", "std::function<void ()>::h"),
            ("a::operator()", "a::operator()"),
            ("a::(anonymous namespace)", "a::(anonymous namespace)"),
            ("mmap", "mmap"),
            (
                "<T as core::ops::Fn<()>>::call",
                "<T as core::ops::Fn<()>>::call",
            ),
            (")", ")"),
            ("", ""),
        ] {
            assert_eq!(without_parameters(name), short);
        }
    }

    #[test]
    fn a_symbol_that_merely_precedes_an_address_is_not_its_name() {
        let symbol = |size| Sym {
            name: "timer_settime".into(),
            module: None,
            addr: 0x1000,
            offset: 0,
            size,
            code_info: None,
            inlined: Box::new([]),
            _non_exhaustive: (),
        };
        let code = [0x1000..0x3000, 0x3000..0x4000];
        assert!(covers(&symbol(Some(0x10)), 0x100f, &code));
        assert!(!covers(&symbol(Some(0x10)), 0x1010, &code));
        assert!(covers(&symbol(None), 0x2fff, &code));
        assert!(!covers(&symbol(None), 0x3000, &code));
    }
}
