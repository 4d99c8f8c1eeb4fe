//! What a forked child has.

use crate::both::Both;
use crate::kernel::*;

#[test]
fn a_child_has_what_its_parent_has_written() {
    let file = file(4);
    let mut both = Both::new();
    both.map(10, pages(8), RW, ANONYMOUS);
    both.write(11);
    both.read(12);
    both.map(30, pages(8), RW, SHARED);
    both.write(31);
    both.map_file(50, pages(4), R, libc::MAP_PRIVATE, (&file, 0));
    both.read(51);
    both.map(60, pages(4), RW, ANONYMOUS);
    both.read(61);
    both.look();
    let mut child = both.fork();
    // Shared pages, and those of a mapping that has none of its own, come by faults of the child's.
    assert_eq!(child.touched(), [11, 12]);
    child.look();
    assert_eq!(child.touched(), [11, 12]);
    child.assert_resident(1);
    // The copy of a page is the same page.
    assert!(child.write(11));
    assert!(child.read(31));
    assert_eq!(child.touched(), [11, 12, 31]);
    child.look();
    child.assert_resident(2);
    assert!(both.write(11));
    both.check();
}

#[test]
fn what_a_child_is_not_to_have_it_has_not() {
    let mut both = Both::new();
    both.map(10, pages(8), RW, ANONYMOUS);
    both.write(11);
    both.write(14);
    both.advise(10, pages(2), libc::MADV_DONTFORK);
    both.advise(14, pages(2), libc::MADV_WIPEONFORK);
    both.look();
    let mut child = both.fork();
    assert_eq!(child.shown(), [(12, 2, 3), (14, 2, 3), (16, 2, 3)]);
    assert!(child.touched().is_empty());
    child.look();
    assert!(child.touched().is_empty());
    assert!(child.write(14));
    both.advise(10, pages(2), libc::MADV_DOFORK);
    both.advise(14, pages(2), libc::MADV_KEEPONFORK);
}

#[test]
fn what_advice_failed_for_a_hole_holds_for_the_rest() {
    let mut both = Both::new();
    both.map(10, pages(4), RW, ANONYMOUS);
    both.map(16, pages(4), RW, ANONYMOUS);
    let result = both.try_advise(12, pages(6), libc::MADV_DONTFORK);
    assert_eq!(result, Err(libc::ENOMEM));
    let child = both.fork();
    assert_eq!(child.shown(), [(10, 2, 3), (18, 2, 3)]);
}

#[test]
fn a_child_is_charged_as_its_parent_is_and_goes_its_own_way() {
    let mut both = Both::new();
    both.map(10, pages(4), RW, ANONYMOUS);
    both.write(11);
    both.map(20, pages(4), RW, ANONYMOUS);
    both.map(30, pages(4), RW, ANONYMOUS);
    both.write(31);
    both.advise(30, pages(4), libc::MADV_WIPEONFORK);
    let mut child = both.fork();
    child.protect(12, pages(1), R);
    child.protect(20, pages(2), R);
    // Nothing of its parent's is left there.
    child.protect(30, pages(2), R);
    // A fresh neighbour of an inherited mapping is no part of it.
    child.map(14, pages(2), RW, ANONYMOUS);
    child.protect(14, pages(1), R);
    child.write(13);
    child.map(16, pages(2), RW, ANONYMOUS);
    child.protect(16, pages(1), R);
    both.check();
}

#[test]
fn droppable_memory_is_not_charged_and_a_child_finds_it_empty() {
    let mut both = Both::new();
    let droppable = 8 | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    let result = both.try_map(at(10), pages(4), RW, droppable, None);
    if kernel() < (6, 11) {
        assert!(result.is_err());
        return;
    }
    both.check();
    both.write(11);
    let mut child = both.fork();
    child.look();
    assert!(child.touched().is_empty());
}
