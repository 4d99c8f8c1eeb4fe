//! The executable lines of `/proc/PID/maps` (proc_pid_maps(5)).

use std::fs::File;
use std::io::{self, BufRead, BufReader};

use crate::capture::inode::Inode;
use crate::capture::procfs::MapsLine;
use tracer_ledger::event::Pid;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExecMap {
    pub(crate) start: u64,
    /// One past the last address.
    pub(crate) end: u64,
    /// Offset in the file, bytes.
    pub(crate) offset: u64,
    /// The file it shows.
    pub(crate) inode: Inode,
    /// Path or name, without the kernel's ` (deleted)`; may be empty.
    pub(crate) name: String,
    /// The path no longer leads to the file.
    pub(crate) deleted: bool,
}

/// Reads them, ascending.
///
/// # Errors
/// What the kernel says; an empty list is an error too (`NotFound`): that is what a process without
/// an address space shows, ended or a kernel thread.
pub(crate) fn read(pid: Pid) -> io::Result<Vec<ExecMap>> {
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
    let line = MapsLine::parse(line.strip_suffix(b"\n").unwrap_or(line))?;
    if !line.is_executable() {
        return None;
    }
    let name = String::from_utf8_lossy(line.name);
    let (name, deleted) = match name.strip_suffix(" (deleted)") {
        Some(name) => (name, true),
        None => (name.as_ref(), false),
    };
    Some(ExecMap {
        start: line.start,
        end: line.end,
        offset: line.offset,
        inode: line.inode,
        // The kernel escapes a newline, and nothing else.
        name: name.replace("\\012", "\n"),
        deleted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::inode::Device;

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
        let device = Device {
            major: 0xfe,
            minor: 0,
        };
        let number = 325_843;
        assert_eq!(map.inode, Inode { device, number });
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
