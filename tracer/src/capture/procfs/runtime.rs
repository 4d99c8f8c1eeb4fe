//! Which runtime a process is, and which version of it, as far as that is cheap to know: from the
//! executable's name, and from what is written in its read-only data. The file is opened through
//! `/proc/PID/exe`, and is as hostile as the process may be.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use memchr::memmem;
use rustix::fs::{FileType, fstat, fstatfs};

use crate::capture::elf::Elf;

/// The most bytes of an executable that are searched: some three times what Node has.
const MAX_SEARCH: u64 = 160 << 20;
/// Bytes searched at a time.
const STEP: usize = 1 << 20;
/// The longest text found, bytes.
const MAX_TEXT: usize = 128;
/// `FUSE_SUPER_MAGIC` (fs/fuse/inode.c): a file that the target itself may be serving.
const FUSE: u64 = 0x6573_5546;

/// Names of executables that may carry their version: `python3.11`.
const VERSIONED: [&str; 4] = ["python", "ruby", "php", "perl"];
/// Names of executables that say no more than themselves, and the runtime that each is.
const NAMED: [(&str, &str); 5] = [
    ("bun", "bun"),
    ("deno", "deno"),
    ("sbcl", "sbcl"),
    ("beam.smp", "erlang"),
    ("beam", "erlang"),
];
/// Sections that only one compiler writes, which also stripped programs have: Go's table of functions
/// (cmd/link/internal/ld/pcln.go), the heap that GraalVM puts into a native image (NativeImage.java).
const SECTIONS: [(&[u8], &str); 2] = [
    (b".gopclntab", "go"),
    (b".svm_heap", "graalvm native image"),
];

/// The runtime, as `node v22.22.0`. `exe` is where `/proc/PID/exe` leads, `file` is that file.
pub(super) fn runtime(exe: &[u8], file: &File) -> Option<String> {
    let exe = exe.strip_suffix(b" (deleted)").unwrap_or(exe);
    let name = std::str::from_utf8(exe.rsplit(|&byte| byte == b'/').next()?).ok()?;
    if let Some((_, runtime)) = NAMED.iter().find(|(named, _)| *named == name) {
        return Some((*runtime).to_owned());
    }
    let version = match name {
        _ if with_version(name, "node").is_some() || name == "nodejs" => {
            return Some(join("node", node_version(file).as_deref()));
        }
        "java" => return Some(join("java", java_version(file).as_deref())),
        _ => VERSIONED.iter().find_map(|runtime| {
            with_version(name, runtime).map(|version| join(runtime, Some(version)))
        }),
    };
    let by_buildinfo = || go_version(file).map(|version| join("go", Some(&version)));
    version.or_else(by_buildinfo).or_else(|| by_section(file))
}

/// By what its compiler has left in every program.
fn by_section(file: &File) -> Option<String> {
    let found = |(section, _): &&(&[u8], &str)| searchable(file, section).is_some();
    SECTIONS
        .iter()
        .find(found)
        .map(|(_, runtime)| (*runtime).to_owned())
}

fn join(runtime: &str, version: Option<&str>) -> String {
    match version {
        Some(version) if !version.is_empty() => format!("{runtime} {version}"),
        _ => runtime.to_owned(),
    }
}

/// What follows `runtime` in `name`, if it is digits and dots only.
fn with_version<'a>(name: &'a str, runtime: &str) -> Option<&'a str> {
    name.strip_prefix(runtime).filter(|rest| {
        rest.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    })
}

/// Node's own builds contain the address of their sources, for `process.release.sourceUrl`
/// (src/node_metadata.cc): `https://nodejs.org/download/release/v22.22.0/node-v22.22.0.tar.gz`.
fn node_version(file: &File) -> Option<String> {
    let start = b"https://nodejs.org/download/";
    find(file, b".rodata", start, |text| {
        let (_kind, version) = text.split_once("/v")?;
        let (version, _) = version.split_once('/')?;
        is_version(version).then(|| format!("v{version}"))
    })
}

/// The launcher contains its version (VERSION_STRING, make/modules/java.base/Launcher.gmk of OpenJDK)
/// as a string of its own: `17.0.15+6-Debian-1deb12u1`.
fn java_version(file: &File) -> Option<String> {
    find(file, b".rodata", b"\0", |text| {
        let has_build = text.split_once('+').is_some_and(|(number, _)| {
            number
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
        });
        (has_build && is_version(text)).then(|| text.to_owned())
    })
}

