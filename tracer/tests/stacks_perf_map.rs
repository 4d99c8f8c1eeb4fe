//! Perf maps as files: whose are read, whose are refused, and how they are followed as they grow.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::PathBuf;

use tempfile::TempDir;
use tracer::stacks::perf_map::{Clocks, Owner, PerfMap};
use tracer::stacks::perf_names::NameAt;
use tracer_ledger::event::Nanoseconds;

/// A root directory of a pretended process, and the path of its perf map.
fn root() -> (TempDir, PathBuf, Owner) {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("tmp")).unwrap();
    let uid = fs::metadata(root.path()).unwrap().uid();
    let map = root.path().join("tmp/perf-17.map");
    (root, map, Owner { uid, own_pid: 17 })
}

fn open(root: &TempDir, owner: &Owner) -> std::io::Result<PerfMap> {
    PerfMap::open_beneath(File::open(root.path()).unwrap(), owner)
}

/// What an address is called now.
fn name(map: &PerfMap, address: u64) -> Option<&str> {
    match map.names().find(address, Nanoseconds(u64::MAX)) {
        NameAt::Name(name) => Some(name),
        NameAt::Nothing => None,
        NameAt::Unclear => Some("unclear"),
    }
}

#[test]
fn a_map_is_read_to_its_last_whole_line_and_then_only_what_was_added() {
    let (root, path, owner) = root();
    let mut file = File::create(path).unwrap();
    file.write_all(b"10 10 one\n20 10 tw").unwrap();
    let mut map = open(&root, &owner).unwrap();
    assert!(map.refresh(Clocks::now).unwrap());
    assert_eq!((name(&map, 0x10), name(&map, 0x20)), (Some("one"), None));
    assert!(!map.refresh(Clocks::now).unwrap());
    file.write_all(b"o\nnonsense\n10 10 other\n").unwrap();
    assert!(map.refresh(Clocks::now).unwrap());
    assert_eq!(
        (name(&map, 0x10), name(&map, 0x20)),
        (Some("other"), Some("two"))
    );
    assert_eq!(map.names().skipped(), 1);
}

#[test]
fn a_map_begun_anew_loses_its_old_names() {
    let (root, path, owner) = root();
    fs::write(&path, "10 10 one\n20 10 two\n").unwrap();
    let mut map = open(&root, &owner).unwrap();
    map.refresh(Clocks::now).unwrap();
    fs::write(&path, "20 10 new\n").unwrap();
    map.refresh(Clocks::now).unwrap();
    assert_eq!((name(&map, 0x10), name(&map, 0x20)), (None, Some("new")));
}

#[test]
fn an_endless_line_costs_itself_only() {
    let (root, path, owner) = root();
    let endless = "x".repeat(300_000);
    fs::write(path, format!("10 10 one\n20 10 {endless}\n30 10 three\n")).unwrap();
    let mut map = open(&root, &owner).unwrap();
    map.refresh(Clocks::now).unwrap();
    assert_eq!((name(&map, 0x10), name(&map, 0x20)), (Some("one"), None));
    assert_eq!(
        (name(&map, 0x30), map.names().skipped()),
        (Some("three"), 1)
    );
}

#[test]
fn a_map_that_is_not_there_is_not_found() {
    let (root, _, owner) = root();
    assert_eq!(open(&root, &owner).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_link_to_somebody_s_file_is_refused_also_on_the_way() {
    let (root, path, owner) = root();
    let secret = root.path().join("secret");
    fs::write(&secret, "10 10 secret\n").unwrap();
    symlink(&secret, &path).unwrap();
    let error = open(&root, &owner).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ELOOP));
    fs::remove_dir_all(root.path().join("tmp")).unwrap();
    fs::create_dir(root.path().join("elsewhere")).unwrap();
    fs::write(root.path().join("elsewhere/perf-17.map"), "10 10 secret\n").unwrap();
    symlink("elsewhere", root.path().join("tmp")).unwrap();
    assert_eq!(
        open(&root, &owner).unwrap_err().raw_os_error(),
        Some(libc::ELOOP)
    );
}

#[test]
fn a_map_owned_by_another_user_is_refused() {
    let (root, path, owner) = root();
    fs::write(&path, "10 10 planted\n").unwrap();
    assert!(open(&root, &owner).is_ok());
    // Root can give the file away; anybody else can pretend to be somebody else.
    let owner = if owner.uid == 0 {
        chown(&path, Some(12_345), None).unwrap();
        owner
    } else {
        Owner {
            uid: owner.uid + 1,
            ..owner
        }
    };
    assert_eq!(
        open(&root, &owner).unwrap_err().kind(),
        ErrorKind::PermissionDenied
    );
}

#[test]
fn a_fifo_is_refused_without_waiting_for_its_writer() {
    let (root, path, owner) = root();
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: a path that ends in NUL.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
    assert_eq!(
        open(&root, &owner).unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
}
