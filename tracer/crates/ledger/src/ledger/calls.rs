//! What each call does to an address space, as the kernel does it (`mm/mmap.c`, `mm/vma.c`,
//! `mm/mprotect.c`).
//!
//! Calls that fail and have changed something all the same, by the kernel's source and, where it could
//! be made to happen, by `tests/ledger_kernel`:
//! - `mprotect` changes mapping after mapping, and those before the one at which it fails stay changed
//!   ([`Action::ProtectFailed`]); a hole at the very beginning, a bad alignment or a bad protection is
//!   seen before.
//! - `madvise` advises all mappings among holes, and then fails for the holes; another error ends it
//!   where it is ([`Action::AdviseFailed`]).
//! - `mmap` with `MAP_FIXED` (and `shmat` with `SHM_REMAP`, and `remap_file_pages`) unmaps what is there
//!   first. Before 6.12 any failure after that leaves a hole (`mmap_region` in `mm/mmap.c`: the commit
//!   limit, the file's own refusal); since then only a refusal by the file
//!   (`vms_abort_munmap_vmas` in `mm/vma.c`).
//! - `mremap` with `MREMAP_FIXED` unmaps its target, and then the tail of what shrinks, before it looks
//!   at what it is to move (`mremap_to` in `mm/mremap.c`). Since 6.17 it may move several mappings, and
//!   fail between two.
//! - `munmap`, `shmdt` and `brk` change nothing when they fail: `munmap` splits mappings before it
//!   unmaps any, and what is split looks the same (`vms_gather_munmap_vmas` in `mm/vma.c`).
//!
//! What a failed `mmap` or `mremap` has done neither arguments nor `errno` tell ([`Action::MapFailed`],
//! [`Action::RemapFailed`]): the maps are asked.
//!
//! What maps memory without one of these calls, and shows in the kernel's total only: `io_setup` and
//! `io_destroy`, `map_shadow_stack`, `arch_prctl(ARCH_MAP_VDSO_*)`, drivers' own `ioctl`s, a uprobe's
//! page. A file of huge pages that is mapped by a length that is no multiple of them is rounded up by
//! the kernel, which no argument tells (`ksys_mmap_pgoff`). And with the personality
//! `READ_IMPLIES_EXEC` all that is readable is executable: the maps show it, and calls do not.

use std::{iter, ops::Range};

use tracer_common::bits;

use super::address_space::{AddressSpace, Ids};
use super::change::Origin;
use super::journal::Determined;
use super::piece::Attributes;
use super::remap::Remapped;
use super::reservation::{Birth, Maker};
use crate::event::{Action, Address, Call, Nanoseconds};

