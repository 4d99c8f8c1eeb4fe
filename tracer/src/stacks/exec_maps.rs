//! The executable lines of `/proc/PID/maps` (proc_pid_maps(5)).

use std::fs::File;
use std::io::{self, BufRead, BufReader};

use super::files::Identity;
use tracer_ledger::event::Pid;

/// One executable mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecMap {
    /// First address.
    pub start: u64,
    /// One past the last address.
    pub end: u64,
    /// Offset in the file, bytes.
    pub offset: u64,
    /// Device of the file, as the kernel prints it.
    pub device: (u32, u32),
    /// Inode of the file, 0 if none.
    pub inode: u64,
    /// Path or name, without the kernel's ` (deleted)`; may be empty.
    pub name: String,
    /// The path no longer leads to the file.
    pub deleted: bool,
}

impl ExecMap {
    /// Which file it shows.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity {
            device: self.device,
            inode: self.inode,
        }
    }
}

/// Reads them, ascending.
///
/// # Errors
/// What the kernel says; an empty list is an error too (`NotFound`): that is what a process without
/// an address space shows, ended or a kernel thread.
pub fn read(pid: Pid) -> io::Result<Vec<ExecMap>> {
    let mut reader = BufReader::with_capacity(64 * 1024, File::open(format!("/proc/{pid}/maps"))?);
    let mut maps = Vec::new();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        if let Some(map) = parse(&line) {
            maps.push(map);
        }
        line.clear();
    }
    if maps.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "no executable mapping",
        ));
    }
    Ok(maps)
}

/// One line; `None` if it is not executable, or not a line of maps.
fn parse(line: &[u8]) -> Option<ExecMap> {
    let line = String::from_utf8_lossy(line);
    let line = line.trim_end_matches('\n');
    let (range, rest) = line.split_once(' ')?;
    let (permissions, rest) = rest.split_once(' ')?;
    if permissions.as_bytes().get(2) != Some(&b'x') {
        return None;
    }
    let (offset, rest) = rest.split_once(' ')?;
    let (device, rest) = rest.split_once(' ')?;
    let (inode, name) = rest.split_once(' ').unwrap_or((rest, ""));
    let (start, end) = range.split_once('-')?;
    let (major, minor) = device.split_once(':')?;
    // The name is padded in front; the kernel escapes a newline in it, and nothing else.
    let name = name.trim_start();
    let (name, deleted) = match name.strip_suffix(" (deleted)") {
        Some(name) => (name, true),
        None => (name, false),
    };
    Some(ExecMap {
        start: u64::from_str_radix(start, 16).ok()?,
        end: u64::from_str_radix(end, 16).ok()?,
        offset: u64::from_str_radix(offset, 16).ok()?,
        device: (
            u32::from_str_radix(major, 16).ok()?,
            u32::from_str_radix(minor, 16).ok()?,
        ),
        inode: inode.parse().ok()?,
        name: name.replace("\\012", "\n"),
        deleted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_spaces_and_deleted_in_its_path_is_read() {
        let map = parse(
            b"7f00aa000-7f00ab000 r-xp 00001000 fe:00 325843                 /a b/lib.so (deleted)\n",
        )
        .unwrap();
        assert_eq!(
            (map.start, map.end, map.offset),
            (0x7f00_aa000, 0x7f00_ab000, 0x1000)
        );
        assert_eq!((map.device, map.inode), ((0xfe, 0), 325_843));
        assert_eq!(map.name, "/a b/lib.so");
        assert!(map.deleted);
    }

    #[test]
    fn anonymous_memory_has_no_name_and_lines_without_x_are_left_out() {
        assert_eq!(
            parse(b"1000-2000 rwxp 00000000 00:00 0 \n").unwrap().name,
            ""
        );
        assert_eq!(parse(b"1000-2000 rw-p 00000000 00:00 0 \n"), None);
        assert_eq!(parse(b"nonsense\n"), None);
    }
}
