//! The heap, and mappings that grow without a call.

use std::ops::Range;

use super::address_space::{AddressSpace, Ids};
use super::bits;
use super::change::Origin;
use super::journal::Determined;
use super::piece::{Attributes, Piece};
use super::reservation::{Birth, Maker};
use crate::event::Address;

/// A stack that grows by a fault keeps this many pages from an accessible mapping below it that is no
/// stack itself (`expand_downwards` in `mm/vma.c`; `stack_guard_gap`, the default).
const STACK_GUARD_PAGES: u64 = 256;
/// No single fault makes the ledger grow a stack beyond the usual `RLIMIT_STACK` (`_STK_LIM` in
/// `include/uapi/linux/resource.h`): such a fault may be a wild access. If it was the stack, the
/// kernel's own count tells with the next call.
const STACK_BYTES_BY_FAULT: u64 = 8 << 20;

impl AddressSpace {
    /// The break moved (`SYSCALL_DEFINE1(brk)` in `mm/mmap.c`, since 6.16 in `mm/vma.c`): whole pages are
    /// added, or unmapped, whatever is mapped there.
    pub(super) fn heap(&mut self, ids: &mut Ids, maker: Maker, old: Address, new: Address) {
        let (Some(old), Some(new)) = (self.page.up(old.0), self.page.up(new.0)) else {
            return;
        };
        // Both ends must lie where a process can have memory.
        let changed = old.min(new)..old.max(new);
        if changed.is_empty()
            || self
                .page
                .between(Address(changed.start), Address(changed.end))
                .is_none()
        {
            return;
        }
        self.release(changed.clone());
        if new > old {
            self.grow_heap(ids, maker, changed);
        } else {
            self.determine(changed, Determined::Unmapped);
        }
    }

    /// What one `brk` added to the heap, onto free pages.
    fn grow_heap(&mut self, ids: &mut Ids, maker: Maker, range: Range<u64>) {
        let heap = self.fresh(Attributes::HEAP);
        let owner = self.begin(
            ids,
            Birth {
                origin: Origin::Break,
                maker,
                asked: range.clone(),
                flags: bits::MAP_PRIVATE | bits::MAP_ANONYMOUS,
                protection: heap.protection,
            },
        );
        if let Some(reservation) = self.reservations.get_mut(&owner) {
            reservation.name = "[heap]".into();
        }
        let piece = Piece {
            owner,
            attributes: heap,
        };
        self.lay(range.clone(), piece);
        self.join(&range);
        self.determine(range, Determined::Mapped);
    }

    /// The kernel counts `pages` in mappings that grow down (`mm->stack_vm`): what the ledger lacks
    /// of them, the main stack has grown by faults. The numbers are absolute, so a snapshot that saw
    /// the growth already is not counted twice.
    pub(super) fn grow_stack(&mut self, pages: u64) {
        let Some(stack) = self.main_stack.and_then(|id| self.reservations.get(&id)) else {
            return;
        };
        let known = self.grows_down_bytes;
        let wanted = pages.saturating_mul(self.page.bytes());
        // With other mappings that grow down nobody knows which one did.
        if wanted <= known || stack.reserved_bytes != known {
            return;
        }
        let id = stack.id;
        let Some((lowest, piece)) = self
            .pieces
            .overlapping(stack.hull.clone())
            .find(|(_, piece)| piece.owner == id)
        else {
            return;
        };
        let (bottom, piece) = (lowest.start, *piece);
        let room = self
            .pieces
            .last_before(bottom)
            .map_or(0, |(below, _)| below.end);
        if let Some(start) = bottom.checked_sub(wanted - known)
            && start >= room
        {
            self.lay(start..bottom, piece);
            self.determine(start..bottom, Determined::Mapped);
        }
    }

    /// A fault on an unmapped page: if a mapping that grows down is next above, it has grown to here.
    /// Whether it has.
    pub(super) fn grow_by_fault(&mut self, address: u64) -> bool {
        let start = self.page.down(address);
        let Some((above, piece)) = self.pieces.next_after(address) else {
            return false;
        };
        let (above, piece) = (above.start, *piece);
        let size = self
            .reservations
            .get(&piece.owner)
            .map_or(0, |stack| stack.reserved_bytes)
            .saturating_add(above - start);
        if !piece.attributes.grows_down || size > STACK_BYTES_BY_FAULT {
            return false;
        }
        if let Some((below, blocker)) = self.pieces.last_before(start) {
            let guard = STACK_GUARD_PAGES * self.page.bytes();
            let blocks = blocker.attributes.accessible() && !blocker.attributes.grows_down;
            if blocks && start - below.end < guard {
                return false;
            }
        }
        self.lay(start..above, piece);
        self.determine(start..above, Determined::Mapped);
        self.grown_by_fault = Some(self.motion.now());
        true
    }
}
