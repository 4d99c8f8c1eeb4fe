//! What the kernel shows of mappings beside where they are (`/proc/PID/smaps`).

use serde::{Deserialize, Serialize};

use super::{
    ids::{Nanoseconds, Pid, SpaceId},
    maps::Mapping,
};

/// [`super::Event::Shown`]: the mappings of a process that ran already when tracing began, by which what was
/// there before is told from its shape.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// When.
    pub time: Nanoseconds,
    /// The process.
    pub pid: Pid,
    /// Its address space.
    pub space: SpaceId,
    /// Every mapping, ascending.
    pub maps: Vec<Mapped>,
    /// Where the stacks of its threads were, as far as known; ascending.
    pub stack_pointers: Vec<u64>,
}

/// A mapping, and what `/proc/PID/smaps` says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapped {
    /// Where, how protected, of which file.
    pub mapping: Mapping,
    /// In memory, bytes.
    pub resident_bytes: u64,
    /// Swapped out, bytes.
    pub swapped_bytes: u64,
    /// The kernel's flags.
    pub flags: VmFlags,
}

impl Mapped {
    /// Bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.mapping.end.0 - self.mapping.start.0
    }

    /// Bytes whose protection is other than NONE.
    #[must_use]
    pub fn accessible_bytes(&self) -> u64 {
        if self.mapping.protection == 0 {
            0
        } else {
            self.length()
        }
    }

    /// Bytes that overcommit accounting counts (`VM_ACCOUNT`).
    #[must_use]
    pub fn charged_bytes(&self) -> u64 {
        if self.flags.has("ac") {
            self.length()
        } else {
            0
        }
    }

    /// No file, and no name by the kernel or the process.
    #[must_use]
    pub fn is_unnamed(&self) -> bool {
        self.mapping.name.is_empty() && self.mapping.inode == 0
    }
}

/// Flags of the line `VmFlags` (Documentation/filesystems/proc.rst), by their two letters: those of
/// [`Self::KNOWN`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmFlags(u16);

impl VmFlags {
    /// The flags that are kept: shared, grows downwards, not copied on fork, account is charged, no reserve, not
    /// in core dumps, huge pages advised, no huge pages, huge page mapping, locked, of a device. Each is a bit in
    /// recordings: more come at the end only.
    pub const KNOWN: [&str; 11] = [
        "sh", "gd", "dc", "ac", "nr", "dd", "hg", "nh", "ht", "lo", "io",
    ];

    /// Whether a flag is set; a flag that is not kept never is.
    #[must_use]
    pub fn has(self, word: &str) -> bool {
        let place = Self::KNOWN.iter().position(|known| *known == word);
        place.is_some_and(|place| self.0 & (1 << place) != 0)
    }
}

impl<'a> FromIterator<&'a str> for VmFlags {
    fn from_iter<I: IntoIterator<Item = &'a str>>(words: I) -> Self {
        let bits = words.into_iter().filter_map(|word| {
            let place = Self::KNOWN.iter().position(|known| *known == word)?;
            Some(1 << place)
        });
        Self(bits.fold(0, |all, bit: u16| all | bit))
    }
}
