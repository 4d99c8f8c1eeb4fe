//! Which mappings have pages of their own ([`OwnPages`]): what the kernel looks at when it takes a
//! charge back (`mprotect_fixup`) and when it forks (`vma_needs_copy`).
//!
//! The kernel keeps this by mapping, and makes one mapping of neighbours that are alike, so what is
//! written in one part holds for all. The ledger keeps no mappings of the kernel's: it takes neighbours
//! that are alike in all that it knows for one. Where the kernel keeps them apart for a reason that no
//! call here tells (`mlock`, a memory policy, a name, other advice; since a transparent huge page may
//! give it pages by a read), the charge of memory that was never written can be wrong, never a size.

use std::ops::Range;

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
            if left_part.end != right_part.start || !is_one_mapping(left, right) {
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
            is_one_mapping(&first, piece)
                && piece.attributes.own_pages == first.attributes.own_pages
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

/// Two mappings of files are one only where the file goes on, which the ledger takes to be so within
/// one reservation.
fn is_one_mapping(one: &Piece, other: &Piece) -> bool {
    one.attributes.is_alike(other.attributes)
        && (one.owner == other.owner || one.attributes.is_anonymous())
}
