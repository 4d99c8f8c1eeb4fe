//! `mremap` in all its forms.

use tracer_ledger::event::Address;
use tracer_ledger::ledger::Origin;

use crate::both::Both;
use crate::kernel::*;

#[test]
fn growth_is_a_reservation_of_its_own_where_it_is_or_elsewhere() {
    let mut both = Both::new();
    both.map(10, pages(4), RW, ANONYMOUS);
    both.write(11);
    both.remap(10, pages(4), None, pages(6) - 5, 0);
    assert_eq!(both.shown(), [(10, 6, 3)]);
    both.remap(10, pages(6), Some(30), pages(8), 0);
    assert_eq!(both.shown(), [(30, 8, 3)]);
    assert_eq!(both.touched(), [31]);
    let origins: Vec<Origin> = [30, 34, 36]
        .map(|page| both.space().owner(Address(at(page))).unwrap())
        .map(|owner| both.space().reservation(owner).unwrap().origin)
        .to_vec();
    assert_eq!(origins, [Origin::Map, Origin::Remap, Origin::Remap]);
    both.map(38, pages(1), R, ANONYMOUS);
    let in_the_way = both.try_remap((at(30), pages(8)), (0, pages(9)), 0);
    assert_eq!(in_the_way, Err(libc::ENOMEM));
    both.check();
    let moved = both.try_remap((at(30), pages(8)), (0, pages(9)), libc::MREMAP_MAYMOVE);
    assert_ne!(moved, Ok(at(30)));
    both.check();
}

#[test]
fn a_shrinking_one_releases_its_tail() {
    let mut both = Both::new();
    both.map(10, pages(8), RW, ANONYMOUS);
    both.remap(10, pages(8), None, pages(5) - 1, 0);
    assert_eq!(both.shown(), [(10, 5, 3)]);
    both.remap(10, pages(5), Some(30), pages(2), 0);
    assert_eq!(both.shown(), [(30, 2, 3)]);
    // What it does not own goes too: it is a `munmap` of all that lies there.
    both.map(32, pages(2), R, ANONYMOUS);
    both.map(36, pages(2), R, ANONYMOUS);
    both.remap(30, pages(7), None, pages(1), 0);
    assert_eq!(both.shown(), [(30, 1, 3), (37, 1, 1)]);
}

#[test]
fn a_fixed_target_is_replaced() {
    let mut both = Both::new();
    both.map(10, pages(4), RW, ANONYMOUS);
    both.map(30, pages(20), R, ANONYMOUS);
    both.remap(11, pages(2), Some(34), pages(3), 0);
    assert_eq!(
        both.shown(),
        [(10, 1, 3), (13, 1, 3), (30, 4, 1), (34, 3, 3), (37, 13, 1)]
    );
}

#[test]
fn what_is_not_unmapped_is_left_empty_and_charged_twice() {
    let mut both = Both::new();
    both.map(10, pages(4), RW, ANONYMOUS);
    both.write(11);
    both.look();
    both.remap(10, pages(4), Some(30), pages(4), libc::MREMAP_DONTUNMAP);
    assert_eq!(both.shown(), [(10, 4, 3), (30, 4, 3)]);
    assert_eq!(both.touched(), [31]);
    both.assert_resident(1);
    both.look();
    assert_eq!(both.touched(), [31]);
    // Its old place has no page of its own any more; its new place has.
    both.protect(10, pages(2), R);
    both.protect(30, pages(2), R);
    // A part of a mapping.
    both.remap(12, pages(1), Some(50), pages(1), libc::MREMAP_DONTUNMAP);
    both.write(13);
    both.remap(13, pages(1), Some(60), pages(1), libc::MREMAP_DONTUNMAP);
    both.protect(12, pages(2), R);
    both.map(70, pages(2), RW, SHARED);
    both.write(71);
    both.remap(70, pages(2), Some(80), pages(2), libc::MREMAP_DONTUNMAP);
    both.look();
    assert_eq!(both.touched(), [31, 60, 81]);
}

#[test]
fn no_old_length_is_a_second_mapping_of_shared_pages() {
    let mut both = Both::new();
    both.map(10, pages(4), RW, SHARED);
    both.write(12);
    both.remap(11, 0, Some(30), pages(3), 0);
    assert_eq!(both.shown(), [(10, 4, 3), (30, 3, 3)]);
    assert!(both.write(31));
    both.unmap(10, pages(4));
    assert_eq!(both.touched(), [31]);
    // Of private pages there is no second mapping.
    both.map(50, pages(2), RW, ANONYMOUS);
    let flags = libc::MREMAP_MAYMOVE;
    let result = both.try_remap((at(50), 0), (0, pages(2)), flags);
    assert_eq!(result, Err(libc::EINVAL));
    both.check();
}

#[test]
fn several_mappings_move_at_once_and_keep_the_holes_among_them() {
    let mut both = Both::new();
    both.map(10, pages(2), RW, ANONYMOUS);
    both.map(13, pages(2), R, ANONYMOUS);
    both.map(15, pages(2), RW, SHARED);
    both.map(30, pages(10), NONE, ANONYMOUS);
    both.write(11);
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    let result = both.try_remap((at(10), pages(7)), (at(30), pages(7)), flags);
    if kernel() < (6, 17) {
        assert_eq!(result, Err(libc::EFAULT));
        return;
    }
    assert_eq!(result, Ok(at(30)));
    both.check();
    // Under a hole its target is left as it is.
    assert_eq!(
        both.shown(),
        [(30, 2, 3), (32, 1, 0), (33, 2, 1), (35, 2, 3), (37, 3, 0)]
    );
    assert_eq!(both.touched(), [31]);
    both.map(50, pages(10), R, ANONYMOUS);
    both.unmap(34, pages(1));
    let flags = flags | libc::MREMAP_DONTUNMAP;
    let result = both.try_remap((at(30), pages(7)), (at(50), pages(7)), flags);
    assert_eq!(result, Ok(at(50)));
    both.check();
}

#[test]
fn moved_memory_keeps_its_charge() {
    let mut both = Both::new();
    both.map(10, pages(4), RW, ANONYMOUS);
    both.protect(11, pages(1), R);
    both.remap(11, pages(1), Some(30), pages(2), 0);
    both.remap(12, pages(2), Some(40), pages(2), 0);
    both.protect(40, pages(1), NONE);
    both.write(41);
    both.remap(41, pages(1), Some(50), pages(3), 0);
    both.protect(51, pages(1), NONE);
    // What has no page yet becomes one with a neighbour that has.
    both.map(80, pages(2), RW, ANONYMOUS);
    both.map(90, pages(2), RW, ANONYMOUS);
    both.write(90);
    both.remap(80, pages(2), Some(92), pages(2), 0);
    both.protect(92, pages(2), R);
    both.map(60, pages(4), RW, ANONYMOUS | libc::MAP_NORESERVE);
    both.remap(60, pages(4), Some(70), pages(6), 0);
}
