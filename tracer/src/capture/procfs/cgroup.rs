//! The control groups that limit a process's memory, and how many processes there may be: cgroup v2 and v1 (cgroups(7)).

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::directory::Directory;
use super::error::ProcError;
use tracer_ledger::event::Pid;

mod figures;

mod pids;

pub(crate) use pids::full_of_processes;

/// v1 has no word for "no limit", only the largest number of whole pages (`PAGE_COUNTER_MAX`).
const UNLIMITED: u64 = 1 << 62;

/// The hierarchies of control groups that have a controller, as far as this process sees them.
#[derive(Debug, Default)]
pub(crate) struct Hierarchies {
    controller: &'static [u8],
    mounts: Vec<Mount>,
}

const MEMORY: &[u8] = b"memory";

/// A process's own control group in one hierarchy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OwnGroup {
    version: Version,
    /// Where the hierarchy is mounted.
    point: PathBuf,
    /// The group's folder below that.
    below: PathBuf,
}

impl Hierarchies {
    /// Those that are mounted now (`/proc/self/mountinfo`). Paths there and in `/proc/PID/cgroup` are as seen from
    /// this process's own cgroup namespace.
    pub(crate) fn mounted() -> Self {
        Self::parse(&fs::read("/proc/self/mountinfo").unwrap_or_default())
    }

    fn parse(mounts: &[u8]) -> Self {
        Self::with(mounts, MEMORY)
    }

    /// Those with this controller.
    fn with(mounts: &[u8], controller: &'static [u8]) -> Self {
        let mounts = lines(mounts).filter_map(|line| Mount::parse(line, controller));
        Self {
            controller,
            mounts: mounts.collect(),
        }
    }

    /// The groups that a process is in now, of those that can be seen; v1's memory controller first.
    ///
    /// # Errors
    /// If the process is gone.
    pub(crate) fn of(&self, pid: Pid) -> Result<Vec<OwnGroup>, ProcError> {
        let text = Directory::open(pid)?.read("cgroup")?;
        Ok(self.groups(&text))
    }