/// Go since 1.18 writes its version in a section of its own, behind a head of 32 bytes whose flag 2
/// says that it is there inline (debug/buildinfo in Go's library).
fn go_version(file: &File) -> Option<String> {
    let section = searchable(file, b".go.buildinfo")?;
    let length = usize::try_from(section.end - section.start)
        .ok()?
        .min(32 + MAX_TEXT);
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, section.start).ok()?;
    let flags = *bytes.strip_prefix(b"\xff Go buildinf:")?.get(1)?;
    if flags & 2 == 0 {
        return None;
    }
    // One byte of varint is enough for a version.
    let (&length, text) = bytes.get(32..)?.split_first()?;
    let version = std::str::from_utf8(text.get(..usize::from(length))?).ok()?;
    let version = version.strip_prefix("go")?;
    is_version(version).then(|| version.to_owned())
}

/// Begins with a digit and is fit to be printed.
fn is_version(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Where a section lies, if this file may be searched at all.
fn searchable(file: &File, section: &[u8]) -> Option<Range<u64>> {
    let is_regular = FileType::from_raw_mode(fstat(file).ok()?.st_mode) == FileType::RegularFile;
    let is_fuse = fstatfs(file).ok()?.f_type as u64 == FUSE;
    if !is_regular || is_fuse {
        return None;
    }
    let sections = Elf::open(file)?.sections();
    sections
        .iter()
        .find(|found| &*found.name == section)?
        .place()
}

/// Looks in a section for `start`, and gives the text behind it, up to its NUL, to `accept` until that
/// finds what it wants.
fn find(
    file: &File,
    section: &[u8],
    start: &[u8],
    accept: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let section = searchable(file, section)?;
    let end = section.end.min(section.start.saturating_add(MAX_SEARCH));
    let finder = memmem::Finder::new(start);
    let mut buffer = vec![0; STEP + start.len() + MAX_TEXT];
    let mut offset = section.start;
    while offset < end {
        // What begins within the step may reach beyond it.
        let wanted = usize::try_from(end - offset)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let read = file.read_at(&mut buffer[..wanted], offset).ok()?;
        let bytes = &buffer[..read];
        for at in finder.find_iter(bytes).take_while(|&at| at < STEP) {
            let text = &bytes[at + start.len()..];
            let text = &text[..text.len().min(MAX_TEXT)];
            let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
            let text = String::from_utf8_lossy(text);
            if let Some(found) = accept(&text) {
                return Some(found);
            }
        }
        if read < wanted {
            return None;
        }
        offset += STEP as u64;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ELF file with one section of this name and content, and the section of the names.
    fn elf(section: &str, content: &[u8]) -> File {
        let mut bytes = vec![0; 64];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[58..64].copy_from_slice(&[64, 0, 3, 0, 2, 0]); // entry size, entries, names
        let names = format!("\0{section}\0.names\0");
        let mut headers = vec![0_u8; 64];
        for (name, content) in [(1, content), (section.len() as u32 + 2, names.as_bytes())] {
            let mut header = [0; 64];
            header[..4].copy_from_slice(&u32::to_le_bytes(name));
            header[24..32].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
            header[32..40].copy_from_slice(&(content.len() as u64).to_le_bytes());
            headers.extend(header);
            bytes.extend(content);
        }
        let at = bytes.len() as u64;
        bytes[40..48].copy_from_slice(&at.to_le_bytes());
        bytes.extend(headers);
        file(&bytes)
    }

    fn file(bytes: &[u8]) -> File {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(bytes, 0).unwrap();
        file
    }

    fn of(exe: &str, file: &File) -> Option<String> {
        runtime(exe.as_bytes(), file)
    }

    #[test]
    fn node_tells_its_version_by_the_address_of_its_sources() {
        // Across the border of two steps, and behind what looks alike.
        for padding in [
            0,
            STEP - 90,
            STEP - 60,
            STEP - 45,
            STEP - 1,
            STEP,
            2 * STEP - 30,
        ] {
            let mut content = b"see https://nodejs.org/download/release/\0".to_vec();
            content.resize(content.len() + padding, b'.');
            content.extend(b"https://nodejs.org/download/release/v22.22.0/node-v22.22.0.tar.gz\0");
            let file = elf(".rodata", &content);
            assert_eq!(
                of("/usr/bin/node", &file).as_deref(),
                Some("node v22.22.0"),
                "{padding}"
            );
            assert_eq!(
                of("/a/node (deleted)", &file).as_deref(),
                Some("node v22.22.0")
            );
            assert_eq!(of("/a/node20", &file).as_deref(), Some("node v22.22.0"));
        }
    }

    #[test]
    fn a_node_that_does_not_tell_is_a_node() {
        for file in [
            elf(".rodata", b"nothing"),
            elf(".text", b""),
            file(b"#!"),
            file(b""),
        ] {
            assert_eq!(of("/usr/bin/nodejs", &file).as_deref(), Some("node"));
        }
    }

    #[test]
    fn java_tells_its_version_by_a_string_of_its_own() {
        let file = elf(
            ".rodata",
            b"\0java\0openjdk\x003+4 \x0017.0.15+6-Debian-1deb12u1\0",
        );
        assert_eq!(
            of("/jdk/bin/java", &file).as_deref(),
            Some("java 17.0.15+6-Debian-1deb12u1")
        );
        for padding in STEP + 100..STEP + 140 {
            let content = [
                vec![1; padding],
                b"\x0017.0.15+6-Debian-1deb12u1\0".to_vec(),
            ]
            .concat();
            let found = of("java", &elf(".rodata", &content));
            assert_eq!(found.as_deref(), Some("java 17.0.15+6-Debian-1deb12u1"));
        }
        assert_eq!(
            of("/jdk/bin/java", &elf(".rodata", b"\0")).as_deref(),
            Some("java")
        );
    }

    #[test]
    fn a_go_program_tells_its_version_in_a_section() {
        let mut content = b"\xff Go buildinf:\x08\x02".to_vec();
        content.resize(32, 0);
        content.extend(b"\x08go1.22.3rest");
        assert_eq!(
            of("/bin/any", &elf(".go.buildinfo", &content)).as_deref(),
            Some("go 1.22.3")
        );
        for length in 0..41 {
            assert_eq!(
                of("/bin/any", &elf(".go.buildinfo", &content[..length])),
                None
            );
        }
        content[15] = 0;
        assert_eq!(of("/bin/any", &elf(".go.buildinfo", &content)), None);
    }

    #[test]
    fn what_is_stripped_is_known_by_its_compilers_sections() {
        for (section, runtime) in [
            (".gopclntab", Some("go")),
            (".svm_heap", Some("graalvm native image")),
            (".text", None),
        ] {
            let found = of("/bin/any", &elf(section, b"something"));
            assert_eq!(found.as_deref(), runtime, "{section}");
        }
    }

    #[test]
    fn some_runtimes_have_their_version_in_their_name() {
        let nothing = file(b"");
        assert_eq!(
            of("/usr/bin/python3.11", &nothing).as_deref(),
            Some("python 3.11")
        );
        assert_eq!(of("/usr/bin/php", &nothing).as_deref(), Some("php"));
        assert_eq!(of("/opt/bun", &nothing).as_deref(), Some("bun"));
        assert_eq!(
            of("/erts-13/bin/beam.smp", &nothing).as_deref(),
            Some("erlang")
        );
        for other in [
            "/usr/bin/python-config",
            "/usr/bin/node_exporter",
            "/bin/sh",
            "",
            "/",
        ] {
            assert_eq!(of(other, &nothing), None, "{other}");
        }
    }

    #[test]
    fn a_damaged_file_is_no_harm() {
        let mut bytes = vec![0; 400];
        let good = elf(".rodata", b"https://nodejs.org/download/release/v1.2.3/\0");
        let length = good.read_at(&mut bytes, 0).unwrap();
        bytes.truncate(length);
        for at in 0..length {
            for value in [0, 0x7f, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] = value;
                let found = of("node", &file(&bytes)).unwrap();
                assert!(found.starts_with("node"));
            }
            assert_eq!(of("node", &file(&bytes[..at])).as_deref(), Some("node"));
        }
    }

    #[test]
    fn what_is_no_file_is_not_read() {
        let (reader, _writer) = rustix::pipe::pipe().unwrap();
        assert_eq!(of("node", &File::from(reader)).as_deref(), Some("node"));
    }
}
