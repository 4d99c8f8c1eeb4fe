//! Just enough of ELF to tell its class and to find a section of a running program, without trust in
//! any length it gives and without mapping it: a mapped file that shrinks would kill the reader.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use object::LittleEndian;
use object::elf::{
    ELFCLASS32, ELFCLASS64, ELFDATA2LSB, ELFMAG, FileHeader32, FileHeader64, SectionHeader64,
};
use object::pod;

/// The most section headers looked at.
const MAX_SECTIONS: usize = 4096;
/// The most bytes of section names looked at.
const MAX_NAMES: usize = 256 << 10;

/// Whether this is an ELF file of 32 bits.
pub(super) fn is_32_bit(file: &File) -> bool {
    let header = read(file, 0, size_of::<FileHeader32<LittleEndian>>());
    header.is_some_and(|bytes| {
        pod::from_bytes::<FileHeader32<LittleEndian>>(&bytes).is_ok_and(|(header, _)| {
            header.e_ident.magic == ELFMAG && header.e_ident.class == ELFCLASS32
        })
    })
}

/// Where a section lies in the file, bytes. `None` if there is no such section, or if this is no
/// 64-bit little-endian ELF file.
pub(super) fn section(file: &File, name: &[u8]) -> Option<Range<u64>> {
    let bytes = read(file, 0, size_of::<FileHeader64<LittleEndian>>())?;
    let (header, _) = pod::from_bytes::<FileHeader64<LittleEndian>>(&bytes).ok()?;
    let ident = &header.e_ident;
    if ident.magic != ELFMAG || ident.class != ELFCLASS64 || ident.data != ELFDATA2LSB {
        return None;
    }
    let entry = size_of::<SectionHeader64<LittleEndian>>();
    let count = usize::from(header.e_shnum.get(LittleEndian));
    if usize::from(header.e_shentsize.get(LittleEndian)) != entry || count > MAX_SECTIONS {
        return None;
    }
    let bytes = read(file, header.e_shoff.get(LittleEndian), count * entry)?;
    let (sections, _) =
        pod::slice_from_bytes::<SectionHeader64<LittleEndian>>(&bytes, count).ok()?;
    let range = |section: &SectionHeader64<LittleEndian>| {
        let start = section.sh_offset.get(LittleEndian);
        Some(start..start.checked_add(section.sh_size.get(LittleEndian))?)
    };
    let names_at = range(sections.get(usize::from(header.e_shstrndx.get(LittleEndian).0))?)?;
    let length = usize::try_from(names_at.end - names_at.start).ok()?;
    let names = read(file, names_at.start, length.min(MAX_NAMES))?;
    let found = sections.iter().find(|section| {
        let begin = section.sh_name.get(LittleEndian) as usize;
        names
            .get(begin..)
            .and_then(|names| names.strip_prefix(name))
            .is_some_and(|behind| behind.first() == Some(&0))
    })?;
    range(found)
}

/// Exactly `length` bytes from `offset`, which the caller has bounded.
pub(super) fn read(file: &File, offset: u64, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, offset).ok()?;
    Some(bytes)
}
