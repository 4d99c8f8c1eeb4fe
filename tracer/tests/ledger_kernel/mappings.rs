//! `mmap`, `munmap`, `brk`, and mappings that grow.

use tracer_ledger::event::{Action, Address};

use crate::both::Both;
use crate::kernel::*;

#[test]
fn the_sum_of_the_maps_without_vsyscall_is_the_vm_size() {
    let both = Both::new();
    let mappings = both.maps();
    assert!(mappings.iter().any(|mapping| mapping.name == "[vdso]"));
    let size = status(both.pid(), "VmSize:");
    assert_eq!(both.space().mapped_bytes(), size);
}

#[test]
fn lengths_are_rounded_up_to_pages() {
    let mut both = Both::new();
    both.map(10, pages(3) + 1, RW, ANONYMOUS);
    assert_eq!(both.shown(), [(10, 4, 3)]);
    both.protect(10, 1, R);
    assert_eq!(both.shown(), [(10, 1, 1), (11, 3, 3)]);
    both.unmap(12, 1);
    assert_eq!(both.shown(), [(10, 1, 1), (11, 1, 3), (13, 1, 3)]);
}

#[test]
fn munmap_reaches_over_holes_and_splits_at_its_ends() {
    let mut both = Both::new();
    both.map(10, pages(4), RW, ANONYMOUS);
    both.map(20, pages(4), R, ANONYMOUS);
    both.map(30, pages(4), NONE, ANONYMOUS);
    both.unmap(12, pages(20));
    assert_eq!(both.shown(), [(10, 2, 3), (32, 2, 0)]);
    both.unmap(0, pages(100));
    assert_eq!(both.shown(), []);
    // Nothing at all is there, and that is no error.
    both.unmap(0, pages(100));
}

#[test]
fn a_fixed_mapping_replaces_what_is_there_and_its_bytes_stay_their_owners() {
    let mut both = Both::new();
    both.map(10, pages(20), NONE, ANONYMOUS | libc::MAP_NORESERVE);
    let reserved = both.space().owner(Address(at(10)));
    both.map(12, pages(4), RW, ANONYMOUS);
    both.map(20, pages(4), R, SHARED);
    both.map(28, pages(4), RW, ANONYMOUS);
    assert_eq!(both.space().owner(Address(at(13))), reserved);
    assert_eq!(both.space().owner(Address(at(29))), reserved);
    assert_ne!(both.space().owner(Address(at(30))), reserved);
    let reserved = both.space().reservation(reserved.unwrap()).unwrap();
    assert_eq!(reserved.reserved_bytes, pages(20));
}

#[test]
fn without_replacement_nothing_is_replaced() {
    let mut both = Both::new();
    both.map(10, pages(4), RW, ANONYMOUS);
    let flags = ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
    let result = both.try_map(at(12), pages(4), R, flags, None);
    assert_eq!(result, Err(libc::EEXIST));
    both.check();
    let result = both.try_map(at(14), pages(4), R, flags | libc::MAP_FIXED, None);
    assert_eq!(result, Ok(at(14)));
    both.check();
    // Taken for a hint that is not free, the address is another one.
    let other = both.try_map(at(12), pages(4), R, ANONYMOUS, None).unwrap();
    assert_ne!(other, at(12));
    both.check();
}

#[test]
fn the_heap_grows_and_shrinks_by_pages_from_any_byte() {
    let mut both = Both::new();
    let start = both.puppet.call(libc::SYS_brk, [0; 6]).unwrap();
    let first = both.brk(start);
    let heap = start.next_multiple_of(page_bytes());
    assert_eq!(first, start);
    assert_eq!(both.brk(heap + pages(4) + 1), heap + pages(4) + 1);
    both.brk(heap + pages(5));
    both.brk(heap + pages(2) - 7);
    both.brk(heap + pages(8));
    // What was unmapped in its middle stays so, and what lies there goes when it shrinks.
    let middle = heap + pages(3);
    both.puppet
        .call(libc::SYS_munmap, [middle, pages(2), 0, 0, 0, 0])
        .unwrap();
    both.event(Action::Unmap {
        address: Address(middle),
        length: pages(2),
    });
    both.check();
    both.try_map(middle, page_bytes(), R, ANONYMOUS | libc::MAP_FIXED, None)
        .unwrap();
    both.check();
    both.brk(heap + pages(10));
    both.brk(heap + pages(1));
    both.brk(start);
}

#[test]
fn a_heap_does_not_grow_into_what_lies_in_its_way() {
    let mut both = Both::new();
    let start = both.puppet.call(libc::SYS_brk, [0; 6]).unwrap();
    let heap = start.next_multiple_of(page_bytes());
    both.brk(heap + pages(2));
    let wall = heap + pages(6);
    both.try_map(wall, page_bytes(), NONE, ANONYMOUS | libc::MAP_FIXED, None)
        .unwrap();
    both.check();
    assert_eq!(both.brk(heap + pages(8)), heap + pages(2));
    // Nor next to it: a page stays free.
    assert_eq!(both.brk(heap + pages(6)), heap + pages(2));
    assert_eq!(both.brk(heap + pages(5)), heap + pages(5));
    // A heap that is gone does not shrink.
    both.puppet
        .call(libc::SYS_munmap, [heap, pages(5), 0, 0, 0, 0])
        .unwrap();
    both.event(Action::Unmap {
        address: Address(heap),
        length: pages(5),
    });
    both.check();
    assert_eq!(both.brk(heap + pages(1)), heap + pages(5));
}

#[test]
fn a_mapping_that_grows_down_grows_to_the_fault() {
    let mut both = Both::new();
    both.map(1000, pages(4), RW, ANONYMOUS | libc::MAP_GROWSDOWN);
    assert!(both.write(1001));
    assert!(both.write(997));
    both.check();
    assert_eq!(both.shown(), [(997, 7, 3)]);
    assert!(both.read(990));
    both.check();
    // It keeps its distance from what is accessible below, and not from what is not.
    both.map(700, pages(4), RW, ANONYMOUS);
    assert!(both.write(704 + 256));
    both.check();
    both.protect(700, pages(4), NONE);
    assert!(both.write(704));
    both.check();
    assert_eq!(both.shown(), [(700, 4, 0), (704, 300, 3)]);
}

#[test]
fn a_stack_keeps_no_distance_from_another_stack() {
    let mut both = Both::new();
    both.map(1000, pages(4), RW, ANONYMOUS | libc::MAP_GROWSDOWN);
    both.map(950, pages(4), RW, ANONYMOUS | libc::MAP_GROWSDOWN);
    assert!(both.write(960));
    both.check();
    assert_eq!(both.shown(), [(950, 4, 3), (960, 44, 3)]);
}
