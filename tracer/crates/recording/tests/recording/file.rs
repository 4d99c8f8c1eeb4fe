//! The file: made safely, named when it is whole. (What only root can make, a full disk and another user's file, is in the
//! tool's own tests.)

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use tracer_ledger::event::Event;
use tracer_recording::{End, ReadError, Reader, WriteError, Writer};

use crate::bytes::{NAME, play};
use crate::events::events;

#[test]
fn a_recording_has_its_name_only_when_it_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    let partial = folder.path().join("a.rec.partial");
    let truth = events();
    let mut writer = Writer::create(&path).unwrap();
    writer.write(&truth[0]).unwrap();
    writer.flush_block().unwrap();
    writer.write(&truth[1]).unwrap();
    assert!(!path.exists());
    assert_eq!(
        fs::metadata(&partial).unwrap().permissions().mode() & 0o777,
        0o600
    );

    // As after a crash: what was flushed is there.
    let mut reader = Reader::open(&partial).unwrap();
    assert_eq!(reader.read().unwrap().as_ref(), Some(&truth[0]));
    assert_eq!(reader.read().unwrap(), None);
    assert!(matches!(
        reader.end(),
        Some(End::Cut {
            blocks: 1,
            events: 1,
            ..
        })
    ));

    writer.finish().unwrap();
    assert!(!partial.exists());
    let read: Result<Vec<Event>, ReadError> = Reader::open(&path).unwrap().collect();
    assert_eq!(read.unwrap(), truth[..2]);
}

#[test]
fn an_older_recording_stays_until_the_new_one_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    fs::write(&path, "older").unwrap();
    let writer = Writer::create(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"older");
    writer.finish().unwrap();
    assert!(Reader::open(&path).is_ok());
}

#[test]
fn what_a_crash_has_left_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    drop(Writer::create(&path).unwrap());
    let partial = folder.path().join("a.rec.partial");
    let before = fs::metadata(&partial).unwrap().ino();
    let keep = File::open(&partial).unwrap(); // so that its inode is not used again
    let writer = Writer::create(&path).unwrap();
    assert_ne!(fs::metadata(&partial).unwrap().ino(), before);
    drop(keep);
    writer.finish().unwrap();
}

#[test]
fn two_tracers_do_not_write_the_same_recording() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    let first = Writer::create(&path).unwrap();
    assert!(matches!(
        Writer::create(&path),
        Err(WriteError::Busy { .. })
    ));
    first.finish().unwrap();
    assert!(Reader::open(&path).is_ok());
}

#[test]
fn links_and_whatever_is_not_a_regular_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let victim = folder.path().join("victim");
    fs::write(&victim, "untouched").unwrap();

    let path = folder.path().join("link");
    symlink(&victim, &path).unwrap();
    assert!(matches!(
        Writer::create(&path),
        Err(WriteError::NotRegular { .. })
    ));

    symlink(&victim, folder.path().join("b.rec.partial")).unwrap();
    let path = folder.path().join("b.rec");
    assert!(matches!(
        Writer::create(&path),
        Err(WriteError::NotRegular { .. })
    ));

    fs::create_dir(folder.path().join("c.rec.partial")).unwrap();
    let path = folder.path().join("c.rec");
    assert!(matches!(
        Writer::create(&path),
        Err(WriteError::NotRegular { .. })
    ));

    for other in [
        folder.path(),
        Path::new("/dev/null"),
        Path::new("/dev/stdout"),
    ] {
        let error = Writer::create(other).map(drop).unwrap_err();
        assert!(matches!(error, WriteError::NotRegular { .. }), "{error}");
    }
    assert!(matches!(
        Writer::create(Path::new("/")),
        Err(WriteError::NoName { .. })
    ));
    assert_eq!(fs::read(&victim).unwrap(), b"untouched");
    assert!(!Path::new("/dev/null.partial").exists());
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join(NAME);
    let error = Writer::create(&path).map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot create the recording {}: No such file or directory (os error 2)",
            path.display()
        )
    );
    let error = Reader::open(&path).map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot read the recording {}: No such file or directory (os error 2)",
            path.display()
        )
    );
}

#[test]
fn a_sink_that_fails_in_the_middle_of_a_block_leaves_a_cut_recording() {
    struct Short(Vec<u8>);
    impl Write for Short {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = 300 - self.0.len();
            if room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0.extend(&bytes[..bytes.len().min(room)]);
            Ok(bytes.len().min(room))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut sink = Short(Vec::new());
    let mut writer = Writer::new(&mut sink, Path::new(NAME)).unwrap();
    let truth = events();
    let failed = truth
        .iter()
        .position(|event| {
            writer
                .write(event)
                .and_then(|()| writer.flush_block())
                .is_err()
        })
        .unwrap();
    drop(writer);
    assert_eq!(sink.0.len(), 300);
    let (read, end) = play(&sink.0);
    assert_eq!(read, truth[..failed]);
    assert!(matches!(end, Ok(End::Cut { .. })));
}
