//! `/proc/PID/maps`.

use tracer_common::bits::{PROT_EXEC, PROT_READ, PROT_WRITE};

use super::directory::Directory;
use super::error::ProcError;
use crate::capture::inode::{Device, Inode};
use tracer_ledger::event::{Address, Mapping, Pid};

const PROTECTION_BITS: [(u8, u8); 3] = [(b'r', PROT_READ), (b'w', PROT_WRITE), (b'x', PROT_EXEC)];

/// Every mapping of a process, ascending and without overlap.
///
/// The kernel hands them out a page of text at a time, and a process that is not stopped may change
/// between two pages: what was there all the time is in the result, what came or went may be.
/// Names are as the kernel prints them: a newline as `\012`, a deleted file's with ` (deleted)`.
///
/// # Errors
/// If the process is gone, has no address space, or must not be looked at.
pub fn maps(pid: Pid) -> Result<Vec<Mapping>, ProcError> {
    let directory = Directory::open(pid)?;
    directory.ask_any_thread(|folder| {
        let name = format!("{folder}maps");
        let text = directory.read(&name)?;
        let mappings = parse(&text).map_err(|line| ProcError::Malformed {
            path: directory.path(&name),
            text: line,
        })?;
        Ok((!mappings.is_empty()).then_some(mappings))
    })
}

/// The mappings in `text`, or the line that is none.
fn parse(text: &[u8]) -> Result<Vec<Mapping>, String> {
    let mut mappings: Vec<Mapping> = Vec::with_capacity(text.len() / 64);
    for line in text.split(|&byte| byte == b'\n') {
        if line.is_empty() {
            continue;
        }
        let mut mapping = MapsLine::parse(line)
            .ok_or_else(|| String::from_utf8_lossy(line).into_owned())?
            .mapping();
        // A mapping that grew downwards between two reads begins below what was read before.
        if let Some(last) = mappings.last()
            && mapping.start < last.end
        {
            if mapping.inode != 0 {
                mapping.offset += last.end.0 - mapping.start.0;
            }
            mapping.start = last.end;
        }
        if mapping.start < mapping.end {
            mappings.push(mapping);
        }
    }
    Ok(mappings)
}

/// What one line says.
pub(crate) struct MapsLine<'a> {
    pub(crate) start: u64,
    /// One past the last address.
    pub(crate) end: u64,
    /// `PROT_READ`, `PROT_WRITE` and `PROT_EXEC`.
    pub(crate) protection: u8,
    pub(crate) shared: bool,
    /// In the file, bytes.
    pub(crate) offset: u64,
    pub(crate) inode: Inode,
    /// As the kernel prints it; empty for memory without one.
    pub(crate) name: &'a [u8],
}

impl<'a> MapsLine<'a> {
    /// `start-end rwxp offset major:minor inode      name`, without its newline, as `show_map_vma` in
    /// fs/proc/task_mmu.c prints it. The name is the rest of the line, spaces and all.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        let mut rest = line;
        let (start, end) = split(field(&mut rest)?, b'-')?;
        let bits = field(&mut rest)?;
        let offset = hexadecimal(field(&mut rest)?)?;
        let (major, minor) = split(field(&mut rest)?, b':')?;
        let inode = decimal(field(&mut rest)?)?;
        let padding = rest.iter().position(|&byte| byte != b' ');
        let protection = PROTECTION_BITS
            .iter()
            .zip(bits)
            .filter(|((letter, _), found)| letter == *found)
            .fold(0, |bits, ((_, bit), _)| bits | bit);
        Some(Self {
            start: hexadecimal(start)?,
            end: hexadecimal(end)?,
            protection,
            shared: *bits.get(3)? == b's',
            offset,
            inode: Inode {
                device: Device {
                    major: u32::try_from(hexadecimal(major)?).ok()?,
                    minor: u32::try_from(hexadecimal(minor)?).ok()?,
                },
                number: inode,
            },
            name: &rest[padding.unwrap_or(rest.len())..],
        })
    }

    pub(crate) fn is_executable(&self) -> bool {
        self.protection & PROT_EXEC != 0
    }

    pub(super) fn mapping(&self) -> Mapping {
        Mapping {
            start: Address(self.start),
            end: Address(self.end),
            protection: self.protection,
            shared: self.shared,
            offset: self.offset,
            inode: self.inode.number,
            name: String::from_utf8_lossy(self.name).into_owned(),
        }
    }
}

