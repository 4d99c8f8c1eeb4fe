//! Where a distribution has installed what it stripped from a file: under `ROOT`, which is root's,
//! and nowhere else. By build id, or by the name and checksum in the file's `.gnu_debuglink` (GDB's
//! manual, “Debugging Information in Separate Files”): the name is the target's choice, so it may name
//! a file in its own folder there, and no other.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use super::layout::{self, DebugLink, Layout};

/// Where debug files are installed.
const ROOT: &str = "/usr/lib/debug";
/// The most bytes of a linked file that are read for its checksum.
const MAX_LINKED: u64 = 4 << 30;
/// Bytes read at a time.
const CHUNK: usize = 1 << 20;

/// The debug file of a file with this layout, which its process knows by this path.
pub(crate) fn find(layout: &Layout, path: &str) -> Option<PathBuf> {
    let by_id = layout.build_id.as_deref().and_then(by_build_id);
    by_id.or_else(|| by_link(layout.debug_link.as_ref()?, Path::new(path)))
}

/// The one with this build id, if it is installed and really has it.
fn by_build_id(build_id: &[u8]) -> Option<PathBuf> {
    let (first, rest) = build_id.split_first().filter(|(_, rest)| rest.len() >= 4)?;
    let digits: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
    let path = PathBuf::from(format!("{ROOT}/.build-id/{first:02x}/{digits}.debug"));
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let (layout, _) = layout::read(&File::open(&path).ok()?)?;
    (layout.build_id.as_deref() == Some(build_id)).then_some(path)
}

/// The one with this name beside where the file itself would be, if it has this checksum.
fn by_link(link: &DebugLink, path: &Path) -> Option<PathBuf> {
    let mut parts = Path::new(&link.name).components();
    let (Some(Component::Normal(name)), None) = (parts.next(), parts.next()) else {
        return None;
    };
    let folder = path.parent()?.strip_prefix("/").ok()?;
    if !folder
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        return None;
    }
    let path = Path::new(ROOT).join(folder).join(name);
    let metadata = path.metadata().ok()?;
    if !metadata.is_file() || metadata.len() > MAX_LINKED {
        return None;
    }
    let checksum = checksum(File::open(&path).ok()?).ok()?;
    (checksum == link.checksum).then_some(path)
}

/// CRC-32 of a whole file.
fn checksum(mut file: File) -> io::Result<u32> {
    let mut hasher = crc32fast::Hasher::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hasher.finalize()),
            read => hasher.update(&chunk[..read]),
        }
    }
}
