//! What a record tells, and the calls that are traced: each is a row of [`CALLS`].

use crate::{counters::Counter, settings::CALL_WORDS};

/// One list for the numbers of the wire, both ways.
macro_rules! kinds {
    ($($(#[$doc:meta])+ $name:ident = $number:literal,)+) => {
        /// What a record tells. The numbers are the wire's.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Kind {
            $($(#[$doc])+ $name = $number,)+
        }

        impl Kind {
            /// The kind for a wire number, `None` for a number that this version does not know.
            #[must_use]
            pub const fn from_wire(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)+
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// `mmap` returned an address.
    Mmap = 1,
    /// `munmap` returned 0.
    Munmap = 2,
    /// `mremap` returned an address.
    Mremap = 3,
    /// `brk` returned (the new, or the unchanged, break).
    Brk = 4,
    /// `mprotect` or `pkey_mprotect` returned 0.
    Mprotect = 5,
    /// `madvise` returned 0.
    Madvise = 6,
    /// `shmat` returned an address.
    Shmat = 7,
    /// `shmdt` returned 0.
    Shmdt = 8,
    /// `remap_file_pages` returned 0.
    RemapFilePages = 9,
    /// `mlock`, `mlock2` or `mlockall` was refused; told in no other case.
    Mlock = 10,
    /// A page fault on a user address.
    Fault = 16,
    /// The same with a stack.
    SampledFault = 17,
    /// A call that had its turn (see [`crate::memory::Turn`]) has failed.
    Failed = 32,
    /// A call was refused for want of something (see [`crate::account::Refused`]).
    Refused = 33,
    /// A call that acquires nothing has made more mappings than there ever were in its address space.
    Split = 34,
    /// There are noticeably more mappings in an address space than when this was last told.
    Mappings = 35,
    /// A new process (own thread group).
    Fork = 48,
    /// A new thread of a traced process.
    Thread = 49,
    /// A process began a new program.
    Exec = 50,
    /// The last thread of a process is ending.
    Exit = 51,
    /// A thread changed its name.
    Rename = 52,
    /// A mapping that the kernel made for a new program; comes before its [`Kind::Exec`].
    Mapping = 53,
    /// What the kernel has of a process: comes after its [`Kind::Exec`], and before its [`Kind::Exit`].
    Accounted = 54,
    /// A process makes 32-bit system calls, which are not traced; told once for an address space.
    ThirtyTwoBits = 55,
    /// A file that is mapped; told once (see [`crate::file`]).
    File = 56,
    /// A process gives anonymous memory a name.
    Named = 57,
    /// A user call stack, sent once for each id (see [`crate::stack`]).
    Stack = 64,
}

impl Kind {
    /// The index of the counter of failed calls of this kind.
    #[inline(always)]
    #[must_use]
    pub const fn failures(self) -> usize {
        Counter::FailedCalls as usize + self as usize
    }
}

/// A system call that takes turns (see [`crate::memory::Turn`]), and how it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TracedCall {
    /// What its records tell, and those of its failures.
    pub kind: Kind,
    /// The kernel's name for it; its tracepoint is `syscalls:sys_exit_NAME`.
    pub name: &'static str,
    /// The eBPF program that is attached there.
    pub program: &'static str,
    /// Its number on this machine's architecture, if that has the call.
    pub number: Option<u32>,
    /// The record of a call that has succeeded.
    pub success: Success,
}

/// The record of a call that has succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Success {
    /// A [`crate::memory::Call`].
    Short,
    /// A [`crate::memory::Call`], or a [`crate::memory::LongCall`] where it has more to tell.
    ShortOrLong,
    /// A [`crate::memory::LongCall`].
    Long,
    /// None at its return: another tracepoint has told of it.
    Elsewhere,
}

/// One line for each traced call. The numbers are those of arch/x86/entry/syscalls/syscall_64.tbl and of
/// include/uapi/asm-generic/unistd.h, which is arm64's.
macro_rules! calls {
    ($($kind:ident, $name:literal, $program:literal, $x86_64:expr, $aarch64:expr, $success:ident;)+) => {
        /// Every traced call. Where several rows have one kind, the first one's name is the kind's.
        pub const CALLS: &[TracedCall] = &[$(
            TracedCall {
                kind: Kind::$kind,
                name: $name,
                program: $program,
                number: if cfg!(target_arch = "x86_64") {
                    $x86_64
                } else if cfg!(target_arch = "aarch64") {
                    $aarch64
                } else {
                    None
                },
                success: Success::$success,
            },
        )+];
    };
}

calls! {
    Mmap, "mmap", "mmap_exit", Some(9), Some(222), ShortOrLong;
    Munmap, "munmap", "munmap_exit", Some(11), Some(215), Short;
    Mremap, "mremap", "mremap_exit", Some(25), Some(216), Long;
    Brk, "brk", "brk_exit", Some(12), Some(214), Short;
    Mprotect, "mprotect", "mprotect_exit", Some(10), Some(226), Short;
    Mprotect, "pkey_mprotect", "mprotect_exit", Some(329), Some(288), Short;
    Madvise, "madvise", "madvise_exit", Some(28), Some(233), Short;
    Shmat, "shmat", "shmat_exit", Some(30), Some(196), Short;
    Shmdt, "shmdt", "shmdt_exit", Some(67), Some(197), Short;
    RemapFilePages, "remap_file_pages", "remap_file_pages_exit", Some(216), Some(234), Short;
    Fork, "clone", "clone_exit", Some(56), Some(220), Elsewhere;
    Fork, "clone3", "clone_exit", Some(435), Some(435), Elsewhere;
    Fork, "fork", "clone_exit", Some(57), None, Elsewhere;
}

impl TracedCall {
    /// The (first) row of a kind; `None` of what is no call.
    #[must_use]
    pub fn of(kind: Kind) -> Option<&'static Self> {
        CALLS.iter().find(|call| call.kind == kind)
    }

    /// The index of the counter of its failures; `None`: they are not counted.
    #[must_use]
    pub const fn failures(&self) -> Option<usize> {
        match self.success {
            Success::Elsewhere => None,
            Success::Short | Success::ShortOrLong | Success::Long => Some(self.kind.failures()),
        }
    }
}

const _: () = {
    let mut at = 0;
    while at < CALLS.len() {
        if let Some(index) = CALLS[at].failures() {
            assert!(index < crate::counters::COUNTERS);
        }
        if let Some(number) = CALLS[at].number {
            assert!((number as usize) < 64 * CALL_WORDS);
        }
        at += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wires_numbers_lead_back_to_their_kinds() {
        let known = (0..=u8::MAX).filter_map(Kind::from_wire);
        assert!(
            known
                .clone()
                .all(|kind| Kind::from_wire(kind as u8) == Some(kind))
        );
        assert_eq!(known.count(), 27);
        assert_eq!(Kind::from_wire(200), None);
    }

    #[test]
    fn a_kind_is_called_by_its_first_row() {
        let name = |kind| TracedCall::of(kind).map(|call| call.name);
        assert_eq!(name(Kind::Mprotect), Some("mprotect"));
        assert_eq!(name(Kind::RemapFilePages), Some("remap_file_pages"));
        assert_eq!(name(Kind::Stack), None);
    }

    #[test]
    fn each_call_has_the_number_that_the_c_library_knows() {
        let number = |name| match name {
            "mmap" => libc::SYS_mmap,
            "munmap" => libc::SYS_munmap,
            "mremap" => libc::SYS_mremap,
            "brk" => libc::SYS_brk,
            "mprotect" => libc::SYS_mprotect,
            "pkey_mprotect" => libc::SYS_pkey_mprotect,
            "madvise" => libc::SYS_madvise,
            "shmat" => libc::SYS_shmat,
            "shmdt" => libc::SYS_shmdt,
            "remap_file_pages" => libc::SYS_remap_file_pages,
            "clone" => libc::SYS_clone,
            "clone3" => libc::SYS_clone3,
            #[cfg(target_arch = "x86_64")]
            "fork" => libc::SYS_fork,
            _ => -1,
        };
        for call in CALLS {
            assert_eq!(
                call.number.map_or(-1, i64::from),
                number(call.name),
                "{}",
                call.name
            );
        }
    }
}
