//! Why the kernel refused a call: the checks that it makes, in its order, against what it had at that moment.
//!
//! The checks are those of Linux 6.1 to 6.18: `mm/mmap.c` (`do_mmap`, `mmap_region`, `may_expand_vm`, `do_brk_flags`),
//! `mm/mremap.c`, `mm/mprotect.c`, `mm/mlock.c`, `mm/util.c` (`__vm_enough_memory`), `mm/hugetlb.c`, `kernel/fork.c`
//! (`copy_process`), `kernel/cgroup/pids.c`.

use crate::model::refused::RefusalCause;
use tracer_ledger::bits::{
    EAGAIN, ENOMEM, EPERM, MAP_32BIT, MAP_ANONYMOUS, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_GROWSDOWN,
    MAP_HUGETLB, MAP_LOCKED, MAP_NORESERVE, MAP_PRIVATE, MAP_TYPE, MREMAP_FIXED, MREMAP_MAYMOVE,
    PROT_WRITE,
};
use tracer_ledger::event::{Refused, RefusedCall};

/// What `mremap` must have left of `vm.max_map_count` (`move_vma`).
const MREMAP_SPARE: u64 = 3;
/// The most that strict overcommit keeps for root (`vm.admin_reserve_kbytes`) and for one user
/// (`vm.user_reserve_kbytes`, or a 32nd of the process if that is less), bytes: their defaults.
const ADMIN_RESERVE: u64 = 8 << 20;
const USER_RESERVE: u64 = 128 << 20;

/// What refused a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// Which limit.
    pub cause: RefusalCause,
    /// Where it lay: bytes, mappings, processes; `None`: not known.
    pub limit: Option<u64>,
    /// What counted against it, without what was asked for; `None`: not known, or nothing does.
    pub used: Option<u64>,
}

/// Why a call was refused; `None`: not for want of anything (a hole in the range, a permission, a mapping in the
/// way). `page`: bytes in a page.
#[must_use]
pub fn cause(refused: &Refused, page: u64) -> Option<Cause> {
    let page = page.max(1);
    let held = Held {
        refused,
        page,
        pages: refused.requested_bytes.div_ceil(page),
    };
    let unknown = Some(Cause::default());
    match (refused.call, refused.error) {
        (RefusedCall::Mmap, ENOMEM) => held.mmap().or(unknown),
        (RefusedCall::Shmat, ENOMEM) => held.shmat().or(unknown),
        (RefusedCall::Mmap | RefusedCall::Mremap | RefusedCall::Shmat, EAGAIN) => {
            held.locked_memory().or(unknown)
        }
        // A break that is to come down, and cannot: nothing was asked for.
        (RefusedCall::Brk, _) if held.pages == 0 => None,
        (RefusedCall::Brk, _) => held.brk().or(unknown),
        (RefusedCall::Mremap, ENOMEM) => held.mremap(),
        (RefusedCall::Mprotect, ENOMEM) => held.mprotect(),
        (RefusedCall::Munmap, ENOMEM) | (RefusedCall::Madvise, EAGAIN) => held.mappings(0),
        (RefusedCall::RemapFilePages, ENOMEM) => {
            held.mappings_above().or_else(|| held.address_space_limit())
        }
        (RefusedCall::Mlock, ENOMEM) => held.locked_memory().or_else(|| held.mappings(0)),
        // Only for want of the right to lock anything at all.
        (RefusedCall::Mlock | RefusedCall::Mmap, EPERM) => held.locks_nothing(),
        (RefusedCall::Clone, EAGAIN) => held.tasks().or(unknown),
        (RefusedCall::Clone, ENOMEM) => held.strict_overcommit().or(unknown),
        _ => None,
    }
}

/// A refused call, held against what the kernel had.
struct Held<'a> {
    refused: &'a Refused,
    page: u64,
    /// What it asked for.
    pages: u64,
}

