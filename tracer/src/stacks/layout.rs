//! What unwinding and naming need to know of an ELF file.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use object::elf::NT_GNU_BUILD_ID;

use super::go::Go;
use crate::capture::elf::{Elf, Section, Segment, SymbolTable};

/// One section's bytes, and where the file wants it in memory.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its address in the file's own addressing.
    pub address: u64,
    /// Its bytes.
    pub data: Arc<[u8]>,
}

/// One loadable, executable segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeSegment {
    /// Offset in the file, bytes.
    pub offset: u64,
    /// Bytes in the file.
    pub size: u64,
    /// Address in the file's own addressing.
    pub address: u64,
}

/// An ELF file's layout: small, kept as long as its code may have to be named.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Executable segments.
    pub segments: Vec<CodeSegment>,
    /// The lowest address of any segment.
    pub base: u64,
    /// Where the program begins (`e_entry`), 0 if nowhere.
    pub entry: u64,
    /// Executable sections, in the file's own addressing.
    pub code: Vec<Range<u64>>,
    /// The GNU build id.
    pub build_id: Option<Vec<u8>>,
    /// It carries DWARF of its own.
    pub has_dwarf: bool,
    /// It names another file that holds debug information: a name that the target chose.
    pub names_other_file: bool,
    /// That file, if it is named by `.gnu_debuglink`.
    pub debug_link: Option<DebugLink>,
}

/// What `.gnu_debuglink` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DebugLink {
    /// The file's name.
    pub name: String,
    /// CRC-32 of the whole file.
    pub checksum: u32,
}

/// Bytes of code that the entry point has at most: it only fetches the arguments and calls on.
const ENTRY_CODE: u64 = 64;

impl Layout {
    /// Whether this address, in the file's own addressing, is in the code that the kernel starts the
    /// program at. Where it has no unwind rules (glibc's dynamic linker has none there), it is the
    /// outermost frame all the same.
    #[must_use]
    pub fn is_entry(&self, address: u64) -> bool {
        self.entry != 0 && (self.entry..self.entry.saturating_add(ENTRY_CODE)).contains(&address)
    }
}

/// An ELF file's unwind tables: large, kept as long as a process has the file mapped.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// `.eh_frame_hdr`.
    pub eh_frame_hdr: Option<Table>,
    /// `.eh_frame`.
    pub eh_frame: Option<Table>,
    /// `.debug_frame`.
    pub debug_frame: Option<Table>,
    /// Address of `.text`.
    pub text: Option<Range<u64>>,
    /// Address of `.got`.
    pub got: Option<Range<u64>>,
    /// It is a Go program.
    pub(crate) go: Option<Go>,
}

/// Names exported for one address, see [`exported`].
pub type Exported = std::collections::HashMap<u64, Box<str>>;

/// Reads layout and tables; `None` if this is no 64-bit little-endian ELF file.
#[must_use]
pub fn read(file: &File) -> Option<(Layout, Tables)> {
    let elf = Elf::open(file)?;
    let segments = elf.segments()?;
    let base = segments.iter().map(|segment| segment.address & !0xfff);
    let mut layout = Layout {
        base: base.min().unwrap_or(0),
        entry: elf.entry(),
        segments: segments.iter().filter_map(code_segment).collect(),
        ..Layout::default()
    };
    let mut tables = Tables::default();
    let sections = elf.sections();
    for section in &sections {
        if section.is_code() {
            layout.code.push(section.range());
        }
        let table = || {
            Some(Table {
                address: section.range().start,
                data: elf.bytes(section)?,
            })
        };
        match &*section.name {
            b".eh_frame" => tables.eh_frame = table(),
            b".eh_frame_hdr" => tables.eh_frame_hdr = table(),
            b".debug_frame" => tables.debug_frame = table(),
            b".text" => tables.text = Some(section.range()),
            b".got" => tables.got = Some(section.range()),
            b".note.gnu.build-id" => {
                layout.build_id = elf.bytes(section).and_then(|note| build_id(&note));
            }
            b".debug_info" | b".zdebug_info" => layout.has_dwarf = true,
            b".gnu_debuglink" => {
                layout.names_other_file = true;
                layout.debug_link = elf.bytes(section).and_then(|link| debug_link(&link));
            }
            b".gnu_debugaltlink" | b".debug_sup" => layout.names_other_file = true,
            _ => {}
        }
    }
    if sections
        .iter()
        .any(|section| &*section.name == b".gopclntab")
    {
        let text = tables.text.clone().unwrap_or_default();
        tables.go = Some(go(&elf, &sections, text));
    }
    Some((layout, tables))
}

fn code_segment(segment: &Segment) -> Option<CodeSegment> {
    segment.is_executable.then_some(CodeSegment {
        offset: segment.offset,
        size: segment.size,
        address: segment.address,
    })
}

/// A Go program's functions.
fn go(elf: &Elf<'_>, sections: &[Section], text: Range<u64>) -> Go {
    let Some(symbols) = elf.symbols(sections, SymbolTable::All) else {
        return Go::new(text, std::iter::empty());
    };
    let functions = symbols.iter().map(|symbol| {
        let end = symbol.address.saturating_add(symbol.size);
        (symbol.name, symbol.address..end)
    });
    Go::new(text, functions)
}

/// The names under which a file exports its functions to callers, for those addresses that carry
/// several names (`mmap`, `mmap64`, `__mmap`): of each address the one without leading underscores,
/// then the shortest. Mangled names are left out: they have no such aliases.
#[must_use]
pub fn exported(file: &File) -> Exported {
    let mut names = Exported::new();
    let symbols =
        Elf::open(file).and_then(|elf| elf.symbols(&elf.sections(), SymbolTable::Dynamic));
    let Some(symbols) = symbols else {
        return names;
    };
    for symbol in symbols.iter().filter(|symbol| symbol.is_own_function) {
        let name = symbol.name;
        if name.starts_with("_Z") || name.starts_with("_R") || name.is_empty() {
            continue;
        }
        let better = |old: &str| preference(name) < preference(old);
        if names.get(&symbol.address).is_none_or(|old| better(old)) {
            names.insert(symbol.address, name.into());
        }
    }
    names
}

/// Smaller is better.
fn preference(name: &str) -> (usize, usize, &str) {
    let underscores = name.len() - name.trim_start_matches('_').len();
    (underscores, name.len(), name)
}

/// The name, zeros up to a multiple of four bytes, the checksum.
fn debug_link(section: &[u8]) -> Option<DebugLink> {
    let end = section.iter().position(|byte| *byte == 0)?;
    let at = (end + 1).next_multiple_of(4);
    let checksum = section.get(at..at + 4)?.try_into().ok()?;
    Some(DebugLink {
        name: std::str::from_utf8(&section[..end]).ok()?.to_owned(),
        checksum: u32::from_le_bytes(checksum),
    })
}

/// The id in a note section: name size, id size, type (u32 each), `GNU\0`, id.
fn build_id(note: &[u8]) -> Option<Vec<u8>> {
    let word = |at: usize| {
        note.get(at..at + 4)
            .and_then(|bytes| bytes.try_into().ok())
            .map(u32::from_le_bytes)
    };
    if word(0)? != 4 || word(8)? != NT_GNU_BUILD_ID.0 || note.get(12..16)? != b"GNU\0" {
        return None;
    }
    note.get(16..16usize.checked_add(usize::try_from(word(4)?).ok()?)?)
        .map(<[u8]>::to_vec)
}
