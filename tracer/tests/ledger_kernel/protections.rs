//! `mprotect`: what it reaches, what it leaves when it fails, what it charges.

use tracer_ledger::event::Address;

use crate::both::Both;
use crate::kernel::*;

#[test]
fn a_protection_reaches_across_mappings() {
    let mut both = Both::new();
    both.map(10, pages(4), RW, ANONYMOUS);
    both.map(14, pages(4), NONE, ANONYMOUS);
    both.map(18, pages(4), R, SHARED);
    both.protect(12, pages(8), R);
    both.protect(10, pages(12), RW);
    // No length, no effect.
    both.protect(10, 0, NONE);
}

#[test]
fn a_protection_that_meets_a_hole_has_changed_what_lies_before_it() {
    let mut both = Both::new();
    both.map(10, pages(4), RW, ANONYMOUS);
    both.map(16, pages(4), RW, ANONYMOUS);
    let result = both.try_protect(12, pages(6), R);
    assert_eq!(result, Err(libc::ENOMEM));
    both.check();
    assert_eq!(both.shown(), [(10, 2, 3), (12, 2, 1), (16, 4, 3)]);
    assert!(!both.space().needs_resync());
    // At its very beginning, or with nothing at all behind it.
    assert_eq!(both.try_protect(14, pages(6), R), Err(libc::ENOMEM));
    assert_eq!(both.try_protect(30, pages(6), R), Err(libc::ENOMEM));
    both.check();
    assert_eq!(both.try_protect(16, pages(6), NONE), Err(libc::ENOMEM));
    both.check();
    assert_eq!(both.shown().last(), Some(&(16, 4, 0)));
    assert!(!both.space().needs_resync());
}

#[test]
fn a_protection_that_is_denied_further_on_has_changed_what_lies_before() {
    let file = read_only(&file(4));
    let mut both = Both::new();
    both.map(10, pages(4), R, ANONYMOUS);
    both.map_file(14, pages(4), R, libc::MAP_SHARED, (&file, 0));
    assert_eq!(both.try_protect(10, pages(8), RW), Err(libc::EACCES));
    assert_eq!(both.shown(), [(10, 4, 3), (14, 4, 1)]);
    assert!(
        both.space().needs_resync(),
        "nobody can know how far it went"
    );
    both.seed();
    both.check();
    // Of one mapping none was changed, and the ledger knows.
    assert_eq!(both.try_protect(14, pages(4), RW), Err(libc::EACCES));
    assert!(!both.space().needs_resync());
    both.check();
}

#[test]
fn a_protection_that_grows_down_begins_with_its_mapping() {
    let mut both = Both::new();
    both.map(1000, pages(8), RW, ANONYMOUS | libc::MAP_GROWSDOWN);
    both.protect(1005, pages(1), R | libc::PROT_GROWSDOWN);
    assert_eq!(both.shown(), [(1000, 6, 1), (1006, 2, 3)]);
    both.map(10, pages(8), RW, ANONYMOUS);
    let result = both.try_protect(15, pages(1), R | libc::PROT_GROWSDOWN);
    assert_eq!(result, Err(libc::EINVAL));
    both.seed();
    both.check();
}

#[test]
fn private_memory_is_charged_when_it_becomes_writable() {
    let file = read_only(&file(4));
    let mut both = Both::new();
    both.map(10, pages(4), NONE, ANONYMOUS);
    both.protect(11, pages(2), RW);
    both.map(20, pages(4), NONE, ANONYMOUS | libc::MAP_NORESERVE);
    both.protect(21, pages(2), RW);
    both.map_file(30, pages(4), R, libc::MAP_PRIVATE, (&file, 0));
    both.protect(31, pages(2), RW);
    both.protect(30, pages(4), R);
}

#[test]
fn a_charge_is_taken_back_from_what_was_never_written() {
    let mut both = Both::new();
    both.map(10, pages(8), RW, ANONYMOUS);
    both.protect(12, pages(2), NONE);
    let taken_back = if kernel() >= (6, 7) { 2 } else { 0 };
    let mapped = both.space().owner(Address(at(10))).unwrap();
    let mapped = both.space().reservation(mapped).unwrap();
    assert_eq!(mapped.charged_bytes, pages(8 - taken_back));
    // To read is not to write.
    both.read(14);
    both.protect(14, pages(1), R);
    both.protect(14, pages(1), RW);
    // One page written holds the charge of its mapping, and of no other.
    both.write(15);
    both.protect(14, pages(4), R);
    both.protect(10, pages(2), R);
}

#[test]
fn mappings_made_one_are_written_as_one() {
    let mut both = Both::new();
    both.map(10, pages(4), RW, ANONYMOUS);
    both.write(10);
    // A new neighbour that is alike, and one that becomes alike.
    both.map(14, pages(4), RW, ANONYMOUS);
    both.protect(15, pages(1), R);
    both.map(20, pages(4), NONE, ANONYMOUS);
    both.map(24, pages(4), RW, ANONYMOUS);
    both.write(25);
    both.protect(20, pages(4), RW);
    both.protect(20, pages(4), NONE);
    // One that lies between two.
    both.map(30, pages(2), RW, ANONYMOUS);
    both.map(34, pages(2), RW, ANONYMOUS);
    both.write(34);
    both.map(32, pages(2), RW, ANONYMOUS);
    both.protect(30, pages(6), R);
    // Other kinds do not become one.
    both.map(40, pages(2), RW, ANONYMOUS);
    both.write(40);
    both.map(42, pages(2), RW, ANONYMOUS | libc::MAP_NORESERVE);
    both.map(44, pages(2), RW, ANONYMOUS);
    both.protect(44, pages(1), R);
}

#[test]
fn a_charge_of_what_was_populated_or_dropped_stays() {
    let mut both = Both::new();
    both.map(10, pages(4), RW, ANONYMOUS | libc::MAP_POPULATE);
    both.protect(10, pages(4), R);
    both.map(20, pages(4), RW, ANONYMOUS);
    both.write(21);
    both.advise(20, pages(4), libc::MADV_DONTNEED);
    both.protect(20, pages(4), R);
    both.map(30, pages(4), RW, ANONYMOUS);
    both.advise(30, pages(4), libc::MADV_POPULATE_WRITE);
    both.protect(30, pages(4), R);
    both.map(40, pages(4), RW, ANONYMOUS);
    both.advise(40, pages(4), libc::MADV_POPULATE_READ);
    both.protect(40, pages(4), R);
}
