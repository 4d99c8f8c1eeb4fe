//! Calls that fail, and what they have changed all the same: what the ledger cannot know, and who feeds
//! it finds by the kernel's total (see the notes in `ledger/calls.rs`).

use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use crate::both::Both;
use crate::kernel::*;

/// More than the kernel ever promises.
const TOO_MUCH: u64 = 1 << 44;

/// The kernel promises anything where `vm.overcommit_memory` is 1.
fn promises_anything() -> bool {
    std::fs::read_to_string("/proc/sys/vm/overcommit_memory")
        .unwrap()
        .starts_with('1')
}

#[test]
fn a_fixed_mapping_that_cannot_be_charged_leaves_a_hole_before_6_12() {
    if promises_anything() {
        return;
    }
    let mut both = Both::new();
    both.map(10, TOO_MUCH, NONE, ANONYMOUS | libc::MAP_NORESERVE);
    let flags = ANONYMOUS | libc::MAP_FIXED;
    let result = both.try_map(at(20), TOO_MUCH - pages(20), RW, flags, None);
    assert_eq!(result, Err(libc::ENOMEM));
    if kernel() >= (6, 12) {
        both.check();
    } else {
        // And its last ten pages, which lie beyond the region.
        assert_eq!(both.shown(), [(10, 10, 0)]);
        assert!(both.space().needs_resync());
    }
}

#[test]
fn a_fixed_mapping_that_its_file_refuses_leaves_a_hole() {
    let mut attributes = [0u64; 16];
    // `PERF_TYPE_SOFTWARE`, the structure's first size; `PERF_COUNT_SW_DUMMY`.
    attributes[0] = 1 | 64 << 32;
    attributes[1] = 9;
    // SAFETY: a structure of the size that it tells; the descriptor is owned from then on.
    let file = unsafe {
        let descriptor =
            libc::syscall(libc::SYS_perf_event_open, attributes.as_ptr(), 0, -1, -1, 0);
        assert!(descriptor >= 0, "{}", std::io::Error::last_os_error());
        OwnedFd::from_raw_fd(descriptor as i32)
    };
    let mut both = Both::new();
    both.map(10, pages(10), RW, ANONYMOUS);
    // It can be mapped by sharing only.
    let flags = libc::MAP_PRIVATE | libc::MAP_FIXED;
    let file = Some((file.as_raw_fd(), 0));
    let result = both.try_map(at(12), pages(4), R, flags, file);
    assert_eq!(result, Err(libc::EINVAL));
    assert_eq!(both.shown(), [(10, 2, 3), (16, 4, 3)]);
    assert_eq!(
        status(both.pid(), "VmSize:"),
        both.space().mapped_bytes() - pages(4)
    );
    assert!(both.space().needs_resync());
}

#[test]
fn a_move_to_a_fixed_place_that_fails_has_unmapped_it() {
    if promises_anything() {
        return;
    }
    let mut both = Both::new();
    both.map(10, pages(4), RW, ANONYMOUS);
    both.map(30, pages(4), R, ANONYMOUS);
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    let result = both.try_remap((at(10), pages(4)), (at(30), TOO_MUCH), flags);
    assert_eq!(result, Err(libc::ENOMEM));
    assert_eq!(both.shown(), [(10, 4, 3)]);
    assert!(both.space().needs_resync());
}

#[test]
fn a_second_mapping_of_private_memory_is_refused_too_late_before_6_17() {
    let mut both = Both::new();
    both.map(10, pages(4), RW, ANONYMOUS);
    both.map(30, pages(4), R, ANONYMOUS);
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    let result = both.try_remap((at(10), 0), (at(30), pages(2)), flags);
    assert_eq!(result, Err(libc::EINVAL));
    if kernel() >= (6, 17) {
        both.check();
    } else {
        assert_eq!(both.shown(), [(10, 4, 3), (32, 2, 1)]);
    }
    assert!(both.space().needs_resync());
}

#[test]
fn a_move_of_several_mappings_may_end_between_two() {
    let mut both = Both::new();
    let arguments = [libc::IPC_PRIVATE as u64, pages(1), 0o600, 0, 0, 0];
    let segment = both.puppet.call(libc::SYS_shmget, arguments).unwrap();
    both.map(10, pages(2), RW, ANONYMOUS);
    both.attach(segment, 12, pages(1), 0);
    let arguments = [segment, libc::IPC_RMID as u64, 0, 0, 0, 0];
    both.puppet.call(libc::SYS_shmctl, arguments).unwrap();
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    let result = both.try_remap((at(10), pages(3)), (at(30), pages(3)), flags);
    assert_eq!(result, Err(libc::EFAULT));
    assert!(both.space().needs_resync());
    if kernel() >= (6, 17) {
        assert_eq!(both.shown(), [(12, 1, 3), (30, 2, 3)]);
    } else {
        both.seed();
        both.check();
    }
}

#[test]
fn at_the_limit_of_mappings_munmap_changes_nothing_and_mprotect_some() {
    let most: u64 = std::fs::read_to_string("/proc/sys/vm/max_map_count")
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let mut both = Both::new();
    both.map(10, pages(4), RW, ANONYMOUS);
    both.map(14, pages(4), R, SHARED);
    // Every other page another protection, until no mapping can be split any more.
    let many = 1000;
    both.map(
        many,
        pages(most + 10),
        NONE,
        ANONYMOUS | libc::MAP_NORESERVE,
    );
    let mut split = |page, count| {
        let arguments = [at(many + page), pages(count), R as u64, 0, 0, 0];
        both.puppet.call(libc::SYS_mprotect, arguments)
    };
    // By two each, and the last by its end.
    let full = (0..most).step_by(2).find_map(|page| split(page, 1).err());
    assert_eq!(full, Some(libc::ENOMEM));
    assert_eq!(split(most + 9, 1), Err(libc::ENOMEM));
    both.lose();
    both.seed();
    let before = both.maps();
    let middle = [at(11), pages(1), 0, 0, 0, 0];
    let result = both.puppet.call(libc::SYS_munmap, middle);
    assert_eq!(result, Err(libc::ENOMEM));
    assert_eq!(both.maps(), before);
    // The whole mapping changes, which splits nothing, and then a part of the next would.
    let result = both.try_protect(10, pages(6), libc::PROT_EXEC);
    assert_eq!(result, Err(libc::ENOMEM));
    assert!(both.space().needs_resync(), "there is no hole to stop at");
    assert_ne!(both.maps(), before);
    both.seed();
    assert_eq!(both.space().compare(&both.maps()), []);
}
