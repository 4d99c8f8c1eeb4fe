//! System V segments: `shmat` and `shmdt`.

use std::ops::Range;

use super::address_space::{AddressSpace, Ids};
use super::bits;
use super::change::Origin;
use super::journal::Determined;
use super::piece::{Attributes, Segment};
use super::reservation::{Birth, Maker};
use crate::event::{Address, Nanoseconds, Totals};

/// A segment that was attached, and whose length the kernel's programs could not read.
#[derive(Clone, Copy, Debug)]
pub struct Attaching {
    address: Address,
    flags: u32,
    maker: Maker,
    returned: Nanoseconds,
}

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
        returned: Nanoseconds,
    ) {
        let Some(range) = self.page.range(address, length) else {
            self.find_out(Attaching {
                address,
                flags,
                maker,
                returned,
            });
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
            attach: Some(owner),
            length: Some(range.end - range.start),
        };
        let attributes = Attributes {
            zero: range.start,
            ..Attributes::of_attach(flags, segment)
        };
        self.overlay(range.clone(), attributes, owner);
        self.determine(range, Determined::Mapped);
    }

    /// A segment of unknown length was attached: the kernel's total will tell with the next call, if it
    /// went onto free pages; else its maps must.
    fn find_out(&mut self, attaching: Attaching) {
        let sure = self.seeded && self.journal.is_none() && self.attaching.is_none();
        if sure && attaching.flags & bits::SHM_REMAP == 0 {
            self.attaching = Some(attaching);
        } else {
            self.ask_the_maps();
            let Attaching {
                address,
                maker,
                returned,
                ..
            } = attaching;
            self.wonder(returned).attached.push((address.0, maker));
        }
    }

    /// The kernel's maps must tell how long the segment is whose length is still unknown.
    pub(super) fn ask_the_maps(&mut self) {
        if let Some(Attaching {
            address,
            maker,
            returned,
            ..
        }) = self.attaching.take()
        {
            self.wonder(returned).attached.push((address.0, maker));
        }
    }

    /// The kernel's total at the next call: it has grown by the segment.
    pub(super) fn find_length(&mut self, ids: &mut Ids, totals: Option<Totals>) {
        let Some(attaching) = &self.attaching else {
            return;
        };
        let Attaching {
            address,
            flags,
            maker,
            returned,
        } = *attaching;
        let Some(totals) = totals else {
            return;
        };
        self.grow_stack(totals.stack_pages);
        let length = self.missing(totals);
        if length == 0 {
            self.ask_the_maps();
        } else {
            self.attaching = None;
            self.attach(ids, maker, address, length, flags, returned);
        }
    }

    /// `shmdt` takes away what is left of the segment whose first page lies, or lay, at `address`
    /// (`ksys_shmdt` in `ipc/shm.c`): the first mapping above it that keeps its distance from it, and
    /// all further ones of the same segment, however it was split, and whatever lies between. Of those,
    /// one that has grown beyond the segment's end stays.
    pub(super) fn detach(&mut self, returned: Nanoseconds, address: Address) {
        let mut segment = None;
        let mut at = address.0;
        let mut parts: Vec<Range<u64>> = Vec::new();
        while let Some((part, piece)) = self
            .pieces
            .overlapping(at..u64::MAX)
            .find(|(_, piece)| piece.attributes.zero == address.0)
        {
            at = part.end;
            let (Some(here), Some(mapping)) =
                (piece.attributes.segment, self.mapping_around(part.start))
            else {
                continue;
            };
            at = mapping.end;
            let first = segment.is_none();
            if !segment.get_or_insert(here).is(here) {
                continue;
            }
            if first
                || here
                    .length
                    .is_none_or(|length| mapping.end - address.0 <= length)
            {
                parts.push(mapping);
            }
        }
        if parts.is_empty() {
            self.wonder(returned);
        } else if self.journal.is_some() {
            // Where the ledger is not sure, other parts may have been left, and others mapped over these.
            self.wonder_about([], returned);
        }
        for part in parts {
            let sure = self.is_sure_of(&part);
            self.release(part.clone());
            self.determine(part.clone(), Determined::Unmapped);
            if let Some(journal) = self.journal.as_mut().filter(|_| !sure) {
                journal.forget(part);
            }
        }
    }
}
