//! What unwinding and naming need to know of an ELF file, read piece by piece and bounded: the file
//! is the target's, and may be huge, cut or malicious. Nothing is mapped: a file that shrinks under a
//! mapping kills the reader.

use std::fs::File;
use std::mem::size_of;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use object::LittleEndian;
use object::elf::{
    ELFCLASS64, ELFDATA2LSB, ELFMAG, FileHeader64, NT_GNU_BUILD_ID, PF_X, PT_LOAD, ProgramHeader64,
    SHF_COMPRESSED, SHF_EXECINSTR, SHN_UNDEF, SHT_DYNSYM, SHT_NOBITS, SHT_SYMTAB, STT_FUNC,
    STT_GNU_IFUNC, SectionHeader64, Sym64,
};
use object::pod::{self, Pod};

use super::go::Go;

/// The most bytes of one section that are read.
const MAX_SECTION: u64 = 64 << 20;
/// The most program or section headers that are read.
const MAX_HEADERS: usize = 4096;

type Endian = LittleEndian;

/// One section's bytes, and where the file wants it in memory.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its address in the file's own addressing.
    pub address: u64,
    /// Its bytes.
    pub data: Arc<[u8]>,
}

/// One loadable, executable segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
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
    pub segments: Vec<Segment>,
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
    pub eh_frame_hdr: Option<Section>,
    /// `.eh_frame`.
    pub eh_frame: Option<Section>,
    /// `.debug_frame`.
    pub debug_frame: Option<Section>,
    /// Address of `.text`.
    pub text: Option<Range<u64>>,
    /// Address of `.got`.
    pub got: Option<Range<u64>>,
    /// It is a Go program.
    pub go: Option<Go>,
}

/// Names exported for one address, see [`exported`].
pub type Exported = std::collections::HashMap<u64, Box<str>>;

/// Reads layout and tables; `None` if this is no 64-bit little-endian ELF file.
#[must_use]
pub fn read(file: &File) -> Option<(Layout, Tables)> {
    let header = header(file)?;
    let mut layout = Layout {
        entry: header.e_entry.get(LittleEndian),
        ..Layout::default()
    };
    let mut tables = Tables::default();
    let mut base = u64::MAX;
    for program in headers::<ProgramHeader64<Endian>>(
        file,
        header.e_phoff.get(LittleEndian),
        header.e_phnum.get(LittleEndian),
        header.e_phentsize.get(LittleEndian),
    )? {
        if program.p_type.get(LittleEndian) != PT_LOAD {
            continue;
        }
        let address = program.p_vaddr.get(LittleEndian);
        base = base.min(address & !0xfff);
        if program.p_flags.get(LittleEndian).0 & PF_X.0 != 0 {
            layout.segments.push(Segment {
                offset: program.p_offset.get(LittleEndian),
                size: program.p_filesz.get(LittleEndian),
                address,
            });
        }
    }
    if base != u64::MAX {
        layout.base = base;
    }
    let sections = sections(file, &header).unwrap_or_default();
    for (name, section) in &sections {
        let address = section.sh_addr.get(LittleEndian);
        let range = address..address.saturating_add(section.sh_size.get(LittleEndian));
        if section.sh_flags.get(LittleEndian).0 & SHF_EXECINSTR.0 != 0 {
            layout.code.push(range.clone());
        }
        match name.as_slice() {
            b".eh_frame" => tables.eh_frame = bytes(file, section),
            b".eh_frame_hdr" => tables.eh_frame_hdr = bytes(file, section),
            b".debug_frame" => tables.debug_frame = bytes(file, section),
            b".text" => tables.text = Some(range),
            b".got" => tables.got = Some(range),
            b".note.gnu.build-id" => {
                layout.build_id = bytes(file, section).and_then(|note| build_id(&note.data));
            }
            b".debug_info" | b".zdebug_info" => layout.has_dwarf = true,
            b".gnu_debuglink" => {
                layout.names_other_file = true;
                layout.debug_link = bytes(file, section).and_then(|link| debug_link(&link.data));
            }
            b".gnu_debugaltlink" | b".debug_sup" => layout.names_other_file = true,
            _ => {}
        }
    }
    if sections.iter().any(|(name, _)| name == b".gopclntab") {
        let text = tables.text.clone().unwrap_or_default();
        tables.go = Some(go(file, &sections, text));
    }
    Some((layout, tables))
}

/// A Go program's functions.
fn go(file: &File, sections: &[Named], text: Range<u64>) -> Go {
    let symtab = sections
        .iter()
        .find(|(_, section)| section.sh_type.get(LittleEndian) == SHT_SYMTAB);
    let read = symtab.and_then(|(_, symtab)| {
        let (_, strings) = sections.get(symtab.sh_link.get(LittleEndian) as usize)?;
        Some((bytes(file, symtab)?, bytes(file, strings)?))
    });
    let Some((symbols, strings)) = read else {
        return Go::new(text, std::iter::empty());
    };
    let symbols = symbols.data.chunks_exact(size_of::<Sym64<Endian>>());
    let functions = symbols.filter_map(|symbol| {
        let (symbol, _) = pod::from_bytes::<Sym64<Endian>>(symbol).ok()?;
        let start = symbol.st_value.get(LittleEndian);
        let end = start.saturating_add(symbol.st_size.get(LittleEndian));
        Some((
            string(&strings.data, symbol.st_name.get(LittleEndian))?,
            start..end,
        ))
    });
    Go::new(text, functions)
}

