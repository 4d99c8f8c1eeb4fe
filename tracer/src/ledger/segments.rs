//! System V segments: `shmat` and `shmdt`.

use super::address_space::{AddressSpace, Ids};
use super::bits;
use super::change::Origin;
use super::journal::Determined;
use super::piece::{Attributes, Segment};
use super::reservation::{Birth, Maker};
use crate::event::Address;

impl AddressSpace {
    /// `shmat` (`do_shmat` in `ipc/shm.c`): a mapping like any other, over what is there if
    /// `SHM_REMAP` asks for it (those bytes stay their owners').
    pub(super) fn attach(
        &mut self,
        ids: &mut Ids,
        maker: Maker,
        address: Address,
        length: u64,
        flags: u32,
    ) {
        let Some(range) = self.page.range(address, length) else {
            // The kernel's maps must tell how long it is.
            self.wonder(maker.time).attached.push((address.0, maker));
            return;
        };
        if flags & bits::SHM_REMAP == 0 {
            self.release(range.clone());
        }
        let owner = self.begin(
            ids,
            Birth {
                origin: Origin::Attach,
                maker,
                asked: range.clone(),
                flags: bits::MAP_SHARED,
                protection: Attributes::attached(flags),
            },
        );
        let segment = Segment {
            base: range.start,
            attach: Some(owner),
        };
        self.overlay(range.clone(), Attributes::of_attach(flags, segment), owner);
        self.determine(range, Determined::Mapped);
    }

    /// `shmdt` takes away what is left of the segment whose first page lies, or lay, at `address`
    /// (`ksys_shmdt` in `ipc/shm.c`): the first mapping above it that keeps its distance from it, and
    /// all further ones of the same segment, however it was split, and whatever lies between.
    pub(super) fn detach(&mut self, maker: Maker, address: Address) {
        let mut segment = None;
        let mut parts = Vec::new();
        for (part, piece) in self.pieces.overlapping(address.0..u64::MAX) {
            let Some(here) = piece
                .attributes
                .segment
                .filter(|here| here.base == address.0)
            else {
                continue;
            };
            if segment.get_or_insert(here).is(here) {
                parts.push(part);
            }
        }
        if parts.is_empty() {
            self.wonder(maker.time);
        }
        for part in parts {
            self.release(part.clone());
            self.determine(part, Determined::Unmapped);
        }
    }
}
