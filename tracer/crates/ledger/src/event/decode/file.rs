//! Files that are mapped, and names of anonymous memory.

use bytes::{Buf as _, Bytes};
use tracer_common::file::{NAME_LENGTH, file_flags};

use super::super::{Address, File, FileKind, Named, Nanoseconds, Stamp, files::FileId};

/// Of `inode.i_mode` what says which kind of file it is, and a device of bytes (include/uapi/linux/stat.h).
const S_IFMT: u32 = 0o170_000;
const S_IFCHR: u32 = 0o020_000;

// include/uapi/linux/magic.h.
const TMPFS_MAGIC: u64 = 0x0102_1994;
const RAMFS_MAGIC: u64 = 0x8584_58f6;
const HUGETLBFS_MAGIC: u64 = 0x9584_58f6;
const ANON_INODE_FS_MAGIC: u64 = 0x0904_1934;
const SECRETMEM_MAGIC: u64 = 0x5345_434d;

pub(super) fn identity(bytes: &mut Bytes) -> FileId {
    FileId {
        device: bytes.get_u64_ne(),
        inode: bytes.get_u64_ne(),
    }
}

/// `None`: it does not have as many bytes as it says.
pub(super) fn file(time: Nanoseconds, mode: u32, bytes: &mut Bytes) -> Option<File> {
    let FileId { device, inode } = identity(bytes);
    let magic = bytes.get_u64_ne();
    let length = bytes.get_u32_ne() as usize;
    let flags = bytes.get_u32_ne();
    (bytes.len() == length).then_some(())?;
    let path = path(bytes, flags, magic);
    let kind = match magic {
        HUGETLBFS_MAGIC => FileKind::Hugetlb,
        TMPFS_MAGIC | RAMFS_MAGIC | SECRETMEM_MAGIC if mode & S_IFMT != S_IFCHR => FileKind::Memory,
        // A shared mapping of it is memory that has nothing to do with the device (`mmap_zero()`,
        // drivers/char/mem.c).
        _ if path == "/dev/zero" => FileKind::Memory,
        ANON_INODE_FS_MAGIC => FileKind::Device,
        _ if mode & S_IFMT == S_IFCHR => FileKind::Device,
        _ => FileKind::Regular,
    };
    Some(File {
        time,
        device,
        inode,
        kind,
        path,
    })
}

/// As `/proc/PID/maps` would show it: names come from the file's own up.
fn path(names: &[u8], flags: u32, magic: u64) -> String {
    let is_pseudo = flags & file_flags::PSEUDO != 0;
    let mut path = String::new();
    if is_pseudo && magic == ANON_INODE_FS_MAGIC {
        path.push_str("anon_inode:");
    } else if flags & file_flags::CUT != 0 {
        path.push('…');
    }
    let mut parts: Vec<&[u8]> = names
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .collect();
    parts.reverse();
    for part in parts {
        if !path.starts_with("anon_inode:") {
            path.push('/');
        }
        path.push_str(&String::from_utf8_lossy(part));
    }
    // What no directory holds the kernel calls deleted as well (`simple_dname()`, fs/d_path.c).
    let is_deleted = if is_pseudo {
        magic != ANON_INODE_FS_MAGIC
    } else {
        flags & file_flags::DELETED != 0
    };
    if is_deleted {
        path.push_str(" (deleted)");
    }
    path
}

pub(super) fn named(stamp: Stamp, bytes: &mut Bytes) -> Named {
    let address = Address(bytes.get_u64_ne());
    let length = bytes.get_u64_ne();
    let name = bytes.split_to(NAME_LENGTH);
    let end = name.iter().position(|byte| *byte == 0);
    Named {
        time: stamp.time,
        pid: stamp.pid,
        space: stamp.space,
        address,
        length,
        name: String::from_utf8_lossy(&name[..end.unwrap_or(NAME_LENGTH)]).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_as_in_the_maps() {
        let of = |names: &[u8], flags, magic| path(names, flags, magic);
        assert_eq!(of(b"f.dat\0data\0srv\0", 0, 0xef53), "/srv/data/f.dat");
        assert_eq!(of(b"x\0", file_flags::DELETED, 0xef53), "/x (deleted)");
        assert_eq!(
            of(b"memfd:heap\0", file_flags::PSEUDO, TMPFS_MAGIC),
            "/memfd:heap (deleted)"
        );
        assert_eq!(
            of(b"[io_uring]\0", file_flags::PSEUDO, ANON_INODE_FS_MAGIC),
            "anon_inode:[io_uring]"
        );
    }
}