impl AddressSpace {
    /// Applies one call; the changes come with [`AddressSpace::settle`].
    pub(super) fn call(&mut self, ids: &mut Ids, call: &Call) {
        let maker = Maker {
            pid: call.stamp.pid,
            tid: call.stamp.tid,
            stack: call.stack,
            time: call.stamp.time,
        };
        let time = call.stamp.time;
        let returned = Nanoseconds(time.0.saturating_add(call.took_ns));
        self.motion.call(time, returned);
        if let Some(totals) = call.totals {
            self.account(call.stamp.time, totals);
        }
        if may_resize(&call.action) {
            self.kernel_bytes = None;
        }
        match call.action {
            Action::Map {
                address,
                length,
                protection,
                flags,
                file_offset,
            } => {
                // `ksys_mmap_pgoff` in `mm/mmap.c`.
                let unit = self.huge_page(flags).unwrap_or(0);
                if let Some(range) = self.page.range_in(address, length, unit) {
                    self.map(ids, maker, range, protection, flags, file_offset);
                }
            }
            Action::Unmap { address, length } => self.unmap(address, length),
            Action::Remap {
                old_address,
                old_length,
                new_address,
                new_length,
                flags,
            } => self.remap(
                ids,
                maker,
                Remapped {
                    old_address,
                    old_length,
                    new_address,
                    new_length,
                    flags,
                },
            ),
            Action::Break { old, new } => self.heap(ids, maker, old, new),
            Action::RemapFailed {
                old_address,
                old_length,
                new_address,
                new_length,
            } => {
                // Of shared memory there can be a second mapping, asked for by a length of nothing.
                let old = self.page.range(old_address, old_length.max(1));
                let new = self.page.range(new_address, new_length);
                self.remap_failed(returned, old, new);
            }
            Action::Protect {
                address,
                length,
                protection,
            } => {
                if let Some(range) = self.page.range(address, length) {
                    self.protect(returned, range, protection);
                }
            }
            Action::ProtectFailed {
                address,
                length,
                protection,
                error,
            } => {
                if let Some(range) = self.page.range(address, length) {
                    self.protect_failed(returned, range, protection, error);
                }
            }
            Action::Advise {
                address,
                length,
                advice,
            } => {
                if let Some(range) = self.page.range(address, length) {
                    self.advise(range, advice);
                }
            }
            Action::AdviseFailed {
                address,
                length,
                advice,
                error,
            } => {
                if let Some(range) = self.page.range(address, length) {
                    self.advise_failed(range, advice, error);
                }
            }
            Action::Attach {
                address,
                length,
                flags,
            } => self.attach(ids, maker, address, length, flags, returned),
            Action::Detach { address } => self.detach(returned, address),
            Action::RemapFilePages { address, length } => {
                self.remap_file_pages(address, length);
            }
            Action::MapFailed {
                address,
                length,
                flags,
                error,
            } => {
                if let Some(range) = self.page.range(address, length) {
                    self.map_failed(returned, range, u32::from(flags), error);
                }
            }
            Action::Unclear => {
                self.wonder(returned);
            }
        }
    }

    fn map(
        &mut self,
        ids: &mut Ids,
        maker: Maker,
        range: Range<u64>,
        protection: u8,
        flags: u32,
        file_offset: Option<u64>,
    ) {
        let mut attributes = self.fresh(Attributes::of_map(
            protection,
            flags,
            file_offset.is_some(),
            self.overcommit_never,
        ));
        attributes.huge = self.huge_page(flags).map_or(0, |bytes| bytes.ilog2() as u8);
        if !attributes.is_anonymous() {
            attributes.zero = range.start.wrapping_sub(file_offset.unwrap_or(0));
        }
        let over = flags & bits::MAP_FIXED != 0 && flags & bits::MAP_FIXED_NOREPLACE == 0;
        if !over {
            // What the ledger believes to be here is not: the kernel took the place for free.
            self.release(range.clone());
        }
        let owner = self.begin(
            ids,
            Birth {
                origin: Origin::Map,
                maker,
                asked: range.clone(),
                flags,
                protection,
            },
        );
        if let Some(reservation) = self.reservations.get_mut(&owner) {
            reservation.offset = file_offset.unwrap_or(0);
        }
        self.overlay(range.clone(), attributes, owner);
        self.join(&range);
        self.determine(range.clone(), Determined::Mapped);
        let populates = flags & bits::MAP_LOCKED != 0
            || flags & (bits::MAP_POPULATE | bits::MAP_NONBLOCK) == bits::MAP_POPULATE;
        if populates {
            self.populate(range);
        }
    }

    /// An `mmap` to a fixed place that failed may have left a hole where something was mapped; where the
    /// kernel `restores` what it has unmapped, only if it was the file that refused. A denial comes
    /// before anything is unmapped (`do_mmap`; if it is a driver's, the kernel's total will tell).
    fn map_failed(&mut self, returned: Nanoseconds, range: Range<u64>, flags: u32, error: u16) {
        let nothing_to_lose =
            self.is_sure_of(&range) && self.pieces.overlapping(range.clone()).next().is_none();
        let restored = self.rules.restores && flags & bits::MAP_ANONYMOUS != 0;
        if !nothing_to_lose && !restored && error != bits::EACCES {
            self.wonder_about(iter::once(range), returned);
        }
    }

