//! What was touched, what is in memory.

use tracer::capture::procfs;
use tracer_ledger::event::Address;

use crate::both::Both;
use crate::kernel::*;

#[test]
fn a_page_is_touched_by_its_first_fault_and_resident_by_the_next_look() {
    let mut both = Both::new();
    both.map(10, pages(8), RW, ANONYMOUS);
    assert!(both.write(11));
    assert!(!both.write(11));
    assert_eq!(both.touched(), [11]);
    assert_eq!(both.resident(), (0, 1));
    both.look();
    both.assert_resident(1);
}

#[test]
fn what_is_resident_is_what_the_kernel_counts_mapping_by_mapping() {
    let mut both = Both::new();
    // The kernel's own data, in every process and in nobody's count.
    let own = both.maps().into_iter().find(|line| line.name == "[vvar]");
    both.puppet.load(own.unwrap().start.0);
    let lines = smaps(both.pid());
    let asked: Vec<_> = lines
        .iter()
        .map(|line| (Address(line.start), line.end - line.start))
        .collect();
    let ranges = procfs::resident(both.pid(), &asked).unwrap();
    for line in lines {
        let seen: u64 = ranges
            .iter()
            .map(|(start, bytes)| {
                let end = (start.0 + bytes).min(line.end);
                end.saturating_sub(start.0.max(line.start))
            })
            .sum();
        // Before, pages of zeros are seen too.
        let more = seen > line.resident && kernel() < (6, 7);
        assert!(seen == line.resident || more, "{seen:#x} {line:x?}");
    }
}

#[test]
fn the_page_of_zeros_is_touched_and_not_resident() {
    let mut both = Both::new();
    both.map(10, pages(8), RW, ANONYMOUS);
    assert!(both.read(11));
    both.advise(14, pages(1), libc::MADV_POPULATE_READ);
    assert_eq!(both.touched(), [11, 14]);
    both.look();
    let seen = if kernel() >= (6, 7) { 0 } else { 2 };
    assert_eq!(both.resident(), (seen, 0), "as documented");
    // Writing to it faults again, and it is still one page.
    assert!(both.write(11));
    assert_eq!(both.touched(), [11, 14]);
    both.look();
    assert_eq!(both.resident().1, 1);
}

#[test]
fn dropped_pages_were_touched_and_come_back() {
    let mut both = Both::new();
    for (page, flags) in [(10, ANONYMOUS), (30, SHARED)] {
        both.map(page, pages(8), RW, flags);
        both.write(page + 1);
        both.write(page + 2);
        both.look();
        both.assert_resident(2);
        both.advise(page, pages(8), libc::MADV_DONTNEED);
        both.assert_resident(0);
        assert!(both.write(page + 2));
        both.look();
        both.assert_resident(1);
        let advice = if flags == SHARED {
            libc::MADV_REMOVE
        } else {
            libc::MADV_DONTNEED
        };
        both.advise(page, pages(8), advice);
        both.assert_resident(0);
        both.look();
        both.assert_resident(0);
    }
    assert_eq!(both.touched(), [11, 12, 31, 32]);
}

#[test]
fn pages_that_may_be_freed_are_resident_until_they_are() {
    let mut both = Both::new();
    both.map(10, pages(8), RW, ANONYMOUS);
    both.write(11);
    both.advise(10, pages(8), libc::MADV_FREE);
    both.look();
    assert_eq!(both.resident().0, both.resident().1);
    assert_eq!(both.touched(), [11]);
}

#[test]
fn a_fault_in_a_file_brings_its_neighbours_which_a_look_tells() {
    let file = file(64);
    let mut both = Both::new();
    both.map_file(16, pages(64), R, libc::MAP_SHARED, (&file, 0));
    assert!(both.read(40));
    assert_eq!(both.touched(), [40]);
    both.look();
    let (seen, kernel) = both.resident();
    assert_eq!(seen, kernel);
    assert!(seen > 1, "fault-around");
    assert_eq!(both.touched().len() as u64, seen);
}

