//! System V segments: `shmat` and `shmdt`.

use std::ops::Range;

use tracer_common::bits;

use super::address_space::{AddressSpace, Ids};
use super::change::Origin;
use super::journal::Determined;
use super::piece::{Attributes, Segment};
use super::reservation::{Birth, Maker};
use crate::event::{Address, Nanoseconds};

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
            self.ask_how_long(maker, address, flags, returned);
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

    /// A segment of unknown length was attached: the maps must tell how far it goes. At most that is to
    /// the next page that is surely mapped, if it was not to go over those.
    fn ask_how_long(&mut self, maker: Maker, address: Address, flags: u32, returned: Nanoseconds) {
        let next = self
            .pieces
            .overlapping(address.0..u64::MAX)
            .map(|(part, _)| part)
            .find(|part| flags & bits::SHM_REMAP == 0 && self.is_sure_of(part));
        let range = address.0..next.map_or(u64::MAX, |part| part.start);
        self.wonder_about([range], returned)
            .attached
            .push((address.0, maker));
    }

    /// `shmdt` takes away what is left of the segment whose first page lies, or lay, at `address`
    /// (`ksys_shmdt` in `ipc/shm.c`): the first mapping above it that keeps its distance from it, and
    /// all further ones of the same segment, however it was split, and whatever lies between. Of those,
    /// one that has grown beyond the segment's end stays. Whether it has, nobody can tell of one that is
    /// known from the maps.
    pub(super) fn detach(&mut self, returned: Nanoseconds, address: Address) {
        let mut segment = None;
        let mut at = address.0;
        let mut parts: Vec<Range<u64>> = Vec::new();
        let mut perhaps: Vec<Range<u64>> = Vec::new();
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
            let within = here.length.map(|length| mapping.end - address.0 <= length);
            match within {
                _ if first => parts.push(mapping),
                None if piece.attributes.guessed => perhaps.push(mapping),
                None | Some(true) => parts.push(mapping),
                Some(false) => {}
            }
        }
        if !perhaps.is_empty() {
            self.wonder_about(perhaps, returned);
        }
        if parts.is_empty() {
            self.wonder(returned);
        } else if let Some(journal) = &mut self.journal {
            // Where the ledger is not sure, other parts may have been left, and others mapped over these.
            journal.begin_again(returned);
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