    /// The size of the pages of a mapping of huge ones, bytes. The default size is taken to be that of a
    /// page table's worth of pages (2 MiB where a page has 4 KiB); `default_hugepagesz=` can make it
    /// another.
    fn huge_page(&self, flags: u32) -> Option<u64> {
        if flags & bits::MAP_HUGETLB == 0 {
            return None;
        }
        let page = self.page.bytes();
        Some(
            match (flags >> bits::MAP_HUGE_SHIFT) & bits::MAP_HUGE_MASK {
                0 => page.saturating_mul(page / 8).max(1),
                shift => 1 << shift,
            },
        )
    }

    /// `mprotect` (`do_mprotect_pkey` in `mm/mprotect.c`). With `PROT_GROWSDOWN` it begins where the
    /// mapping does: where that is a guess, only the maps can tell.
    fn protect(&mut self, returned: Nanoseconds, mut range: Range<u64>, protection: u8) {
        if protection & bits::PROT_GROWSDOWN != 0 {
            let first = self.pieces.overlapping(range.clone()).next();
            let first = first.map(|(first, _)| first.start);
            if let Some(mapping) = first.and_then(|first| self.mapping_around(first)) {
                range.start = mapping.start;
            }
            let guess = self
                .pieces
                .overlapping(range.clone())
                .any(|(_, piece)| piece.attributes.guessed);
            if guess {
                self.wonder_about_protection(range, returned);
                return;
            }
        }
        let protection = protection & bits::PROT_MASK;
        let take_back = self.rules.takes_back_charges;
        self.restyle(range.clone(), |attributes| {
            attributes.protected_by_call(protection, take_back)
        });
        self.join(&range);
        self.determine(range, Determined::Protection(protection));
    }

    /// An `mprotect` that failed has changed the mappings before the one at which it failed. At a hole
    /// (`ENOMEM`) the ledger knows where that was, if it is sure of its maps; a refusal or denial of a
    /// range that is one mapping has changed nothing; else only the kernel's maps can tell.
    fn protect_failed(
        &mut self,
        returned: Nanoseconds,
        range: Range<u64>,
        protection: u8,
        error: u16,
    ) {
        let grows = protection & bits::PROT_GROWSDOWN != 0;
        if grows && self.is_sure_of(&range) {
            let first = self.pieces.overlapping(range.clone()).next();
            match (error, first) {
                (bits::ENOMEM, None) => return,
                (bits::EINVAL, Some((_, piece))) if !piece.attributes.grows_down => return,
                _ => {}
            }
        }
        if !grows && self.is_sure_of(&range) {
            let hole = self.pieces.gaps(range.clone()).into_iter().next();
            match (error, hole) {
                (bits::ENOMEM, Some(hole)) if hole.start == range.start => return,
                (bits::ENOMEM, Some(hole)) => {
                    self.protect(returned, range.start..hole.start, protection);
                    return;
                }
                // It could not be split (`ENOMEM`), or not be so (`EACCES`).
                (bits::EACCES, _) | (bits::ENOMEM, None)
                    if self.pieces.overlapping(range.clone()).count() == 1 =>
                {
                    return;
                }
                _ => {}
            }
        }
        // One that grows down begins with the mapping that its first page is in.
        let mapping = self.mapping_around(range.start).filter(|_| grows);
        let began = mapping.map_or(range.start, |mapping| mapping.start);
        self.wonder_about_protection(began..range.end, returned);
    }

    /// `remap_file_pages` (`mm/mmap.c`; an emulation since 4.0): a shared mapping is made anew in its
    /// place, with other pages of its file, and populated. Both its ends are rounded down.
    fn remap_file_pages(&mut self, address: Address, length: u64) {
        let length = self.page.down(length);
        let Some(range) = self.page.range(address, length) else {
            return;
        };
        self.untouch(range.clone());
        // A segment's mapping may keep another distance from its beginning now; no advice is kept.
        self.restyle(range.clone(), |attributes| Attributes {
            segment: None,
            dont_fork: false,
            ..attributes
        });
        self.populate(range);
    }
}

/// Whether more or less may be mapped after a call, also where the ledger knows of no change.
fn may_resize(action: &Action) -> bool {
    !matches!(
        action,
        Action::Protect { .. }
            | Action::ProtectFailed { .. }
            | Action::Advise { .. }
            | Action::AdviseFailed { .. }
    )
}
