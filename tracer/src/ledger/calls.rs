//! What each call does to an address space.

use std::ops::Range;

use super::address_space::{AddressSpace, Ids};
use super::bits;
use super::change::Origin;
use super::journal::Determined;
use super::piece::{Attributes, Piece};
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
        match call.action {
            Action::Map {
                address,
                length,
                protection,
                flags,
                file_offset,
            } => {
                let huge = if file_offset.is_none() {
                    self.huge_page(flags)
                } else {
                    0
                };
                if let Some(range) = self.page.range_in(address, length, huge) {
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
            Action::Break { start, end } => self.heap(ids, maker, start, end),
            Action::Protect {
                address,
                length,
                protection,
            } => {
                if let Some(range) = self.page.range(address, length) {
                    self.restyle(range.clone(), |attributes| attributes.protected(protection));
                    self.determine(range, Determined::Protection(protection));
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
            Action::Attach {
                address,
                length,
                flags,
            } => self.attach(ids, maker, address, length, flags),
            Action::Detach { address } => self.detach(maker, address),
            // The same addresses show other pages of the same file.
            Action::RemapFilePages { .. } => {}
            Action::Unclear => {
                self.wonder(returned);
            }
            // TODO
            Action::ProtectFailed { .. } => {}
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
        let attributes = Attributes::of_map(
            protection,
            flags,
            file_offset.is_some(),
            self.overcommit_never,
        );
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
        self.determine(range.clone(), Determined::Mapped);
        let populates = flags & bits::MAP_LOCKED != 0
            || flags & (bits::MAP_POPULATE | bits::MAP_NONBLOCK) == bits::MAP_POPULATE;
        if populates {
            self.touch(range);
        }
    }

    /// Bytes that a mapping of huge pages is rounded up to (`ksys_mmap_pgoff` in `mm/mmap.c`); 0 for
    /// any other. The default size is taken to be that of a page table's worth of pages (2 MiB where
    /// a page has 4 KiB); `default_hugepagesz=` can make it another.
    fn huge_page(&self, flags: u32) -> u64 {
        if flags & bits::MAP_HUGETLB == 0 {
            return 0;
        }
        match (flags >> bits::MAP_HUGE_SHIFT) & bits::MAP_HUGE_MASK {
            0 => self
                .page
                .bytes()
                .saturating_mul(self.page.bytes() / 8)
                .max(1),
            shift => 1 << shift,
        }
    }

    fn advise(&mut self, range: Range<u64>, advice: u32) {
        match advice {
            // MADV_FREE and MADV_PAGEOUT leave it to the kernel when: the next look tells.
            bits::MADV_DONTNEED
            | bits::MADV_DONTNEED_LOCKED
            | bits::MADV_REMOVE
            | bits::MADV_GUARD_INSTALL => self.evict(range),
            bits::MADV_POPULATE_READ | bits::MADV_POPULATE_WRITE => self.touch(range),
            bits::MADV_DONTFORK | bits::MADV_DOFORK => {
                let dont_fork = advice == bits::MADV_DONTFORK;
                self.restyle(range, |attributes| Attributes {
                    dont_fork,
                    ..attributes
                });
            }
            _ => {}
        }
    }

    fn attach(&mut self, ids: &mut Ids, maker: Maker, address: Address, length: u64, flags: u32) {
        let Some(range) = self.page.range(address, length) else {
            // The kernel's maps must tell how long it is.
            self.wonder(maker.time).attached.push((address.0, maker));
            return;
        };
        self.release(range.clone());
        let attributes = Attributes::of_attach(flags);
        let owner = self.begin(
            ids,
            Birth {
                origin: Origin::Attach,
                maker,
                asked: range.clone(),
                flags: bits::MAP_SHARED,
                protection: attributes.protection,
            },
        );
        if let Some(reservation) = self.reservations.get_mut(&owner) {
            reservation.attached = true;
        }
        self.lay(range.clone(), Piece { owner, attributes });
        self.determine(range, Determined::Mapped);
    }

    /// `shmdt` takes away all that is left of the segment attached at `address`
    /// (`ksys_shmdt` in `ipc/shm.c`), however it was split since.
    fn detach(&mut self, maker: Maker, address: Address) {
        let mut at = address.0;
        let mut segment = None;
        let mut pieces = Vec::new();
        while let Some((part, piece)) = self.pieces.get(at) {
            let Some(owner) = self
                .reservations
                .get(&piece.owner)
                .filter(|owner| owner.attached)
            else {
                break;
            };
            // The lines of one segment, seen by a snapshot, follow each other by their offsets.
            let continues = segment.is_none_or(|(id, ref name)| {
                id == owner.id || (owner.offset != 0 && *name == owner.name)
            });
            if !continues {
                break;
            }
            segment = Some((owner.id, owner.name.clone()));
            at = part.end;
            pieces.push(part.start.max(address.0)..part.end);
        }
        if pieces.is_empty() {
            self.wonder(maker.time);
        }
        for part in pieces {
            self.release(part.clone());
            self.determine(part, Determined::Unmapped);
        }
    }
}