#[test]
fn a_private_copy_of_a_files_page_is_the_same_page() {
    let file = file(4);
    let mut both = Both::new();
    both.map_file(16, pages(4), RW, libc::MAP_PRIVATE, (&file, 0));
    both.read(17);
    assert!(both.write(17));
    both.look();
    assert_eq!(both.resident().0, both.resident().1);
    both.unmap(16, pages(4));
    assert!(both.touched().is_empty());
}

#[test]
fn what_is_populated_is_touched_without_a_fault() {
    let mut both = Both::new();
    both.map(10, pages(4), RW, ANONYMOUS | libc::MAP_POPULATE);
    both.map(20, pages(4), NONE, ANONYMOUS | libc::MAP_POPULATE);
    let unblocked = libc::MAP_POPULATE | libc::MAP_NONBLOCK;
    both.map(30, pages(4), RW, ANONYMOUS | unblocked);
    both.map(40, pages(4), R, ANONYMOUS | libc::MAP_POPULATE);
    both.map(50, pages(4), RW, SHARED | libc::MAP_POPULATE);
    both.map(60, pages(4), RW, ANONYMOUS | libc::MAP_LOCKED);
    both.map(70, pages(4), RW, ANONYMOUS);
    both.advise(71, pages(2), libc::MADV_POPULATE_WRITE);
    let populated: Vec<u64> = (10..14)
        .chain(40..44)
        .chain(50..54)
        .chain(60..64)
        .chain(71..73)
        .collect();
    assert_eq!(both.touched(), populated);
    both.look();
    assert_eq!(both.touched(), populated, "and nothing else is in memory");
    assert!(!both.write(72));
    // Read only, it is the page of zeros.
    assert_eq!(both.resident().1, 4 + 4 + 4 + 2);
}

#[test]
fn what_was_locked_into_memory_a_look_tells() {
    let mut both = Both::new();
    both.map(10, pages(4), RW, ANONYMOUS);
    let lock = |both: &mut Both, number, arguments| {
        both.puppet.call(number, arguments).unwrap();
        both.check();
    };
    lock(&mut both, libc::SYS_mlock, [at(10), pages(2), 0, 0, 0, 0]);
    assert!(both.touched().is_empty());
    both.look();
    assert_eq!(both.touched(), [10, 11]);
    // On fault: each as it comes.
    lock(&mut both, libc::SYS_mlock2, [at(12), pages(2), 1, 0, 0, 0]);
    both.look();
    assert_eq!(both.touched(), [10, 11]);
    let future = libc::MCL_FUTURE as u64;
    lock(&mut both, libc::SYS_mlockall, [future, 0, 0, 0, 0, 0]);
    both.map(20, pages(2), RW, ANONYMOUS);
    assert_eq!(both.touched(), [10, 11]);
    both.look();
    assert_eq!(both.touched(), [10, 11, 20, 21]);
    both.assert_resident(4);
}

#[test]
fn the_kernel_touches_by_faults_of_its_own() {
    let file = file(2);
    let mut both = Both::new();
    both.map(10, pages(8), RW, ANONYMOUS);
    let descriptor = std::os::fd::AsRawFd::as_raw_fd(&file) as u64;
    // To be seen as a fault in the kernel, which this test does not deliver.
    let arguments = [descriptor, at(12), pages(2), 0, 0, 0];
    both.puppet.call(libc::SYS_pread64, arguments).unwrap();
    both.look();
    assert_eq!(both.touched(), [12, 13]);
    both.assert_resident(2);
}

