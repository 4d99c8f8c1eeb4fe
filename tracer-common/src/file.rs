//! Files that are mapped: which one a call has mapped, and what it is called.

use crate::{header::Header, memory::LongCall};

/// A `mmap` of a file ([`crate::kind::Kind::Mmap`]) of which is known which it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct FileCall {
    /// The first 96 bytes are those of any call with two more words.
    pub call: LongCall,
    /// Device, as the kernel has it (`super_block.s_dev`): 20 bits of minor number.
    pub device: u64,
    /// Inode.
    pub inode: u64,
}

/// A file, told once ([`crate::kind::Kind::File`]). `header.flags` is `inode.i_mode`. In the ring it is followed by
/// `length` bytes: the names on its path, its own first, each with its final NUL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct FileHead {
    /// What every record begins with.
    pub header: Header,
    /// See [`FileCall::device`].
    pub device: u64,
    /// See [`FileCall::inode`].
    pub inode: u64,
    /// `super_block.s_magic` (include/uapi/linux/magic.h).
    pub magic: u64,
    /// Bytes of names.
    pub length: u32,
    /// [`file_flags`].
    pub flags: u32,
}

/// [`FileHead::flags`].
pub mod file_flags {
    /// It has no path, only a name: it was made by no directory (`d_alloc_pseudo()`, fs/dcache.c).
    pub const PSEUDO: u32 = 1;
    /// It was removed from its directory.
    pub const DELETED: u32 = 2;
    /// There are more names than were sent.
    pub const CUT: u32 = 4;
}

/// The most bytes of names (`PATH_MAX`).
pub const MAX_NAMES: usize = 4096;

/// A name that a process gives to anonymous memory ([`crate::kind::Kind::Named`]): `prctl(PR_SET_VMA,
/// PR_SET_VMA_ANON_NAME, …)`, whatever became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Named {
    /// What every record begins with.
    pub header: Header,
    /// First address.
    pub address: u64,
    /// Bytes.
    pub length: u64,
    /// The name, NUL-padded; empty: none any more.
    pub name: [u8; NAME_LENGTH],
}

/// Bytes of a name with its final NUL (`ANON_VMA_NAME_MAX_LEN`, kernel/sys.c).
pub const NAME_LENGTH: usize = 80;
