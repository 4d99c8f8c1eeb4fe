//! Which mappings have pages of their own ([`OwnPages`]): what the kernel looks at when it takes a
//! charge back (`mprotect_fixup`) and when it forks (`vma_needs_copy`).
//!
//! The kernel keeps this by mapping, and makes one mapping of neighbours that are alike, so what is
//! written in one part holds for all. The ledger keeps no mappings of the kernel's: it takes neighbours
//! that are alike in all that it knows for one. Where the kernel keeps them apart for a reason that no
//! call here tells (`mlock`, a memory policy, a name, other advice; since a transparent huge page may
//! give it pages by a read), the charge of memory that was never written can be wrong, never a size.

use std::ops::Range;

use tracer_common::bits;

use super::address_space::AddressSpace;
use super::piece::{Attributes, OwnPages, Piece};

impl AddressSpace {
    /// A new private mapping's: without the faults nobody knows, and most memory is written to.
    pub(super) fn fresh(&self, attributes: Attributes) -> Attributes {
        if self.rules.sees_faults || attributes.shared {
            return attributes;
        }
        Attributes {
            own_pages: OwnPages::Some,
            ..attributes
        }
    }

    /// Something was written to the page that holds `at`.
    pub(super) fn wrote(&mut self, at: u64) {
        let Some((_, piece)) = self.pieces.get(at) else {
            return;
        };
        if !piece.attributes.shared && piece.attributes.own_pages == OwnPages::None {
            self.has_pages(at);
        }
    }

    /// All that can be written to in `range` was, or may have been.
    pub(super) fn wrote_all(&mut self, range: Range<u64>) {
        let writable: Vec<_> = self
            .pieces
            .overlapping(range)
            .filter(|(_, piece)| piece.attributes.protection & bits::PROT_WRITE != 0)
            .map(|(part, _)| part.start)
            .collect();
        for at in writable {
            self.wrote(at);
        }
    }

    /// Faults were lost: what seems never to have been written to may have been.
    pub(super) fn may_have_been_written(&mut self) {
        self.restyle(0..u64::MAX, |attributes| match attributes.own_pages {
            OwnPages::None if !attributes.shared => Attributes {
                own_pages: OwnPages::Some,
                ..attributes
            },
            _ => attributes,
        });
    }

    /// All pages of `range` were moved elsewhere, and it is mapped as before: mappings that lie within
    /// have no pages of their own any more (`move_vma` in `mm/mremap.c`, `MREMAP_DONTUNMAP`).
    pub(super) fn left_empty(&mut self, range: &Range<u64>) {
        for (part, _) in self.owners(range.clone()) {
            if let Some(mapping) = self.mapping_around(part.start)
                && range.start <= mapping.start
                && mapping.end <= range.end
            {
                self.restyle(part, |attributes| Attributes {
                    own_pages: OwnPages::None,
                    ..attributes
                });
            }
        }
    }

    /// A call has changed `range`: the kernel makes one mapping of those parts of it, and their
    /// neighbours, that are alike now (`vma_merge_new_range`, `vma_modify_flags` in `mm/vma.c`).
    pub(super) fn join(&mut self, range: &Range<u64>) {
        let around = range.start.saturating_sub(1)..range.end.saturating_add(1);
        let parts: Vec<(Range<u64>, Piece)> = self
            .pieces
            .overlapping(around)
            .map(|(part, piece)| (part, *piece))
            .collect();
        for pair in parts.windows(2) {
            let [(left_part, left), (right_part, right)] = pair else {
                continue;
            };
            if left_part.end != right_part.start || !left.attributes.is_alike(right.attributes) {
                continue;
            }
            match (left.attributes.own_pages, right.attributes.own_pages) {
                (OwnPages::Some, OwnPages::None) => self.wrote(right_part.start),
                (OwnPages::None, OwnPages::Some) => self.wrote(left_part.start),
                _ => {}
            }
        }
    }

    /// The kernel's mapping that holds `at`, as far as the ledger can tell.
    pub(super) fn mapping_around(&self, at: u64) -> Option<Range<u64>> {
        let (mut range, first) = self.pieces.get(at).map(|(range, piece)| (range, *piece))?;
        let same = |piece: &Piece| {
            let (one, other) = (first.attributes, piece.attributes);
            let guess = one.guessed || other.guessed;
            one.is_alike(other) && (guess || one.own_pages == other.own_pages)
        };
        while let Some((part, piece)) = self.pieces.last_before(range.start)
            && part.end == range.start
            && same(piece)
        {
            range.start = part.start;
        }
        while let Some((part, piece)) = self.pieces.get(range.end)
            && same(piece)
        {
            range.end = part.end;
        }
        Some(range)
    }

    fn has_pages(&mut self, at: u64) {
        if let Some(range) = self.mapping_around(at) {
            self.restyle(range, |attributes| Attributes {
                own_pages: OwnPages::Some,
                ..attributes
            });
        }
    }
}
