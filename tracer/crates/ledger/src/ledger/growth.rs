//! The heap, and mappings that grow without a call.

use std::{iter, ops::Range};

use tracer_common::bits;

use super::address_space::{AddressSpace, Ids};
use super::change::Origin;
use super::interval_map::IntervalMap;
use super::journal::Determined;
use super::piece::{Attributes, Piece};
use super::reservation::{Birth, Maker};
use crate::event::{Address, Nanoseconds};

/// A stack that grows by a fault keeps this many pages from an accessible mapping below it that is no
/// stack itself (`expand_downwards` in `mm/vma.c`; `stack_guard_gap`, the default).
const STACK_GUARD_PAGES: u64 = 256;
/// No stack grows below this address (`expand_downwards`; `vm.mmap_min_addr`, the default).
const LOWEST_STACK: u64 = 64 << 10;
/// So long after a fault the maps may not show yet what has grown by it, ns: it waits for the lock first.
const GROWTH_NS: u64 = 10_000_000;
/// No single fault makes the ledger grow a stack beyond the usual `RLIMIT_STACK` (`_STK_LIM` in
/// `include/uapi/linux/resource.h`): such a fault may be a wild access. If it was the stack, the
/// kernel's own count tells with the next call.
const STACK_BYTES_BY_FAULT: u64 = 8 << 20;

/// Whether a mapping grows down by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Growth {
    /// It does.
    Down,
    /// It does not.
    Never,
    /// Nobody has seen it made, or how.
    Untold,
}

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

    /// A fault on an unmapped page: if a mapping that grows down is next above, it has grown to here,
    /// unless what lies below is too near. Whether it has; where the ledger is not sure of all that
    /// decides it, only the maps can tell.
    pub(super) fn grow_by_fault(&mut self, address: u64, time: Nanoseconds) -> bool {
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
        let growth = self.growth_of(&piece);
        if start < LOWEST_STACK || size > STACK_BYTES_BY_FAULT || growth == Growth::Never {
            return false;
        }
        let guard = STACK_GUARD_PAGES * self.page.bytes();
        let near = start.saturating_sub(guard)..above + 1;
        let below = self
            .pieces
            .last_before(start)
            .filter(|(below, piece)| start - below.end < guard && piece.attributes.accessible());
        // From another stack it keeps no distance.
        let blocker = below.map_or(Growth::Down, |(_, blocker)| self.growth_of(blocker));
        let is_told = growth != Growth::Untold && blocker != Growth::Untold;
        if !is_told || !self.is_sure_of(&near) {
            let grown = Nanoseconds(time.0.saturating_add(GROWTH_NS));
            self.wonder_about(iter::once(start..above), grown);
            return false;
        }
        if blocker == Growth::Never {
            return false;
        }
        self.kernel_bytes = None;
        self.lay(start..above, piece);
        self.determine(start..above, Determined::Mapped);
        true
    }

    /// A mapping that grows down by itself may have grown since the last call: to where the kernel
    /// shows it.
    pub(super) fn grow_stacks(&mut self, kernel: &IntervalMap<usize>, moving: &IntervalMap<()>) {
        let grown: Vec<_> = self
            .pieces
            .iter()
            .filter(|(range, piece)| piece.attributes.grows_down && self.is_sure_of(range))
            .filter_map(|(range, piece)| {
                let (shown, _) = kernel.get(range.start)?;
                let growth = shown.start..range.start;
                let free = self.pieces.gaps(growth.clone()) == [growth.clone()];
                // What was unmapped there meanwhile may still be shown.
                let still = moving.gaps(growth.clone()) == [growth.clone()];
                (free && still && !growth.is_empty()).then_some((growth, *piece))
            })
            .collect();
        for (growth, piece) in grown {
            self.lay(growth.clone(), piece);
            self.determine(growth, Determined::Mapped);
        }
    }

    /// Whether a mapping grows down. The maps do not tell it of those that nobody saw made.
    fn growth_of(&self, piece: &Piece) -> Growth {
        let Some(made) = self.reservations.get(&piece.owner) else {
            return Growth::Untold;
        };
        let Attributes {
            grows_down,
            guessed,
            ..
        } = piece.attributes;
        match grows_down {
            _ if guessed => Growth::Untold,
            true => Growth::Down,
            false if made.origin == Origin::PreExisting => Growth::Untold,
            false => Growth::Never,
        }
    }
}