    /// `groups`: `/proc/PID/cgroup`.
    fn groups(&self, groups: &[u8]) -> Vec<OwnGroup> {
        let mut found: Vec<OwnGroup> = lines(groups)
            .filter_map(|line| Group::parse(line, self.controller))
            .flat_map(|group| {
                let seen = self.mounts.iter().filter_map(|mount| mount.own(&group));
                seen.collect::<Vec<OwnGroup>>()
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The tightest limit of the groups in `groups` (`/proc/PID/cgroup`) and of their ancestors, as far as
/// they are visible through `mounts` (`/proc/self/mountinfo`). `None` if there is no limit, or none to be seen.
pub(super) fn memory_max(groups: &[u8], mounts: &[u8]) -> Option<u64> {
    let groups = Hierarchies::parse(mounts).groups(groups);
    groups.iter().filter_map(OwnGroup::tightest).min()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Version {
    /// A hierarchy of v1: the one that has the controller.
    V1,
    V2,
}

/// A line of `/proc/PID/cgroup`: `4:memory:/path`, `0::/path`.
struct Group {
    version: Version,
    path: PathBuf,
}

impl Group {
    fn parse(line: &[u8], controller: &[u8]) -> Option<Self> {
        let mut parts = line.splitn(3, |&byte| byte == b':');
        let version = match (parts.next()?, parts.next()?) {
            (b"0", b"") => Version::V2,
            (_, controllers) if list_has(controllers, controller) => Version::V1,
            _ => return None,
        };
        let path = OsStr::from_bytes(parts.next()?).into();
        Some(Self { version, path })
    }
}

/// A line of mountinfo: `35 32 0:32 /root /point rw,relatime - cgroup source rw,memory`.
#[derive(Debug)]
struct Mount {
    version: Version,
    root: PathBuf,
    point: PathBuf,
}

impl Mount {
    fn parse(line: &[u8], controller: &[u8]) -> Option<Self> {
        let mut fields = line.split(|&byte| byte == b' ');
        let root = path(fields.nth(3)?);
        let point = path(fields.next()?);
        // Any number of optional fields, up to a hyphen.
        fields.find(|field| *field == b"-")?;
        let version = match (fields.next()?, fields.nth(1)?) {
            (b"cgroup2", _) => Version::V2,
            (b"cgroup", options) if list_has(options, controller) => Version::V1,
            _ => return None,
        };
        Some(Self {
            version,
            root,
            point,
        })
    }

    /// Where a group is in this mount; `None`: not below what is mounted.
    fn own(&self, group: &Group) -> Option<OwnGroup> {
        if self.version != group.version {
            return None;
        }
        let below = group.path.strip_prefix(&self.root).ok()?;
        // Outside of the namespace a path begins with `..`, and leads nowhere from here.
        if below.components().any(|part| part == Component::ParentDir) {
            return None;
        }
        Some(OwnGroup {
            version: self.version,
            point: self.point.clone(),
            below: below.to_owned(),
        })
    }
}

fn list_has(list: &[u8], item: &[u8]) -> bool {
    list.split(|&byte| byte == b',').any(|found| found == item)
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n')
}

/// A path in mountinfo, where blanks and backslashes are written as `\040`.
fn path(text: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        let octal = (byte == b'\\').then(|| behind.get(..3)).flatten();
        let value =
            octal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        if value.is_some() {
            rest = &behind[3..];
        }
        bytes.push(value.unwrap_or(byte));
    }
    Path::new(OsStr::from_bytes(&bytes)).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hierarchy in a folder of its own, with these limits.
    pub(super) fn hierarchy(limits: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::Builder::new()
            .prefix("c group")
            .tempdir()
            .unwrap();
        for (file, limit) in limits {
            let file = folder.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, limit).unwrap();
        }
        folder
    }

    pub(super) fn mount(
        root: &str,
        folder: &tempfile::TempDir,
        kind: &str,
        options: &str,
    ) -> String {
        let point = folder.path().to_str().unwrap().replace(' ', "\\040");
        format!(
            "35 32 0:32 {root} {point} rw,relatime shared:9 master:1 - {kind} cgroup rw,{options}\n"
        )
    }

    #[test]
    fn the_tightest_limit_of_the_ancestors_counts() {
        let folder = hierarchy(&[
            ("memory.max", "max\n"),
            ("a/memory.max", "4096\n"),
            ("a/b/memory.max", "8192\n"),
            ("a/b/c/memory.max", "max\n"),
            ("a/b/c/d/memory.max", "1\n"),
        ]);
        let mounts = mount("/", &folder, "cgroup2", "nsdelegate");
        let max = |groups: &str| memory_max(groups.as_bytes(), mounts.as_bytes());
        assert_eq!(max("0::/a/b/c\n"), Some(4096));
        assert_eq!(max("0::/\n"), None);
        assert_eq!(max("4:memory:/a\n"), None);
        assert_eq!(max(""), None);
    }

    #[test]
    fn a_group_outside_of_the_namespace_is_not_looked_for() {
        let folder = hierarchy(&[("inside/memory.max", "max"), ("a/memory.max", "4096")]);
        let point = format!("/ {}/inside rw", folder.path().display()).replace("c g", "c\\040g");
        let mounts = format!("35 32 0:32 {point} - cgroup2 cgroup rw\n");
        assert_eq!(memory_max(b"0::/../a\n", mounts.as_bytes()), None);
    }

    #[test]
    fn a_mount_of_a_part_of_the_hierarchy_is_enough() {
        let folder = hierarchy(&[("memory.max", "4096"), ("c/memory.max", "8192")]);
        let mounts = mount("/a/b", &folder, "cgroup2", "");
        let max = |groups: &str| memory_max(groups.as_bytes(), mounts.as_bytes());
        assert_eq!(max("0::/a/b/c\n"), Some(4096));
        assert_eq!(max("0::/a/bc\n"), None, "not below what is mounted");
    }

    #[test]
    fn version_1_is_read_from_the_hierarchy_with_the_memory_controller() {
        let unlimited = "9223372036854771712\n";
        let memory = hierarchy(&[
            ("memory.limit_in_bytes", unlimited),
            ("a/memory.limit_in_bytes", "4096\n"),
            ("b/memory.limit_in_bytes", unlimited),
        ]);
        let unified = hierarchy(&[("a/cgroup.procs", "")]);
        let mounts = [
            mount("/", &memory, "cgroup", "cpu"),
            mount("/", &unified, "cgroup2", ""),
            mount("/", &memory, "cgroup", "clone_children,memory"),
        ]
        .concat();
        let max = |groups: &str| memory_max(groups.as_bytes(), mounts.as_bytes());
        assert_eq!(
            max("9:name=systemd:/a\n4:hugetlb,memory:/a\n0::/a\n"),
            Some(4096)
        );
        assert_eq!(max("4:memory:/b\n0::/a\n"), None);
        assert_eq!(max("4:cpu:/a\n"), None);
    }
}