impl Held<'_> {
    /// `ksys_mmap_pgoff` takes from the pool before anything else; then `do_mmap`, `mmap_region`.
    fn mmap(&self) -> Option<Cause> {
        self.huge_pool()
            .or_else(|| self.mappings_above())
            .or_else(|| self.beyond_the_address_space())
            .or_else(|| self.address_space_limit())
            .or_else(|| self.is_data().then(|| self.data_limit())?)
            .or_else(|| self.is_accountable().then(|| self.overcommit())?)
            .or_else(|| self.is_accountable().then(|| self.strict_overcommit())?)
            .or_else(|| self.no_room())
    }

    fn shmat(&self) -> Option<Cause> {
        self.mappings_above()
            .or_else(|| self.beyond_the_address_space())
            .or_else(|| self.address_space_limit())
    }

    /// It has no errno: whatever refused it, the break stays where it was. All of it is private, writable, charged.
    fn brk(&self) -> Option<Cause> {
        let locks = self.refused.around.locks_all;
        locks
            .then(|| self.locked_memory())
            .flatten()
            .or_else(|| self.address_space_limit())
            .or_else(|| self.data_limit())
            .or_else(|| self.mappings_above())
            .or_else(|| self.overcommit())
            .or_else(|| self.strict_overcommit())
    }

    /// What is mapped there is not known: that it is private and writable, as all that allocators grow, is supposed.
    /// Without `MREMAP_MAYMOVE` it asks whether there is room behind: that there is none is no limit.
    fn mremap(&self) -> Option<Cause> {
        let may_move = self.refused.flags & MREMAP_MAYMOVE != 0;
        let to_a_place = self.refused.flags & MREMAP_FIXED != 0;
        let found = to_a_place
            .then(|| self.mappings(MREMAP_SPARE + 2))
            .flatten()
            .or_else(|| self.address_space_limit())
            .or_else(|| self.data_limit())
            .or_else(|| self.overcommit())
            .or_else(|| self.mappings(MREMAP_SPARE))
            .or_else(|| self.beyond_the_address_space());
        match found {
            None if may_move => {
                let strict = self.strict_overcommit().or_else(|| self.no_room());
                Some(strict.unwrap_or_default())
            }
            found => found,
        }
    }

    /// The total stays as it is. Where no row fits, there is a hole in the range.
    fn mprotect(&self) -> Option<Cause> {
        let writable = self.refused.protection & PROT_WRITE != 0;
        writable
            .then(|| {
                self.data_limit()
                    .or_else(|| self.overcommit())
                    .or_else(|| self.commit_limit_reached())
            })
            .flatten()
            .or_else(|| self.mappings(0))
    }

    fn is_data(&self) -> bool {
        let private = self.refused.flags & MAP_TYPE == MAP_PRIVATE;
        let stack = self.refused.flags & MAP_GROWSDOWN != 0;
        self.refused.protection & PROT_WRITE != 0 && private && !stack
    }

    /// Private and writable, or shared anonymous memory; `MAP_NORESERVE` counts only where overcommit is not strict.
    fn is_accountable(&self) -> bool {
        let flags = self.refused.flags;
        let strict = self.refused.around.overcommit_memory == Some(2);
        let anonymous = flags & MAP_ANONYMOUS != 0;
        let private = flags & MAP_TYPE == MAP_PRIVATE;
        let takes = if private {
            self.refused.protection & PROT_WRITE != 0
        } else {
            anonymous
        };
        takes && flags & MAP_HUGETLB == 0 && (strict || flags & MAP_NORESERVE == 0)
    }

    fn bytes(&self, pages: u64) -> u64 {
        pages.saturating_mul(self.page)
    }

    /// `may_expand_vm` and its like compare in pages.
    fn above(
        &self,
        used_pages: u64,
        limit_bytes: Option<u64>,
        cause: RefusalCause,
    ) -> Option<Cause> {
        let limit = limit_bytes?;
        (used_pages.saturating_add(self.pages) > limit / self.page).then(|| Cause {
            cause,
            limit: Some(limit),
            used: Some(self.bytes(used_pages)),
        })
    }

    fn address_space_limit(&self) -> Option<Cause> {
        let account = &self.refused.account;
        let used = account.totals.total_pages;
        self.above(
            used,
            account.limits.address_space_bytes,
            RefusalCause::RlimitAs,
        )
    }

    fn data_limit(&self) -> Option<Cause> {
        let account = &self.refused.account;
        self.above(
            account.data_pages,
            account.limits.data_bytes,
            RefusalCause::RlimitData,
        )
    }

    /// Of a call that locks: `mlockall` asks for no bytes, and is held against all that is mapped.
    fn locked_memory(&self) -> Option<Cause> {
        let account = &self.refused.account;
        let locks = match self.refused.call {
            RefusedCall::Mlock | RefusedCall::Mremap => true,
            RefusedCall::Mmap => {
                self.refused.flags & MAP_LOCKED != 0 || self.refused.around.locks_all
            }
            _ => self.refused.around.locks_all,
        };
        if !locks || self.refused.around.may_lock == Some(true) {
            return None;
        }
        let all = self.pages == 0 && self.refused.call == RefusedCall::Mlock;
        let used = if all {
            account.totals.total_pages
        } else {
            account.locked_pages
        };
        self.above(
            used,
            account.limits.locked_bytes,
            RefusalCause::RlimitMemlock,
        )
    }

    /// `can_do_mlock`: with a limit of nothing the answer is `EPERM`.
    fn locks_nothing(&self) -> Option<Cause> {
        let account = &self.refused.account;
        let refused = account.limits.locked_bytes == Some(0)
            && self.refused.around.may_lock != Some(true)
            && (self.refused.call == RefusedCall::Mlock
                || self.refused.flags & MAP_LOCKED != 0
                || self.refused.around.locks_all);
        refused.then(|| Cause {
            cause: RefusalCause::RlimitMemlock,
            limit: Some(0),
            used: Some(self.bytes(account.locked_pages)),
        })
    }

    /// A call that makes one mapping of what there was into several must leave so many of `vm.max_map_count`.
    fn mappings(&self, spare: u64) -> Option<Cause> {
        let used = self.refused.account.mappings;
        let limit = self.refused.around.max_map_count?;
        (used >= limit.saturating_sub(spare)).then_some(Cause {
            cause: RefusalCause::MaxMapCount,
            limit: Some(limit),
            used: Some(used),
        })
    }

    /// A new mapping is only refused above it.
    fn mappings_above(&self) -> Option<Cause> {
        let limit = self.refused.around.max_map_count?;
        let over = self.refused.account.mappings > limit;
        over.then(|| self.mappings(0)).flatten()
    }

    /// The heuristic: a single call for more than there is memory and swap. Nothing else counts against it.
    fn overcommit(&self) -> Option<Cause> {
        let around = &self.refused.around;
        let heuristic = around.overcommit_memory == Some(0);
        let limit = around.memory_and_swap_bytes.filter(|_| heuristic)?;
        (self.pages > limit / self.page).then_some(Cause {
            cause: RefusalCause::Overcommit,
            limit: Some(limit),
            used: None,
        })
    }

    /// Strict overcommit, of a call that is charged and that nothing else explains: the figures may have been read
    /// after others had given memory back.
    fn strict_overcommit(&self) -> Option<Cause> {
        let around = &self.refused.around;
        (around.overcommit_memory == Some(2)).then_some(Cause {
            cause: RefusalCause::Overcommit,
            limit: around.commit_limit_bytes,
            used: around.committed_bytes,
        })
    }

    /// The same where there may be other reasons: by the figures.
    fn commit_limit_reached(&self) -> Option<Cause> {
        let around = &self.refused.around;
        let total = self.bytes(self.refused.account.totals.total_pages);
        let reserve = ADMIN_RESERVE + USER_RESERVE.min(total / 32);
        let asked = around
            .committed_bytes?
            .saturating_add(self.bytes(self.pages));
        let reached = asked.saturating_add(reserve) > around.commit_limit_bytes?;
        reached.then(|| self.strict_overcommit()).flatten()
    }

    fn huge_pool(&self) -> Option<Cause> {
        let takes =
            self.refused.flags & MAP_HUGETLB != 0 && self.refused.flags & MAP_NORESERVE == 0;
        let free = self.refused.around.huge_pool_bytes.filter(|_| takes)?;
        (self.refused.requested_bytes > free).then_some(Cause {
            cause: RefusalCause::HugetlbPool,
            limit: Some(free),
            used: None,
        })
    }

    fn no_such_room(&self, limit: Option<u64>) -> Cause {
        Cause {
            cause: RefusalCause::AddressSpace,
            limit,
            used: Some(self.bytes(self.refused.account.totals.total_pages)),
        }
    }

    /// It is larger than all there can be, or than what can be left, or is to lie behind the end.
    fn beyond_the_address_space(&self) -> Option<Cause> {
        let end = self.refused.around.address_space_bytes?;
        let asked = self.bytes(self.pages);
        let total = self.bytes(self.refused.account.totals.total_pages);
        let fixed = self.refused.call == RefusedCall::Mmap
            && self.refused.flags & (MAP_FIXED | MAP_FIXED_NOREPLACE) != 0;
        let behind = fixed && self.refused.address.0.saturating_add(asked) > end;
        (behind || total.saturating_add(asked) > end).then(|| self.no_such_room(Some(end)))
    }

    /// Nothing else explains it, and it asked for a good part of the address space, or for a place in its first
    /// 2 GiB: then there is no gap of that size.
    fn no_room(&self) -> Option<Cause> {
        const LOW: u64 = 2 << 30;
        if self.refused.call == RefusedCall::Mmap && self.refused.flags & MAP_32BIT != 0 {
            return Some(self.no_such_room(Some(LOW)));
        }
        let end = self.refused.around.address_space_bytes?;
        (self.refused.requested_bytes > end / 4).then(|| self.no_such_room(Some(end)))
    }

    /// `copy_process`: first the user's processes, which root's are not held to, then the control group's.
    fn tasks(&self) -> Option<Cause> {
        let around = &self.refused.around;
        let full = around.pids.filter(|(current, max)| current >= max);
        let of_group = full.map(|(current, max)| Cause {
            cause: RefusalCause::Pids,
            limit: Some(max),
            used: Some(current),
        });
        let of_user = around
            .user_processes
            .zip(self.refused.account.limits.processes)
            .filter(|(used, limit)| used >= limit)
            .map(|(used, limit)| Cause {
                cause: RefusalCause::RlimitNproc,
                limit: Some(limit),
                used: Some(used),
            });
        // Who may lock all it likes is most likely root.
        if around.may_lock == Some(true) {
            of_group.or(of_user)
        } else {
            of_user.or(of_group)
        }
    }
}

#[cfg(test)]
mod tests;