#[test]
fn a_guard_is_no_access_and_goes_with_its_mapping() {
    let mut both = Both::new();
    both.map(10, pages(8), RW, ANONYMOUS);
    both.write(11);
    both.write(12);
    both.look();
    let (install, remove) = (102, 103);
    if both.try_advise(11, pages(1), install) == Err(libc::EINVAL) {
        assert!(kernel() < (6, 13));
        return;
    }
    both.check();
    both.assert_resident(1);
    assert_eq!(both.touched(), [11, 12]);
    // The protection is the same, and the signal would end the child: so by event alone.
    both.fault(11, true);
    both.advise(13, pages(2), install);
    both.fault(13, true);
    assert_eq!(both.touched(), [11, 12]);
    // It is not one access in many that fails: what is populated stops there.
    let populated = both.try_advise(12, pages(4), libc::MADV_POPULATE_WRITE);
    assert!(populated.is_err());
    both.advise(13, pages(1), remove);
    assert!(both.write(13));
    assert_eq!(both.touched(), [11, 12, 13]);
    both.map(14, pages(1), RW, ANONYMOUS);
    assert!(both.write(14));
    both.look();
    both.assert_resident(3);
}

#[test]
fn advice_is_taken_on_both_sides_of_a_hole() {
    let mut both = Both::new();
    both.map(10, pages(4), RW, ANONYMOUS);
    both.map(16, pages(4), RW, ANONYMOUS);
    both.write(11);
    both.write(17);
    both.look();
    let result = both.try_advise(10, pages(10), libc::MADV_DONTNEED);
    assert_eq!(result, Err(libc::ENOMEM));
    both.assert_resident(0);
    both.write(11);
    let result = both.try_advise(10, pages(10), libc::MADV_POPULATE_WRITE);
    assert_eq!(result, Err(libc::ENOMEM));
    let populated: &[u64] = if kernel() >= (6, 9) {
        &[10, 11, 12, 13, 17]
    } else {
        &[10, 11, 12, 13, 16, 17, 18, 19]
    };
    assert_eq!(both.touched(), populated);
    both.look();
    assert_eq!(both.touched(), populated);
    assert_eq!(both.resident().0, both.resident().1);
}

#[test]
fn a_transparent_huge_page_comes_by_one_fault_and_a_look_tells() {
    if !std::fs::exists("/sys/kernel/mm/transparent_hugepage").unwrap() {
        return;
    }
    let mut both = Both::new();
    let huge = (2 << 20) / page_bytes();
    let start = huge * 8;
    both.map(start, pages(2 * huge), RW, ANONYMOUS);
    both.advise(start, pages(2 * huge), libc::MADV_HUGEPAGE);
    assert!(both.write(start + 5));
    assert_eq!(both.touched(), [start + 5]);
    both.look();
    let (seen, kernel) = both.resident();
    assert_eq!(seen, kernel);
    assert!(
        seen == huge || seen == 1,
        "one huge page, or none was to be had"
    );
    assert_eq!(both.touched().len() as u64, seen);
    // Nor does the kernel bring back by itself what is given back now.
    both.advise(start, pages(2 * huge), libc::MADV_NOHUGEPAGE);
    both.advise(start + 10, pages(20), libc::MADV_DONTNEED);
    assert_eq!(both.resident().0, both.resident().1);
    both.remap(start, pages(huge), Some(start + 4 * huge), pages(huge), 0);
    both.look();
    assert_eq!(both.resident().0, both.resident().1);
}

#[test]
fn the_huge_page_of_zeros_is_touched_and_not_resident() {
    let mut both = Both::new();
    let huge = (2 << 20) / page_bytes();
    let start = huge * 8;
    both.map(start, pages(huge), RW, ANONYMOUS);
    both.advise(start, pages(huge), libc::MADV_HUGEPAGE);
    assert!(both.read(start + 5));
    both.look();
    let (seen, counted) = both.resident();
    assert_eq!(counted, 0);
    // As documented: before, it is a page like others, if it is to be had.
    assert!(seen == 0 || (kernel() < (6, 7) && (seen == huge || seen == 1)));
}
