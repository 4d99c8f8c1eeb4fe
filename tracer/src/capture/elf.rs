//! ELF files of targets, read piece by piece and bounded: a file may be huge, cut or malicious, and no length
//! that it gives is trusted. Nothing is mapped: a file that shrinks under a mapping kills the reader.

use std::fs::File;
use std::mem::size_of;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use object::LittleEndian;
use object::elf::{
    ELFCLASS32, ELFCLASS64, ELFDATA2LSB, ELFMAG, FileHeader32, FileHeader64, PF_X, PT_LOAD,
    ProgramHeader64, SHF_COMPRESSED, SHF_EXECINSTR, SHN_UNDEF, SHT_DYNSYM, SHT_NOBITS, SHT_SYMTAB,
    STT_FUNC, STT_GNU_IFUNC, SectionHeader64, Sym64,
};
use object::pod::{self, Pod};

/// The most bytes of one section that are read.
const MAX_SECTION: u64 = 64 << 20;
/// The most program or section headers that are read.
const MAX_HEADERS: usize = 4096;

/// The most bytes of the names of all sections that are read.
const MAX_NAMES: u64 = 1 << 20;
/// The most bytes of one name: every header and every symbol of a malicious file can have a name as long as
/// the table of names.
const MAX_NAME: usize = 512;

type Endian = LittleEndian;

/// Whether this is an ELF file of 32 bits.
pub(crate) fn is_32_bit(file: &File) -> bool {
    let header = table::<FileHeader32<Endian>>(file, 0, 1);
    header.is_some_and(|header| {
        let ident = &header[0].e_ident;
        ident.magic == ELFMAG && ident.class == ELFCLASS32
    })
}

/// A 64-bit little-endian ELF file.
pub(crate) struct Elf<'a> {
    file: &'a File,
    header: FileHeader64<Endian>,
}

/// A loadable segment.
pub(crate) struct Segment {
    /// In the file, bytes.
    pub(crate) offset: u64,
    /// Bytes in the file.
    pub(crate) size: u64,
    /// In the file's own addressing.
    pub(crate) address: u64,
    pub(crate) is_executable: bool,
}

/// A section's header, and its name.
pub(crate) struct Section {
    pub(crate) name: Box<[u8]>,
    header: SectionHeader64<Endian>,
}

/// Which table of symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SymbolTable {
    /// Of everything, which a stripped file lacks.
    All,
    /// Of what the dynamic linker needs.
    Dynamic,
}

/// The bytes of a table of symbols, and of their names.
pub(crate) struct Symbols {
    symbols: Arc<[u8]>,
    strings: Arc<[u8]>,
}

/// A symbol with a name.
pub(crate) struct Symbol<'a> {
    pub(crate) name: &'a str,
    /// In the file's own addressing.
    pub(crate) address: u64,
    /// Bytes; 0 if that is not known.
    pub(crate) size: u64,
    /// It is a function that this file has.
    pub(crate) is_own_function: bool,
}

impl<'a> Elf<'a> {
    /// `None` if it is of another kind.
    pub(crate) fn open(file: &'a File) -> Option<Self> {
        let header = *table::<FileHeader64<Endian>>(file, 0, 1)?.first()?;
        let ident = &header.e_ident;
        let ours = ident.magic == ELFMAG && ident.class == ELFCLASS64 && ident.data == ELFDATA2LSB;
        ours.then_some(Self { file, header })
    }

    /// Where the program begins, in the file's own addressing; 0 if nowhere.
    pub(crate) fn entry(&self) -> u64 {
        self.header.e_entry.get(LittleEndian)
    }

    /// The loadable segments; `None` if they cannot be read.
    pub(crate) fn segments(&self) -> Option<Vec<Segment>> {
        let headers = headers::<ProgramHeader64<Endian>>(
            self.file,
            self.header.e_phoff.get(LittleEndian),
            self.header.e_phnum.get(LittleEndian),
            self.header.e_phentsize.get(LittleEndian),
        )?;
        let loadable = headers
            .iter()
            .filter(|header| header.p_type.get(LittleEndian) == PT_LOAD);
        let segment = |header: &ProgramHeader64<Endian>| Segment {
            offset: header.p_offset.get(LittleEndian),
            size: header.p_filesz.get(LittleEndian),
            address: header.p_vaddr.get(LittleEndian),
            is_executable: header.p_flags.get(LittleEndian).0 & PF_X.0 != 0,
        };
        Some(loadable.map(segment).collect())
    }

    /// The sections, in the file's order; none if they cannot be read.
    pub(crate) fn sections(&self) -> Vec<Section> {
        self.named_sections().unwrap_or_default()
    }