/// The names under which a file exports its functions to callers, for those addresses that carry
/// several names (`mmap`, `mmap64`, `__mmap`): of each address the one without leading underscores,
/// then the shortest. Mangled names are left out: they have no such aliases.
#[must_use]
pub fn exported(file: &File) -> Exported {
    let mut names = Exported::new();
    let Some(header) = header(file) else {
        return names;
    };
    let sections = sections(file, &header).unwrap_or_default();
    let Some((_, dynsym)) = sections
        .iter()
        .find(|(_, section)| section.sh_type.get(LittleEndian) == SHT_DYNSYM)
    else {
        return names;
    };
    let strings = sections.get(dynsym.sh_link.get(LittleEndian) as usize);
    let (Some(symbols), Some(strings)) = (
        bytes(file, dynsym),
        strings.and_then(|(_, section)| bytes(file, section)),
    ) else {
        return names;
    };
    for symbol in symbols.data.chunks_exact(size_of::<Sym64<Endian>>()) {
        let Ok((symbol, _)) = pod::from_bytes::<Sym64<Endian>>(symbol) else {
            break;
        };
        let is_function = [STT_FUNC, STT_GNU_IFUNC].contains(&symbol.st_type());
        if !is_function || symbol.st_shndx.get(LittleEndian) == SHN_UNDEF {
            continue;
        }
        let Some(name) = string(&strings.data, symbol.st_name.get(LittleEndian)) else {
            continue;
        };
        if name.starts_with("_Z") || name.starts_with("_R") || name.is_empty() {
            continue;
        }
        let better = |old: &str| preference(name) < preference(old);
        let address = symbol.st_value.get(LittleEndian);
        if names.get(&address).is_none_or(|old| better(old)) {
            names.insert(address, name.into());
        }
    }
    names
}

/// Smaller is better.
fn preference(name: &str) -> (usize, usize, &str) {
    let underscores = name.len() - name.trim_start_matches('_').len();
    (underscores, name.len(), name)
}

fn header(file: &File) -> Option<FileHeader64<Endian>> {
    let header = *table::<FileHeader64<Endian>>(file, 0, 1)?.first()?;
    let ident = &header.e_ident;
    let ours = ident.magic == ELFMAG && ident.class == ELFCLASS64 && ident.data == ELFDATA2LSB;
    ours.then_some(header)
}

/// A table of headers, `None` if it is not there or its entries have a size unknown to us.
fn headers<T: Pod>(file: &File, offset: u64, count: u16, entry_size: u16) -> Option<Vec<T>> {
    if count == 0 {
        return Some(Vec::new());
    }
    let known = usize::from(entry_size) == size_of::<T>();
    known.then(|| table(file, offset, usize::from(count).min(MAX_HEADERS)))?
}

fn table<T: Pod>(file: &File, offset: u64, count: usize) -> Option<Vec<T>> {
    // Words rather than bytes: the structures want to be aligned.
    let mut words = vec![0u64; (count * size_of::<T>()).div_ceil(8)];
    let buffer = &mut pod::bytes_of_slice_mut(&mut words)[..count * size_of::<T>()];
    file.read_exact_at(buffer, offset).ok()?;
    pod::slice_from_bytes::<T>(buffer, count)
        .ok()
        .map(|(headers, _)| headers.to_vec())
}

type Named = (Vec<u8>, SectionHeader64<Endian>);

fn sections(file: &File, header: &FileHeader64<Endian>) -> Option<Vec<Named>> {
    let headers = headers::<SectionHeader64<Endian>>(
        file,
        header.e_shoff.get(LittleEndian),
        header.e_shnum.get(LittleEndian),
        header.e_shentsize.get(LittleEndian),
    )?;
    let names = headers.get(usize::from(header.e_shstrndx.get(LittleEndian).0))?;
    let names = bytes(file, names)?.data;
    Some(
        headers
            .into_iter()
            .map(|section| {
                let name = string(&names, section.sh_name.get(LittleEndian)).unwrap_or_default();
                (name.as_bytes().to_vec(), section)
            })
            .collect(),
    )
}

/// A section's bytes; `None` if they are not there, compressed or too many.
fn bytes(file: &File, section: &SectionHeader64<Endian>) -> Option<Section> {
    let size = section.sh_size.get(LittleEndian);
    let offset = section.sh_offset.get(LittleEndian);
    let absent = section.sh_type.get(LittleEndian) == SHT_NOBITS
        || section.sh_flags.get(LittleEndian).0 & SHF_COMPRESSED.0 != 0;
    // Checked against the file before anything is allocated: the header may say anything.
    let end = offset.checked_add(size)?;
    if absent || size == 0 || size > MAX_SECTION || end > file.metadata().ok()?.len() {
        return None;
    }
    let mut data = vec![0; usize::try_from(size).ok()?];
    file.read_exact_at(&mut data, offset).ok()?;
    Some(Section {
        address: section.sh_addr.get(LittleEndian),
        data: data.into(),
    })
}

fn string(table: &[u8], offset: u32) -> Option<&str> {
    let rest = table.get(usize::try_from(offset).ok()?..)?;
    let end = rest.iter().position(|&byte| byte == 0)?;
    std::str::from_utf8(&rest[..end]).ok()
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
