//! What a call does to the code of an address space, as far as its record tells: which addresses may be
//! other functions from then on.

use std::ops::Range;

use tracer_common::{
    bits::{MAP_FIXED, PROT_EXEC},
    kind::Kind,
};

use tracer_ledger::event::{
    Nanoseconds, Stamp,
    record::{RawCall, RawFailed, Turn},
};

/// The least that a mapping consists of.
const PAGE: u64 = 4096;

/// What one call may have done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CodeChange {
    /// Addresses that it has unmapped or mapped anew.
    pub(crate) replaced: Vec<Range<u64>>,
    /// Addresses whose protection it has changed: what was there may be written, and run again.
    pub(crate) protected: Option<Range<u64>>,
    /// What it has made: code of a file, other code, none …
    pub(crate) made: Made,
    /// From when on.
    pub(crate) time: Nanoseconds,
}

/// What kind of code a call makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    Nothing,
    OfFile,
    /// Code that no file has.
    AtRunTime,
    /// Any code, which lay elsewhere.
    Moved,
}

/// What a successful call has done.
pub(crate) fn of_call(call: &RawCall) -> CodeChange {
    let mut change = change(
        call.kind,
        call.address.0,
        call.length,
        call.extra,
        effective(call.turn, call.stamp),
    );
    let executable = call.protection & PROT_EXEC != 0;
    change.made = match call.kind {
        Kind::Mmap if executable && call.extra.is_some() => Made::OfFile,
        Kind::Mmap | Kind::Mprotect if executable => Made::AtRunTime,
        // It takes its protection along, and its file, which are not told.
        Kind::Mremap | Kind::RemapFilePages => Made::Moved,
        _ => Made::Nothing,
    };
    change
}

/// What a call may have done that has failed halfway. Only to a fixed place a mapping replaces what is there, and what
/// could not be unmapped is there still.
pub(crate) fn of_failure(call: &RawFailed) -> CodeChange {
    let time = effective(call.turn, call.stamp);
    let is_fixed = u32::from(call.argument) & MAP_FIXED != 0;
    let change = change(call.kind, call.address.0, call.length, call.extra, time);
    match call.kind {
        Kind::Mmap if is_fixed => change,
        Kind::Mmap | Kind::Munmap => CodeChange {
            replaced: Vec::new(),
            ..change
        },
        _ => change,
    }
}

/// When a call took effect (ARCHITECTURE.md, rule 1).
pub(crate) fn effective(turn: Turn, stamp: Stamp) -> Nanoseconds {
    if turn.number == 0 {
        stamp.time
    } else {
        turn.time
    }
}

fn change(
    kind: Kind,
    address: u64,
    length: u64,
    extra: Option<[u64; 2]>,
    time: Nanoseconds,
) -> CodeChange {
    let whole = pages(address, length);
    let mut change = CodeChange {
        replaced: Vec::new(),
        protected: None,
        made: Made::Nothing,
        time,
    };
    match (kind, extra) {
        (Kind::Mremap, Some([new, new_length])) => {
            change.replaced = remapped(whole, &pages(new, new_length));
        }
        // Of a segment whose length is not known, the first page at least.
        (Kind::Mmap | Kind::Munmap | Kind::Shmat | Kind::RemapFilePages, _) => {
            change.replaced.push(whole);
        }
        (Kind::Mprotect, _) => change.protected = Some(whole),
        _ => {}
    }
    change
}

/// What has moved away and what came over; of what shrinks in place, its end.
fn remapped(old: Range<u64>, new: &Range<u64>) -> Vec<Range<u64>> {
    let mut replaced = Vec::new();
    if old.start != new.start {
        replaced.extend([old, new.clone()]);
    } else if new.end < old.end {
        replaced.push(new.end..old.end);
    }
    replaced
}

fn pages(address: u64, length: u64) -> Range<u64> {
    let end = address
        .saturating_add(length.max(1))
        .checked_next_multiple_of(PAGE);
    address & !(PAGE - 1)..end.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracer_ledger::event::{Address, Totals};

    const LAST_PAGE: u64 = !0xfff;

    fn replaced(kind: Kind, address: u64, length: u64, extra: Option<[u64; 2]>) -> Vec<Range<u64>> {
        change(kind, address, length, extra, Nanoseconds(0)).replaced
    }

    #[test]
    fn what_is_mapped_or_unmapped_is_replaced_by_whole_pages() {
        let one = |range| Vec::from([range]);
        assert_eq!(replaced(Kind::Mmap, 0x1000, 1, None), one(0x1000..0x2000));
        assert_eq!(
            replaced(Kind::Munmap, 0x1000, 0x1001, None),
            one(0x1000..0x3000)
        );
        assert_eq!(replaced(Kind::Madvise, 0x1000, 0x1001, None), []);
    }

    #[test]
    fn a_mapping_that_was_refused_has_replaced_something_only_at_a_fixed_place() {
        let failed = |kind, argument| {
            let stamp = Stamp::default();
            of_failure(&RawFailed {
                stamp,
                kind,
                turn: Turn::default(),
                address: Address(0),
                length: 1 << 47,
                argument,
                error: 12,
                extra: None,
                totals: Totals::default(),
            })
        };
        assert_eq!(failed(Kind::Mmap, 0x22).replaced, []);
        assert_eq!(failed(Kind::Munmap, 0).replaced, []);
        assert_ne!(failed(Kind::Mmap, 0x32).replaced, []);
    }

    #[test]
    fn what_moves_leaves_one_place_and_covers_another() {
        let moved = replaced(Kind::Mremap, 0x1000, 0x2000, Some([0x9000, 0x3000]));
        assert_eq!(moved, [0x1000..0x3000, 0x9000..0xc000]);
        let shrunk = replaced(Kind::Mremap, 0x1000, 0x3000, Some([0x1000, 0x1000]));
        assert_eq!(shrunk.as_slice(), std::slice::from_ref(&(0x2000..0x4000)));
        let grown = replaced(Kind::Mremap, 0x1000, 0x1000, Some([0x1000, 0x3000]));
        assert_eq!(grown, []);
    }

    #[test]
    fn a_range_at_the_end_of_all_addresses_does_not_wrap() {
        let end = replaced(Kind::Munmap, u64::MAX - 10, 100, None);
        assert_eq!(end.as_slice(), std::slice::from_ref(&(LAST_PAGE..u64::MAX)));
    }
}
