//! Recordings where only root can make the circumstances: on a full disk, and beside another user's file.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test fails as its test does"
)]

use std::fs;
use std::io;
use std::path::Path;

use tracer_ledger::event::{Event, Nanoseconds, Pid, Rename, Stamp};
use tracer_recording::{End, Reader, WriteError, Writer};

const NAME: &str = "a.rec";

/// An event, another for each number.
fn event(number: u64) -> Event {
    Event::Rename(Rename {
        stamp: Stamp {
            time: Nanoseconds(number),
            pid: Pid(1),
            ..Stamp::default()
        },
        comm: format!("thread {number}"),
    })
}

#[test]
fn a_file_of_another_user_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let partial = folder.path().join("a.rec.partial");
    fs::write(&partial, "theirs").unwrap();
    std::os::unix::fs::chown(&partial, Some(65_534), None).unwrap();
    let path = folder.path().join(NAME);
    assert!(matches!(
        Writer::create(&path),
        Err(WriteError::NotOurs { .. })
    ));
    assert_eq!(fs::read(&partial).unwrap(), b"theirs");
}

#[test]
fn a_full_disk_is_an_error_that_names_the_file_and_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    // In a thread of its own: the file systems it mounts are seen by nobody else, and gone with it.
    std::thread::spawn(move || {
        mount_small_tmpfs(path.parent().unwrap());
        let mut writer = Writer::create(&path).unwrap();
        let mut written = 0;
        let error = loop {
            let result = writer
                .write(&event(written))
                .and_then(|()| writer.flush_block());
            match result {
                Ok(()) => written += 1,
                Err(error) => break error,
            }
            assert!(written < 10_000, "64 KiB are not that much");
        };
        assert_eq!(
            error.to_string(),
            format!(
                "cannot write the recording {}.partial: No space left on device (os error 28); \
                 what is in it so far is kept and can be reported",
                path.display()
            )
        );
        assert!(matches!(
            writer.write(&event(written)),
            Err(WriteError::Failed { .. })
        ));
        assert!(matches!(writer.finish(), Err(WriteError::Failed { .. })));

        assert!(!path.exists());
        let mut reader = Reader::open(&path.with_file_name("a.rec.partial")).unwrap();
        let read: Vec<Event> = reader.by_ref().map(Result::unwrap).collect();
        assert!(read.into_iter().eq((0..written).map(event)));
        assert!(matches!(reader.end(), Some(End::Cut { events, .. }) if events == written));
    })
    .join()
    .unwrap();
}

fn mount_small_tmpfs(folder: &Path) {
    use std::ffi::CString;
    use std::os::unix::ffi::OsStrExt;
    use std::ptr::null;

    let folder = CString::new(folder.as_os_str().as_bytes()).unwrap();
    let check = |result: i32| assert_eq!(result, 0, "{}", io::Error::last_os_error());
    // SAFETY: all pointers are to NUL-terminated strings that live through the calls, or null where
    // mount(2) ignores them; a thread may leave its mount namespace whatever the others do.
    unsafe {
        check(libc::unshare(libc::CLONE_NEWNS));
        let private = libc::MS_REC | libc::MS_PRIVATE;
        check(libc::mount(null(), c"/".as_ptr(), null(), private, null()));
        let (kind, options) = (c"tmpfs".as_ptr(), c"size=64k".as_ptr().cast());
        check(libc::mount(kind, folder.as_ptr(), kind, 0, options));
    }
}
