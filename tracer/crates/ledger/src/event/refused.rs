//! Calls that the kernel refused for want of something, and what it had at that moment.

use serde::{Deserialize, Serialize};
use tracer_common::kind::{CALLS, Kind};

use super::{
    account::Account,
    call::Stamp,
    ids::{Address, Nanoseconds, StackId},
};

/// A call that can be refused: the number that recordings have for it, and its name.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum RefusedCall {
    /// `mmap`.
    #[default]
    Mmap,
    /// `mremap`.
    Mremap,
    /// `brk`.
    Brk,
    /// `mprotect`, `pkey_mprotect`.
    Mprotect,
    /// `munmap`: of the middle of a mapping it makes two.
    Munmap,
    /// `madvise`.
    Madvise,
    /// `shmat`.
    Shmat,
    /// `remap_file_pages`.
    RemapFilePages,
    /// `mlock`, `mlock2`, `mlockall`.
    Mlock,
    /// `clone`, `clone3`, `fork`: a new process or thread.
    Clone,
}

/// [`super::Event::Refused`]: a call failed with `ENOMEM`, `EAGAIN`, or what says the same of this call. Told for the
/// first ones of a place; how often it went on, [`RefusedAgain`] tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Who and when: the call's return.
    pub stamp: Stamp,
    /// Which call.
    pub call: RefusedCall,
    /// The user stack of the call.
    pub stack: StackId,
    /// The first argument: an address where there is one. `brk`: the break that was asked for.
    pub address: Address,
    /// Bytes that it asked for in addition to what there was; 0 where the call asks for none (`clone`).
    pub requested_bytes: u64,
    /// `PROT_*` bits of `mmap` and `mprotect`.
    pub protection: u8,
    /// `MAP_*`, `MREMAP_*`, `CLONE_*`, `SHM_*` or advice.
    pub flags: u32,
    /// `errno`. `brk` has none: `ENOMEM`.
    pub error: u16,
    /// What the kernel had of the process at the return.
    pub account: Account,
    /// What it had of the machine, as far as it was read then.
    pub around: Around,
    /// The same in all refusals that are counted together.
    pub place: u64,
}

/// What the machine had to give when a call was refused, as far as it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Around {
    /// `vm.overcommit_memory`.
    pub overcommit_memory: Option<u32>,
    /// `vm.max_map_count`.
    pub max_map_count: Option<u64>,
    /// `MemTotal` and `SwapTotal`, bytes: what the heuristic overcommit holds a single call against.
    pub memory_and_swap_bytes: Option<u64>,
    /// `CommitLimit`, bytes.
    pub commit_limit_bytes: Option<u64>,
    /// `Committed_AS`, bytes.
    pub committed_bytes: Option<u64>,
    /// Of the pool of huge pages of the call's size: free and not promised to anybody, and what it may grow by;
    /// bytes. `None`: the call asked for no huge pages.
    pub huge_pool_bytes: Option<u64>,
    /// Processes and threads of the user, as `RLIMIT_NPROC` counts them.
    pub user_processes: Option<u64>,
    /// `pids.current` and `pids.max` of the nearest control group that is full.
    pub pids: Option<(u64, u64)>,
    /// Where the address space itself ends, bytes (`mm->task_size`).
    pub address_space_bytes: Option<u64>,
    /// The process may lock what it likes (`CAP_IPC_LOCK`).
    pub may_lock: Option<bool>,
    /// All that is mapped from now on is locked (`mlockall(MCL_FUTURE)`).
    pub locks_all: bool,
}

/// [`super::Event::RefusedAgain`]: at a place where calls were refused, more were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedAgain {
    /// When that was read.
    pub time: Nanoseconds,
    /// When the last one was refused.
    pub last: Nanoseconds,
    /// See [`Refused::place`].
    pub place: u64,
    /// How many, all in all, those that were told one by one included.
    pub count: u64,
}

impl RefusedCall {
    /// Each with the number of the wire.
    const KINDS: [(Self, Kind); 10] = [
        (Self::Mmap, Kind::Mmap),
        (Self::Mremap, Kind::Mremap),
        (Self::Brk, Kind::Brk),
        (Self::Mprotect, Kind::Mprotect),
        (Self::Munmap, Kind::Munmap),
        (Self::Madvise, Kind::Madvise),
        (Self::Shmat, Kind::Shmat),
        (Self::RemapFilePages, Kind::RemapFilePages),
        (Self::Mlock, Kind::Mlock),
        (Self::Clone, Kind::Fork),
    ];

    /// The call of a kind of records; `None`: it takes nothing that could be refused.
    #[must_use]
    pub fn of(kind: Kind) -> Option<Self> {
        let found = Self::KINDS.iter().find(|(_, known)| *known == kind);
        found.map(|(call, _)| *call)
    }

    /// The system call's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        let kind = Self::KINDS.iter().find(|(call, _)| *call == self);
        let row = kind.and_then(|(_, kind)| CALLS.iter().find(|call| call.kind == *kind));
        row.map_or("mlock", |row| row.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_has_its_name() {
        let names = RefusedCall::KINDS.map(|(call, _)| call.name());
        assert_eq!(
            names,
            [
                "mmap",
                "mremap",
                "brk",
                "mprotect",
                "munmap",
                "madvise",
                "shmat",
                "remap_file_pages",
                "mlock",
                "clone"
            ]
        );
        assert_eq!(RefusedCall::of(Kind::Fork), Some(RefusedCall::Clone));
        assert_eq!(RefusedCall::of(Kind::Shmdt), None);
    }
}
