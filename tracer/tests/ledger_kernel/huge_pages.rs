//! Mappings of huge pages (`hugetlbfs`). They want none to be there, as long as nobody touches them.

use tracer_ledger::event::Address;

use crate::both::Both;
use crate::kernel::*;

const HUGE: i32 = ANONYMOUS | libc::MAP_HUGETLB | libc::MAP_NORESERVE;

/// Pages in a huge page of the default size.
fn huge() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Hugepagesize:"))
        .expect("a kernel with huge pages");
    let kilobytes: u64 = line.split_whitespace().next().unwrap().parse().unwrap();
    (kilobytes << 10) / page_bytes()
}

#[test]
fn huge_mappings_are_as_long_as_their_pages() {
    let huge = huge();
    let mut both = Both::new();
    both.map(8 * huge, pages(1), RW, HUGE);
    assert_eq!(both.shown(), [(8 * huge, huge, 3)]);
    // By the size that the flags name.
    let size = pages(huge).ilog2() as i32;
    both.map(10 * huge, pages(huge) + 1, RW, HUGE | size << 26);
    assert_eq!(
        both.shown(),
        [(8 * huge, huge, 3), (10 * huge, 2 * huge, 3)]
    );
    // It is replaced and taken away by whole huge pages only.
    let mut unmap = |page, length| {
        let arguments = [at(page), length, 0, 0, 0, 0];
        both.puppet.call(libc::SYS_munmap, arguments)
    };
    assert_eq!(unmap(10 * huge, pages(1)), Err(libc::EINVAL));
    assert_eq!(unmap(10 * huge + 1, pages(2 * huge - 1)), Err(libc::EINVAL));
    both.check();
    both.unmap(10 * huge, pages(huge));
    both.protect(11 * huge, pages(huge), R);
    // A length is rounded to ordinary pages, and that is not enough.
    let result = both.try_protect(11 * huge, pages(1), RW);
    assert_eq!(result, Err(libc::EINVAL));
    assert!(both.space().needs_resync());
    both.seed();
    both.check();
    both.unmap(8 * huge, pages(4 * huge));
}

#[test]
fn huge_mappings_move_and_shrink_by_huge_pages() {
    let huge = huge();
    let mut both = Both::new();
    both.map(8 * huge, pages(4 * huge), RW, HUGE);
    both.remap(
        8 * huge,
        pages(4 * huge),
        Some(16 * huge),
        pages(4 * huge),
        0,
    );
    both.remap(16 * huge, pages(4 * huge), None, pages(2 * huge), 0);
    assert_eq!(both.shown(), [(16 * huge, 2 * huge, 3)]);
    // Their lengths are rounded up to whole ones.
    both.remap(16 * huge, pages(huge + 1), None, pages(1), 0);
    assert_eq!(both.shown(), [(16 * huge, huge, 3)]);
    both.remap(16 * huge, pages(1), Some(8 * huge), pages(2), 0);
    assert_eq!(both.shown(), [(8 * huge, huge, 3)]);
}

/// Takes huge pages from the machine for as long as this lives.
struct Taken {
    before: String,
}

const COUNT: &str = "/proc/sys/vm/nr_overcommit_hugepages";

impl Taken {
    fn new() -> Self {
        let before = std::fs::read_to_string(COUNT).unwrap();
        std::fs::write(COUNT, "4").unwrap();
        Self { before }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let _ = std::fs::write(COUNT, &self.before);
    }
}

#[test]
fn one_fault_touches_a_whole_huge_page() {
    let huge = huge();
    let _taken = Taken::new();
    let mut both = Both::new();
    let mapped = both.try_map(
        at(8 * huge),
        pages(2 * huge),
        RW,
        libc::MAP_FIXED | ANONYMOUS | libc::MAP_HUGETLB,
        None,
    );
    if mapped == Err(libc::ENOMEM) {
        // No two huge pages are to be had of a machine that ran for long.
        return;
    }
    both.check();
    assert!(both.write(8 * huge + 3));
    assert_eq!(both.touched().len() as u64, huge);
    assert!(!both.write(8 * huge + 7));
    both.look();
    assert_eq!(both.touched().len() as u64, huge);
    // In memory, and in nobody's `Rss`.
    assert_eq!(both.resident(), (huge, 0));
    let owner = both.space().owner(Address(at(8 * huge))).unwrap();
    let owner = both.space().reservation(owner).unwrap();
    assert_eq!(owner.charged_bytes, 0);
    both.unmap(8 * huge, pages(2 * huge));
}