    fn named_sections(&self) -> Option<Vec<Section>> {
        let headers = headers::<SectionHeader64<Endian>>(
            self.file,
            self.header.e_shoff.get(LittleEndian),
            self.header.e_shnum.get(LittleEndian),
            self.header.e_shentsize.get(LittleEndian),
        )?;
        let names = headers.get(usize::from(self.header.e_shstrndx.get(LittleEndian).0))?;
        let names = self.first_bytes_of(names, MAX_NAMES)?;
        let named = |header: SectionHeader64<Endian>| Section {
            name: string(&names, header.sh_name.get(LittleEndian))
                .unwrap_or_default()
                .as_bytes()
                .into(),
            header,
        };
        Some(headers.into_iter().map(named).collect())
    }

    /// A section's bytes; `None` if they are not there, compressed or too many.
    pub(crate) fn bytes(&self, section: &Section) -> Option<Arc<[u8]>> {
        self.bytes_of(&section.header)
    }

    fn bytes_of(&self, section: &SectionHeader64<Endian>) -> Option<Arc<[u8]>> {
        let is_small = section.sh_size.get(LittleEndian) <= MAX_SECTION;
        is_small.then(|| self.first_bytes_of(section, MAX_SECTION))?
    }

    /// The same, of a section of any size the first `limit` bytes.
    fn first_bytes_of(&self, section: &SectionHeader64<Endian>, limit: u64) -> Option<Arc<[u8]>> {
        let size = section.sh_size.get(LittleEndian);
        let offset = section.sh_offset.get(LittleEndian);
        let absent = section.sh_type.get(LittleEndian) == SHT_NOBITS
            || section.sh_flags.get(LittleEndian).0 & SHF_COMPRESSED.0 != 0;
        // Checked against the file before anything is allocated: the header may say anything.
        let end = offset.checked_add(size)?;
        if absent || size == 0 || end > self.file.metadata().ok()?.len() {
            return None;
        }
        let mut data = vec![0; usize::try_from(size.min(limit)).ok()?];
        self.file.read_exact_at(&mut data, offset).ok()?;
        Some(data.into())
    }

    /// The first table of symbols of this kind among `sections`, which are this file's.
    pub(crate) fn symbols(&self, sections: &[Section], which: SymbolTable) -> Option<Symbols> {
        let kind = match which {
            SymbolTable::All => SHT_SYMTAB,
            SymbolTable::Dynamic => SHT_DYNSYM,
        };
        let table = sections
            .iter()
            .find(|section| section.header.sh_type.get(LittleEndian) == kind)?;
        let strings = sections.get(table.header.sh_link.get(LittleEndian) as usize)?;
        Some(Symbols {
            symbols: self.bytes(table)?,
            strings: self.bytes(strings)?,
        })
    }
}

impl Section {
    /// Where it lies in the file, bytes: as the header says, which may be beyond the file's end. `None` if that
    /// is beyond any file's.
    pub(crate) fn place(&self) -> Option<Range<u64>> {
        let start = self.header.sh_offset.get(LittleEndian);
        Some(start..start.checked_add(self.header.sh_size.get(LittleEndian))?)
    }

    /// Where it wants to be in memory, in the file's own addressing.
    pub(crate) fn range(&self) -> Range<u64> {
        let address = self.header.sh_addr.get(LittleEndian);
        address..address.saturating_add(self.header.sh_size.get(LittleEndian))
    }

    /// Whether it holds code.
    pub(crate) fn is_code(&self) -> bool {
        self.header.sh_flags.get(LittleEndian).0 & SHF_EXECINSTR.0 != 0
    }
}

impl Symbols {
    /// Those that have a name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Symbol<'_>> {
        let symbols = self.symbols.chunks_exact(size_of::<Sym64<Endian>>());
        symbols.filter_map(|bytes| {
            let (symbol, _) = pod::from_bytes::<Sym64<Endian>>(bytes).ok()?;
            let is_function = [STT_FUNC, STT_GNU_IFUNC].contains(&symbol.st_type());
            Some(Symbol {
                name: string(&self.strings, symbol.st_name.get(LittleEndian))?,
                address: symbol.st_value.get(LittleEndian),
                size: symbol.st_size.get(LittleEndian),
                is_own_function: is_function && symbol.st_shndx.get(LittleEndian) != SHN_UNDEF,
            })
        })
    }
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

/// The string at this offset of a table of strings, up to its NUL; `None` if it is too long.
fn string(table: &[u8], offset: u32) -> Option<&str> {
    let rest = table.get(usize::try_from(offset).ok()?..)?;
    let rest = &rest[..rest.len().min(MAX_NAME + 1)];
    let end = rest.iter().position(|&byte| byte == 0)?;
    std::str::from_utf8(&rest[..end]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_up_to_its_end_and_only_if_it_is_not_too_long() {
        let mut table = b"\0.text\0".to_vec();
        table.resize(table.len() + MAX_NAME + 1, b'x');
        table.push(0);
        assert_eq!(string(&table, 1), Some(".text"));
        assert_eq!(string(&table, 3), Some("ext"));
        assert_eq!(string(&table, 7), None);
        assert_eq!(string(&table, 8).map(str::len), Some(MAX_NAME));
        assert_eq!(string(&table, u32::MAX), None);
        assert_eq!(string(b"\0no end", 1), None);
    }
}
