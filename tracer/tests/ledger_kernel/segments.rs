//! System V segments, and `remap_file_pages`.

use tracer_ledger::event::{Action, Address};
use tracer_ledger::ledger::Origin;

use crate::both::Both;
use crate::kernel::*;

/// A segment of so many pages. It ends with its last mapping.
fn segment(both: &mut Both, count: u64) -> u64 {
    let arguments = [libc::IPC_PRIVATE as u64, pages(count), 0o600, 0, 0, 0];
    both.puppet.call(libc::SYS_shmget, arguments).unwrap()
}

fn remove(both: &mut Both, id: u64) {
    let arguments = [id, libc::IPC_RMID as u64, 0, 0, 0, 0];
    both.puppet.call(libc::SYS_shmctl, arguments).unwrap();
}

#[test]
fn shmdt_takes_what_is_left_of_its_segment_and_nothing_else() {
    let mut both = Both::new();
    let id = segment(&mut both, 8);
    both.attach(id, 10, pages(8), 0);
    both.attach(id, 18, pages(8), libc::SHM_RDONLY);
    remove(&mut both, id);
    // Its first page, a hole, another mapping and another protection in its middle.
    both.unmap(10, pages(1));
    both.unmap(12, pages(1));
    both.map(14, pages(1), RW, ANONYMOUS);
    both.protect(16, pages(1), R);
    both.detach(10);
    assert_eq!(both.shown(), [(14, 1, 3), (18, 8, 1)]);
    assert!(!both.space().needs_resync());
    both.detach(18);
    assert_eq!(both.shown(), [(14, 1, 3)]);
}

#[test]
fn a_segment_that_moved_is_known_by_its_new_place() {
    let mut both = Both::new();
    let id = segment(&mut both, 4);
    both.attach(id, 10, pages(4), 0);
    both.remap(10, pages(4), Some(30), pages(4), 0);
    both.detach(30);
    both.attach(id, 10, pages(4), 0);
    // Its second half alone: it belongs to an address that is not its own.
    both.remap(12, pages(2), Some(42), pages(2), 0);
    both.detach(40);
    assert_eq!(both.shown(), [(10, 2, 3)]);
    // A second mapping of it, by a length of nothing.
    both.remap(10, 0, Some(50), pages(4), 0);
    both.detach(10);
    assert_eq!(both.shown(), [(50, 4, 3)]);
    both.detach(50);
    assert_eq!(both.shown(), []);
    remove(&mut both, id);
}

#[test]
fn what_grew_beyond_its_segment_stays_when_the_rest_is_detached() {
    let mut both = Both::new();
    let id = segment(&mut both, 4);
    both.attach(id, 10, pages(4), 0);
    remove(&mut both, id);
    both.protect(12, pages(2), R);
    both.remap(12, pages(2), None, pages(4), 0);
    both.detach(10);
    assert_eq!(both.shown(), [(12, 4, 1)]);
    // By its own beginning it is not known: nothing of it lies there.
    both.unmap(14, pages(2));
    both.detach(10);
    assert_eq!(both.shown(), []);
}

#[test]
fn a_segment_over_a_reservation_is_a_commit_in_it() {
    let mut both = Both::new();
    let id = segment(&mut both, 4);
    both.map(10, pages(20), NONE, ANONYMOUS);
    both.attach(id, 12, pages(4), libc::SHM_REMAP);
    remove(&mut both, id);
    let owner = both.space().owner(Address(at(12))).unwrap();
    let owner = both.space().reservation(owner).unwrap();
    assert_eq!(owner.origin, Origin::Map);
    both.detach(12);
    assert_eq!(both.shown(), [(10, 2, 0), (16, 14, 0)]);
}

#[test]
fn a_segment_that_was_there_before_is_detached_as_a_whole() {
    let mut both = Both::new();
    let id = segment(&mut both, 4);
    both.attach(id, 10, pages(4), 0);
    remove(&mut both, id);
    both.protect(11, pages(1), R);
    let mut other = both.fork();
    // Nothing is known of it but what the maps show.
    other.forget();
    other.detach(10);
    assert_eq!(other.shown(), []);
    assert!(!other.space().needs_resync());
}

#[test]
fn remap_file_pages_maps_anew_and_populates() {
    let mut both = Both::new();
    both.map(10, pages(8), RW, SHARED);
    both.write(11);
    let arguments = [at(12), pages(3) + 5, 0, 1, 0, 0];
    both.puppet
        .call(libc::SYS_remap_file_pages, arguments)
        .unwrap();
    both.event(Action::RemapFilePages {
        address: Address(at(12)),
        length: pages(3) + 5,
    });
    both.check();
    assert_eq!(both.touched(), [11, 12, 13, 14]);
    both.look();
    assert_eq!(both.touched(), [11, 12, 13, 14]);
    both.assert_resident(4);
}
