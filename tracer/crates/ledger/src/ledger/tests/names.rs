//! Names: of the files that calls map, and of memory that a process names.

use super::*;
use crate::event::{Backed, File, FileKind, Named};

const SHARED: u32 = MAP_SHARED;

fn file(story: &mut Story, inode: u64, path: &str) {
    let time = story.stamp().time;
    story.apply(&Event::File(File {
        time,
        device: 1,
        inode,
        kind: FileKind::Memory,
        path: path.into(),
    }));
}

/// Maps pages of a file.
fn map_file(story: &mut Story, page: u64, pages: u64, flags: u32, inode: u64) {
    story.call(Action::Map {
        address: Address(page * PAGE),
        length: pages * PAGE,
        protection: RW,
        flags,
        file_offset: Some(0),
    });
    story.apply(&Event::Backed(Backed {
        time: Nanoseconds(story.time),
        space: SpaceId(1),
        address: Address(page * PAGE),
        length: pages * PAGE,
        device: 1,
        inode,
    }));
}

fn name_at(story: &Story, page: u64) -> String {
    let space = story.ledger.space(SpaceId(1)).unwrap();
    let owner = space.owner(Address(page * PAGE)).unwrap();
    space.reservation(owner).unwrap().name.to_string()
}

#[test]
fn a_mapping_has_its_files_name_from_the_call_on() {
    let mut story = Story::new();
    file(&mut story, 7, "/memfd:heap (deleted)");
    map_file(&mut story, 10, 2, SHARED, 7);
    assert_eq!(name_at(&story, 11), "/memfd:heap (deleted)");
    let space = story.ledger.space(SpaceId(1)).unwrap();
    let owner = space.owner(Address(10 * PAGE)).unwrap();
    let file = space.reservation(owner).unwrap().file.unwrap();
    assert_eq!((file.id.inode, file.kind), (7, FileKind::Memory));
}

#[test]
fn what_is_laid_over_a_part_of_a_reservation_does_not_rename_it() {
    let mut story = Story::new();
    file(&mut story, 7, "/lib.so");
    file(&mut story, 8, "/other.so");
    map_file(&mut story, 10, 4, MAP_PRIVATE, 7);
    map_file(&mut story, 12, 1, MAP_PRIVATE | MAP_FIXED, 8);
    assert_eq!(name_at(&story, 12), "/lib.so");
}

#[test]
fn a_file_that_nobody_has_told_gives_no_name() {
    let mut story = Story::new();
    map_file(&mut story, 10, 2, SHARED, 7);
    assert_eq!(name_at(&story, 10), "");
}

#[test]
fn memory_that_the_process_names_has_that_name() {
    let mut story = Story::new();
    story.map(10, 4, RW, PRIVATE);
    file(&mut story, 7, "/f");
    map_file(&mut story, 20, 1, SHARED, 7);
    let mut name = |page, pages, name: &str| {
        story.apply(&Event::Named(Named {
            time: Nanoseconds(story.time),
            pid: Pid(10),
            space: SpaceId(1),
            address: Address(page * PAGE),
            length: pages * PAGE,
            name: name.into(),
        }));
        name_at(&story, page)
    };
    assert_eq!(name(10, 4, "arena"), "[anon:arena]");
    assert_eq!(name(20, 1, "arena"), "/f", "a file keeps its own");
    assert_eq!(name(10, 4, ""), "", "taken away");
}
