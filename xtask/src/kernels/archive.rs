//! An initramfs: a cpio archive in the format "newc"
//! (Documentation/driver-api/early-userspace/buffer-format.rst).

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};

/// An archive that is being written.
pub(super) struct Archive<W: Write> {
    to: W,
    /// What is in it already: a name comes once, a folder before what lies in it.
    names: BTreeSet<PathBuf>,
}

/// `S_IFREG`, `S_IFDIR`, `S_IFLNK` (inode(7)).
const REGULAR: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;
const LINK: u32 = 0o120_000;

impl<W: Write> Archive<W> {
    /// An empty archive.
    pub(super) fn new(to: W) -> Self {
        Self {
            to,
            names: BTreeSet::new(),
        }
    }

    /// Whether there is something at a path already.
    pub(super) fn has(&self, path: &Path) -> bool {
        self.names.contains(path)
    }

    /// Puts a file of this machine there, what a link leads to included.
    pub(super) fn copy(&mut self, from: &Path, at: &Path) -> io::Result<()> {
        let metadata = std::fs::metadata(from)?;
        let mode = metadata.permissions().mode() & 0o777;
        // Python compares the time of a source with that kept in its compiled form.
        self.entry(at, REGULAR | mode, metadata.mtime(), &std::fs::read(from)?)
    }

    /// Puts a new program there.
    pub(super) fn program(&mut self, at: &Path, text: &str) -> io::Result<()> {
        self.entry(at, REGULAR | 0o755, 0, text.as_bytes())
    }

    /// Puts a symbolic link there.
    pub(super) fn link(&mut self, at: &Path, to: &str) -> io::Result<()> {
        self.entry(at, LINK | 0o777, 0, to.as_bytes())
    }

    /// Puts a folder there.
    pub(super) fn folder(&mut self, at: &Path, mode: u32) -> io::Result<()> {
        self.entry(at, FOLDER | mode, 0, b"")
    }

    /// Ends the archive.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.write("TRAILER!!!", 0, 0, b"")?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn entry(&mut self, at: &Path, mode: u32, time: i64, content: &[u8]) -> io::Result<()> {
        if self.names.contains(at) {
            return Ok(());
        }
        if let Some(parent) = at.parent().filter(|parent| *parent != Path::new("/")) {
            self.folder(parent, 0o755)?;
        }
        self.names.insert(at.to_owned());
        let name: PathBuf = at
            .components()
            .filter(|component| *component != Component::RootDir)
            .collect();
        let name = name
            .to_str()
            .ok_or_else(|| io::Error::other(format!("{} is not UTF-8", at.display())))?;
        self.write(name, mode, time, content)
    }

    fn write(&mut self, name: &str, mode: u32, time: i64, content: &[u8]) -> io::Result<()> {
        let number = |figure: usize| u32::try_from(figure).map_err(io::Error::other);
        let inode = number(self.names.len())?;
        let time = u32::try_from(time).unwrap_or_default();
        let size = number(content.len())?;
        let name_size = number(name.len() + 1)?;
        // Magic, then ino, mode, uid, gid, nlink, mtime, filesize, two devices of two numbers each,
        // namesize, check.
        write!(
            self.to,
            "070701{inode:08x}{mode:08x}{:08x}{:08x}{:08x}{time:08x}{size:08x}\
             {:08x}{:08x}{:08x}{:08x}{name_size:08x}{:08x}{name}\0",
            0, 0, 1, 0, 0, 0, 0, 0
        )?;
        const HEADER: usize = 110;
        self.pad(HEADER + name.len() + 1)?;
        self.to.write_all(content)?;
        self.pad(content.len())
    }

    /// Everything begins at a multiple of 4 bytes.
    fn pad(&mut self, written: usize) -> io::Result<()> {
        self.to
            .write_all(&[0; 3][..written.next_multiple_of(4) - written])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_begins_at_a_multiple_of_four_and_comes_after_its_folder() {
        let mut archive = Archive::new(Vec::new());
        archive
            .program(Path::new("/a/b/run"), "#!/bin/sh\n")
            .expect("written");
        archive
            .program(Path::new("/a/b/run"), "again")
            .expect("ignored");
        archive
            .link(Path::new("/a/link"), "b/run")
            .expect("written");
        let bytes = archive.finish().expect("finished");
        let text = String::from_utf8(bytes).expect("ASCII");
        let names: Vec<&str> = text
            .match_indices("070701")
            .map(|(at, _)| {
                assert_eq!(at % 4, 0);
                let size = usize::from_str_radix(&text[at + 94..at + 102], 16).expect("hex");
                &text[at + 110..at + 110 + size - 1]
            })
            .collect();
        assert_eq!(names, ["a", "a/b", "a/b/run", "a/link", "TRAILER!!!"]);
    }
}