/// Takes what comes before the next space, and the space.
fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|&byte| byte == b' ');
    let (field, behind) = rest.split_at(end.unwrap_or(rest.len()));
    *rest = behind.get(1..).unwrap_or_default();
    (!field.is_empty()).then_some(field)
}

fn split(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|&byte| byte == separator)?;
    Some((&text[..at], &text[at + 1..]))
}

fn hexadecimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    digits.iter().try_fold(0, |value, &digit| {
        Some(value << 4 | u64::from(char::from(digit).to_digit(16)?))
    })
}

fn decimal(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &[u8]) -> Vec<String> {
        parse(text)
            .unwrap()
            .into_iter()
            .map(|mapping| mapping.name)
            .collect()
    }

    #[test]
    fn every_column_of_a_line_is_read() {
        let text = b"7d1840010000-7d1ac0000000 r-xs 03001000 fe:01 18446744073709551615              /usr/bin/node (deleted)\n";
        assert_eq!(
            parse(text).unwrap(),
            [Mapping {
                start: Address(0x7d18_4001_0000),
                end: Address(0x7d1a_c000_0000),
                protection: 5,
                shared: true,
                offset: 0x0300_1000,
                inode: u64::MAX,
                name: "/usr/bin/node (deleted)".into(),
            }]
        );
    }

    #[test]
    fn a_mapping_may_have_no_name() {
        for text in [
            b"1000-2000 ---p 00000000 00:00 0 \n".as_slice(),
            b"1000-2000 ---p 00000000 00:00 0",
        ] {
            assert_eq!(
                parse(text).unwrap(),
                [Mapping {
                    start: Address(0x1000),
                    end: Address(0x2000),
                    ..Mapping::default()
                }]
            );
        }
    }

    #[test]
    fn names_are_kept_as_they_are() {
        let line = |name: &[u8]| {
            [
                b"1000-2000 rw-p 00000000 00:00 7                          ",
                name,
                b"\n",
            ]
            .concat()
        };
        assert_eq!(names(&line(b"/tmp/a  b c")), ["/tmp/a  b c"]);
        assert_eq!(names(&line(b"/tmp/new\\012line ")), ["/tmp/new\\012line "]);
        assert_eq!(names(&line(b"[anon:a b]")), ["[anon:a b]"]);
        assert_eq!(
            names(&line(b"/tmp/\xff\r\x1b[2J")),
            ["/tmp/\u{fffd}\r\u{1b}[2J"]
        );
    }

    #[test]
    fn the_highest_addresses_are_read() {
        let text = b"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";
        assert_eq!(parse(text).unwrap()[0].end, Address(0xffff_ffff_ff60_1000));
    }

    #[test]
    fn a_mapping_that_grew_between_two_reads_does_not_overlap_the_one_before() {
        let text = b"1000-4000 rw-p 00000000 00:00 7 a\n2000-6000 rw-p 00010000 00:00 7 b\n3000-6000 rw-p 0 00:00 0 c\n";
        let found = parse(text).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[1].start, found[1].end),
            (Address(0x4000), Address(0x6000))
        );
        assert_eq!(found[1].offset, 0x12000);
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        for line in [
            "1000 rw-p 00000000 00:00 0 ",
            "1000-2000 rw 00000000 00:00 0 ",
            "1000-2000 rw-p 00000000 00:00",
            "1000-2000 rw-p 00000000 0000 0 ",
            "1000-20000000000000000 rw-p 00000000 00:00 0 ",
            "1000-+200 rw-p 00000000 00:00 0 ",
        ] {
            assert_eq!(parse(line.as_bytes()), Err(line.to_owned()));
        }
    }
}
